"""The verdict of a test, the numbers it rests on, and the text that explains it."""

import math
import re

import pytest
from example import Outcome, example

HEAD = """
import math, time
import pytest
from pytest_llmrel import krun, paraphrase

"""


def passing(count: int, of: int, mark: str, pytester: pytest.Pytester, *args: str) -> Outcome:
    """A test of ``of`` runs, the first ``count`` of which pass."""
    source = (
        f"{HEAD}\n@krun({of}, {mark})\ndef test_it(llmrel):\n    assert llmrel.index < {count}, 'wrong'\n"
    )
    return example(source).run(pytester, *args)


def body(text: str, mark: str, pytester: pytest.Pytester, *args: str, keyword: str = "def") -> Outcome:
    """A test with this body."""
    indented = "\n".join(f"    {line}" for line in text.splitlines())
    return example(f"{HEAD}\n@krun({mark})\n{keyword} test_it(llmrel):\n{indented}\n").run(pytester, *args)


def wilson(passed: int, n: int) -> tuple[float, float]:
    """The Wilson interval by its textbook formula, with no code of ours."""
    z = 1.959963984540054
    centre = (passed + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(passed * (n - passed) / n + z * z / 4)
    return max(0.0, centre - half), min(1.0, centre + half)


# --- without gates ------------------------------------------------------------------------------------------


def test_without_a_gate_every_run_must_pass(pytester: pytest.Pytester) -> None:
    """One wrong answer of twenty fails the test, and the message says which rule that was."""
    outcome = passing(19, 20, "", pytester)
    outcome.outcomes(failed=1)
    assert outcome.test()["verdict"] == "FAIL"
    assert "19 of 20 runs passed; no gate and no baseline, so every run must pass" in outcome.out
    assert passing(20, 20, "", pytester).test()["verdict"] == "PASS"


def test_the_first_line_and_the_short_summary(pytester: pytest.Pytester) -> None:
    """Test, verdict and counts are in the failure's first line and in pytest's one-line summary."""
    outcome = passing(1, 3, "", pytester)
    outcome.session.stdout.fnmatch_lines([
        "*FAILURES*",
        "test_it: FAIL: 1 of 3 runs passed; no gate*",
        "3 runs: 1 passed, 2 failed",
        "2 runs failed: AssertionError at test_it.py:8: wrong",
        "FAILED test_it.py::test_it - test_it: FAIL: 1 of 3 runs passed; no*",
    ])  # fmt: skip
    assert "GateFailure" not in outcome.out, "no exception of ours is of interest"
    assert "pytest_llmrel/" not in outcome.out, "no traceback through the plugin"


def test_the_short_summary_under_xdist(pytester: pytest.Pytester) -> None:
    """With workers the one-line summary says the same."""
    outcome = passing(1, 3, "", pytester, "-n1")
    outcome.session.stdout.fnmatch_lines(
        ["FAILED test_it.py::test_it - test_it: FAIL: 1 of 3 runs passed; no*"]
    )


# --- gates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gate", "passed", "met"),
    [
        ("pass_rate >= 0.8", 8, True),
        ("pass_rate > 0.8", 8, False),
        ("pass_rate >= 0.8", 7, False),
        ("pass_rate <= 0.8", 8, True),
        ("pass_rate < 0.8", 8, False),
        ("wrong_rate <= 0.2", 8, True),
        ("wrong_rate <= 0.2", 7, False),
        ("abstention_rate <= 0", 0, True),
        ("error_rate <= 0", 0, True),
        ("pass@2 >= 0.97", 8, True),
        ("pass@3 >= 0.99", 7, True),
        ("pass@2 >= 0.99", 8, False),
        ("pass^2 >= 0.62", 8, True),
        ("pass^2 >= 0.63", 8, False),
        ("pass^10 >= 0.01", 9, False),
        ("pass^10 >= 1", 10, True),
        ("  pass_rate>=8e-1 ", 8, True),
    ],
)
def test_the_observed_value_is_compared(pytester: pytest.Pytester, gate: str, passed: int, met: bool) -> None:
    """What is written is compared with what was observed, equality included where the sign says so."""
    outcome = passing(passed, 10, f"gates=[{gate!r}]", pytester)
    assert outcome.test()["verdict"] == ("PASS" if met else "FAIL")
    assert outcome.ret == (0 if met else 1)


def test_metrics_are_the_published_formulas(pytester: pytest.Pytester) -> None:
    """pass@k and pass^k are the unbiased estimators, the interval is Wilson's, all with n and method."""
    metrics = passing(7, 10, "gates=['pass@3 >= 0', 'pass^3 >= 0']", pytester).test()["metrics"]
    rate = metrics["pass_rate"]
    assert (rate["point"], rate["n"], rate["method"]) == (0.7, 10, "Wilson 95 %")
    assert (rate["low"], rate["high"]) == pytest.approx(wilson(7, 10), abs=1e-12)
    assert metrics["pass@3"]["point"] == pytest.approx(1 - math.comb(3, 3) / math.comb(10, 3))
    assert metrics["pass^3"]["point"] == pytest.approx(math.comb(7, 3) / math.comb(10, 3))
    for name in ("pass@3", "pass^3"):
        assert metrics[name]["low"] <= metrics[name]["point"] <= metrics[name]["high"]


def test_pass_rate_is_a_gate_among_others(pytester: pytest.Pytester) -> None:
    """``pass_rate=x`` and the gates all count; the worst finding wins and every one is explained."""
    outcome = passing(8, 10, "pass_rate=0.5, gates=['pass^5 >= 0.9', 'wrong_rate <= 0.5']", pytester)
    test = outcome.test()
    assert test["verdict"] == "FAIL"
    assert [(f["metric"], f["expected"], f["status"]) for f in test["findings"]] == [
        ("pass_rate", ">= 0.5", "PASS"), ("pass^5", ">= 0.9", "FAIL"), ("wrong_rate", "<= 0.5", "PASS"),
    ]  # fmt: skip
    assert "test_it: FAIL: pass^5 is 0.2222" in outcome.out


@pytest.mark.parametrize(
    ("passed", "of", "bar", "verdict", "straddles"),
    [
        (9, 10, 0.8, "PASS", True),
        (7, 10, 0.8, "FAIL", True),
        (100, 100, 0.8, "PASS", False),
        (10, 100, 0.8, "FAIL", False),
    ],
)
def test_the_straddling_flag(
    pytester: pytest.Pytester, passed: int, of: int, bar: float, verdict: str, straddles: bool
) -> None:
    """A verdict that more runs could overturn is flagged, in the report and in the table."""
    outcome = passing(passed, of, f"pass_rate={bar}, stop='never'", pytester)
    (finding,) = outcome.test()["findings"]
    assert (finding["status"], finding["straddles"]) == (verdict, straddles)
    assert ("more runs could overturn" in outcome.out) == straddles
    low, high = wilson(passed, of)
    assert (low < bar < high) == straddles


def test_too_few_valid_runs_for_pass_k(pytester: pytest.Pytester) -> None:
    """Where errors left fewer than k valid runs pass^k is n/a and the gate INCONCLUSIVE, never 0 or 1."""
    text = "if llmrel.index == 0: raise ConnectionError"
    outcome = body(text, "10, gates=['pass^10 >= 0.1', 'pass@10 >= 0.1']", pytester)
    test = outcome.test()
    assert test["verdict"] == "INCONCLUSIVE"
    for name in ("pass^10", "pass@10"):
        assert (test["metrics"][name]["point"], test["metrics"][name]["low"]) == (None, None)
        assert "at least 10 valid runs" in test["metrics"][name]["method"]
        assert f"{name} is n/a" in outcome.out


def test_a_quick_look_cannot_decide_pass_k(pytester: pytest.Pytester) -> None:
    """``--llmrel-k=1`` does not turn the mark into a mistake; the gate is INCONCLUSIVE and says why."""
    outcome = passing(10, 10, "gates=['pass^5 >= 0.1']", pytester, "--llmrel-k=1")
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert "needs at least 5 valid runs" in outcome.out


@pytest.mark.parametrize(
    ("gate", "verdict"),
    [
        ("latency_p50 <= 5", "PASS"),
        ("latency_p50 <= 0.1", "FAIL"),
        ("latency_p95 <= 0.3", "FAIL"),
        ("latency_p95 >= 0.3", "PASS"),
    ],
)
@pytest.mark.parametrize(
    ("keyword", "wait"), [("def", "time.sleep"), ("async def", "await __import__('asyncio').sleep")]
)
def test_latency(pytester: pytest.Pytester, gate: str, verdict: str, keyword: str, wait: str) -> None:
    """Latency is that of the body in seconds; one slow run of six shows in p95 and not in p50."""
    text = f"{wait}(0.4 if llmrel.index == 1 else 0.15)"
    test = body(text, f"6, concurrency=6, gates=[{gate!r}]", pytester, keyword=keyword).test()
    assert test["verdict"] == verdict
    assert 0.15 <= test["metrics"]["latency_p50"]["point"] < 0.4 <= test["metrics"]["latency_p95"]["point"]


def test_latency_leaves_fixtures_out(pytester: pytest.Pytester) -> None:
    """A slow fixture is not the model's latency."""
    source = f"{HEAD}\n@pytest.fixture\ndef slow():\n    time.sleep(0.3)\n    yield\n    time.sleep(0.1)\n"
    outcome = example(f"{source}\n@krun(2, gates=['latency_p95 <= 0.25'])\ndef test_it(slow): pass\n").run(
        pytester
    )
    assert outcome.test()["verdict"] == "PASS"


# --- scores -------------------------------------------------------------------------------------------------


def test_scores_are_averaged(pytester: pytest.Pytester) -> None:
    """The mean of what the runs recorded is a metric that a gate may name; failing runs count."""
    text = "llmrel.score('polite', llmrel.index)\nassert llmrel.index != 3"
    test = body(text, "4, gates=['polite >= 1.5']", pytester).test()
    assert test["verdict"] == "PASS"
    assert test["metrics"]["polite"] == {"point": 1.5, "low": None, "high": None, "n": 4, "method": "mean"}
    assert body(text, "4, gates=['polite > 1.5']", pytester).test()["verdict"] == "FAIL"


@pytest.mark.parametrize("value", ["math.nan", "math.inf", "-math.inf"])
def test_a_score_that_is_no_number(pytester: pytest.Pytester, value: str) -> None:
    """One NaN or infinite score makes the mean n/a and a gate on it INCONCLUSIVE."""
    outcome = body(
        f"llmrel.score('polite', {value} if llmrel.index else 1)", "3, gates=['polite >= 0']", pytester
    )
    test = outcome.test()
    assert (test["verdict"], test["metrics"]["polite"]["point"]) == ("INCONCLUSIVE", None)
    assert "2 of 3 recorded values are not finite" in outcome.out
    assert "polite is n/a" in outcome.out


def test_huge_scores(pytester: pytest.Pytester) -> None:
    """Scores at the edge of what a float holds do not crash the test."""
    test = body("llmrel.score('polite', 1.7e308)", "3, gates=['polite >= 0']", pytester).test()
    assert test["verdict"] in {"PASS", "INCONCLUSIVE"}
    assert test["runs"] == 3


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("llmrel.score('polite', '0.9')", "TypeError"),
        ("llmrel.score('polite', None)", "TypeError"),
        ("llmrel.score('polite', 1j)", "TypeError"),
        ("llmrel.score('very polite', 1)", "ValueError"),
        ("llmrel.score('', 1)", "ValueError"),
        ("llmrel.score('polite', 1); llmrel.score('polite', 1)", "ValueError"),
        ("llmrel.score('pass_rate', 1)", "ValueError"),
        ("llmrel.score('latency_p95', 1)", "ValueError"),
    ],
)
def test_a_wrong_score_fails_its_run(pytester: pytest.Pytester, call: str, error: str) -> None:
    """A score that cannot be one is refused aloud, a name of ours too: it must not replace the metric."""
    outcome = body(call, "2, pass_rate=1, stop='never'", pytester)
    assert outcome.counts() == {"failed": 2}
    assert outcome.test()["failures"][0]["type"] == error
    assert outcome.test()["verdict"] == "FAIL"


def test_a_score_that_is_sometimes_missing(pytester: pytest.Pytester) -> None:
    """A mean rests on the runs that recorded it, and n says how many."""
    test = body("if llmrel.index: llmrel.score('polite', 1)", "4, gates=['polite >= 1']", pytester).test()
    assert (test["metrics"]["polite"]["point"], test["metrics"]["polite"]["n"]) == (1.0, 3)


# --- wordings -----------------------------------------------------------------------------------------------


def test_tallies_of_wordings(pytester: pytest.Pytester) -> None:
    """Each wording has its own count, in the order of the mark, shown when the test fails."""
    source = f"""{HEAD}
@krun(4, pass_rate=0.9, stop="never")
@paraphrase("q", "good", "bad", "mixed")
def test_it(q, llmrel):
    assert q == "good" or (q == "mixed" and llmrel.index < 2)
"""
    outcome = example(source).run(pytester)
    variants = outcome.test()["variants"]
    assert [(v["text"], v["passed"], v["n"]) for v in variants] == [
        ("good", 4, 4),
        ("bad", 0, 4),
        ("mixed", 2, 4),
    ]
    assert all(re.fullmatch("[0-9a-f]{8}", v["key"]) for v in variants)
    lines = [" ".join(line.split()) for line in outcome.out.splitlines()]
    assert {'4 of 4 "good"', '0 of 4 "bad"', '2 of 4 "mixed"'} <= set(lines)


def test_pass_hat_over_wordings(pytester: pytest.Pytester) -> None:
    """pass^k is the mean over wordings, each a task of its own, not that of all runs in one pot."""
    source = f"""{HEAD}
@krun(2)
@paraphrase("q", "good", "bad")
def test_it(q):
    assert q == "good"
"""
    metrics = example(source).run(pytester).test()["metrics"]
    assert (metrics["pass^2"]["point"], metrics["pass@2"]["point"]) == (0.5, 0.5)
