"""What is tried: each perturbation alone, then compositions, no wording twice."""

import pytest

from pytest_llmrel.perturb.candidates import waves
from pytest_llmrel.perturb.edits import apply_edits
from pytest_llmrel.perturb.registry import PERTURBATIONS

QUESTION = "How long do I have to return an item?"


def test_the_first_waves_try_each_perturbation_alone() -> None:
    """With all of its edits; the later ones compose two or three."""
    found = list(waves(QUESTION, 1, PERTURBATIONS))
    assert [{edit.name for edit in edits} for edits in found[0]] == [{name} for name in PERTURBATIONS]
    composed = [{edit.name for edit in edits} for wave in found[4:] for edits in wave]
    assert {len(names) for names in composed} >= {2, 3}
    assert max(len(names) for names in composed) == 3


def test_no_wording_is_tried_twice() -> None:
    """Nor the text itself; and all wordings can be made."""
    wordings = [apply_edits(QUESTION, edits) for wave in waves(QUESTION, 1, PERTURBATIONS) for edits in wave]
    assert len(wordings) == len(set(wordings)) > 60
    assert QUESTION not in wordings


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_where_nothing_can_be_changed_there_is_no_wave(text: str) -> None:
    """Not even an empty one."""
    assert list(waves(text, 1, PERTURBATIONS)) == []


def test_the_seed_decides() -> None:
    """The same waves for the same seed, others for another."""
    assert list(waves(QUESTION, 1, PERTURBATIONS)) == list(waves(QUESTION, 1, PERTURBATIONS))
    assert list(waves(QUESTION, 1, PERTURBATIONS)) != list(waves(QUESTION, 2, PERTURBATIONS))
