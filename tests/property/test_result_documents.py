"""Laws of the JSON document: what is written is read, and there is one way to write it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import (
    Attempt,
    Evidence,
    Failure,
    FailureKey,
    Outcome,
    Sample,
    Score,
    Variant,
)
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.reports.result import canonical, result_entry, session_document
from pytest_llmrel.verdict.decide import decide
from pytest_llmrel.verdict.summary import Aggregate

from .strategies import hostile_text, plans, samples

simple = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | hostile_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile_text, inner, max_size=3),
    max_leaves=10,
)
documents = st.dictionaries(hostile_text, simple, max_size=5)


def entry(plan: RunPlan, runs: list[Sample], nodeid: str = "t.py::test_it") -> dict:
    """The entry of a test that was run and judged."""
    aggregate = Aggregate(plan, plan.k * len(plan.inputs.variants))
    for run in runs:
        aggregate.record(run)
    summary = aggregate.summary()
    return result_entry(nodeid, summary, decide(plan, summary, 0.1), ["a note"])


@given(plans, st.data())
def test_results_survive_json(plan: RunPlan, data: st.DataObject) -> None:
    """An entry is exactly what is read back: xdist and files change nothing, scores of any value included."""
    made = entry(plan, data.draw(samples(plan, st.floats())))
    assert json.loads(canonical(made)) == made


@given(hostile_text, hostile_text, hostile_text)
def test_hostile_text_survives_json(message: str, output: str, nodeid: str) -> None:
    """Control characters, halves of characters: all of it is ASCII in the file and itself again afterwards."""
    attempt = Attempt("", Variant(), 0, 0)
    evidence = Evidence(attempt, message, message, output, (("stdout", output),))
    failure = Failure(FailureKey(Outcome.FAILED, "E", "", message), lambda: evidence)
    plan = RunPlan(1, Inputs(), (), 1, 1.0)
    made = entry(plan, [Sample(attempt, Outcome.FAILED, failure=failure, scores=(Score("x", 1.0),))], nodeid)
    document = session_document({nodeid: made}, {"python": output})
    text = canonical(document)
    assert text.isascii()
    assert json.loads(text) == document


@given(documents)
def test_writing_is_canonical(document: dict) -> None:
    """Reading and writing again gives the same bytes, and so does any other order of the keys."""
    text = canonical(document)
    again = json.loads(text)
    assert again == document
    assert canonical(again) == text
    assert canonical(dict(reversed(document.items()))) == text
    assert text.endswith("\n")
    assert not any(line != line.rstrip() for line in text.splitlines())


@given(st.lists(hostile_text, max_size=6, unique=True), st.randoms(use_true_random=False))
def test_the_order_of_the_tests_is_no_matter(nodeids: list[str], rng: object) -> None:
    """Workers of xdist end in any order; the file is the same."""
    results = {nodeid: {"nodeid": nodeid, "verdict": "PASS"} for nodeid in nodeids}
    rng.shuffle(nodeids)  # type: ignore[attr-defined]
    shuffled = {nodeid: results[nodeid] for nodeid in nodeids}
    assert canonical(session_document(results, {})) == canonical(session_document(shuffled, {}))
