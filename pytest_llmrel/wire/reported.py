"""What an answer reports as used: whether it can be true, and how much of each unit it is."""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from genai_prices.types import ExtractPath, UsageExtractor

__all__ = ["counts_in", "is_credible"]

_MOST_TOKENS: Final = 10**12
"""No call has as many."""
_DEEPEST: Final = 8


def is_credible(said: Any, levels: int = _DEEPEST) -> bool:
    """Whether everything that is called tokens is a count: what is optional would else be passed over.

    Nothing is that is nested more deeply than ``levels``.
    """
    if isinstance(said, list):
        return levels > 0 and all(is_credible(part, levels - 1) for part in said)
    if not isinstance(said, dict):
        return True
    return levels > 0 and all(
        is_credible(value, levels - 1)
        if isinstance(value, dict | list)
        else value is None or "oken" not in name or _is_count(value)
        for name, value in said.items()
    )


def _is_count(value: object) -> bool:
    if isinstance(value, float):
        return value.is_integer() and 0 <= value <= _MOST_TOKENS
    return isinstance(value, int) and value is not True and value is not False and 0 <= value <= _MOST_TOKENS


def counts_in(report: dict[str, Any], table: "UsageExtractor") -> dict[str, int] | None:
    """What genai-prices reads by one of its tables, in a fifth of its time.

    Args:
        report: the part of an answer that says what was used.
        table: says where in it each unit stands.

    Returns:
        Counts by the names that genai-prices gives to units; ``None`` where one is missing, or is none.
    """
    said = _at(report, table.root)
    counts: dict[str, int] = {}
    for mapping in table.mappings:
        value = _at(said, mapping.path)
        if isinstance(value, int | float):
            if not _is_count(value):
                return None
            counts[mapping.dest] = counts.get(mapping.dest, 0) + int(value)
        elif mapping.required:
            return None
    return counts


def _at(data: Any, path: "ExtractPath") -> Any:
    """What stands there, ``None`` if nothing does."""
    for step in (path,) if isinstance(path, str) else path:
        if not isinstance(step, str):
            data = step.extract(data) if isinstance(data, list) else None
        else:
            data = data.get(step) if isinstance(data, dict) else None
    return data
