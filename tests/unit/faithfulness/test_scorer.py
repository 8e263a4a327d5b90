"""The values that every scorer gives."""

import dataclasses

import pytest

from pytest_llmrel.faithfulness.scorer import Claim, Faithfulness, Scorer, Support


def test_support_is_written_in_words() -> None:
    """In reports and files."""
    assert [str(support) for support in Support] == ["supported", "unsupported", "ambiguous"]


def test_values_are_frozen() -> None:
    """They cross threads and rooms; a reason and a quote are optional."""
    claim = Claim("It is free.", Support.SUPPORTED)
    assert (claim.reason, claim.quote) == ("", "")
    found = Faithfulness(None, (claim,), "mine", "no answer")
    for value, name in ((claim, "text"), (found, "score")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, name, "other")
        assert not hasattr(value, "__dict__")


def test_a_scorer_is_what_has_a_name_and_scores() -> None:
    """Plain classes of users are scorers; a function is none."""

    class Mine:
        name = "mine"

        def score(self, answer: str, context: str, question: str = "") -> Faithfulness:
            return Faithfulness(float(answer in context + question), (), self.name)

    scorer: Scorer = Mine()
    assert isinstance(scorer, Scorer)
    assert not isinstance(len, Scorer)
