"""What is known of a judge from items that people have labelled: counts, never bare rates."""

from dataclasses import dataclass

__all__ = ["Calibration", "Retest"]


@dataclass(frozen=True, slots=True)
class Retest:
    """What a judge said of items that it judged more than once.

    Attributes:
        items: items with at least two verdicts.
        differing: those of them whose verdicts were not all the same.
        pairs: pairs of verdicts of the same item.
        differing_pairs: those of them that differed.
    """

    items: int
    differing: int
    pairs: int
    differing_pairs: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """The record of a judge: one model with one prompt, against labels of people.

    An item counts once, by the judge's first verdict; further ones tell of its noise only. A judge passes an
    answer if its score is at least ``threshold``.

    Attributes:
        model: of the judge.
        prompt_version: of the prompt that it is asked with.
        prompt_hash: of the same, hexadecimal.
        threshold: lowest score that counts as a pass, within 0..1.
        recorded: when, UTC, as ``2026-11-23T09:30:00Z``.
        version: of pytest_llmrel.
        labels_hash: SHA-256 of the file of labels, hexadecimal.
        tp: items that people and the judge passed.
        fn: items that people passed and the judge failed.
        tn: items that both failed.
        fp: items that people failed and the judge passed.
        unscored: items of which the judge gave no verdict; in none of the four.
        retest: ``None`` where each item was judged once.
    """

    model: str
    prompt_version: str
    prompt_hash: str
    threshold: float
    recorded: str
    version: str
    labels_hash: str
    tp: int
    fn: int
    tn: int
    fp: int
    unscored: int = 0
    retest: Retest | None = None

    @property
    def good(self) -> int:
        """Judged items that people passed."""
        return self.tp + self.fn

    @property
    def bad(self) -> int:
        """Judged items that people failed."""
        return self.tn + self.fp

    @property
    def n(self) -> int:
        """Judged items."""
        return self.good + self.bad
