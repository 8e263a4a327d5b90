"""JUnit properties: verdict, counts and metrics as text, prefixed."""

from collections.abc import Callable
from typing import Any

from pytest_llmrel.reports.junit import properties

Maker = Callable[..., dict[str, Any]]


def test_verdict_counts_and_metrics(entry: Maker) -> None:
    """Each under its own name, with the ends of the interval where there is one."""
    found = dict(properties(entry()))
    expected = {
        "llmrel_verdict": "FAIL", "llmrel_runs": "10", "llmrel_passed": "7", "llmrel_failed": "3",
        "llmrel_errors": "0", "llmrel_abstained": "0", "llmrel_skipped": "0", "llmrel_xfailed": "0",
        "llmrel_pass_rate": "0.7", "llmrel_pass_rate_low": "0.4", "llmrel_pass_rate_high": "0.89",
        "llmrel_latency_p95": "1.25", "llmrel_pass^5": "0.083",
    }  # fmt: skip
    assert found == expected


def test_the_undefined_is_na(entry: Maker, metric: Maker) -> None:
    """Never 0, and without ends."""
    found = dict(properties(entry(metrics={"pass_rate": metric(None)})))
    assert found["llmrel_pass_rate"] == "n/a"  # noqa: S105  a metric, not a password
    assert "llmrel_pass_rate_low" not in found


def test_zero_is_a_number(entry: Maker, metric: Maker) -> None:
    """An end of 0 is written like any other."""
    found = dict(properties(entry(metrics={"pass_rate": metric(0.0, 0.0, 0.28)})))
    assert (found["llmrel_pass_rate"], found["llmrel_pass_rate_low"]) == ("0", "0")


def test_every_property_is_text_prefixed_and_said_once(entry: Maker) -> None:
    """XML knows no other type, and other plugins have properties too."""
    found = properties(entry())
    assert all(type(value) is str for _, value in found)
    assert all(name.startswith("llmrel_") for name, _ in found)
    assert len({name for name, _ in found}) == len(found)
