"""What a test, or a session, has spent: as JSON-simple data, and in words."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import floor, fsum, log10
from typing import Any

from pytest_llmrel.core.call import Spent
from pytest_llmrel.core.fault import Recovery
from pytest_llmrel.core.model import Summary
from pytest_llmrel.stats.histogram import bucketed_quantile

__all__ = ["RECOVERY_KEYS", "cost_entry", "dollars", "recovery_entry", "session_totals", "spending_lines"]

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
_CENTS = 0.1
"""US dollars from which on cents are enough."""
RECOVERY_KEYS = {
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
    return {key: summary.recoveries.get(recovery, 0) for recovery, key in RECOVERY_KEYS.items()}


def spending_lines(tests: Iterable[Mapping[str, Any]]) -> list[str]:
    """What a session has spent, in words; nothing if no call was metered.

    Args:
        tests: entries of schema 1.
    """
    every = list(tests)
    total = session_totals(every)
    cost, judge = total["cost"], total["cost"]["judge"]
    calls, unpriced = cost["calls"] + judge["calls"], cost["unpriced_calls"] + judge["unpriced_calls"]
    if not calls:
        return []
    parts = [f"{calls} calls", *_told(cost, judge)]
    said = f"cost: {dollars(cost['known_usd'] + judge['known_usd'])}"
    if unpriced:
        said += f" and {unpriced} calls of unknown cost"
    line = f"{said} ({', '.join(parts)})"
    lines = [f"{line}; {_first_unknown(every)}" if unpriced else line]
    if (latency := total["latency_calls"])["n"]:
        lines.append(f"latency of calls: median {latency['p50']:.2g} s, 95 % within {latency['p95']:.2g} s")
    return lines


def _told(cost: Mapping[str, Any], judge: Mapping[str, Any]) -> Iterator[str]:
    into, out = (cost[name] + judge[name] for name in ("input_tokens", "output_tokens"))
    yield f"{into} tokens in, {out} out"
    if judge["calls"]:
        yield f"{judge['calls']} by judges"
    if replayed := cost["replayed_calls"] + judge["replayed_calls"]:
        yield f"{replayed} replayed, for nothing"
    if cost["retries"]:
        yield f"{cost['retries']} sent again"


def session_totals(tests: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What all tests of a session took together: the keys ``cost``, ``latency_runs`` and ``latency_calls``.

    Args:
        tests: entries of schema 1.
    """
    every = list(tests)
    return {
        "cost": _sum([test["cost"] for test in every])
        | {"judge": _sum([test["cost"]["judge"] for test in every])},
        "latency_runs": _latency(every, "runs"),
        "latency_calls": _latency(every, "calls"),
    }


def _sum(costs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    every = list(costs)
    total: dict[str, Any] = {name: sum(cost[name] for cost in every) for name in _COUNTS}
    known = fsum(cost["known_usd"] for cost in every)
    return total | {
        "known_usd": known,
        "usd": None if total["unpriced_calls"] or not total["calls"] else known,
    }


def _latency(tests: Iterable[Mapping[str, Any]], what: str) -> dict[str, Any]:
    """Median and 95th percentile over all tests in seconds, from their buckets; ``None`` without any."""
    buckets: Counter[int] = Counter()
    for test in tests:
        buckets.update({int(bucket): count for bucket, count in test["latency_buckets"][what].items()})
    shares = {"p50": 0.5, "p95": 0.95}
    found = {
        name: round(bucketed_quantile(buckets, share), 6) if buckets else None
        for name, share in shares.items()
    }
    return {"n": buckets.total(), **found}


def dollars(amount: float) -> str:
    """With cents, or as many digits as tell it from nothing."""
    digits = 2 if amount <= 0 or amount >= _CENTS else 1 - floor(log10(amount))
    return f"${amount:.{digits}f}"


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


def _first_unknown(tests: Iterable[Mapping[str, Any]]) -> str:
    costs = [part for test in tests for part in (test["cost"], test["cost"]["judge"])]
    return (
        f"for example {next(cost['reason'] for cost in costs if cost['unpriced_calls'])}; see llmrel_prices"
    )
