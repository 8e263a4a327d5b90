"""``--llmrel-plan`` tells what a session is going to take, and runs nothing."""

import pytest
from example import Outcome
from wire_example import Asking

from pytest_llmrel.simulator import Simulator

DOLLARS = "\n    gpt-4o-mini: input 1000000, output 0"
"""A call with the usual question costs 14 US dollars."""
TESTS = """
@pytest.fixture(scope="module", params=["one"])
def shared():
    note("shared")

@krun(5, pass_rate=0.5)
def test_a(shared):
    note("a")
    ask()
    ask()

@krun(5, pass_rate=0.5)
@paraphrase("question", RETURN, "Can I send it back?")
def test_wordings(question):
    note("wordings")
    ask(RETURN)

@krun(4)
def test_new():
    note("new")
    ask()

def test_plain():
    note("plain")
"""


def row(outcome: Outcome, name: str) -> list[str]:
    """The numbers of one line of the table."""
    (line,) = [line for line in outcome.out.splitlines() if line.startswith(name)]
    return line.removeprefix(name).split()


def planned(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, model: Simulator) -> Asking:
    """A suite with baselines of two of its tests, made of runs of two calls and of one call."""
    suite = Asking(pytester, monkeypatch, TESTS, llmrel_prices=DOLLARS)
    options = ("--llmrel-baseline=new", "--llmrel-baseline-runs=10", "-k", "test_a or wordings")
    suite.run(model, *options).outcomes(passed=2, deselected=2)
    assert model.requests == 30
    return suite


def test_the_table(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs, calls and cost per test from its baseline, unknown where there is none, and a sum; no call."""
    with Simulator(latency=0) as model:
        suite = planned(pytester, monkeypatch, model)
        outcome = suite.run(model, "--llmrel-plan")
    assert model.requests == 30, "nothing was sent"
    assert (outcome.ret, outcome.log()) == (0, []), "no test, and no fixture of one, was run"
    assert "plan (llmrel): nothing is run" in outcome.out
    assert row(outcome, "test ") == ["runs", "at", "most", "calls", "cost"]
    runs, most, calls, cost = row(outcome, "test_it.py::test_a[one]")
    assert (runs, calls, cost) == ("5", "10", "$140.00")
    assert int(most) > 5, "with the runs of an escalation"
    runs, most_of_wordings, calls, cost = row(outcome, "test_it.py::test_wordings")
    assert (runs, calls, cost) == ("10", "10", "$140.00")
    assert row(outcome, "test_it.py::test_new") == ["4", "4", "unknown", "unknown"]
    total = row(outcome, "total, as far as known")
    assert total == ["19", str(int(most) + int(most_of_wordings) + 4), "20", "$280.00"]
    assert "the cost of 1 tests is unknown, because no baseline tells it" in outcome.out
    assert "and 1 tests without krun, which run once" in outcome.out
    assert outcome.report is None, "there is no result to be mistaken for one"


def test_what_escalation_takes_at_most(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The column *at most* is what a session makes whose runs look worse than the baseline."""
    tests = """
import os

@krun(5, pass_rate=0)
def test_a(llmrel):
    ask()
    assert os.environ.get("IS_GOOD") or llmrel.index not in {3, 4}, "wrong answer"
"""
    suite = Asking(pytester, monkeypatch, tests, llmrel_prices=DOLLARS)
    with Simulator(latency=0) as model:
        monkeypatch.setenv("IS_GOOD", "1")
        suite.run(model, "--llmrel-baseline=new", "--llmrel-baseline-runs=20").outcomes(passed=1)
        _, most, *_ = row(suite.run(model, "--llmrel-plan"), "test_it.py::test_a")
        monkeypatch.delenv("IS_GOOD")
        before = model.requests
        assert "(p = 0.033), so 15 more were made at once" in suite.run(model).out
        assert model.requests - before == int(most)


def test_what_recording_takes(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options that change the number of runs change the plan, as they change the session."""
    with Simulator(latency=0) as model:
        suite = planned(pytester, monkeypatch, model)
        options = ("--llmrel-plan", "--llmrel-k=3", "--llmrel-baseline=new", "--llmrel-baseline-runs=12")
        outcome = suite.run(model, *options, "-k", "not plain")
        assert row(outcome, "test_it.py::test_a[one]")[0] == "3"
        assert row(outcome, "test_it.py::test_wordings")[0] == "6"
        assert row(outcome, "test_it.py::test_new")[:2] == ["12", "12"]
        assert "without krun" not in outcome.out
        off = suite.run(model, "--llmrel-plan", "--llmrel-baseline=off", "-k", "test_a")
    assert row(off, "test_it.py::test_a[one]") == ["5", "5", "unknown", "unknown"]
    assert "test_new" not in off.out
    assert model.requests == 30


def test_mistakes_are_found_before(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in a mark, and a module that cannot be imported, are errors of the plan as well."""
    wrong = Asking(pytester, monkeypatch, "@krun(0)\ndef test_a(): note('ran')\n")
    outcome = wrong.run("http://none.invalid", "--llmrel-plan")
    assert (outcome.ret, outcome.log()) == (pytest.ExitCode.USAGE_ERROR, [])
    broken = Asking(pytester, monkeypatch, "import nowhere_to_be_found\n")
    outcome = broken.run("http://none.invalid", "--llmrel-plan")
    assert outcome.ret == pytest.ExitCode.INTERRUPTED
    assert "nowhere_to_be_found" in outcome.out


def test_a_session_without_krun_tests(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is run there either: whoever asks for a plan wants no session."""
    suite = Asking(pytester, monkeypatch, "def test_plain(): note('ran')\n")
    outcome = suite.run("http://none.invalid", "--llmrel-plan")
    assert outcome.log() == []
    assert "and 1 tests without krun, which run once" in outcome.out


def test_no_plan_with_workers(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """``-n2`` beside ``--llmrel-plan`` is a usage error that says what to do; nothing is run."""
    suite = Asking(pytester, monkeypatch, TESTS)
    outcome = suite.run("http://none.invalid", "--llmrel-plan", "-n2", subprocess=True)
    assert (outcome.ret, outcome.log()) == (pytest.ExitCode.USAGE_ERROR, [])
    assert "--llmrel-plan runs nothing and needs no workers; leave -n out" in outcome.err
