"""A split test on xdist's controller: its chunks as they come in, its verdict, and its reports."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Finding, Status, Summary, Verdict
from pytest_llmrel.core.plan import RunPlan, attempts
from pytest_llmrel.errors import GateFailure
from pytest_llmrel.glue.judgement import Judgement, refused, without_secrets
from pytest_llmrel.glue.telling import shown_failure, tell_pytest
from pytest_llmrel.glue.wire import session_wire
from pytest_llmrel.glue.xdist.split import SplitTest
from pytest_llmrel.ledger.codec import decode
from pytest_llmrel.reports.junit import properties
from pytest_llmrel.reports.result import Result, result_entry
from pytest_llmrel.verdict.summary import Aggregate

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Gathering", "lost"]

_UNESCALATED = (
    "looks worse than its baseline, and a split test makes no further runs to be sure; "
    "run it alone, or with --llmrel-split=off"
)


class Gathering:
    """The chunks of one test.

    Attributes:
        test: as its workers describe it.
        crashed: which of its chunks took their worker with them, in words.
    """

    def __init__(self, session: pytest.Session, test: SplitTest) -> None:
        self._session = session
        self._chunks: dict[int, Mapping[str, Any]] = {}
        self.test = test
        self.crashed = ""

    def add(self, number: int, told: str) -> None:
        """Take what a worker says of a chunk."""
        self._chunks[number] = json.loads(told)

    @property
    def has_begun(self) -> bool:
        """Whether anything is known of any run."""
        return bool(self._chunks or self.crashed)

    @property
    def is_complete(self) -> bool:
        """Whether all chunks are there."""
        return len(self._chunks) == self.test.parts

    def result(self) -> Result:
        """The verdict, of as many runs as there are."""
        return self._judged(self._summary())

    def reports(self) -> list[pytest.TestReport]:
        """What pytest would have reported, had it run the test in one piece."""
        setup, call, teardown = (self._worst(when) for when in ("setup", "call", "teardown"))
        judged = setup if setup is not None and setup.failed else call
        if judged is not None:
            summary = self._summary()
            result = self._judged(summary)
            vars(judged)["llmrel_result"] = result
            for report in filter(None, (call, teardown)):
                report.user_properties += properties(result)
            if judged is call and not call.failed:
                self._tell(call, summary, result)
        return [report for report in (setup, call, teardown) if report is not None]

    def _summary(self) -> Summary:
        test, chunks = self.test, [self._chunks[number] for number in sorted(self._chunks)]
        todo = attempts(test.plan, test.nodeid, range(test.runs))
        aggregate = Aggregate(test.plan, len(todo))
        for number, chunk in sorted(self._chunks.items()):
            first = len(todo) * number // test.parts
            for place, data in chunk["samples"]:
                sample = decode(data, todo[first + place])
                (aggregate.record_cut_off if sample.cut_off else aggregate.record)(sample)
            if "outside" in chunk:
                aggregate.record_outside(decode(chunk["outside"], todo[0]).traffic.calls)
        cut_off = next(filter(None, (chunk.get("cut_off") for chunk in chunks)), "")
        stopped = next(filter(None, (chunk.get("stopped") for chunk in chunks)), "")
        return aggregate.summary(stopped or self.crashed or self._missing, cut_off=cut_off)

    @property
    def _missing(self) -> str:
        missing = self.test.parts - len(self._chunks)
        if missing:
            return f"{missing} of {self.test.parts} parts of the test were not run"
        return "the set-up of its shared fixtures failed"

    def _judged(self, summary: Summary) -> Result:
        test, config = self.test, self._session.config
        judgement = Judgement(config, test.nodeid, test.plan, test.standing, summary)
        judgement.compare(test.rule, lambda: None)
        if judgement.is_open:
            judgement.add(Finding("regression", "settled", "open", Status.INCONCLUSIVE, _UNESCALATED))
        for refusal in self._said("refusal"):
            judgement.add(refused(refusal))
        notes = dict.fromkeys(note for notes in self._said("notes") for note in notes)
        result = judgement.result([*notes])
        return without_secrets(result, session_wire(config).redactor)

    def _said(self, name: str) -> list[Any]:
        return [chunk[name] for chunk in self._chunks.values() if chunk.get(name)]

    def _worst(self, when: str) -> pytest.TestReport | None:
        """The report of a phase: of a chunk that failed, if one did, or that was skipped."""
        given = [data for chunk in self._chunks.values() for data in chunk["reports"] if data["when"] == when]
        rank = ("failed", "skipped", "passed").index
        if not given:
            return None
        config = self._session.config
        report: pytest.TestReport = config.hook.pytest_report_from_serializable(
            config=config, data=dict(min(given, key=lambda data: rank(data["outcome"])))
        )
        if isinstance(report.longrepr, list):  # JSON knows no tuples
            report.longrepr = tuple(report.longrepr)
        # A part that could not be set up has told of itself as if it were the test.
        said = [(name, value) for name, value in report.user_properties if not name.startswith("llmrel_")]
        report.user_properties = said
        report.start = min(data["start"] for data in given)
        report.stop = max(data["stop"] for data in given)
        report.duration = report.stop - report.start if when == "call" else report.duration
        return report

    def _tell(self, report: pytest.TestReport, summary: Summary, result: Result) -> None:
        """Make the report of the runs that of the verdict."""
        session = self._session
        call = pytest.CallInfo.from_call(lambda: tell_pytest(session, summary, result), when="call")
        if call.excinfo is None:
            return
        path, line, _ = report.location
        error = call.excinfo.value
        if isinstance(error, pytest.xfail.Exception):
            report.outcome, report.wasxfail = "skipped", f"reason: {error.msg}"
        elif isinstance(error, pytest.skip.Exception):
            report.outcome, report.longrepr = "skipped", (path, (line or 0) + 1, f"Skipped: {error.msg}")
        elif isinstance(error, GateFailure):
            where = session.config.rootpath / path
            report.outcome = "failed"
            report.longrepr = shown_failure(session.config, call.excinfo, where, line)
        else:
            raise error


def lost(nodeid: str, planned: int, reason: str) -> Result:
    """The result of a test whose worker ended before it could say anything of it."""
    plan = RunPlan(k=1, inputs=Inputs(), gates=(), concurrency=1, timeout=1)
    summary = Aggregate(plan, planned).summary(reason)
    said = f"{reason}; nothing is known of its runs"
    finding = Finding("runs", f"{planned} runs", "none", Status.INCONCLUSIVE, said)
    return result_entry(nodeid, summary, Verdict(Status.INCONCLUSIVE, (finding,)))
