"""A budget ends tests, never in a pass and never in a failure that its missing runs could have averted."""

import pytest
from example import Outcome
from wire_example import STYLES, Asking, metric

from pytest_llmrel.simulator import Simulator

DOLLARS = "\n    gpt-4o-mini: input 1000000, output 0"
"""A call with the usual question costs 14 US dollars."""
TWO_TESTS = """
@krun(20, pass_rate=0.5, stop="never", concurrency=4)
DEF test_a(llmrel):
    note("a", llmrel.index)
    ASK()

@krun(20, pass_rate=0.5, concurrency=4)
DEF test_b():
    note("b")
    ASK()

def test_plain():
    note("plain")
"""


def said(outcome: Outcome, test: str) -> dict[str, str]:
    """The status of each finding of a test by its metric."""
    return {finding["metric"]: finding["status"] for finding in outcome.test(test)["findings"]}


def suite(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tests: str, style: str = "threads"
) -> Asking:
    """A suite whose model is dear."""
    return Asking(pytester, monkeypatch, tests, style=style, llmrel_prices=DOLLARS)


@pytest.mark.parametrize("style", STYLES)
def test_a_budget_that_is_spent(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """No call is made beyond it but those in flight; what has ended counts, and no test after it begins."""
    in_order = ("-o", "llmrel_lookahead=off")
    with Simulator(latency=0) as model:
        outcome = suite(pytester, monkeypatch, TWO_TESTS, style).run(model, "--llmrel-budget=100", *in_order)
    outcome.outcomes(failed=2, passed=1)
    reached, after = outcome.test("test_a"), outcome.test("test_b")
    assert (reached["verdict"], after["verdict"]) == ("INCONCLUSIVE", "INCONCLUSIVE")
    in_flight = 0 if style == "alone" else 3
    assert 8 <= model.requests <= 8 + in_flight, "eight calls cost 112 dollars"
    assert (reached["runs"], reached["passed"]) == (model.requests, model.requests)
    assert reached["unfinished"] == 20 - model.requests
    assert reached["cost"]["usd"] == 14 * model.requests
    assert (after["runs"], after["unfinished"], after["cost"]["calls"]) == (0, 20, 0)
    assert outcome.log("b") == [], "not even its body is begun"
    assert outcome.log("plain") == [[]], "a test without krun goes its way"
    missing = f"{20 - model.requests} of 20 runs are missing: the budget of $100 is spent"
    assert f"test_a: INCONCLUSIVE: {missing}" in outcome.out
    assert "test_b: INCONCLUSIVE: pass_rate is n/a" in outcome.out
    assert "20 of 20 runs are missing: the budget of $100 is spent" in outcome.out


@pytest.mark.parametrize("style", ["threads", "async"])
def test_a_budget_that_is_spent_by_two_tests(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """Runs of both are in flight when it goes: both are inconclusive, and keep what has ended."""
    with Simulator(latency=0.02) as model:
        outcome = suite(pytester, monkeypatch, TWO_TESTS, style).run(model, "--llmrel-budget=100")
    outcome.outcomes(failed=2, passed=1)
    tests = [outcome.test(name) for name in ("test_a", "test_b")]
    assert [test["verdict"] for test in tests] == ["INCONCLUSIVE"] * 2
    assert 8 <= model.requests <= 8 + 7
    assert sum(test["passed"] for test in tests) == model.requests
    assert all(test["passed"] for test in tests)


def test_a_budget_that_suffices(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """One dollar more than it takes, and nothing is seen of the budget."""
    with Simulator(latency=0) as model:
        outcome = suite(pytester, monkeypatch, TWO_TESTS).run(model, "--llmrel-budget=561")
    outcome.outcomes(passed=3)
    assert "the budget" not in outcome.out
    assert outcome.counts("test_a") == {"passed": 20}


@pytest.mark.parametrize("style", STYLES)
def test_a_run_that_the_budget_ended(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """A run whose second call is refused is no run, neither passed nor an error; what it paid is counted."""
    tests = """
@krun(5, pass_rate=0.5, stop="never", concurrency=1)
DEF test_a(llmrel):
    ASK()
    ASK()
    note("ended", llmrel.index)
"""
    with Simulator(latency=0) as model:
        outcome = suite(pytester, monkeypatch, tests, style).run(model, "--llmrel-budget=40")
    assert (outcome.counts(), outcome.log("ended")) == ({"passed": 1, "unfinished": 4}, [["0"]])
    assert (model.requests, outcome.test()["cost"]["usd"]) == (3, 42)
    assert outcome.test()["verdict"] == "INCONCLUSIVE"


def test_whoever_swallows_everything(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that catches ``BaseException`` around its calls does not pass the runs that made none."""
    tests = """
@krun(10, pass_rate=0.5, stop="never", concurrency=1)
def test_a():
    for _ in range(2):
        try:
            ask()
        except BaseException:
            pass

@krun(10, pass_rate=0.5, stop="never")
def test_b():
    pass
"""
    with Simulator(latency=0) as model:
        outcome = suite(pytester, monkeypatch, tests).run(model, "--llmrel-budget=40")
    outcome.outcomes(failed=2)
    assert outcome.counts("test_a") == {"passed": 1, "unfinished": 9}
    assert outcome.counts("test_b") == {"unfinished": 10}, "not even without a call of its own"


# --- never a failure ----------------------------------------------------------------------------------------


def test_a_missed_rate_is_left_open(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight failures of eight miss the bar, but the other 52 runs might have met it."""
    tests = """
@krun(60, gates=["pass_rate >= 0.5", "wrong_rate <= 0.5"], stop="never", concurrency=1)
def test_a():
    ask()
    assert False, "wrong answer"

@krun(4, concurrency=1)
def test_b():
    ask()
"""
    with Simulator(latency=0) as model:
        outcome = suite(pytester, monkeypatch, tests).run(model, "--llmrel-budget=100")
    test = outcome.test("test_a")
    assert (test["verdict"], test["failed"]) == ("INCONCLUSIVE", 8)
    assert said(outcome, "test_a") == dict.fromkeys(("pass_rate", "wrong_rate", "runs"), "INCONCLUSIVE")
    assert "left open, because the budget ended the test before its last run" in outcome.out
    assert "wrong answer" in outcome.out, "the failures are shown all the same"


def test_failures_without_a_gate_are_left_open(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same under the rule that every run must pass: the verdict names the budget."""
    tests = "@krun(60, concurrency=1)\ndef test_a():\n    ask()\n    assert False, 'wrong answer'\n"
    with Simulator(latency=0) as model:
        outcome = suite(pytester, monkeypatch, tests).run(model, "--llmrel-budget=20")
    assert (outcome.test()["verdict"], outcome.test()["failed"]) == ("INCONCLUSIVE", 2)


def test_what_money_does_not_mend_fails(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cost gate that is missed, and a tear-down that raised, fail the test whatever the budget says."""
    tests = """
@pytest.fixture
def broken():
    yield
    raise RuntimeError("tear-down")

@krun(20, gates=["cost <= 20"], concurrency=1)
def test_dear():
    ask()

@krun(20, pass_rate=0.5, stop="never", concurrency=1)
def test_broken(broken):
    ask()
"""
    with Simulator(latency=0) as model:
        outcome = suite(pytester, monkeypatch, tests).run(model, "--llmrel-budget=50")
    assert (outcome.test("test_dear")["verdict"], metric(outcome, "cost", "test_dear")) == ("FAIL", 28)
    assert outcome.test("test_broken")["verdict"] == "FAIL"
    assert said(outcome, "test_broken") == {
        "pass_rate": "PASS", "runs": "INCONCLUSIVE", "teardown": "FAIL",
    }  # fmt: skip
    assert model.requests == 4


def test_no_regression_of_what_was_not_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs that the budget cut short are compared with no baseline, however bad they are."""
    tests = """
import os

@krun(20, pass_rate=0, stop="never", concurrency=1)
def test_a():
    ask()
    assert os.environ.get("IS_GOOD"), "wrong answer"
"""
    asking = suite(pytester, monkeypatch, tests)
    with Simulator(latency=0) as model:
        monkeypatch.setenv("IS_GOOD", "1")
        asking.run(model, "--llmrel-baseline=new", "--llmrel-baseline-runs=20").outcomes(passed=1)
        monkeypatch.delenv("IS_GOOD")
        outcome = asking.run(model, "--llmrel-budget=200")
        assert outcome.test()["verdict"] == "INCONCLUSIVE"
        assert outcome.test()["failed"] == 15
        assert outcome.report is not None
        assert outcome.report["suite"]["verdict"] == "INCONCLUSIVE"
        assert asking.run(model).test()["verdict"] == "FAIL", "without a budget it is a regression"


def test_what_was_cut_short_is_not_recorded(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A baseline is not begun, nor moved, by runs that a budget has selected."""
    tests = "@krun(20, pass_rate=0, stop='never', concurrency=1)\ndef test_a(): ask()\n"
    asking = suite(pytester, monkeypatch, tests)
    with Simulator(latency=0) as model:
        arguments = ("--llmrel-baseline=new", "--llmrel-baseline-runs=20", "--llmrel-budget=100")
        outcome = asking.run(model, *arguments)
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert outcome.ret == 1
    assert not (asking.path / "__baselines__").exists()


# --- what counts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spending", "reason"),
    [
        ("ask(model='shop-assistant')", "what shop-assistant costs is unknown; name its price"),
        ("llmrel.usage(input_tokens=5, output_tokens=1, model='mine')", "what mine costs is unknown"),
        ("llmrel.usage(cost=30)", "the budget of $50 is spent"),
    ],
)
def test_what_is_counted_against_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, spending: str, reason: str
) -> None:
    """A model without a price cannot be budgeted for; usage by hand and judges are paid like any other."""
    tests = f"""
@krun(10, pass_rate=0.5, stop="never", concurrency=1)
def test_a(llmrel):
    with llmrel.judging():
        {spending}
"""
    with Simulator(latency=0) as model:
        outcome = suite(pytester, monkeypatch, tests).run(model, "--llmrel-budget=50")
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    runs = 2 if "cost=" in spending else 1
    assert outcome.counts() == {"passed": runs, "unfinished": 10 - runs}
    assert reason in outcome.out
    assert "the budget of $50" in outcome.out


def test_workers_share_it(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers spend from one budget: eight calls of 14 dollars of 100, and those in flight when it was gone."""
    tests = """
@krun(20, pass_rate=0.5, stop="never", concurrency=1)
@pytest.mark.parametrize("number", range(6))
def test_a(number):
    ask()
"""
    with Simulator(latency=0) as model:
        asking = suite(pytester, monkeypatch, tests)
        outcome = asking.run(model, "--llmrel-budget=100", "-n2", subprocess=True)
    outcome.outcomes(failed=6)
    assert {test["verdict"] for test in outcome.tests.values()} == {"INCONCLUSIVE"}
    # What one worker has paid is known to the other a moment later, in which that may have begun with one more.
    assert 8 <= model.requests <= 11
    assert sum(test["runs"] for test in outcome.tests.values()) == model.requests
    assert "the budget of $100 is spent" in outcome.out


@pytest.mark.parametrize("amount", ["0", "-1", "nan", "inf", "five", ""])
def test_amounts_that_are_none(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, amount: str
) -> None:
    """A budget that is no positive number of dollars is a usage error."""
    outcome = suite(pytester, monkeypatch, TWO_TESTS).run("http://none.invalid", f"--llmrel-budget={amount}")
    assert (outcome.ret, outcome.log()) == (pytest.ExitCode.USAGE_ERROR, [])
    assert "--llmrel-budget" in outcome.err
