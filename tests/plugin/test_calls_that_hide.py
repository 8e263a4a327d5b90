"""Calls that nobody would count, answers that are no new ones, and keys that only pytest itself would show."""

import pytest
from wire_example import Asking, fake_key

from pytest_llmrel.simulator import Simulator

RECORD, REPLAY, NOWHERE = "--llmrel-tape=record", "--llmrel-tape=replay", "http://127.0.0.1:9/v1"
DOLLARS = "\n    gpt-4o-mini: input 1000000, output 0"
Patch = pytest.MonkeyPatch


def test_a_refusal_that_a_thread_swallows(pytester: pytest.Pytester, monkeypatch: Patch) -> None:
    """A call outside of any run that a tape cannot answer keeps the test from passing."""
    suite = Asking(
        pytester,
        monkeypatch,
        """
def background():
    try:
        ask("log this")
    except BaseException:
        pass

@krun(3)
def test_a():
    ask()
    thread = threading.Thread(target=background)
    thread.start()
    thread.join()
""",
    )
    with Simulator(latency=0) as model:
        assert suite.run(model, RECORD).test()["verdict"] == "PASS"
    outcome = suite.run(NOWHERE, REPLAY)
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert "outside of any run" in outcome.out


@pytest.mark.parametrize("hook", ["price(model, usage)", "usage(exchange)", "redact(exchange)"])
def test_a_hook_that_raises(pytester: pytest.Pytester, monkeypatch: Patch, hook: str) -> None:
    """Its call is counted as one of unknown cost, and its run is an error, whatever the test catches."""
    what = "model" if "price" in hook else "exchange.request.decode()"
    suite = Asking(
        pytester,
        monkeypatch,
        """
@krun(3, gates=["cost <= 100"], concurrency=1)
def test_a():
    ask()
    try:
        ask(model="shop-assistant")
    except Exception:
        pass
""",
        llmrel_prices=DOLLARS,
    )
    raising = f"def pytest_llmrel_{hook}:\n    if 'shop-assistant' in {what}: raise ValueError('boom')\n"
    suite.edit({"conftest.py": raising})
    with Simulator(latency=0) as model:
        outcome = suite.run(model)
        assert model.requests == 6
    assert outcome.counts() == {"errors": 3}
    assert (outcome.test()["verdict"], outcome.test()["cost"]["unpriced_calls"]) == ("INCONCLUSIVE", 3)
    assert "boom" in outcome.out


def test_a_key_in_what_a_shared_fixture_says(pytester: pytest.Pytester, monkeypatch: Patch) -> None:
    """Printed or raised, in set-up or tear-down: pytest shows it without the key, and so does JUnit."""
    secret = fake_key("shared")
    monkeypatch.setenv("SPILLED", secret)
    suite = Asking(
        pytester,
        monkeypatch,
        """
import os
KEY = os.environ["SPILLED"]

@pytest.fixture(scope="module")
def shop():
    print("set-up", KEY)
    ask(headers={"Authorization": f"Bearer {KEY}"})
    yield
    print("down", KEY)
    raise ValueError(f"refused: {KEY}")

@krun(2)
def test_a(shop):
    pass
""",
    )
    with Simulator(latency=0) as model:
        outcome = suite.run(model, "--junitxml=junit.xml", "-rA")
    assert "refused: [redacted]" in outcome.out
    assert secret not in outcome.out
    assert secret not in (suite.path / "junit.xml").read_text()


def test_replayed_runs_are_no_evidence(pytester: pytest.Pytester, monkeypatch: Patch) -> None:
    """Three recorded runs do not become nine by being replayed; who asks for it is told."""
    suite = Asking(pytester, monkeypatch, "@krun(3)\ndef test_a():\n    ask()\n")
    with Simulator(latency=0) as model:
        suite.run(model, RECORD)
    outcome = suite.run(NOWHERE, REPLAY, "--llmrel-baseline=new", "--llmrel-baseline-runs=3")
    assert not (suite.path / "__baselines__").exists()
    assert "the answers of a tape are no new ones" in outcome.out
    assert outcome.ret == 1


def test_a_budget_that_ends_an_escalation(pytester: pytest.Pytester, monkeypatch: Patch) -> None:
    """What the few further runs showed is no regression."""
    suite = Asking(
        pytester,
        monkeypatch,
        """
import os

@krun(5, pass_rate=0, concurrency=1)
def test_a(llmrel):
    ask()
    assert os.environ.get("IS_GOOD") or llmrel.index < 3, "wrong answer"
""",
        llmrel_prices=DOLLARS,
    )
    with Simulator(latency=0) as model:
        monkeypatch.setenv("IS_GOOD", "1")
        suite.run(model, "--llmrel-baseline=new", "--llmrel-baseline-runs=20")
        monkeypatch.delenv("IS_GOOD")
        assert suite.run(model, "--llmrel-budget=140").test()["verdict"] == "INCONCLUSIVE"
