"""The judges behind a test's scores: whether they may decide alone, and what their calibration corrects."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from pytest_llmrel.core.baseline import Standing
from pytest_llmrel.core.calibration import Calibration
from pytest_llmrel.core.gate import FAITHFUL_RATE, FAITHFULNESS, SPENDING, TIMES
from pytest_llmrel.core.model import Finding, Status, Summary
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.core.score import JudgeId, Scoring
from pytest_llmrel.errors import CalibrationError
from pytest_llmrel.verdict.judging import faithful_rate, judge_changed, why_not_usable

__all__ = ["Judges", "compared_by_judges"]

_BY_JUDGES = frozenset({FAITHFULNESS, FAITHFUL_RATE})
_NOT_OF_QUALITY = SPENDING | TIMES | {"error_rate"}
"""What is cheap, fast and available may be wrong all the same."""
_WHOLE = 1.0
"""The score from which on an answer counts for ``faithful_rate``."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A judge, its record, and why it must not decide alone."""

    judge: JudgeId
    record: Calibration | None
    doubts: tuple[str, ...]


class Judges:
    """Those of one test, once its runs are over."""

    def __init__(self, config: pytest.Config, summary: Summary) -> None:
        self._scoring = summary.scorings.get(FAITHFULNESS, Scoring())
        self._known = [_known(config, judge) for judge in self._scoring.judges]
        self._is_forced = config.getini("llmrel_uncalibrated_judges") == "allow"

    def with_rate(self, summary: Summary) -> Summary:
        """The summary with ``faithful_rate``, corrected for the errors of a judge that was calibrated."""
        if FAITHFULNESS not in summary.scorings:
            return summary
        # What another scorer said in some of the runs is not subject to the errors of the judge.
        is_alone = len(self._known) == 1 and len(self._scoring.scorers) == 1
        record = self._known[0].record if is_alone else None
        rate = faithful_rate(self._scoring.full, record)
        if not rate.n:
            rate = summary.metrics[FAITHFULNESS]  # n/a, and why
        return replace(summary, metrics={**summary.metrics, FAITHFUL_RATE: rate})

    def findings(self, plan: RunPlan) -> list[Finding]:
        """Why no gate but those of judges is not enough, where it is not."""
        metrics = {gate.metric for gate in plan.gates}
        alone = metrics & _BY_JUDGES and metrics <= _BY_JUDGES | _NOT_OF_QUALITY
        doubtful = [known for known in self._known if known.doubts]
        if not alone or self._is_forced or not doubtful:
            return []
        said = "; ".join(f"{known.judge.model}: {known.doubts[0]}" for known in doubtful)
        remedy = (
            "add a gate on quality that needs no judge, calibrate it with 'llmrel judge calibrate', or set "
        )
        return [
            Finding(
                "judge",
                "calibrated, or not alone",
                "alone",
                Status.INCONCLUSIVE,
                f"a judge that is not known to be right decides alone ({said}); "
                f"{remedy}the ini key llmrel_uncalibrated_judges = allow",
            )
        ]

    @property
    def notes(self) -> Iterator[str]:
        """What a reader has to know of them."""
        for known in self._known:
            if known.doubts:
                yield f"judge {known.judge.model}: {'; '.join(known.doubts)}"
            elif known.record is not None:
                yield (
                    f"judge {known.judge.model}: calibrated {known.record.recorded[:10]} on {known.record.n} "
                    f"labelled answers; {FAITHFUL_RATE} is corrected for its errors"
                )


def compared_by_judges(standing: Standing, summary: Summary) -> Standing:
    """The standing of a test now that its judges are known: other judges make other counts."""
    scoring = summary.scorings.get(FAITHFULNESS, Scoring())
    now = ", ".join(f"{judge.model} {judge.prompt_hash[:8]}" for judge in scoring.judges)
    if standing.status == "off":
        return standing
    provenance = {**standing.provenance, "judges": now} if now else standing.provenance
    then = "" if standing.entry is None else standing.entry.provenance.get("judges", "")
    if standing.status != "comparable" or then == now:
        return replace(standing, provenance=provenance)
    note = f"not comparable with its baseline: judges {then or 'none'} -> {now or 'none'}"
    return replace(standing, status="not comparable", provenance=provenance, compare=False, note=note)


def _known(config: pytest.Config, judge: JudgeId) -> _Known:
    from pytest_llmrel.baselines.calibration import find_calibration

    try:
        record = find_calibration(config.rootpath, judge.model, judge.prompt_hash)
    except CalibrationError as error:
        return _Known(judge, None, error.problems)
    except OSError as error:
        return _Known(judge, None, (f"its record cannot be read ({error.strerror or error})",))
    if record is None:
        return _Known(judge, None, ("it has not been calibrated",))
    if changed := judge_changed(record, judge.model, judge.prompt_hash, _WHOLE):
        return _Known(judge, None, (changed,))
    return _Known(judge, record, why_not_usable(record))
