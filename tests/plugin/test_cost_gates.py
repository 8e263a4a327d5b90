"""Gates on what a test spends: what is unknown is never free, and a missed total ends the test."""

import pytest
from example import Outcome
from wire_example import STYLES, Asking, metric

from pytest_llmrel.simulator import Simulator

PRICED = "    gpt-4o-mini: input 10, output 0"
UNPRICED = """
@krun(4, gates=["pass_rate >= 0.5", "cost <= 100", "cost_per_pass <= 100"])
DEF test_a():
    ASK(model="shop-assistant")
"""


def findings(outcome: Outcome, test: str = "") -> dict[str, str]:
    """The status of each finding of a test by its metric."""
    return {finding["metric"]: finding["status"] for finding in outcome.test(test)["findings"]}


def asked(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    tests: str,
    *args: str,
    style: str = "threads",
    conftest: str = "",
    **ini: str,
) -> Outcome:
    """One session against a server that answers at once."""
    suite = Asking(pytester, monkeypatch, tests, style=style, **ini)
    suite.edit({"conftest.py": conftest} if conftest else {})
    with Simulator(latency=0) as model:
        return suite.run(model, *args)


# --- the unknown --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", STYLES)
def test_an_unknown_price_is_not_zero(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """Calls of a model without a price are counted and shown; the cost is n/a and its gates INCONCLUSIVE."""
    outcome = asked(pytester, monkeypatch, UNPRICED, style=style)
    outcome.outcomes(failed=1)
    test, unknown = outcome.test(), "INCONCLUSIVE"
    assert test["verdict"] == "INCONCLUSIVE"
    assert findings(outcome) == {"pass_rate": "PASS", "cost": unknown, "cost_per_pass": unknown}
    assert (test["cost"]["usd"], test["cost"]["unpriced_calls"], test["cost"]["calls"]) == (None, 4, 4)
    assert (metric(outcome, "cost"), metric(outcome, "cost_per_pass")) == (None, None)
    assert metric(outcome, "tokens") > 4 * 14
    assert "the cost of 4 of 4 calls is unknown: no price of model 'shop-assistant'" in outcome.out
    assert "and 4 calls of unknown cost (4 calls, 56 tokens in" in outcome.out
    assert "see llmrel_prices" in outcome.out


def test_one_unknown_call_among_known_ones(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single call of unknown price makes the sum unknown, however cheap the others were."""
    tests = """
@krun(6, gates=["cost <= 100"])
def test_a(llmrel):
    ask(model="gpt-4o-mini" if llmrel.index else "shop-assistant")
"""
    outcome = asked(pytester, monkeypatch, tests)
    cost = outcome.test()["cost"]
    assert (outcome.test()["verdict"], cost["usd"], cost["unpriced_calls"]) == ("INCONCLUSIVE", None, 1)
    assert cost["known_usd"] > 0
    assert "the cost of 1 of 6 calls is unknown" in outcome.out


def test_an_answer_that_says_nothing_of_tokens(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream without usage has an unknown number of tokens, and so an unknown cost."""
    tests = """
@krun(3, gates=["cost <= 100", "tokens <= 1000000", "calls <= 3"])
def test_a():
    httpx.post(to(), headers=HEADERS, json=asking(RETURN, stream=True), verify=False)
"""
    outcome = asked(pytester, monkeypatch, tests)
    assert findings(outcome) == {"cost": "INCONCLUSIVE", "tokens": "INCONCLUSIVE", "calls": "PASS"}
    assert "3 of 3 calls did not say what they used" in outcome.out
    assert "no usage from 127.0.0.1/v1/chat/completions" in outcome.out


@pytest.mark.parametrize("style", STYLES)
def test_no_call_at_all(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str) -> None:
    """A gate on spending without any metered call is INCONCLUSIVE, with a hint: an SDK may go another way."""
    tests = """
@krun(3, gates=["cost <= 1", "cost_per_pass <= 1", "tokens <= 1000", "calls <= 9"])
DEF test_a(): pass
"""
    outcome = asked(pytester, monkeypatch, tests, style=style)
    assert (outcome.test()["verdict"], outcome.counts()) == ("INCONCLUSIVE", {"passed": 3})
    gated = ("cost", "cost_per_pass", "tokens", "calls")
    assert findings(outcome) == dict.fromkeys(gated, "INCONCLUSIVE")
    assert [metric(outcome, name) for name in gated] == [None] * 4
    assert "must be reported with llmrel.usage()" in outcome.out
    assert "3 of 3 runs made no metered call" in outcome.out


# --- by hand ------------------------------------------------------------------------------------------------


def test_usage_by_hand(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """``llmrel.usage`` counts as a call: by its price, by the cost that it says, or as unknown."""
    tests = """
@krun(4, gates=["cost <= 1"])
async def test_priced(llmrel):
    llmrel.usage(model="gpt-4o-mini", input_tokens=1000, output_tokens=100)

@krun(4, gates=["cost <= 1"])
def test_said(llmrel):
    llmrel.usage(cost=0.125)

@krun(4, gates=["cost <= 1"])
def test_model_unknown(llmrel):
    llmrel.usage(model="llama-of-mine", input_tokens=1000, output_tokens=100)

@krun(4, gates=["cost <= 1"])
def test_tokens_unknown(llmrel):
    llmrel.usage(model="gpt-4o-mini", output_tokens=100)

@krun(4)
def test_mistaken(llmrel):
    llmrel.usage(input_tokens=-1, output_tokens=0)
"""
    outcome = asked(pytester, monkeypatch, tests)
    verdicts = {name.partition("::test_")[2]: test["verdict"] for name, test in outcome.tests.items()}
    assert verdicts == {
        "priced": "PASS",
        "said": "PASS",
        "model_unknown": "INCONCLUSIVE",
        "tokens_unknown": "INCONCLUSIVE",
        "mistaken": "FAIL",
    }
    assert metric(outcome, "cost", "_priced") == pytest.approx(4 * (1000 * 0.15 + 100 * 0.60) / 1e6)
    assert (metric(outcome, "tokens", "_priced"), metric(outcome, "calls", "_priced")) == (4400, 4)
    assert metric(outcome, "cost", "_said") == 0.5
    assert "no usage from by hand" in outcome.out


# --- prices, hooks and hosts --------------------------------------------------------------------------------


def test_prices_of_the_ini_file(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """``llmrel_prices`` gives a price to what has none, and goes before the public one."""
    prices = "\n    shop-*: input 2, output 0\n    gpt-4o-mini: input 10, output 0"
    tests = """
@krun(5, gates=["cost <= 1"])
@pytest.mark.parametrize("name", ["shop-assistant", "gpt-4o-mini"])
def test_a(name):
    ask(model=name)
"""
    outcome = asked(pytester, monkeypatch, tests, llmrel_prices=prices)
    outcome.outcomes(passed=2)
    assert metric(outcome, "cost", "[shop-assistant]") == pytest.approx(5 * 14 * 2e-6)
    assert metric(outcome, "cost", "[gpt-4o-mini]") == pytest.approx(5 * 14 * 10e-6)


def test_mistakes_in_prices(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every mistake in the prices is a line of one usage error, before anything is collected."""
    prices = (
        "\n    a: input 1\n    b: input x, output 2\n    output 3\n    c: input 1, output -1"
        "\n    d: in 1, output 2\n    e: input 1, output 2\n    e: input 1, output 2"
    )
    outcome = asked(pytester, monkeypatch, "def test_a(): note('ran')\n", llmrel_prices=prices)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    assert outcome.log() == []
    for number, said in ((1, "output"), (2, "'x'"), (3, "model"), (4, "'-1'"), (5, "'in'"), (7, "already")):
        (line,) = [line for line in outcome.err.splitlines() if f"llmrel_prices, line {number} " in line]
        assert said in line
    assert "line 6" not in outcome.err


@pytest.mark.parametrize("retries", ["-1", "1.5"])
def test_retries_that_are_no_number(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, retries: str
) -> None:
    """``llmrel_retries`` that is no whole number is a usage error."""
    outcome = asked(pytester, monkeypatch, "def test_a(): note('ran')\n", llmrel_retries=retries)
    assert (outcome.ret, outcome.log()) == (pytest.ExitCode.USAGE_ERROR, [])
    assert f"ini key llmrel_retries = {retries}" in outcome.err


def test_the_hook_that_reads_usage(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """``pytest_llmrel_usage`` is asked first, with the whole exchange; ``None`` leaves it to the built-in."""
    conftest = """
import json
from pytest_llmrel import Usage

def pytest_llmrel_usage(exchange):
    asked, answer = json.loads(exchange.request), json.loads(exchange.body)
    assert (exchange.method, exchange.status) == ("POST", 200) and exchange.url.endswith("/v1/chat/completions")
    if asked["model"] == "shop-assistant":
        return Usage("gpt-4o-mini", 1000, answer["usage"]["prompt_tokens"])
"""
    tests = """
@krun(3, gates=["cost <= 1"])
@pytest.mark.parametrize("name", ["shop-assistant", "gpt-4o-mini"])
def test_a(name):
    ask(model=name)
"""
    outcome = asked(pytester, monkeypatch, tests, conftest=conftest)
    outcome.outcomes(passed=2)
    own, built_in = (outcome.test(f"[{name}]")["cost"] for name in ("shop-assistant", "gpt-4o-mini"))
    assert (own["input_tokens"], own["output_tokens"]) == (3000, 42)
    assert own["usd"] == pytest.approx((3000 * 0.15 + 42 * 0.60) / 1e6)
    assert built_in["input_tokens"] == 42


def test_the_hook_that_prices(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """``pytest_llmrel_price`` goes before ini file and public price, for calls and for usage by hand."""
    conftest = """
from decimal import Decimal

def pytest_llmrel_price(model, usage):
    return Decimal("0.25") if model == "gpt-4o-mini" else None
"""
    tests = """
@krun(2, gates=["cost <= 1"])
def test_a(llmrel):
    ask()
    llmrel.usage(model="gpt-4o-mini", input_tokens=1, output_tokens=1)
"""
    outcome = asked(pytester, monkeypatch, tests, conftest=conftest, llmrel_prices=f"\n{PRICED}")
    assert (outcome.test()["verdict"], metric(outcome, "cost")) == ("PASS", 1.0)


def test_free_hosts_and_reading_requests(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A GET is no call, and neither is a POST to a host that is free; other hosts count as before."""
    tests = """
@krun(3, gates=["calls >= 3"])
def test_a():
    httpx.get(to("models"), headers=HEADERS, verify=False)
    httpx.post(to().replace("127.0.0.1", "localhost"), headers=HEADERS, json=asking("Hello"), verify=False)
    ask()
"""
    outcome = asked(pytester, monkeypatch, tests, llmrel_free_hosts="localhost vectors.intern")
    assert (outcome.test()["verdict"], metric(outcome, "calls")) == ("PASS", 3)
    assert outcome.test()["cost"]["input_tokens"] == 42
    assert asked(pytester, monkeypatch, tests).test()["cost"]["calls"] == 6


@pytest.mark.parametrize("style", STYLES)
def test_judging_is_counted_apart(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """Calls in ``llmrel.judging()`` are no part of the cost of the feature, and shown beside it."""
    tests = """
@krun(4, gates=["calls <= 4", "cost <= 1"])
DEF test_a(llmrel):
    ASK()
    with llmrel.judging():
        ASK("Is this polite?", model="shop-assistant")
        llmrel.usage(model="gpt-4o-mini", input_tokens=1, output_tokens=1)
"""
    outcome = asked(pytester, monkeypatch, tests, style=style)
    outcome.outcomes(passed=1)
    cost = outcome.test()["cost"]
    assert (cost["calls"], cost["unpriced_calls"], cost["input_tokens"]) == (4, 0, 56)
    assert (cost["judge"]["calls"], cost["judge"]["unpriced_calls"], cost["judge"]["usd"]) == (8, 4, None)
    assert "12 calls" in outcome.out
    assert "8 by judges" in outcome.out


# --- the price of a correct answer, and of a test -----------------------------------------------------------


def test_cost_per_pass(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the runs cost over how many passed: all are paid for. n/a, and no pass, when none passed."""
    # Eight passes at the same cost leave no doubt; with two of eight the interval has no end.
    tests = "".join(f"""
@krun(8, gates=["cost_per_pass <= 0.00057"], gate={mode!r})
@pytest.mark.parametrize("passing", [8, 2, 0])
def test_{mode}(llmrel, passing):
    ask()
    assert llmrel.index < passing
""" for mode in ("observed", "evidence", "proof"))  # fmt: skip
    outcome = asked(pytester, monkeypatch, tests, llmrel_prices=f"\n{PRICED}")
    point = {number: metric(outcome, "cost_per_pass", f"_observed[{number}]") for number in (8, 2, 0)}
    assert point == {8: pytest.approx(14e-5), 2: pytest.approx(56e-5), 0: None}
    for mode, two in (("observed", "PASS"), ("evidence", "INCONCLUSIVE"), ("proof", "INCONCLUSIVE")):
        verdict = {number: outcome.test(f"_{mode}[{number}]")["verdict"] for number in (8, 2, 0)}
        assert verdict == {8: "PASS", 2: two, 0: "INCONCLUSIVE"}
    assert "cost_per_pass is n/a (no run passed)" in outcome.out
    assert "no proof about cost_per_pass (too few of the runs passed for an interval)" in outcome.out


@pytest.mark.parametrize("style", STYLES)
def test_a_missed_total_ends_the_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """As soon as a total is exceeded no further run is started; that gate fails the test."""
    gates = {"cost": "<= 0.00065", "calls": "<= 5", "tokens": "<= 75"}
    tests = "".join(f"""
@krun(60, gates=["{name} {bar}"], concurrency=2)
DEF test_{name}():
    ASK(max_tokens=1)
""" for name, bar in gates.items())  # fmt: skip
    outcome = asked(pytester, monkeypatch, tests, style=style, llmrel_prices=f"\n{PRICED}")
    outcome.outcomes(failed=3)
    for name, bar in gates.items():
        test = outcome.test(f"test_{name}")
        assert test["verdict"] == "FAIL"
        assert 5 <= test["runs"] <= 8
        assert (test["unfinished"], test["cost"]["calls"]) == (60 - test["runs"], test["runs"])
        assert findings(outcome, f"test_{name}")[name] == "FAIL"
        assert f"'{name} {bar}' is missed whatever comes" in outcome.out


def test_a_total_that_is_kept(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar itself is no miss: the test makes all its runs and passes."""
    tests = '@krun(20, gates=["calls <= 20", "calls >= 20"])\ndef test_a(): ask()\n'
    outcome = asked(pytester, monkeypatch, tests)
    assert (outcome.test()["verdict"], outcome.counts()) == ("PASS", {"passed": 20})


def test_gates_that_cannot_be(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar below zero, one that is no number, and a metric that does not exist are usage errors."""
    gates = ["cost <= -1", "cost_per_pass <= nan", "tokens <= -5", "price <= 1", "calls <= 1"]
    tests = "".join(
        f"\n@krun(3, gates=[{gate!r}])\ndef test_{number}(): note('ran')\n"
        for number, gate in enumerate(gates)
    )
    outcome = asked(pytester, monkeypatch, tests)
    assert (outcome.ret, outcome.log()) == (pytest.ExitCode.USAGE_ERROR, [])
    assert [gate for gate in gates if gate in outcome.err] == gates[:-1]
