"""What a change of model, prompt, dataset or judge is called."""

from collections.abc import Mapping

from pytest_llmrel.baselines.document import plain, shown

__all__ = ["difference"]


def difference(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """What differs, as ``model 'a' -> 'b'``; ``""`` if nothing does and counts may be compared."""
    names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    return ", ".join(f"{plain(name)} {_one(before, name)} -> {_one(now, name)}" for name in names)


def _one(provenance: Mapping[str, str], name: str) -> str:
    return shown(provenance[name]) if name in provenance else "none"
