"""A model that is busy is asked less, later and again; what cannot be mended is passed on."""

import pytest
from wire_example import STYLES, Asking, metric, tracks

from pytest_llmrel.simulator import Simulator

RETRIED = ("429", "500", "503", "529", "reset")
"""What happens to the first requests; each call may be sent four times, so three of a kind are harmless."""


@pytest.mark.parametrize(
    ("style", "kind"), [*[("threads", kind) for kind in RETRIED], ("async", "429"), ("alone", "reset")]
)
def test_what_is_sent_again(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str, kind: str
) -> None:
    """429, 5xx and broken connections make no run and no error: the call is sent again, and answered."""
    suite = Asking(pytester, monkeypatch, "@krun(4)\nDEF test_a(): ASK()\n", style=style)
    with Simulator(latency=0, script=(kind,) * 2, faults={"retry_after": 0.02}) as model:
        outcome = suite.run(model)
    outcome.outcomes(passed=1)
    assert outcome.counts() == {"passed": 4}
    assert model.served == {"ok": 4, kind: 2}
    cost = outcome.test()["cost"]
    assert (cost["retries"], cost["calls"], cost["input_tokens"]) == (2, 6, 4 * 14)
    assert cost["unpriced_calls"] == (2 if kind == "reset" else 0), "who knows what a lost answer cost"
    assert "2 sent again" in outcome.out


def test_fewer_calls_in_flight_after_429(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that complains gets fewer calls at once, from all tests of the session; all runs are made."""
    # The limit begins with half of what was in flight, here of three calls at most, and grows by one for every
    # round of answers: after 35 of them it is the root of 2.25 + 70, which lets nine calls through.
    suite = Asking(pytester, monkeypatch, """
@krun(3, concurrency=3)
def test_a(): ask()

@krun(32, concurrency=32)
def test_b(): ask()
""")  # fmt: skip
    with Simulator(latency=0.25) as calm:
        suite.run(calm, "-k", "test_b").outcomes(passed=1, deselected=1)
    with Simulator(latency=0.02, script=("429",) * 3, faults={"retry_after": 0.05}) as busy:
        outcome = suite.run(busy).outcomes(passed=2)
    assert (outcome.counts("_a"), outcome.counts("_b")) == ({"passed": 3}, {"passed": 32})
    assert busy.served == {"429": 3, "ok": 35}
    assert calm.peak > 16, "nobody is limited who does not complain"
    assert busy.peak <= 10


@pytest.mark.parametrize("style", STYLES)
def test_waiting_is_no_latency(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """``Retry-After`` is obeyed, and no latency counts the time that it takes."""
    tests = """
import time

@krun(1, gates=["latency_p95 <= 0.25", "call_latency_p95 <= 0.25"])
DEF test_a():
    began = time.monotonic()
    ASK()
    note(time.monotonic() - began)
"""
    suite = Asking(pytester, monkeypatch, tests, style=style)
    with Simulator(latency=0, script=("429", "429"), faults={"retry_after": 0.3}) as model:
        outcome = suite.run(model)
    outcome.outcomes(passed=1)
    ((seconds,),) = outcome.log()
    assert float(seconds) >= 0.6
    assert model.served == {"429": 2, "ok": 1}


def test_others_wait_as_well(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that wants to be left alone is left alone by every run, not by the one that it told so."""
    tests = """
import time

told = threading.Event()

@krun(2, concurrency=2)
def test_a(llmrel):
    if llmrel.index:
        assert told.wait(10)
        time.sleep(0.1)
    began = time.monotonic()
    with httpx.Client(verify=False, event_hooks={"response": [lambda answer: told.set()]}) as client:
        assert client.post(to(), headers=HEADERS, json=asking(RETURN)).status_code == 200
    note(time.monotonic() - began)
"""
    suite = Asking(pytester, monkeypatch, tests)
    with Simulator(latency=0, script=("429",), faults={"retry_after": 0.4}) as model:
        outcome = suite.run(model)
    outcome.outcomes(passed=1)
    assert [float(seconds) >= 0.2 for (seconds,) in outcome.log()] == [True, True]
    assert model.served == {"429": 1, "ok": 2}


def test_waiting_too_long(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that wants to be left alone for more than a minute is taken at its word: the 429 is an error."""
    suite = Asking(pytester, monkeypatch, "@krun(1, timeout=5)\ndef test_a(): ask()\n")
    with Simulator(latency=0, faults={"429": 1, "retry_after": 61}) as model:
        outcome = suite.run(model)
    assert "1 run ended in an error: HTTPStatusError" in outcome.out
    assert (outcome.test()["verdict"], outcome.counts()) == ("INCONCLUSIVE", {"errors": 1})
    assert model.served == {"429": 1}


# --- what is passed on --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("retries", "sent"), [("0", 1), ("1", 2), ("3", 4)])
def test_enough_is_enough(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, retries: str, sent: int
) -> None:
    """A host that fails again and again is asked as often as ``llmrel_retries`` says; then it is an error."""
    tests = """
@krun(3, concurrency=3)
def test_a(): ask()
"""
    suite = Asking(pytester, monkeypatch, tests, llmrel_retries=retries)
    with Simulator(latency=0, faults={"500": 1}) as model:
        outcome = suite.run(model)
    assert (outcome.test()["verdict"], outcome.counts()) == ("INCONCLUSIVE", {"errors": 3})
    assert model.served == {"500": 3 * sent}
    cost = outcome.test()["cost"]
    assert (cost["calls"], cost["retries"], cost["usd"]) == (3 * sent, 3 * (sent - 1), 0)
    assert "Server error '500 Internal Server Error'" in outcome.out


@pytest.mark.parametrize("style", STYLES)
def test_a_refused_key_ends_the_item(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """401 is never sent again, and no further run is started: all of them would be refused."""
    tests = """
@krun(50, concurrency=2)
DEF test_a(): ASK(headers={})

@krun(2)
DEF test_b(): ASK()
"""
    suite = Asking(pytester, monkeypatch, tests, style=style)
    with Simulator(latency=0) as model:
        outcome = suite.run(model)
    outcome.outcomes(failed=1, passed=1)
    assert model.served["refused"] <= 3
    assert outcome.test("test_a")["verdict"] == "INCONCLUSIVE"
    assert outcome.counts("test_a")["unfinished"] == 50 - model.served["refused"]
    assert "every further run would end the same way" in outcome.out


def test_what_is_the_tests_own_fault(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """400 is a failure of the code under test: not sent again, and nothing is paid."""
    suite = Asking(pytester, monkeypatch, "@krun(3)\ndef test_a(): ask(max_tokens=0)\n")
    with Simulator(latency=0) as model:
        outcome = suite.run(model)
    assert (outcome.test()["verdict"], outcome.counts()) == ("FAIL", {"failed": 3})
    assert model.served == {"refused": 3}
    assert (metric(outcome, "cost"), metric(outcome, "calls")) == (0, 3)


def test_timeouts_are_not_waited_for_again(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timeout has cost enough time: the client's exception comes at once, and what it cost is unknown."""
    tests = """
@krun(2, concurrency=1)
def test_a():
    httpx.post(to(), headers=HEADERS, json=asking(RETURN), timeout=0.1, verify=False)
"""
    suite = Asking(pytester, monkeypatch, tests)
    with Simulator(latency=0, faults={"slow": 1, "slow_seconds": 20}) as model:
        outcome = suite.run(model)
    assert outcome.counts() == {"errors": 2}
    cost = outcome.test()["cost"]
    assert (cost["calls"], cost["retries"], cost["usd"], cost["unpriced_calls"]) == (2, 0, None, 2)
    assert "(ReadTimeout)" in outcome.out


def test_what_is_no_model_is_sent_once(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only calls of models are sent again: twice may be once too often for anything else."""
    tests = """
@krun(2)
def test_a():
    httpx.post(to("orders").replace("/v1", "/shop"), json={"item": "kettle"}, verify=False).raise_for_status()
"""
    suite = Asking(pytester, monkeypatch, tests)
    broken = "http://127.0.0.1:9/v1"  # nobody listens there
    outcome = suite.run(broken)
    cost = outcome.test()["cost"]
    assert (outcome.counts(), cost["calls"], cost["retries"]) == ({"errors": 2}, 2, 0)
    suite.edit({"test_it.py": "@krun(2)\ndef test_a(): ask()\n"})
    cost = suite.run(broken).test()["cost"]
    assert (cost["calls"], cost["retries"], cost["usd"]) == (8, 6, 0)


# --- and the tape -------------------------------------------------------------------------------------------


def test_only_the_last_answer_is_recorded(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sent again is one call on the tape, whose latency is that of the answer."""
    suite = Asking(pytester, monkeypatch, "@krun(4)\ndef test_a(): ask()\n")
    with Simulator(latency=0, script=("500", "429", "reset"), faults={"retry_after": 0.3}) as model:
        suite.run(model, "--llmrel-tape=record").outcomes(passed=1)
    recorded = tracks(suite.tape())
    assert {run: [call["status"] for call in calls] for run, calls in recorded.items()} == {
        run: [200] for run in range(4)
    }
    assert all(call["seconds"] < 0.29 for (call,) in recorded.values())
    replayed = suite.run("http://127.0.0.1:9/v1", "--llmrel-tape=replay").outcomes(passed=1)
    assert replayed.test()["cost"]["retries"] == 0
