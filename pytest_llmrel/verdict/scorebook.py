"""The scores of the runs of one test: values by case, who gave them, the lowest and the highest of them."""

from array import array
from collections import Counter
from math import isfinite
from statistics import fmean
from typing import Final

from pytest_llmrel.core.model import Attempt
from pytest_llmrel.core.score import Extreme, JudgeId, Score, Scoring

__all__ = ["ScoreBook"]

_MOST_REASONS: Final = 20
_OTHER_REASONS: Final = "other reasons"


class ScoreBook:
    """What is kept of one score: sixteen bytes a run. Not thread-safe: one thread at a time records."""

    def __init__(self) -> None:
        self._cases: dict[str, tuple[array[float], array[int]]] = {}
        self._scorers: set[str] = set()
        self._judges: set[JudgeId] = set()
        self._not_applicable: Counter[str] = Counter()
        self._lowest, self._highest = _Furthest(-1), _Furthest(1)

    def record(self, attempt: Attempt, place: int, score: Score) -> None:
        """Add the score of one run.

        Args:
            attempt: the run.
            place: where it stands among the runs of its case.
            score: what it recorded.
        """
        if score.scorer:
            self._scorers.add(score.scorer)
        if score.judge is not None:
            self._judges.add(score.judge)
        if score.value is None:
            known = score.said in self._not_applicable or len(self._not_applicable) < _MOST_REASONS
            self._not_applicable[score.said if known else _OTHER_REASONS] += 1
            return
        try:
            values, places = self._cases[attempt.case]
        except KeyError:
            values, places = self._cases[attempt.case] = array("d"), array("q")
        values.append(score.value)
        places.append(place)
        if isfinite(score.value):
            self._lowest.note(attempt, place, score, score.value)
            self._highest.note(attempt, place, score, score.value)

    @property
    def values(self) -> list[float]:
        """In the order of the runs, whichever ended first."""
        return [
            values[index]
            for _, (values, places) in sorted(self._cases.items())
            for index in sorted(range(len(values)), key=places.__getitem__)
        ]

    @property
    def case_means(self) -> list[float]:
        """The mean of each case."""
        return [fmean(values) for _, (values, _) in sorted(self._cases.items())]

    @property
    def scoring(self) -> Scoring:
        """All but the values."""
        return Scoring(
            tuple(sorted(self._scorers)),
            tuple(sorted(self._judges)),
            dict(sorted(self._not_applicable.items())),
            tuple(
                (sum(value >= 1 for value in values), len(values))
                for _, (values, _) in sorted(self._cases.items())
            ),
            self._lowest.found,
            self._highest.found,
        )


class _Furthest:
    """The value that is furthest in one direction, and the first run that has it.

    Args:
        sign: -1 for the lowest, 1 for the highest.
    """

    __slots__ = ("_rank", "_shown", "_sign")

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._rank: tuple[float, str, int] | None = None
        self._shown: tuple[Attempt, Score, float] | None = None

    def note(self, attempt: Attempt, place: int, score: Score, value: float) -> None:
        rank = (-self._sign * value, attempt.case, place)
        if self._rank is None or rank < self._rank:
            self._rank, self._shown = rank, (attempt, score, value)

    @property
    def found(self) -> Extreme | None:
        if self._shown is None:
            return None
        attempt, score, value = self._shown
        return Extreme(value, attempt.case, attempt.variant.text, attempt.run, score.said, score.text)
