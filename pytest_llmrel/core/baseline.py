"""What is remembered of a test from session to session: counts, never bare rates."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

__all__ = ["WINDOW", "BaselineEntry", "Batch", "Cell", "Expenses", "ScoreSummary", "Standing", "pooled"]

WINDOW = 200
"""Most runs of a test that its baseline remembers; the oldest sessions are dropped first."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Passes among the valid runs of one case in one wording.

    Attributes:
        case: id of the dataset row, ``""`` without a dataset.
        variant: key of the wording, ``""`` without ``paraphrase``.
        passed: 0..n.
        n: valid runs (passed, failed, abstained), at least 0.
    """

    case: str
    variant: str
    passed: int
    n: int


@dataclass(frozen=True, slots=True)
class ScoreSummary:
    """A recorded score over the valid runs of a session.

    Attributes:
        n: runs that recorded it, at least 1.
        mean: finite.
        sd: sample standard deviation, ``None`` with a single run.
    """

    n: int
    mean: float
    sd: float | None


@dataclass(frozen=True, slots=True)
class Expenses:
    """What the runs of a session took, for planning the next one.

    Attributes:
        runs: finished ones, at least 1.
        calls: metered ones, those of judges too.
        usd: US dollars, ``None`` while the cost of a call was unknown.
        input_tokens: as far as known, like the output tokens.
    """

    runs: int
    calls: int
    usd: float | None
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What one session adds to a baseline.

    Attributes:
        id: sixteen hex digits, unique.
        recorded: when, UTC, as ``2026-11-23T09:30:00Z``.
        version: of pytest_llmrel.
        cells: one for each case and wording that was run.
        scores: by name.
        expenses: ``None`` where no call was metered.
    """

    id: str
    recorded: str
    version: str
    cells: tuple[Cell, ...]
    scores: Mapping[str, ScoreSummary] = field(default_factory=dict)
    expenses: Expenses | None = None

    @property
    def n(self) -> int:
        """Runs in this batch."""
        return sum(cell.n for cell in self.cells)


@dataclass(frozen=True, slots=True)
class BaselineEntry:
    """The baseline of one test.

    Attributes:
        content: sixteen hex digits of what the test does, whatever its name: finds renamed tests.
        provenance: what must be the same for a comparison to mean anything (model, prompt, dataset, judge).
        batches: oldest first, at least one.
    """

    content: str
    provenance: Mapping[str, str]
    batches: tuple[Batch, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Counts of all batches together."""
        return pooled(cell for batch in self.batches for cell in batch.cells)

    @property
    def passed(self) -> int:
        """Passes in all batches."""
        return sum(cell.passed for cell in self.cells)

    @property
    def n(self) -> int:
        """Runs in all batches."""
        return sum(cell.n for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a test's baseline before its runs, and what the session wants with it.

    Attributes:
        status: ``"comparable"``, ``"not comparable"``, ``"none"``, ``"damaged"`` or ``"off"``.
        file: of the baseline, relative to the root of the session where it is below it.
        name: of the entry in it.
        content: hash of what the test does now.
        provenance: what it is run with now.
        entry: the baseline, if there is one.
        former: name of that entry, if it was found under another name.
        note: what a reader has to know: what is damaged, what differs, what was renamed.
        record: ``"begin"``, ``"append"`` or ``"replace"``; ``""`` if nothing is to be recorded.
        compare: whether the test is judged by its baseline.
    """

    status: str
    file: str = ""
    name: str = ""
    content: str = ""
    provenance: Mapping[str, str] = field(default_factory=dict)
    entry: BaselineEntry | None = None
    former: str | None = None
    note: str = ""
    record: str = ""
    compare: bool = False


def pooled(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """The counts of equal cases and wordings added up, in order of first appearance."""
    passed: Counter[tuple[str, str]] = Counter()
    n: Counter[tuple[str, str]] = Counter()
    for cell in cells:
        passed[cell.case, cell.variant] += cell.passed
        n[cell.case, cell.variant] += cell.n
    return tuple(Cell(*address, passed[address], n[address]) for address in n)
