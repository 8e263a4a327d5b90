"""The record of a judge for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_llmrel.cli.table import aligned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_llmrel.core.calibration import Calibration
    from pytest_llmrel.core.model import Estimate

__all__ = ["described"]

_MOST_NAME = 100
_HEADER = ("", "value", "95 % interval", "items", "how")


def described(record: Calibration) -> Iterator[str]:
    """What is known of a judge, and whether it may decide alone, line by line."""
    from pytest_llmrel.verdict.judging import judge_quality, why_not_usable

    yield from _head(record)
    quality = judge_quality(record)
    again = record.retest
    yield from aligned(
        _HEADER,
        [
            _row("prevalence", quality.prevalence, f"{record.good}/{record.n}"),
            _row("sensitivity", quality.sensitivity, f"{record.tp}/{record.good}"),
            _row("specificity", quality.specificity, f"{record.tn}/{record.bad}"),
            _row("J", quality.youden, "", percent=False),
            _row("kappa", quality.kappa, "", percent=False),
            _row("retest noise", quality.retest_noise, f"{again.differing}/{again.items}" if again else ""),
            _row("within-item variance", quality.within_variance, "", percent=False),
        ],
    )
    reasons = why_not_usable(record)
    yield "not usable as the only gate yet:" if reasons else "usable as a gate"
    yield from (f"- {reason}" for reason in reasons)


def _head(record: Calibration) -> Iterator[str]:
    from pytest_llmrel.reports.safe import clipped

    prompt = f"prompt {clipped(record.prompt_version, _MOST_NAME)} ({record.prompt_hash[:8]})"
    yield (
        f"judge {clipped(record.model, _MOST_NAME)}, {prompt}, passes answers with a score of at least "
        f"{record.threshold:g}"
    )
    absent = f", {record.unscored} more without a verdict" if record.unscored else ""
    yield (
        f"{record.n} answers judged{absent}; labels {record.labels_hash[:8]}; "
        f"calibrated {record.recorded[:10]} with pytest_llmrel {clipped(record.version, _MOST_NAME)}"
    )


def _row(name: str, estimate: Estimate, counts: str, *, percent: bool = True) -> tuple[str, ...]:
    if estimate.point is None:
        return name, "n/a", "", counts, estimate.method

    def said(value: float) -> str:
        return f"{100 * value:.1f} %" if percent else f"{value:.3f}"

    ends = ""
    if estimate.low is not None and estimate.high is not None:
        ends = f"{said(estimate.low)} .. {said(estimate.high)}"
    return name, said(estimate.point), ends, counts or str(estimate.n), estimate.method
