"""Counts of the runs of one test: by case and wording, by outcome, and the numbers they recorded."""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Self

from pytest_llmrel.core.baseline import Cell
from pytest_llmrel.core.counted import Counted, Outcomes
from pytest_llmrel.core.model import Outcome, Sample, Variant
from pytest_llmrel.verdict.scorebook import ScoreBook
from pytest_llmrel.verdict.spending import Spending

if TYPE_CHECKING:
    from pytest_llmrel.core.fault import Recovery

__all__ = ["VALID", "CellCount", "Counts"]

VALID = frozenset({Outcome.PASSED, Outcome.FAILED, Outcome.ABSTAINED})
"""Outcomes in the quality denominators."""


class CellCount:
    """Valid runs of one case in one wording, by outcome."""

    __slots__ = ("abstained", "failed", "passed")

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0
        self.abstained = 0

    @property
    def n(self) -> int:
        """All of them."""
        return self.passed + self.failed + self.abstained


class Counts:
    """What is kept of the samples: some tens of bytes a run.

    Not thread-safe: one thread at a time records.
    """

    def __init__(self, variants: Iterable[Variant]) -> None:
        self._places = {variant.key: place for place, variant in enumerate(variants)}
        self._cells: dict[str, dict[str, CellCount]] = {}
        self._ordered: dict[str, dict[str, CellCount]] | None = None
        self.scores: dict[str, ScoreBook] = {}
        self._invalid: Counter[Outcome] = Counter()
        self.durations = array("d")
        self.spending = Spending()
        self.recoveries: Counter[Recovery] = Counter()
        self.injected_errors = 0

    @classmethod
    def of(cls, counted: Counted, variants: Iterable[Variant], invalid: Mapping[Outcome, int]) -> Self:
        """The counts as they were, without durations, scores and what was spent.

        Args:
            counted: what was kept of them.
            variants: all wordings of the test.
            invalid: runs per outcome that is in no quality denominator.
        """
        counts = cls(variants)
        for case, variant, passed, failed, abstained in counted.cells:
            if passed + failed + abstained:
                cell = counts._cell(case, variant)
                cell.passed, cell.failed, cell.abstained = passed, failed, abstained
        counts._invalid.update(invalid)
        counts.injected_errors = counted.injected_errors
        return counts

    def record(self, sample: Sample) -> None:
        """Add one finished run."""
        outcome, attempt = sample.outcome, sample.attempt
        self.spending.record(sample)
        if sample.recovery is not None:
            self.recoveries[sample.recovery] += 1
            self.injected_errors += outcome is Outcome.ERROR
        is_passed, is_failed = outcome is Outcome.PASSED, outcome is Outcome.FAILED
        if not (is_passed or is_failed or outcome is Outcome.ABSTAINED):
            self._invalid[outcome] += 1
            return
        cell = self._cell(attempt.case, attempt.variant.key)
        if is_passed:  # identity: hashing an enum's member is slow, and there may be a million of them
            cell.passed += 1
        elif is_failed:
            cell.failed += 1
        else:
            cell.abstained += 1
        self.durations.append(sample.duration)
        if sample.scores:
            self._record_scores(sample)

    def _cell(self, case: str, variant: str) -> CellCount:
        try:
            return self._cells[case][variant]
        except KeyError:
            self._ordered = None
            cell = self._cells.setdefault(case, {})[variant] = CellCount()
            return cell

    def _record_scores(self, sample: Sample) -> None:
        attempt = sample.attempt
        place = attempt.run * len(self._places) + self._places[attempt.variant.key]
        for score in sample.scores:
            try:
                book = self.scores[score.name]
            except KeyError:
                book = self.scores[score.name] = ScoreBook()
            book.record(attempt, place, score)

    @property
    def outcomes(self) -> Counter[Outcome]:
        """Runs per outcome."""
        cells = [cell for cells in self._cells.values() for cell in cells.values()]
        valid = {
            Outcome.PASSED: sum(cell.passed for cell in cells),
            Outcome.FAILED: sum(cell.failed for cell in cells),
            Outcome.ABSTAINED: sum(cell.abstained for cell in cells),
        }
        return Counter(valid) + self._invalid

    @property
    def valid(self) -> int:
        """Valid runs."""
        return sum(cell.n for cells in self._cells.values() for cell in cells.values())

    @property
    def finished(self) -> int:
        """All runs."""
        return self.valid + self._invalid.total()

    def by_case(self) -> Mapping[str, Mapping[str, CellCount]]:
        """Case -> wording -> counts, both in a fixed order; found once, for there may be very many cases."""
        if self._ordered is None:
            place = self._places.__getitem__
            self._ordered = {
                case: {key: self._cells[case][key] for key in sorted(self._cells[case], key=place)}
                for case in sorted(self._cells)
            }
        return self._ordered

    def counted(self, tasks: Iterable[tuple[str, Variant]]) -> Counted:
        """All that :meth:`of` needs.

        Args:
            tasks: case and wording of what was planned.
        """
        none = CellCount()
        found = [(case, key.key, self._cells.get(case, {}).get(key.key, none)) for case, key in tasks]
        cells = tuple(
            Outcomes(case, key, cell.passed, cell.failed, cell.abstained) for case, key, cell in found
        )
        return Counted(cells, self.injected_errors)

    def cells(self) -> tuple[Cell, ...]:
        """Passes and runs of every case and wording."""
        return tuple(
            Cell(case, key, count.passed, count.n)
            for case, counts in self.by_case().items()
            for key, count in counts.items()
        )
