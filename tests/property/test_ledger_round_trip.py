"""Law: a finished run that was written down and read again is the same run, whatever a model put into it."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.core.call import Call, Traffic, Usage
from pytest_llmrel.core.fault import Recovery
from pytest_llmrel.core.model import Attempt, Evidence, Failure, FailureKey, Outcome, Sample, Variant
from pytest_llmrel.core.score import JudgeId, Score
from pytest_llmrel.errors import LedgerError
from pytest_llmrel.ledger.codec import decode, described, encode

from .strategies import hostile_text

ATTEMPT = Attempt("case", Variant("0123abcd", "hi \ud800"), 3, 7)
numbers = st.floats(allow_nan=False)  # nan is not itself
tokens = st.integers(0, 10**12)
usages = st.builds(
    Usage,
    hostile_text,
    tokens,
    tokens,
    tokens,
    tokens,
    tokens,
    st.lists(st.tuples(hostile_text, tokens), max_size=2).map(tuple),
)
calls = st.builds(
    Call,
    hostile_text,
    hostile_text,
    st.none() | st.integers(100, 599),
    numbers,
    st.none() | usages,
    st.none() | numbers,
    hostile_text,
    hostile_text,
    st.booleans(),
    st.booleans(),
)
recorded_scores = st.builds(
    Score,
    hostile_text,
    st.none() | numbers,
    hostile_text,
    st.none() | st.builds(JudgeId, hostile_text, hostile_text),
    hostile_text,
    hostile_text,
)
keys = st.builds(FailureKey, st.sampled_from(Outcome), hostile_text, hostile_text, hostile_text)
evidence = st.builds(
    Evidence,
    st.just(ATTEMPT),
    hostile_text,
    hostile_text,
    st.none() | hostile_text,
    st.lists(st.tuples(hostile_text, hostile_text), max_size=2).map(tuple),
)
failures = st.builds(lambda key, found: Failure(key, lambda: found), keys, evidence)
finished_runs = st.builds(
    Sample,
    st.just(ATTEMPT),
    st.sampled_from(Outcome),
    numbers,
    st.lists(recorded_scores, max_size=2).map(tuple),
    st.none() | failures,
    st.none() | failures,
    st.booleans(),
    st.booleans(),
    st.builds(Traffic, st.lists(calls, max_size=2).map(tuple), tokens, tokens, tokens),
    st.none() | st.sampled_from(Recovery),
    hostile_text,
)


def told(sample: Sample) -> tuple[Any, ...]:
    """All that a run is, with the evidence in the place of what makes it."""
    failures = (sample.failure, sample.teardown)
    found = tuple(failure and (failure.key, failure.describe()) for failure in failures)
    return (
        sample.attempt,
        sample.outcome,
        sample.duration,
        sample.scores,
        sample.fatal,
        sample.timed_out,
        sample.traffic,
        sample.recovery,
        sample.cut_off,
        found,
    )


def kinds(data: object) -> set[type]:
    """Of everything in plain data."""
    if isinstance(data, dict):
        return {dict, *map(type, data)}.union(*map(kinds, data.values()))
    return {list}.union(*map(kinds, data)) if isinstance(data, list) else {type(data)}


@given(finished_runs)
def test_a_run_comes_back_as_it_was(sample: Sample) -> None:
    """By way of JSON, too."""
    data = encode(sample)
    text = json.dumps(data, ensure_ascii=False)
    assert told(decode(json.loads(text), ATTEMPT)) == told(sample)
    assert told(decode(encode(described(sample)), ATTEMPT)) == told(sample)


@given(finished_runs)
def test_the_data_is_plain(sample: Sample) -> None:
    """Of exact types, as those who send it between processes need it."""
    assert kinds(encode(sample)) <= {dict, list, str, int, float, bool, type(None)}


@given(finished_runs)
def test_without_evidence_a_failure_keeps_its_kind(sample: Sample) -> None:
    """And is described by it."""
    found = decode(encode(sample, evidence=False), ATTEMPT)
    for failure, before in ((found.failure, sample.failure), (found.teardown, sample.teardown)):
        assert (failure and failure.key) == (before and before.key)
        assert failure is None or failure.describe() == Evidence(ATTEMPT, failure.key.message)


@given(finished_runs, st.data())
def test_what_was_changed_is_refused_or_read_as_a_run(sample: Sample, data: st.DataObject) -> None:
    """Never with another exception: whoever reads a ledger knows what to expect."""
    changed = json.loads(json.dumps(encode(sample)))
    name = data.draw(st.sampled_from(sorted(changed)))
    changed[name] = data.draw(
        st.sampled_from(
            [None, 1, "x", 0.5, [], {}, [[]], [{}], {"key": []}, {"key": ["a", "b", "c", "d"]}, True]
        )
    )
    with suppress(LedgerError):
        assert decode(changed, ATTEMPT).attempt == ATTEMPT


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "the run is []; it must be an object"),
        ({}, "the run has no outcome"),
        ({"outcome": "passed"}, "the run has no duration"),
        ({"outcome": "won", "duration": 0.0}, "outcome is 'won'; it must be one of passed, failed"),
        ({"outcome": "passed", "duration": True}, "duration of the run is True; it must be float"),
        ({"outcome": "passed", "duration": 0.0, "mood": 1}, "the run has an unknown key 'mood'"),
        ({"outcome": "passed", "duration": 0.0, "calls": [[1]]}, "calls[0] is [1]; it must be a list of 10"),
        (
            {"outcome": "passed", "duration": 0.0, "scores": [["a", "1", "", None, "", ""]]},
            "scores[0][1] is '1'; it must be none or float",
        ),
        (
            {"outcome": "failed", "duration": 0.0, "failure": {}},
            "failure.key is None; it must be a list of 4",
        ),
    ],
)
def test_what_is_no_run_is_named(data: object, said: str) -> None:
    """With where it is wrong, and what it should be."""
    with pytest.raises(LedgerError) as caught:
        decode(data, ATTEMPT)
    assert str(caught.value).startswith(said)
