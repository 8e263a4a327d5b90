"""The result of one test as JUnit properties."""

from collections.abc import Mapping
from typing import Any

__all__ = ["properties"]


def properties(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value of each property; an undefined number is ``n/a``."""
    counted = ("runs", "passed", "failed", "errors", "abstained", "skipped", "xfailed")
    found = [("llmrel_verdict", result["verdict"])]
    found += [(f"llmrel_{name}", str(result[name])) for name in counted]
    for name, estimate in sorted(result["metrics"].items()):
        found.append((f"llmrel_{name}", _value(estimate["point"])))
        if estimate["low"] is not None:
            found.append((f"llmrel_{name}_low", _value(estimate["low"])))
            found.append((f"llmrel_{name}_high", _value(estimate["high"])))
    return found


def _value(number: float | None) -> str:
    return "n/a" if number is None else f"{number:.6g}"
