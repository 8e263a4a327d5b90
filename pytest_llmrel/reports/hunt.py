"""What a hunt found, in sentences and as data."""

from typing import TYPE_CHECKING, Any

from pytest_llmrel.reports.safe import clipped

if TYPE_CHECKING:
    from pytest_llmrel.perturb.found import HuntResult
    from pytest_llmrel.perturb.observed import Counts

__all__ = ["hunt_entry", "hunt_told"]

_LONGEST = 300
_NOT_JUDGED = "no run of the primary wording was judged"


def hunt_told(found: "HuntResult", stopped: str = "") -> list[str]:
    """The result in sentences, the first of which stands alone.

    Args:
        found: by the hunt.
        stopped: why it ended early, ``""`` if it did not.
    """
    spent = f"{found.calls} calls, {found.wordings} wordings"
    passes = f"the primary wording passes {_rate(found.counts)}"
    primary = f'{passes if found.counts.n else _NOT_JUDGED}: "{clipped(found.primary, _LONGEST)}"'
    if found.broken is None:
        why = stopped or found.remark or "no wording is shown to pass less often than the primary one"
        return [f"{why} ({spent})", primary]
    edits = found.broken.edits
    names = ", ".join(dict.fromkeys(edit.name for edit in edits))
    makes = "one edit ({}) makes" if len(edits) == 1 else f"{len(edits)} edits ({{}}) make"
    breaks = f"{makes.format(names)} it pass {_rate(found.broken.counts)}"
    smallest = "" if found.shrunk else "; fewer edits may do, the calls were spent before that was settled"
    return [
        f'{breaks}: "{clipped(found.broken.wording, _LONGEST)}"',
        primary,
        f"found with {spent}{smallest}",
    ]


def hunt_entry(found: "HuntResult") -> dict[str, Any]:
    """The key ``hunt`` of a result."""
    broken = found.broken
    return {
        "primary": {"text": found.primary, **_counts(found.counts)},
        "broken": None
        if broken is None
        else {
            "text": broken.wording,
            "edits": [edit.name for edit in broken.edits],
            **_counts(broken.counts),
        },
        "shrunk": found.shrunk,
        "calls": found.calls,
        "wordings": found.wordings,
        "remark": found.remark,
    }


def _counts(counts: "Counts") -> dict[str, Any]:
    low, high = counts.interval or (None, None)
    return {"passed": counts.passed, "n": counts.n, "low": low, "high": high}


def _rate(counts: "Counts") -> str:
    if counts.interval is None:
        return "in none of 0 runs"
    low, high = counts.interval
    return f"{counts.passed} of {counts.n} times (95 % {low:.2f} to {high:.2f})"
