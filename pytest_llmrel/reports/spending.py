"""What a test, or a session, has spent: as JSON-simple data, and in words."""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import fsum
from typing import Any

from pytest_llmrel.core.call import Spent
from pytest_llmrel.core.model import Recovery, Summary

__all__ = ["cost_entry", "dollars", "recovery_entry", "spending_line"]

_COUNTS = (
    "calls",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "unpriced_calls",
    "replayed_calls",
    "retries",
)
_KEYS = {
    Recovery.RECOVERED: "recovered",
    Recovery.CLEAN: "failed_cleanly",
    Recovery.SILENT: "failed_silently",
    Recovery.HUNG: "hung",
}


def cost_entry(summary: Summary, escalation: Summary | None) -> dict[str, Any]:
    """The key ``cost`` of a result: all runs together, those of an escalation too.

    Args:
        summary: of the planned runs.
        escalation: of further runs, if there were any.
    """
    summaries = [one for one in (summary, escalation) if one is not None]
    return {
        **_added([one.spent for one in summaries]),
        "judge": _added([one.judging for one in summaries]),
        "idle_runs": sum(one.idle_runs for one in summaries),
    }


def recovery_entry(summary: Summary) -> dict[str, int] | None:
    """The key ``recovery`` of a result: runs that met an injected fault, by what became of them."""
    if not summary.recoveries:
        return None
    return {key: summary.recoveries.get(recovery, 0) for recovery, key in _KEYS.items()}


def spending_line(costs: Iterable[Mapping[str, Any]]) -> str:
    """What a session has spent, in one line; ``""`` if no call was metered.

    Args:
        costs: the key ``cost`` of each test.
    """
    every = list(costs)
    calls = sum(cost["calls"] for cost in every)
    judging = sum(cost["judge"]["calls"] for cost in every)
    if not calls + judging:
        return ""
    known = fsum(cost["known_usd"] + cost["judge"]["known_usd"] for cost in every)
    unpriced = sum(cost["unpriced_calls"] + cost["judge"]["unpriced_calls"] for cost in every)
    tokens = (
        sum(cost[f"{way}_tokens"] + cost["judge"][f"{way}_tokens"] for cost in every)
        for way in ("input", "output")
    )
    said = "{} tokens in, {} out".format(*tokens)
    parts = [f"{calls + judging} calls", said]
    if judging:
        parts.append(f"{judging} calls by judges")
    if replayed := sum(cost["replayed_calls"] for cost in every):
        parts.append(f"{replayed} replayed, for nothing")
    if retries := sum(cost["retries"] for cost in every):
        parts.append(f"{retries} sent again")
    total = f"cost: {dollars(known)}" + (f" and {unpriced} calls of unknown cost" if unpriced else "")
    line = f"{total} ({', '.join(parts)})"
    return f"{line}; {_first_unknown(every)}" if unpriced else line


def dollars(amount: float) -> str:
    """With cents, or as many digits as tell it from nothing."""
    return f"${amount:.2f}" if amount >= 1 or amount == 0 else f"${amount:.2g}"


def _added(parts: list[Spent]) -> dict[str, Any]:
    unknown: Counter[str] = Counter()
    for part in parts:
        unknown.update(part.unknown)
    known = fsum(part.known_usd for part in parts)
    entry: dict[str, Any] = {name: sum(getattr(part, name) for part in parts) for name in _COUNTS}
    entry |= {"known_usd": known, "usd": None if unknown or not entry["calls"] else known}
    if entry["usd"] is None:
        entry["reason"] = _reason(unknown)
    return entry


def _reason(unknown: Mapping[str, int]) -> str:
    if not unknown:
        return "no call was metered"
    return "; ".join(f"{what} ({count})" for what, count in sorted(unknown.items()))


def _first_unknown(costs: Iterable[Mapping[str, Any]]) -> str:
    reasons = (part["reason"] for cost in costs for part in (cost, cost["judge"]) if part["unpriced_calls"])
    return f"for example {next(reasons)}; see llmrel_prices"
