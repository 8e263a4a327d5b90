"""What the tripwire catches: planted errors of four kinds, and answers that people found unfaithful."""

import json
from statistics import fmean

import pytest

from pytest_llmrel.faithfulness.overlap import Overlap

from .planted import DATA, LABELLED, by_source, planted_in, rows, rules, shares

needs_labels = pytest.mark.skipif(not LABELLED.exists(), reason=f"needs {LABELLED}")
ITEMS = rows(DATA / "planted_errors.jsonl")


def test_the_file_is_what_its_program_writes() -> None:
    """Whoever changes the rules writes the file anew."""
    assert json.loads(json.dumps(list(rules().items()))) == ITEMS


def test_the_file_has_enough_of_every_class() -> None:
    """Thirty verbatim answers and thirty of each error; every error is in no context."""
    kinds = [item["kind"] for item in ITEMS]
    assert {kind: kinds.count(kind) for kind in kinds} == dict.fromkeys(("verbatim", *rules().CLASSES), 30)
    assert all((item["answer"] in item["context"]) == (item["kind"] == "verbatim") for item in ITEMS)


def test_planted_errors_are_caught() -> None:
    """At least 8 in 10 of each class, with at most 1 false alarm in 20 verbatim answers."""
    found = shares((item["kind"], item["answer"], item["context"]) for item in ITEMS)
    assert found.pop("verbatim") <= 0.05
    assert min(found.values()) >= 0.8
    assert len(found) == 4


@needs_labels
def test_errors_planted_in_real_contexts_are_caught() -> None:
    """The same bars on contexts that nobody wrote for this purpose."""
    found = shares(planted_in([row["context"] for row in rows(LABELLED)]))
    assert found.pop("verbatim") <= 0.05
    assert min(found.values()) >= 0.8
    assert len(found) == 4


@needs_labels
def test_the_score_tells_faithful_answers_from_others() -> None:
    """AUROC: 0.80 on average over the sources of the labelled data, above 0.60 on each."""

    def score(row: dict[str, str]) -> float:
        found = Overlap().score(row["answer"], row["context"]).score
        return 0.5 if found is None else found

    found = by_source(score)
    assert len(found) == 5
    assert fmean(found.values()) >= 0.80
    assert min(found.values()) > 0.60
