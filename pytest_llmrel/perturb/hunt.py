"""The hunt for a wording that breaks a test: decides what to run next, and is told what came of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from math import log

from pytest_llmrel.errors import PerturbationError
from pytest_llmrel.perturb.candidates import waves
from pytest_llmrel.perturb.edits import Edit, apply_edits
from pytest_llmrel.perturb.found import Broken, HuntResult
from pytest_llmrel.perturb.observed import Counts, Observed
from pytest_llmrel.perturb.perturbation import Perturbation
from pytest_llmrel.perturb.registry import PERTURBATIONS
from pytest_llmrel.perturb.shrink import Steps, shrunk

__all__ = ["LEAST_BUDGET", "Hunt", "Wanted"]

Wanted = tuple[tuple[str, int], ...]
"""Wordings and how many runs of each."""
LEAST_BUDGET = 20
"""With fewer calls hardly anything can be shown, whatever the runs say."""
_ALPHA = 0.05
_PRIMARY_RUNS = 20
_SUSPICION, _SHRINKING, _CERTAINTY = log(10), log(25), log(100)
"""How much likelier the primary's rate must be than a broken one, until a wording is let go."""
_ROUNDS = 3
"""How often each wording is run that did not fail before."""
_CONFIRMED = 10
"""Runs of the wording that is reported, if calls are left."""
_HOPELESS = 20
"""So many runs in a row of which none could be judged, and there will be no other."""


class Hunt:
    """A search that asks for runs and is told their outcomes; it does nothing by itself.

    ``next()`` names a wording and a number of runs, ``tell()`` gives what came of them, until ``next()``
    gives ``None``; ``open()`` names all that may be run at the same time. The primary wording is run
    first, then every perturbation and compositions of them once; what fails is run again until it is
    shown to break or let go, and then shrunk to the fewest edits that are shown to break, by delta
    debugging.

    The chance that a wording is reported whose pass rate is not below the primary's is at most
    ``alpha`` in the whole hunt: each of at most ``budget / 2`` wordings has an equal share of it, and
    within its share the evidence (``stats.lower``) may be looked at after each run. Runs of the same
    wording must be independent and of one pass rate.

    Args:
        primary: the wording that the others are edits of.
        seed: decides which edits are tried.
        budget: model calls that may be spent; at least `LEAST_BUDGET`.
        known: the perturbations that are tried.
        alpha: chance of a false alarm, within (0, 1).

    Raises:
        PerturbationError: too small a budget.
        ValueError: ``alpha`` out of range.
    """

    def __init__(
        self,
        primary: str,
        *,
        seed: int,
        budget: int,
        known: Mapping[str, Perturbation] = PERTURBATIONS,
        alpha: float = _ALPHA,
    ) -> None:
        if budget < LEAST_BUDGET:
            raise PerturbationError(
                f"{budget} calls cannot show that a wording breaks; give the hunt at least {LEAST_BUDGET}, "
                "better 100"
            )
        if not 0 < alpha < 1:
            raise ValueError(f"alpha is {alpha}; it must be within (0, 1)")
        self._primary, self._budget = primary, budget
        self._most = budget // 2
        self._observed = Observed(primary, self._most, alpha)
        self._waves = waves(primary, seed, known)
        self._edits: dict[str, tuple[Edit, ...]] = {}
        self._shrunk: tuple[Edit, ...] | None = None
        self._unsettled = False
        self._remark = ""
        self._first: tuple[tuple[Edit, ...], ...] = ()
        self._barren = 0
        self._calls, self._calls_per_run = 0, 1
        self._asked: dict[str, int] = {}
        self._steps = self._hunt()

    def next(self) -> tuple[str, int] | None:
        """The wording to run next and how many times, or ``None`` when the hunt is over.

        The runs fit into what is left of the budget, if none makes more calls than the costliest so
        far; the first is asked for alone. Until the outcomes are told, the answer stays the same.
        """
        return next(iter(self.open()), None)

    def open(self) -> tuple[tuple[str, int], ...]:
        """All that may be run at the same time: wordings and how many times, each to be told by itself.

        The first is what `next` gives; there is none when the hunt is over.
        """
        if self._barren >= _HOPELESS:
            return ()
        if not self._asked:
            left = (self._budget - self._calls) // self._calls_per_run
            for wording, wanted in next(self._steps, ()):
                if runs := min(wanted, left):
                    self._asked[wording] = runs
                    left -= runs
            if not self._asked:
                self._steps.close()
        return tuple(self._asked.items())

    def tell(self, wording: str, passed: int, n: int, calls: int | None = None) -> None:
        """Say what came of the runs that were asked for.

        Args:
            wording: that was asked for.
            passed: runs that passed.
            n: runs that count: those that met an error of the infrastructure are left out.
            calls: that all the runs made; one each if nothing is said, and never counted as fewer.

        Raises:
            ValueError: nothing of the kind was asked for.
        """
        runs = self._asked.get(wording)
        if runs is None:
            raise ValueError(f"no runs of {wording!r} were asked for")
        if not 0 <= passed <= n <= runs:
            raise ValueError(f"{passed} of {n} is impossible where {runs} runs were asked for")
        spent = max(runs, calls or 0)
        self._calls += spent
        self._calls_per_run = max(self._calls_per_run, -(-spent // runs))
        self._observed.add(wording, Counts(passed, n))
        self._barren = 0 if n else self._barren + runs
        del self._asked[wording]

    def result(self) -> HuntResult:
        """What was found so far; all that there is once ``next()`` gave ``None``."""
        broken = self._smallest()
        return HuntResult(
            primary=self._primary,
            counts=self._observed.primary,
            broken=broken,
            shrunk=broken is not None and (broken.edits == self._shrunk or len(broken.edits) == 1),
            calls=self._calls,
            wordings=self._observed.wordings,
            remark=self._remark or ("" if broken else self._shortfall()),
        )

    def _shortfall(self) -> str:
        """Why it cannot be said that there is no such wording, as far as it was looked for."""
        of = self._observed.of
        if self._barren >= _HOPELESS:
            return f"{self._barren} runs in a row could not be judged"
        if not self._observed.primary.n:
            return "no run of the primary wording could be judged"
        untried = sum(not of(apply_edits(self._primary, edits)).n for edits in self._first)
        if untried or not self._first:
            return "the hunt ended before every perturbation was tried once; give it more calls"
        for wording in self._edits:
            if self._observed.speaks_against(wording, self._observed.presumed) <= -_SUSPICION:
                seen = f"which passed {of(wording).passed} of {of(wording).n} times"
                return f"the hunt ended while {wording[:100]!r}, {seen}, was suspected; give it more calls"
        return ""

    def _smallest(self) -> Broken | None:
        shown = [
            Broken(wording, self._observed.of(wording), edits, self._observed.evidence(wording))
            for wording, edits in self._edits.items()
            if self._observed.breaks(wording)
        ]
        return min(shown, key=lambda broken: (len(broken.edits), -broken.evidence), default=None)

    def _hunt(self) -> Steps[Wanted, None]:
        first = next(self._waves, None)
        if first is None:
            self._remark = "no perturbation changes anything in this wording"
            return
        self._first = tuple(first)
        self._rounds = self._in_rounds(chain([first], self._waves))
        yield ((self._primary, 1),)
        yield from self._run(min(_PRIMARY_RUNS, self._budget // 3), self._primary)
        if not self._observed.primary.passed:
            self._remark = "the primary wording never passed; nothing can pass less often"
            return
        edits = yield from self._search()
        while edits is not None:
            edits = yield from shrunk(tuple(sorted(edits, key=_kind)), self._test(_SHRINKING))
            if (yield from self._confirm(edits)):
                self._unsettled = False
                smallest = yield from shrunk(edits, self._test(_CERTAINTY))
                if smallest == edits or (yield from self._confirm(smallest)):
                    self._shrunk = None if self._unsettled else tuple(sorted(smallest))
                    return
            known = self._smallest()
            edits = known.edits if known else (yield from self._search())

    def _confirm(self, edits: tuple[Edit, ...]) -> Steps[Wanted, bool]:
        """Run what is left by shrinking until it is beyond doubt."""
        wording = self._wording(edits)
        yield from self._run(_CONFIRMED, wording)
        observed = self._observed
        while observed.breaks(wording) and not observed.is_evident(wording) and self._affords(wording):
            yield (self._balanced(wording, 2),)
        return observed.breaks(wording)

    def _run(self, runs: int, *wordings: str) -> Steps[Wanted, None]:
        """Run wordings until each has so many runs."""
        of = self._observed.of
        while wanted := tuple(
            (wording, runs - of(wording).n) for wording in wordings if of(wording).n < runs
        ):
            yield wanted

    def _search(self) -> Steps[Wanted, tuple[Edit, ...] | None]:
        """The first set of edits that is shown to break, among those not let go."""
        for wave, runs in self._rounds:
            sets = {self._wording(edits): edits for edits in wave}
            wordings = self._observed.admitted(sets)
            yield from self._run(runs, *wordings)
            suspects = [wording for wording in wordings if self._observed.of(wording).failed]
            for wording in sorted(suspects, key=lambda wording: len(sets[wording])):
                if (yield from self._judge(wording, self._observed.presumed, _SUSPICION)):
                    return sets[wording]
        return None

    def _in_rounds(
        self, found: Iterable[list[tuple[Edit, ...]]]
    ) -> Iterator[tuple[list[tuple[Edit, ...]], int]]:
        """Waves and how many runs each of their wordings should have: all once, then all again."""
        looked_at, left = [], 2 * self._most // 3
        for wave in found:
            looked_at.append(wave[:left])
            left -= len(looked_at[-1])
            yield looked_at[-1], 1
            if not left:
                break
        yield from ((wave, runs) for runs in range(2, _ROUNDS + 1) for wave in looked_at)

    def _test(self, doubt: float) -> Callable[[tuple[Edit, ...]], Steps[Wanted, bool]]:
        """The test for shrinking: is the rate of a part that of the whole, or the primary's?"""

        def breaks(edits: tuple[Edit, ...]) -> Steps[Wanted, bool]:
            whole = self._smallest()
            broken = whole.counts.expected if whole else self._observed.presumed
            return (yield from self._judge(self._wording(edits), broken, doubt))

        return breaks

    def _wording(self, edits: tuple[Edit, ...]) -> str:
        wording = apply_edits(self._primary, edits)
        if len(self._edits.get(wording, edits)) >= len(edits):
            self._edits[wording] = tuple(sorted(edits))
        return wording

    def _judge(self, wording: str, broken: float, doubt: float) -> Steps[Wanted, bool]:
        """Run a wording until it is shown to break, or let go."""
        observed = self._observed
        if wording == self._primary:
            return False
        while not observed.breaks(wording):
            if observed.speaks_against(wording, broken) >= doubt:
                return False
            if not observed.admitted([wording]) or not self._affords(wording):
                self._unsettled = True
                return False
            yield (self._balanced(wording, self._fewest(wording, broken, doubt)),)
        return True

    def _affords(self, wording: str) -> bool:
        """Whether more runs of a wording leave enough for others."""
        return 4 * self._observed.of(wording).n < self._budget

    def _balanced(self, wording: str, runs: int) -> tuple[str, int]:
        """Runs of a wording, unless the primary one has too few to compare them with."""
        missing = 2 * self._observed.of(wording).n - self._observed.primary.n
        return (self._primary, missing) if missing > 0 else (wording, runs)

    def _fewest(self, wording: str, broken: float, doubt: float) -> int:
        """The fewest runs that can settle it: with fewer, another look would say nothing new."""
        for runs in range(1, self._budget):
            fail, ok = Counts(0, runs), Counts(runs, runs)
            if (
                self._observed.breaks(wording, fail)
                or self._observed.speaks_against(wording, broken, ok) >= doubt
            ):
                return runs
        return 1


def _kind(edit: Edit) -> tuple[str, bool, bool, int]:
    """Edits that do the same stand together, so that halving soon leaves one kind of them."""
    return edit.name, not edit.old, edit.old.isspace(), edit.start
