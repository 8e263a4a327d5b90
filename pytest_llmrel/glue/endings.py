"""How a run ended: what its phases raised becomes an outcome, a kind of failure and its evidence."""

import traceback
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType, TracebackType
from unittest import SkipTest

import pytest

from pytest_llmrel.core.cut import cut
from pytest_llmrel.core.fault import Recovery
from pytest_llmrel.core.model import Evidence, Failure, FailureKey, Outcome, Sample
from pytest_llmrel.core.run import Run
from pytest_llmrel.errors import Abstained, BudgetSpent, RunTimeout, Unreplayable
from pytest_llmrel.glue.runnode import RunNode
from pytest_llmrel.runtime.crews import Stack
from pytest_llmrel.runtime.infrastructure import infrastructure_fault
from pytest_llmrel.verdict.failures import normalise
from pytest_llmrel.wire.item import ItemWire
from pytest_llmrel.wire.run import RunWire

__all__ = ["Ending", "Reporter"]

_LONGEST_MESSAGE = 2_000
_LONGEST_TRACEBACK = 8_000
_MACHINERY = frozenset("_pytest asyncio concurrent contextlib pluggy pytest_llmrel threading".split())
"""Packages whose frames at the start of a traceback say nothing about the failure."""


@dataclass(slots=True)
class Ending:
    """What the phases of one run raised, and how long its body took.

    Attributes:
        error: what set-up or body raised, or ``None``.
        in_setup: whether it was the set-up.
        teardown_error: what the tear-down raised, or ``None``.
        duration: seconds the body took.
    """

    error: BaseException | None = None
    in_setup: bool = False
    teardown_error: BaseException | None = None
    duration: float = 0.0


class Reporter:
    """Turns endings into samples; its methods may be called from several threads at once.

    Attributes:
        wire: sees what the runs send over HTTP.
    """

    def __init__(self, item: pytest.Function, wire: ItemWire) -> None:
        self._item = item
        self.wire = wire

    def sample(self, node: RunNode, ending: Ending, wire: RunWire) -> Sample:
        """The sample of a run that has ended."""
        run = node.run
        if wire.refusal is not None:  # whatever the test made of it
            ending.error = wire.refusal
        error = ending.error
        traffic = self.wire.end(run, wire, ending.duration)
        outcome, fatal = self._classify(ending, damaged=any(call.damage for call in traffic.calls))
        if wire.refusal is not None:
            outcome = Outcome.ERROR
        return Sample(
            attempt=run.attempt,
            outcome=outcome,
            duration=ending.duration if wire.player is None else wire.player.track.seconds,
            scores=tuple(run.scores),
            failure=None if error is None else self._failure(node, outcome, error),
            teardown=self._teardown_failure(node, ending.teardown_error),
            fatal=fatal,
            timed_out=isinstance(error, RunTimeout),
            traffic=traffic,
            recovery=_recovery(outcome, error) if traffic.injected else None,
            cut_off=str(error) if isinstance(error, BudgetSpent) else "",
        )

    def left_behind(self, run: Run, wire: RunWire, timeout: float, stack: Stack) -> Sample:
        """The sample of a run that could not be ended, from where its thread or coroutine is now."""
        message = f"the run took longer than {timeout:g} s and could not be ended; it was left behind"
        own = [(frame, line) for frame, line in stack if _package(frame) not in _MACHINERY]
        where = self._location(own)
        key = FailureKey(Outcome.ERROR, RunTimeout.__name__, where, normalise(message))
        text = "".join(traceback.StackSummary.extract(iter(own)).format())
        failure = Failure(key, partial(_evidence, run, message, text))
        traffic = self.wire.end(run, wire, timeout)
        recovery = Recovery.HUNG if traffic.injected else None
        return Sample(
            run.attempt,
            Outcome.ERROR,
            timeout,
            failure=failure,
            timed_out=True,
            traffic=traffic,
            recovery=recovery,
        )

    def _classify(self, ending: Ending, *, damaged: bool) -> tuple[Outcome, bool]:
        """Outcome of a run, and whether every further one would end the same way.

        Args:
            ending: of the run.
            damaged: whether an answer that it got was none of the model's, such as a proxy's page.
        """
        if ending.error is None:
            return Outcome.PASSED, False
        error = _alone(ending.error)
        for kinds, outcome in _SIGNALS:
            if isinstance(error, kinds):
                return outcome, isinstance(error, Unreplayable)
        said = self._ask_hook(error)
        if said is not None:
            return said, False
        fault = None if isinstance(error, pytest.fail.Exception) else infrastructure_fault(error)
        if fault is not None:
            return Outcome.ERROR, fault.fatal
        is_spoiled = ending.in_setup or (damaged and not _is_asserted(error))
        return (Outcome.ERROR if is_spoiled else Outcome.FAILED), False

    def _ask_hook(self, error: BaseException) -> Outcome | None:
        said = self._item.config.hook.pytest_llmrel_outcome(exception=error)
        if said is None or said in _ANSWERS:
            return None if said is None else Outcome(said)
        allowed = ", ".join(_ANSWERS)
        raise pytest.UsageError(f"hook pytest_llmrel_outcome answered {said!r}; it may be {allowed} or None")

    def _teardown_failure(self, node: RunNode, error: BaseException | None) -> Failure | None:
        return None if error is None else self._failure(node, Outcome.ERROR, error)

    def _failure(self, node: RunNode, outcome: Outcome, error: BaseException) -> Failure:
        message = _message(error)
        error.__traceback__ = _without_machinery(error.__traceback__)
        where = self._location(list(traceback.walk_tb(error.__traceback__)))
        key = FailureKey(outcome, type(error).__name__, where, normalise(message))
        run = node.run
        return Failure(key, lambda: _evidence(run, message, _described(self._item, error)))

    def _location(self, frames: list[tuple[FrameType, int]]) -> str:
        """``path:line`` of the innermost frame of the project's own code, or of the innermost at all."""
        root = self._item.config.rootpath
        for frame, line in reversed(frames):
            path = Path(frame.f_code.co_filename)
            if _is_own(path, root):
                return f"{path.relative_to(root).as_posix()}:{line}"
        return f"{Path(frames[-1][0].f_code.co_filename).name}:{frames[-1][1]}" if frames else ""


_SIGNALS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Outcome], ...] = (
    (Abstained, Outcome.ABSTAINED),
    ((pytest.skip.Exception, SkipTest), Outcome.SKIPPED),
    (pytest.xfail.Exception, Outcome.XFAILED),
    ((BudgetSpent, RunTimeout, Unreplayable), Outcome.ERROR),
)
"""What is no failure of the code under test, whatever phase raised it."""


_ANSWERS = ("failed", "error", "abstained", "skipped")
"""What a hook may make of an exception: never a pass."""


def _is_asserted(error: BaseException) -> bool:
    """Whether the test found the answer wrong, which nothing in the application had noticed."""
    return isinstance(error, AssertionError | pytest.fail.Exception)


def _recovery(outcome: Outcome, error: BaseException | None) -> Recovery | None:
    """What became of a run that met an injected fault."""
    if outcome in {Outcome.SKIPPED, Outcome.XFAILED}:
        return None
    if error is None:
        return Recovery.RECOVERED
    if isinstance(error, RunTimeout):
        return Recovery.HUNG
    return Recovery.SILENT if _is_asserted(_alone(error)) else Recovery.CLEAN


def _alone(error: BaseException) -> BaseException:
    """The only exception of a group, as a task group raises it."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _message(error: BaseException) -> str:
    try:
        return cut(str(error), _LONGEST_MESSAGE)
    except Exception:  # noqa: BLE001  the exception is the user's, and so is its __str__
        return f"<{type(error).__name__} that cannot be printed>"


def _is_own(path: Path, root: Path) -> bool:
    return path.is_relative_to(root) and "site-packages" not in path.parts


def _without_machinery(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and _package(trace.tb_frame) in _MACHINERY:
        trace = trace.tb_next
    return trace


def _package(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0]


def _described(item: pytest.Function, error: BaseException) -> str:
    """The failure as pytest would show it, ``""`` if no code of the user's was involved."""
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            part.__traceback__ = _without_machinery(part.__traceback__)
        return "".join(traceback.format_exception(error))
    if error.__traceback__ is None:
        return ""
    root = item.config.rootpath
    try:
        excinfo = pytest.ExceptionInfo.from_exception(error)
        innermost = excinfo.traceback[-1]
        whole = isinstance(error, pytest.FixtureLookupError) or item.config.getoption("fulltrace", False)
        if whole or _is_own(Path(innermost.path), root):
            return str(item.repr_failure(excinfo))
        # Deep in a library: the project's own lines, and what was raised in the end.
        own = excinfo.traceback.filter(lambda entry: entry is innermost or _is_own(Path(entry.path), root))
        return str(excinfo.getrepr(style="short", chain=False, tbfilter=lambda _: own))
    except Exception:  # noqa: BLE001  a broken __repr__ in the user's code must not hide the failure
        return "".join(traceback.format_tb(error.__traceback__)) + _message(error)


def _evidence(run: Run, message: str, text: str) -> Evidence:
    if len(text) > _LONGEST_TRACEBACK:
        # From a line's beginning: half a key would be recognised by nobody.
        text = "[...]\n" + text[-_LONGEST_TRACEBACK:].partition("\n")[2]
    captured = tuple((title, buffer.getvalue()) for title, buffer in sorted(run.captured.items()))
    return Evidence(run.attempt, message, text, run.recorded_output, captured)
