"""An entry of schema 1 to be shown, of which a test changes what it is about."""

from collections.abc import Callable
from typing import Any

import pytest

Entry = dict[str, Any]


@pytest.fixture
def metric() -> Callable[..., Entry]:
    """Makes a metric of an entry."""

    def make(point: float | None, low: float | None = None, high: float | None = None) -> Entry:
        return {"point": point, "low": low, "high": high, "n": 10, "method": "some method"}

    return make


@pytest.fixture
def entry(metric: Callable[..., Entry]) -> Callable[..., Entry]:
    """Makes an entry: ten runs, seven passed, three failed, FAIL, unless said otherwise."""

    def make(**changes: Any) -> Entry:
        plain = {
            "nodeid": "tests/test_shop.py::test_refund", "verdict": "FAIL", "runs": 10, "passed": 7, "failed": 3,
            "errors": 0, "abstained": 0, "skipped": 0, "xfailed": 0, "unfinished": 0,
            "metrics": {"pass_rate": metric(0.7, 0.4, 0.89), "latency_p95": metric(1.25), "pass^5": metric(0.083)},
            "variants": [], "cases": [], "failures": [], "notes": [],
            "stopped": None, "sensitivity": None, "clustering": None, "scorings": {}, "baseline": None,
            "findings": [
                {"metric": "pass_rate", "expected": ">= 0.9", "observed": "0.7", "status": "FAIL",
                 "explanation": "pass_rate is 0.7, outside the bar >= 0.9", "straddles": False},
            ],
            "cost": {
                "usd": None, "known_usd": 0.0, "calls": 0, "idle_runs": 0, "input_tokens": 0, "output_tokens": 0,
                "unpriced_calls": 0, "replayed_calls": 0, "retries": 0, "judge": {"calls": 0, "known_usd": 0.0},
            },
            "recovery": None, "tape": None,
        }  # fmt: skip
        return plain | changes

    return make


@pytest.fixture
def kind() -> Callable[..., Entry]:
    """Makes a kind of failure of an entry; its sample is changed by the keywords that it has."""

    def make(count: int = 3, **changes: Any) -> Entry:
        sample = {
            "case": "", "variant": "", "run": 4, "seed": 1, "message": "assert '30 days' in 'never'",
            "traceback": "t.py:3: AssertionError", "output": "never", "captured": {},
        }  # fmt: skip
        group = {
            "outcome": "failed", "type": "AssertionError", "location": "t.py:3", "message": "assert <text>",
            "count": count, "variants": {"": count},
        }  # fmt: skip
        sample |= {key: value for key, value in changes.items() if key in sample and key != "message"}
        group |= {key: value for key, value in changes.items() if key in group and key != "message"}
        sample["message"] = changes.get("message", sample["message"])
        return group | {"sample": sample}

    return make
