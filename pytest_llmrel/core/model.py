"""The values that cross every room: frozen, slotted, without behaviour beyond themselves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pytest_llmrel.core.baseline import Cell, ScoreSummary
from pytest_llmrel.core.call import Spent, Traffic
from pytest_llmrel.core.counted import Counted
from pytest_llmrel.core.fault import Recovery
from pytest_llmrel.core.gate import Gate
from pytest_llmrel.core.score import Score, Scoring
from pytest_llmrel.core.shown import Clustering, Sensitivity, Shown

__all__ = [
    "Attempt",
    "Decision",
    "Estimate",
    "Evidence",
    "Failure",
    "FailureGroup",
    "FailureKey",
    "Finding",
    "Outcome",
    "Sample",
    "Status",
    "Summary",
    "Tally",
    "Variant",
    "Verdict",
]


class Outcome(StrEnum):
    """What became of one run."""

    PASSED = "passed"
    FAILED = "failed"
    """An assertion or any exception that the code under test raised."""
    ABSTAINED = "abstained"
    """The model declined: neither a pass nor a wrong answer."""
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    """``pytest.xfail()`` called inside the run; leaves the denominators, like a skip."""
    ERROR = "error"
    """Infrastructure (connection, timeout, 429, 5xx) or a fixture that raised: not the model's doing."""


class Status(StrEnum):
    """What a finding, a test or a suite amounts to; ``worst`` orders them."""

    PASS = "PASS"  # noqa: S105  a verdict, not a password
    INCONCLUSIVE = "INCONCLUSIVE"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Variant:
    """One wording of a test; a test without ``paraphrase`` has the single variant ``""``.

    Attributes:
        key: eight hex digits of the wording's hash, or ``""``; stable when wordings are reordered.
        text: the wording itself.
        primary: whether this is the wording the others rephrase.
    """

    key: str = ""
    text: str = ""
    primary: bool = True


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run that is to be executed.

    Attributes:
        case: id of the dataset row, ``""`` without a dataset.
        variant: the wording.
        run: 0-based number among the runs of this case and variant.
        seed: 63-bit integer, the same for the same test, case, variant and run on every machine.
    """

    case: str
    variant: Variant
    run: int
    seed: int


@dataclass(frozen=True, slots=True)
class FailureKey:
    """What makes two failures the same kind.

    Attributes:
        outcome: of the run.
        type: class name of the exception.
        location: ``path:line`` where the user's code raised, or ``""``.
        message: the message with numbers, addresses and quoted text normalised.
    """

    outcome: Outcome
    type: str
    location: str
    message: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one failing run left behind, to be shown as the sample of its group (untrusted text).

    Attributes:
        attempt: the run.
        message: the exception's own message.
        traceback: as pytest would show it.
        output: what the test recorded with ``llmrel.output``.
        captured: ``(title, text)`` of the run's own stdout, stderr and log.
    """

    attempt: Attempt
    message: str
    traceback: str = ""
    output: str | None = None
    captured: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure: its kind, and how to describe it.

    Attributes:
        describe: makes the evidence; called once per kind, by the thread that records, because it is
            slow and pytest's part of it is not thread-safe.
    """

    key: FailureKey
    describe: Callable[[], Evidence]


@dataclass(frozen=True, slots=True)
class Sample:
    """One finished run.

    Attributes:
        duration: seconds the test body took, set-up and tear-down excluded.
        scores: what the run recorded.
        failure: why, for FAILED, ERROR, SKIPPED and XFAILED runs.
        teardown: what the run's tear-down raised, whatever its outcome.
        fatal: every further run would end the same way (HTTP 401, 403, 404).
        timed_out: the run exceeded its time limit.
        traffic: what it sent over HTTP.
        recovery: what became of it, if it met an injected fault.
        cut_off: why it was ended from outside, without an outcome that could count; or ``""``.
    """

    attempt: Attempt
    outcome: Outcome
    duration: float = 0.0
    scores: tuple[Score, ...] = ()
    failure: Failure | None = None
    teardown: Failure | None = None
    fatal: bool = False
    timed_out: bool = False
    traffic: Traffic = field(default=Traffic())
    recovery: Recovery | None = None
    cut_off: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with what is known of its precision; ``point`` is ``None`` where it is undefined.

    Attributes:
        low: lower end of the 95 % interval, or ``None`` where none is given.
        high: upper end.
        n: how many runs (or tasks) it rests on.
        method: how it was computed, or why it is undefined.
    """

    point: float | None
    low: float | None
    high: float | None
    n: int
    method: str

    @classmethod
    def undefined(cls, reason: str, n: int = 0) -> "Estimate":
        """An estimate that has no value; ``reason`` says why."""
        return cls(None, None, None, n, reason)


@dataclass(frozen=True, slots=True)
class Tally:
    """Passes among the valid runs (passed, failed, abstained) of one variant or case."""

    key: str
    text: str
    passed: int
    n: int


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """All runs that failed in the same way, with one of them as the sample.

    Attributes:
        variants: wording -> how many runs of it are in this group.
    """

    key: FailureKey
    count: int
    variants: Mapping[str, int]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Decision:
    """A gate on a rate, decided run by run in the order in which the runs were started.

    Attributes:
        status: of the gate.
        n: valid runs it was decided after.
        events: how many of them the rate counts (passes, for a pass rate).
        rate: unbiased estimate of the rate, 0..1; ``None`` where there is none.
        early: whether it was decided before the last run.
        sequential: whether the rule is a test of its own, and not only the test of all runs cut short.
        method: the rule, and what it says.
    """

    status: Status
    n: int
    events: int
    rate: float | None
    early: bool
    sequential: bool
    method: str


@dataclass(frozen=True, slots=True)
class Summary:
    """All runs of one test, aggregated.

    Attributes:
        counts: runs per outcome.
        unfinished: attempts that were planned but have no sample (interrupted, stopped).
        metrics: name -> estimate.
        variants: one tally per wording, empty without ``paraphrase``.
        cases: one tally per dataset row, empty without a dataset.
        groups: failing and erring runs by kind, largest first.
        teardowns: tear-downs that raised, by kind.
        stop_reason: why fewer runs than planned were made, or ``""``.
        saved: runs that were planned and left out, because every gate was decided.
        cells: passes and runs of every case and wording.
        scores: what was recorded, by name; finite values only.
        scorings: the same scores: who gave them, and the worst value.
        shown: what the runs show about a gate; empty where observed values are compared.
        decisions: gates on rates that were decided run by run.
        followed: whether the test could have ended early; what is counted then is no fair sample.
        sensitivity: how much depends on the wording, ``None`` with one wording or too few runs.
        clustering: how alike the runs of a case are, ``None`` without a dataset.
        spent: by the calls that were made for answers.
        judging: by the calls that were made to judge them.
        idle_runs: runs that made no metered call.
        recoveries: what became of the runs that met an injected fault -> how many.
        cut_off: why the budget ended the test before its last run, or ``""``.
        run_seconds: how long valid runs took, as buckets of :mod:`pytest_llmrel.stats.histogram`.
        call_seconds: how long calls took.
        counted: what the rates are computed from, ``None`` where nothing was counted run by run.
    """

    counts: Mapping[Outcome, int]
    unfinished: int
    metrics: Mapping[str, Estimate]
    variants: tuple[Tally, ...] = ()
    cases: tuple[Tally, ...] = ()
    groups: tuple[FailureGroup, ...] = ()
    teardowns: tuple[FailureGroup, ...] = ()
    stop_reason: str = ""
    saved: int = 0
    cells: tuple[Cell, ...] = ()
    scores: Mapping[str, ScoreSummary] = field(default_factory=dict)
    scorings: Mapping[str, Scoring] = field(default_factory=dict)
    shown: Mapping[Gate, Shown] = field(default_factory=dict)
    decisions: Mapping[Gate, Decision] = field(default_factory=dict)
    followed: bool = False
    sensitivity: Sensitivity | None = None
    clustering: Clustering | None = None
    spent: Spent = field(default_factory=Spent)
    judging: Spent = field(default_factory=Spent)
    idle_runs: int = 0
    recoveries: Mapping[Recovery, int] = field(default_factory=dict)
    cut_off: str = ""
    run_seconds: Mapping[int, int] = field(default_factory=dict)
    call_seconds: Mapping[int, int] = field(default_factory=dict)
    counted: Counted | None = None

    @property
    def runs(self) -> int:
        """Finished runs, whatever their outcome."""
        return sum(self.counts.values())

    @property
    def valid(self) -> int:
        """Runs in the quality denominators: passed, failed or abstained."""
        counted = (Outcome.PASSED, Outcome.FAILED, Outcome.ABSTAINED)
        return sum(self.counts.get(outcome, 0) for outcome in counted)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was judged.

    Attributes:
        metric: name of the metric, or of what was checked (``"error_rate"``, ``"teardown"``).
        expected: the bar, as text.
        observed: what was seen, as text.
        explanation: one sentence for a person, naming what to do where that is not plain.
        straddles: the verdict stands, but the interval contains the bar: more runs could overturn it.
    """

    metric: str
    expected: str
    observed: str
    status: Status
    explanation: str
    straddles: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the findings of one test amount to: the worst of them."""

    status: Status
    findings: tuple[Finding, ...] = field(default=())
