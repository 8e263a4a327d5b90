"""What there is to say of the ledger of finished runs: what was taken from it, and what is not in it."""

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["resumption_lines"]

_SHOWN = 3


def resumption_lines(ledgers: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Lines with the verdict whose colour they have.

    Args:
        ledgers: of each process that ran tests: whether it was ``resumed``; how many runs were ``recalled``;
            node ids of the tests that have ``changed`` since; how many lines are ``damaged``; and the
            ``trouble`` for which later runs are not in it, or ``""``.
    """
    told = list(ledgers)
    lines = [(f"the ledger is incomplete: {one['trouble']}", "FAIL") for one in told if one["trouble"]]
    if not any(one["resumed"] for one in told):
        return lines
    recalled = sum(one["recalled"] for one in told)
    lines.append((f"resumed: {_runs(recalled)} taken from the ledger of an earlier session", "PASS"))
    changed = [nodeid for one in told for nodeid in one["changed"]]
    if changed:
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        named = ", ".join(changed[:_SHOWN]) + more
        lines.append((f"begun anew, because they have changed: {named}", "INCONCLUSIVE"))
    if damaged := max(one["damaged"] for one in told):
        lines.append((f"{_lines(damaged)} left out; what is missing is made again", "PASS"))
    return lines


def _runs(count: int) -> str:
    return "1 run was" if count == 1 else f"{count} runs were"


def _lines(count: int) -> str:
    return "1 torn line of the ledger was" if count == 1 else f"{count} torn lines of the ledger were"
