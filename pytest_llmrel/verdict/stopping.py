"""When enough runs are known: curtailment, and truncated sequential tests where evidence is asked for.

Runs count in the order in which they were started, so that those that end early do not decide before those
that take their time. A rule is fixed before the first run and looks at nothing but outcomes.
"""

from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache
from math import ceil

from pytest_llmrel.core.gate import RATES, Gate, GateMode
from pytest_llmrel.core.model import Decision, Outcome, Status
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.stats.sequential import StoppingRule, alternative_rate, curtailed, truncated_sprt
from pytest_llmrel.verdict.counts import VALID
from pytest_llmrel.verdict.evidence import rate_status

__all__ = ["Stopping", "alternative_of", "passing_rule", "stopping_for"]

_EVENT = {"pass_rate": Outcome.PASSED, "wrong_rate": Outcome.FAILED, "abstention_rate": Outcome.ABSTAINED}
_LONGEST_SEQUENTIAL = 200
"""Runs up to which a sequential test is set up; its exact error rates take time quadratic in that."""
_HIGHEST_SEQUENTIAL = 0.995
"""Rate up to which one is: beyond, a single bad run decides nearly everything."""


def stopping_for(plan: RunPlan, planned: int, max_error_rate: float = 1.0) -> "Stopping | None":
    """The stopping rule of a test, ``None`` if all of its runs are needed.

    Every gate must be one on a rate of valid runs, and these must be of one case: what is estimated from
    scores, durations, pass^K or the differences between wordings or cases needs the sample that was
    planned. Without a gate there is no bar, and how many of the runs pass is the whole result.

    Args:
        plan: of the test.
        planned: its runs, at least 1.
        max_error_rate: share of erring runs, 0..1, above which nothing is concluded, and so nothing stopped.
    """
    gates = plan.gates
    if (
        not plan.may_stop
        or plan.faults
        or len(plan.inputs.cases) > 1
        or not gates
        or any(gate.metric not in RATES - {"error_rate"} for gate in gates)
    ):
        return None
    one_wording = len(plan.inputs.variants) == 1
    followed = {gate: _Followed(gate, plan.mode, planned, may_be_sequential=one_wording) for gate in gates}
    can_stop = all(one.can_stop for one in followed.values())
    return Stopping(planned, followed, max_error_rate) if can_stop else None


class Stopping:
    """Follows the runs of one test until all of its gates are decided.

    Attributes:
        decisions: of the gates that are decided.
    """

    def __init__(self, planned: int, followed: dict[Gate, "_Followed"], max_error_rate: float) -> None:
        self._planned = planned
        self._max_error_rate = max_error_rate
        self._errors = self._judged = 0
        self._followed = followed
        self._waiting: dict[int, Outcome] = {}
        self._counted = 0
        self.decisions: dict[Gate, Decision] = {}

    def record(self, position: int, outcome: Outcome) -> None:
        """Take the outcome of the run that was started as number ``position``, counted from 0."""
        self._waiting[position] = outcome
        while not self.decided and self._counted in self._waiting:
            found = self._waiting.pop(self._counted)
            self._counted += 1
            self._errors += found is Outcome.ERROR
            self._judged += found is Outcome.ERROR or found in VALID
            for gate, followed in self._followed.items():
                decision = None if gate in self.decisions else followed.count(found)
                if decision is not None:
                    self.decisions[gate] = decision

    @property
    def decided(self) -> bool:
        """Whether every gate is, and there are few enough errors to conclude anything."""
        return len(self.decisions) == len(self._followed) and not self._excess

    @property
    def enough(self) -> int:
        """How many runs may be started: as many as it takes to pass if all unknown runs are good ones.

        More would be paid for in vain where the model is as good as it should be.
        """
        undecided = [one for gate, one in self._followed.items() if gate not in self.decisions]
        waiting = self._waiting.values()
        needed = [one.enough(waiting) for one in undecided]
        return min(self._planned, max([*needed, self._counted + self._excess]))

    @property
    def _excess(self) -> int:
        """Runs without an error that it takes until the share of errors is small enough."""
        if self._errors <= self._max_error_rate * self._judged:
            return 0
        if not self._max_error_rate:
            return self._planned
        return ceil(self._errors / self._max_error_rate - 1e-9) - self._judged


class _Followed:
    """One gate and the runs that count for it."""

    def __init__(self, gate: Gate, mode: GateMode, planned: int, *, may_be_sequential: bool) -> None:
        self._gate = gate
        self._mode = mode
        self._planned = planned
        self._p1 = alternative_of(gate, mode, planned) if may_be_sequential else None
        self._good = self._bad = self._void = 0

    @property
    def can_stop(self) -> bool:
        """Whether some outcomes of all planned runs pass the gate, and others do not."""
        return self._passing(self._planned) is not None

    def count(self, outcome: Outcome) -> Decision | None:
        """Count the next run; the decision, if there is one now."""
        if outcome not in VALID:
            self._void += 1
        elif self._is_good(outcome):
            self._good += 1
        else:
            self._bad += 1
        rule, n = self._passing(self._length), self._good + self._bad
        if rule is None or n == 0:
            return None
        passes = rule.decision(n, self._good)
        if passes or (passes is False and self._mode is not GateMode.PROOF):
            return self._decision(rule, Status.PASS if passes else Status.FAIL)
        return self._unproven() if passes is False else None

    def enough(self, waiting: Iterable[Outcome]) -> int:
        """Runs that can be enough to pass, given what is known of runs that do not count yet."""
        known = list(waiting)
        void = self._void + sum(outcome not in VALID for outcome in known)
        bad = self._bad + sum(outcome in VALID and not self._is_good(outcome) for outcome in known)
        rule = self._passing(self._planned - void) if void < self._planned else None
        return self._planned if rule is None else void + rule.earliest_pass(min(bad, rule.length))

    @property
    def _length(self) -> int:
        return self._planned - self._void

    def _is_good(self, outcome: Outcome) -> bool:
        return (outcome is _EVENT[self._gate.metric]) is self._gate.wants_more

    def _passing(self, length: int) -> StoppingRule | None:
        return passing_rule(self._gate, self._mode, length, self._p1) if length else None

    def _unproven(self) -> Decision | None:
        """It cannot be proven any more; whether the opposite is shown may still be open."""
        n = self._good + self._bad
        rule = _curtailed(self._gate, self._mode, self._length, not_worse=Status.INCONCLUSIVE)
        shown = None if rule is None else rule.decision(n, self._good)
        if rule is not None and shown is False:
            return self._decision(rule, Status.FAIL)
        return self._decision(None, Status.INCONCLUSIVE) if rule is None or shown else None

    def _decision(self, rule: StoppingRule | None, status: Status) -> Decision:
        n, good = self._good + self._bad, self._good
        more = self._gate.wants_more
        rate = None if rule is None else _unbiased(rule, n, good)
        return Decision(
            status=status,
            n=n,
            events=good if more else n - good,
            rate=rate if more or rate is None else 1.0 - rate,
            early=n < self._length,
            sequential=self._p1 is not None,
            method=self._method(),
        )

    def _method(self) -> str:
        if self._p1 is None:
            return "the other runs cannot change this"
        p1 = self._p1 if self._gate.wants_more else 1.0 - self._p1
        return f"truncated sequential test of {self._gate.bar:g} against {p1:g} (Wald 1945)"


def alternative_of(gate: Gate, mode: GateMode, planned: int) -> float | None:
    """The rate of good runs that a sequential test tests the bar against, ``None`` if there is none.

    Args:
        gate: on a rate.
        mode: only evidence is looked for sequentially.
        planned: runs, at least 1.
    """
    p0 = _good_rate(gate)
    if mode is not GateMode.EVIDENCE or planned > _LONGEST_SEQUENTIAL or not 0 < p0 <= _HIGHEST_SEQUENTIAL:
        return None
    return alternative_rate(planned, p0)


def passing_rule(gate: Gate, mode: GateMode, length: int, p1: float | None) -> StoppingRule | None:
    """The rule that tells PASS from everything else, ``None`` if every outcome of so many runs says the same.

    Args:
        gate: on a rate.
        mode: what it takes to pass.
        length: valid runs at most, at least 1.
        p1: see :func:`alternative_of`.
    """
    if p1 is not None and (rule := _sequential(length, _good_rate(gate), p1)):
        return rule
    return _curtailed(gate, mode, length, not_worse=Status.PASS)


def _good_rate(gate: Gate) -> float:
    return gate.bar if gate.wants_more else 1.0 - gate.bar


def _unbiased(rule: StoppingRule, n: int, good: int) -> float | None:
    if n > _LONGEST_SEQUENTIAL:  # paths are counted one by one
        return None
    try:
        return rule.unbiased_rate(n, good)
    except ValueError:  # an invalid run has shortened the rule, past the point where it would have stopped
        return None


@lru_cache(maxsize=256)
def _sequential(length: int, p0: float, p1: float) -> StoppingRule | None:
    try:
        return truncated_sprt(length, p0, p1)
    except ValueError:  # so few runs cannot fail
        return None


@lru_cache(maxsize=4096)
def _curtailed(gate: Gate, mode: GateMode, length: int, *, not_worse: Status) -> StoppingRule | None:
    """Tells from what count on the status is ``not_worse``; ``None`` if it always or never is."""
    order = (Status.FAIL, Status.INCONCLUSIVE, Status.PASS)

    def is_fine(good: int) -> bool:
        events = good if gate.wants_more else length - good
        return order.index(rate_status(gate, mode, events, length)) >= order.index(not_worse)

    least = bisect_left(range(length + 1), x=True, key=is_fine)
    return curtailed(length, least - 1) if 0 < least <= length else None
