"""Answers that say they are fine and are none: an error of the infrastructure, unless the test itself judged them."""

import json
from collections.abc import Callable

import httpx  # noqa: F401  inner sessions forget what they imported, and these cannot be imported twice
import pytest
from example import PLAIN, Outcome, example

from pytest_llmrel.simulator import Simulator
from pytest_llmrel.wire import streams

SUITE = """
import httpx
from pytest_llmrel import krun

URL = {url!r}

def ask():
    asked = {{"model": "gpt-4o-mini", "messages": [{{"role": "user", "content": "Can I return it?"}}]}}
    return httpx.post(URL + "/chat/completions", json=asked, headers={{"Authorization": "Bearer any"}})

@krun(4, concurrency=2)
def test_it():
    answer = ask()
    {body}
"""
Run = Callable[..., Outcome]


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Runs a test against a server with faults."""

    def go(faults: str, body: str, **ini: str) -> Outcome:
        with Simulator(latency=0, faults=faults) as simulator:
            suite = example(SUITE.format(url=simulator.base_url, body=body), **ini)
            return suite.run(pytester, *PLAIN)

    return go


@pytest.mark.parametrize("faults", ["html=1,html_status=200", "malformed=1"])
def test_code_that_stumbles_over_it_ends_in_an_error(run: Run, faults: str) -> None:
    """A JSONDecodeError would be the model's failure, had the model said anything."""
    outcome = run(faults, "answer.json()")
    assert outcome.counts() == {"errors": 4}
    assert outcome.test()["verdict"] == "INCONCLUSIVE"


def test_an_assertion_is_still_an_assertion(run: Run) -> None:
    """The application has taken the page for an answer, which is its own mistake."""
    outcome = run("html=1,html_status=200", "assert 'days' in answer.text")
    assert outcome.counts() == {"failed": 4}


def test_a_page_with_an_error_status(run: Run) -> None:
    """What httpx raises of a 502 is an error as ever, retried before."""
    outcome = run("html=1", "answer.raise_for_status()", llmrel_retries="1")
    assert outcome.counts() == {"errors": 4}
    assert outcome.test()["cost"]["retries"] == 4


def test_a_sound_answer_is_judged_as_ever(run: Run) -> None:
    """An exception of the application's own is the failure of the model that it stumbled over."""
    outcome = run("slow=0", "raise ValueError(answer.json()['model'])")
    assert outcome.counts() == {"failed": 4}


def test_an_answer_beyond_all_bounds(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not read to its end, and says so; the report stays small."""
    monkeypatch.setattr(streams, "LARGEST", 100)
    outcome = run("slow=0", "answer.json()")
    assert outcome.counts() == {"errors": 4}
    (failure,) = outcome.test()["failures"]
    assert failure["type"] == "ResponseTooLarge"
    assert len(json.dumps(outcome.report)) < 30_000
