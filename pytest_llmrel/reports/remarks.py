"""What a reader should know of a test beside its verdict: how it was run, what its runs have in common."""

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_llmrel.core.gate import SPENDING
from pytest_llmrel.reports.safe import clipped

__all__ = ["further_runs", "remarks"]

_REAL = 0.05
"""p-value up to which a difference between wordings is worth a line."""
_CLUSTERED = 1.5
"""Design effect from which on it is."""


def remarks(result: Mapping[str, Any]) -> Iterator[str]:
    """One sentence each, most surprising first.

    Args:
        result: an entry of schema 1.
    """
    yield from _hunted(result)
    yield from _stopped(result)
    yield from _escalated(result)
    yield from _wordings(result)
    yield from _cases(result["clustering"])
    yield from _recovery(result["recovery"])
    yield from _calls(result)
    yield from result["notes"]


def _hunted(result: Mapping[str, Any]) -> Iterator[str]:
    """That nothing was found is the answer to what was asked, and no finding that is shown elsewhere."""
    if "hunt" in result and result["verdict"] == "PASS":
        yield from (found["explanation"] for found in result["findings"] if found["metric"] == "hunt")


def further_runs(result: Mapping[str, Any]) -> int:
    """Runs that were made only to compare the test with its baseline."""
    escalation = ((result["baseline"] or {}).get("comparison") or {}).get("escalation")
    return escalation["runs"] if escalation else 0


def _stopped(result: Mapping[str, Any]) -> Iterator[str]:
    stopped = result["stopped"]
    if stopped and stopped["saved"]:
        runs, saved = result["runs"], stopped["saved"]
        yield f"stopped after {runs} of {runs + saved} runs, {saved} saved: {stopped['reason']}"


def _escalated(result: Mapping[str, Any]) -> Iterator[str]:
    runs = further_runs(result)
    if runs:
        p = result["baseline"]["comparison"]["p"]
        yield f"the first runs looked worse than the baseline (p = {p:.2g}), so {runs} more were made at once"


def _wordings(result: Mapping[str, Any]) -> Iterator[str]:
    found = result["sensitivity"]
    if found and found["p"] <= _REAL:
        worst = next(tally["text"] for tally in result["variants"] if tally["key"] == found["worst"])
        yield (
            f"the wording matters: sensitivity {found['sd']:.2f} (p = {found['p']:.2g}), spread "
            f"{found['spread']:.2f} (noise alone {found['noise_spread']:.2f}); worst, at about "
            f'{found["worst_rate"]:.2f}: "{clipped(worst, 100)}"'
        )


def _cases(found: Mapping[str, Any] | None) -> Iterator[str]:
    if found and found["design_effect"] >= _CLUSTERED:
        effect = f"ICC {found['icc']:.2f}, design effect {found['design_effect']:.1f}"
        yield (
            f"the runs of one case are alike ({effect} over {found['cases']} cases): "
            f"{found['advice']} would tell more"
        )


def _recovery(found: Mapping[str, int] | None) -> Iterator[str]:
    if found:
        told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in found.items() if count)
        yield f"{sum(found.values())} runs met an injected fault: {told}"


def _calls(result: Mapping[str, Any]) -> Iterator[str]:
    idle, runs = result["cost"]["idle_runs"], result["runs"]
    if idle and any(finding["metric"] in SPENDING for finding in result["findings"]):
        yield (
            f"{idle} of {runs} runs made no metered call; what does not go through httpx must be reported "
            "with llmrel.usage()"
        )
