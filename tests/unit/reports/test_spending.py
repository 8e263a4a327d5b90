"""Cost in data and in words: what is known, what is not, and what was for nothing."""

from typing import Any

import pytest

from pytest_llmrel.core.call import Spent
from pytest_llmrel.core.fault import Recovery
from pytest_llmrel.core.model import Outcome, Summary
from pytest_llmrel.reports.spending import cost_entry, dollars, recovery_entry, session_totals, spending_lines


def summary(**changes: Any) -> Summary:
    """A summary of nothing but calls."""
    return Summary(counts=dict.fromkeys(Outcome, 0), unfinished=0, metrics={}, **changes)


def entry(spent: Spent, judging: Spent | None = None) -> dict[str, Any]:
    """A result of one test."""
    cost = cost_entry(summary(spent=spent, judging=judging or Spent()), None)
    return {
        "cost": cost,
        "latency_buckets": {"runs": {}, "calls": {"-57": spent.calls} if spent.calls else {}},
    }


KNOWN = Spent(calls=10, usd=0.02, known_usd=0.02, input_tokens=100, output_tokens=20)
UNKNOWN = Spent(calls=3, usd=None, known_usd=0.01, unpriced_calls=2, unknown={"no price of model 'x'": 2})


def test_the_cost_of_an_escalation_is_cost() -> None:
    """It was paid, too."""
    cost = cost_entry(summary(spent=KNOWN), summary(spent=KNOWN))
    assert (cost["usd"], cost["calls"], cost["input_tokens"]) == (0.04, 20, 200)
    assert "reason" not in cost


def test_an_unknown_cost_is_null_with_its_reason() -> None:
    """And what is known stands beside it."""
    cost = cost_entry(summary(spent=UNKNOWN), None)
    assert (cost["usd"], cost["known_usd"], cost["unpriced_calls"]) == (None, 0.01, 2)
    assert cost["reason"] == "no price of model 'x' (2)"


def test_no_call_is_no_zero() -> None:
    """Nobody knows what was not seen."""
    cost = cost_entry(summary(), None)
    assert (cost["usd"], cost["reason"]) == (None, "no call was metered")
    assert spending_lines([entry(Spent())]) == []


def test_the_line_of_a_session() -> None:
    """Sum, calls, tokens, judges; and the latency of calls."""
    first, second = spending_lines([entry(KNOWN, Spent(calls=2, usd=0.01, known_usd=0.01)), entry(KNOWN)])
    assert first == "cost: $0.050 (22 calls, 200 tokens in, 40 out, 2 by judges)"
    assert second.startswith("latency of calls: median 0.06")


def test_what_is_unknown_is_said() -> None:
    """With an example, and where to mend it."""
    (line, _) = spending_lines([entry(KNOWN), entry(UNKNOWN)])
    assert "cost: $0.030 and 2 calls of unknown cost" in line
    assert line.endswith("for example no price of model 'x' (2); see llmrel_prices")


def test_what_was_replayed_and_sent_again() -> None:
    """Both are told, since both surprise."""
    (line, _) = spending_lines([entry(Spent(calls=4, usd=0.0, replayed_calls=4, retries=1))])
    assert "4 replayed, for nothing, 1 sent again" in line


def test_totals_of_a_session_are_null_where_unknown() -> None:
    """As those of a test."""
    totals = session_totals([entry(KNOWN), entry(UNKNOWN)])
    assert (totals["cost"]["usd"], totals["cost"]["known_usd"]) == (None, 0.03)
    assert totals["latency_runs"] == {"n": 0, "p50": None, "p95": None}
    assert totals["latency_calls"]["n"] == 13


def test_recovery_by_class() -> None:
    """All four of them, or nothing where no fault was met."""
    found = recovery_entry(summary(recoveries={Recovery.RECOVERED: 3, Recovery.HUNG: 1}))
    assert found == {"recovered": 3, "failed_cleanly": 0, "failed_silently": 0, "hung": 1}
    assert recovery_entry(summary()) is None


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "$0.00"),
        (1234.5, "$1234.50"),
        (0.5, "$0.50"),
        (0.0123, "$0.012"),
        (0.000123, "$0.00012"),
        (2e-7, "$0.00000020"),
    ],
)
def test_dollars(amount: float, text: str) -> None:
    """Never $0.00 for something."""
    assert dollars(amount) == text
