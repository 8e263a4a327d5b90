"""What a hunt remembers: counts that add up, evidence that keeps its level, denials."""

import random

import pytest

from pytest_llmrel.perturb.observed import Counts, Observed


def observed(*primary: int, wordings: int = 60, alpha: float = 0.05) -> Observed:
    """With passes and runs of the primary wording."""
    found = Observed("primary", wordings, alpha)
    if primary:
        found.add("primary", Counts(*primary))
    return found


def test_counts_add_up() -> None:
    """And know their share and its interval; without runs there is none."""
    both = Counts(3, 4) + Counts(1, 4)
    assert both == Counts(4, 8)
    assert (both.failed, both.rate) == (4, 0.5)
    assert both.interval is not None
    assert both.interval[0] < 0.5 < both.interval[1]
    assert (Counts().rate, Counts().interval, Counts().expected) == (None, None, 0.5)


def test_a_break_needs_failures_and_evidence() -> None:
    """Two failures are too few however small the bar is; four of four beside twenty passes will do."""
    found = observed(20, 20)
    found.add("other", Counts(0, 3))
    assert not found.breaks("other")
    assert found.breaks("other", Counts(0, 1))
    found.add("other", Counts(0, 1))
    assert found.breaks("other")
    lenient = observed(20, 20, wordings=1, alpha=0.9)
    lenient.add("other", Counts(0, 2))
    assert lenient.evidence("other") > 1 / 0.9
    assert not lenient.breaks("other")


def test_imagined_runs_are_not_remembered() -> None:
    """Asking what would be if changes nothing."""
    found = observed(20, 20)
    assert found.breaks("other", Counts(0, 9))
    assert not found.breaks("other")
    assert found.wordings == 0


def test_what_was_shown_stays_shown_until_it_is_denied() -> None:
    """A few passes afterwards do not take it back; many do."""
    found = observed(20, 20)
    found.add("other", Counts(0, 4))
    assert found.breaks("other")
    found.add("other", Counts(3, 3))
    assert not found.is_evident("other")
    assert found.breaks("other")
    found.add("other", Counts(20, 20))
    assert not found.breaks("other")


def test_no_more_wordings_than_were_counted_with() -> None:
    """Each has its share of the level; a known one may be looked at again."""
    found = observed(20, 20, wordings=2)
    found.add("a", Counts(1, 1))
    found.add("b", Counts(1, 1))
    assert found.admitted(["c", "a", "d", "b"]) == ("a", "b")
    assert observed(20, 20, wordings=2).admitted(["c", "a", "d"]) == ("c", "a")


@pytest.mark.parametrize("rate", [0.5, 0.8, 0.95])
def test_the_level_is_kept_over_all_wordings(rate: float) -> None:
    """Sixty wordings of the same rate, looked at after each of 12 runs: any break in at most 5 % of 400 hunts."""
    rng, alarms = random.Random(5), 0
    for _ in range(400):
        found = observed(sum(rng.random() < rate for _ in range(20)), 20)
        alarms += any(_alarm(found, str(number), rate, rng) for number in range(60))
    assert alarms / 400 <= 0.05


def _alarm(found: Observed, wording: str, rate: float, rng: random.Random) -> bool:
    for _ in range(12):
        found.add(wording, Counts(int(rng.random() < rate), 1))
        if found.breaks(wording):
            return True
    return False
