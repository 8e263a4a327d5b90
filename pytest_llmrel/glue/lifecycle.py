"""One run from its node to its sample: set up, call, tear down."""

from collections.abc import Callable, Coroutine, Mapping
from contextvars import copy_context
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmrel.core.model import Attempt, Sample
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.core.run import Run, current_run
from pytest_llmrel.errors import RunTimeout
from pytest_llmrel.glue.asyncplugins import limit_foreign
from pytest_llmrel.glue.endings import Ending, Reporter
from pytest_llmrel.glue.runnode import RunFactory, RunNode
from pytest_llmrel.glue.scoring import SessionScorers
from pytest_llmrel.glue.threadsafety import refuse_bound
from pytest_llmrel.runtime.alarm import time_limit
from pytest_llmrel.runtime.crews import Stack
from pytest_llmrel.runtime.loops import LoopHost
from pytest_llmrel.runtime.runtask import GRACE, RunTask, alone, carry, within

if TYPE_CHECKING:
    from pytest_llmrel.wire.run import RunWire

__all__ = ["Lifecycle"]

_SESSION_ENDING = (KeyboardInterrupt, pytest.exit.Exception)
"""What ends the session, wherever it is raised; everything else is the run's own ending."""


class Lifecycle:
    """Executes the runs of one item; its methods may be called from several threads at once.

    Args:
        factory: makes the nodes.
        plan: of the item.
        reporter: turns what a run raised into outcomes and failures.
        host: the loop for its coroutines, or ``None`` for a test without any.
        body_is_async: whether the test is a coroutine function that the loop drives.
        foreign: whether it is one that anyio drives on a loop of another library.
        alarm: seconds after which a phase is interrupted in the calling thread, the main one; or ``None``.
        parameters: values of arguments that are the same for all runs.
    """

    def __init__(
        self,
        factory: RunFactory,
        plan: RunPlan,
        reporter: Reporter,
        *,
        host: LoopHost | None = None,
        body_is_async: bool = False,
        foreign: bool = False,
        alarm: float | None = None,
        parameters: Mapping[str, object] | None = None,
    ) -> None:
        self._factory = factory
        self._plan = plan
        self._reporter = reporter
        self._wire = reporter.wire
        self._host = host
        self._body_is_async = body_is_async
        self._foreign = foreign
        self._alarm = alarm
        self._parameters = parameters or {}
        self._scorers = SessionScorers(factory.item.config)
        self._cases = {case.id: case for case in plan.inputs.cases}
        self._running: dict[Attempt, tuple[Run, RunWire]] = {}
        # What the shared fixtures set is visible to every run, whatever thread it is in.
        self._context = copy_context()

    def execute(self, attempt: Attempt) -> Sample:
        """Run ``attempt`` in the calling thread, in a context of its own."""
        return self._context.copy().run(self._execute, attempt)

    def _execute(self, attempt: Attempt) -> Sample:
        coroutines = None if self._host is None else _Coroutines(self._host, self._plan.timeout)
        node = self._begin(attempt, coroutines)
        ending = Ending()
        try:
            node.begin("setup")
            ending.error = self._caught(partial(self._set_up, node))
            if ending.error is None:
                self._call(node, ending, coroutines)
            else:
                ending.in_setup = True
        finally:
            node.begin("teardown")
            ending.teardown_error = self._caught(node.tear_down)
        if coroutines is not None:
            coroutines.end()
        return self._finish(node, ending)

    def _set_up(self, node: RunNode) -> None:
        node.setup()
        if self._body_is_async and self._alarm is None:  # the loop is in another thread
            refuse_bound(node.funcargs)

    def _call(self, node: RunNode, ending: Ending, coroutines: "_Coroutines | None") -> None:
        if coroutines is not None and self._body_is_async:
            body: Callable[[], object] = partial(coroutines.call, node)
        else:
            if self._foreign:
                limit_foreign(node, self._plan.timeout)
            body = partial(node.ihook.pytest_pyfunc_call, pyfuncitem=node)
        node.begin("call")
        began, held = perf_counter(), self._held(node)
        ending.error = self._caught(body)
        self._timed(ending, began, self._held(node) - held)
        node.passed = ending.error is None

    async def execute_on_loop(self, attempt: Attempt) -> Sample:
        """Run ``attempt`` as the current task; for tests whose fixtures neither block nor wait."""
        node = self._begin(attempt, None)
        ending = Ending()
        ending.error = _caught(node.setup)
        ending.in_setup = ending.error is not None
        if ending.error is None:
            began, held = perf_counter(), self._held(node)
            try:
                await within(self._plan.timeout, _call_async(node))
            except _SESSION_ENDING:
                raise
            except BaseException as error:  # noqa: BLE001  a value from here on
                ending.error = error
            self._timed(ending, began, self._held(node) - held)
            node.passed = ending.error is None
        ending.teardown_error = _caught(node.tear_down)
        return self._finish(node, ending)

    def give_up(self, attempt: Attempt, stack: Stack) -> Sample:
        """The sample of a run that was left behind: it neither ended nor could be ended."""
        run, wire = self._running.pop(attempt, (Run(attempt), self._wire.outside))
        return self._reporter.left_behind(run, wire, self._plan.timeout, stack)

    def _begin(self, attempt: Attempt, coroutines: "_Coroutines | None") -> RunNode:
        run = Run(attempt, self._scorers)
        current_run.set(run)
        if self._host is not None:
            self._host.enter()
        self._running[attempt] = run, self._wire.begin(run)
        given: dict[str, object] = {**self._parameters, "llmrel": run}
        inputs = self._plan.inputs
        if inputs.argname is not None:
            given[inputs.argname] = run.variant
        if inputs.case_argname is not None:
            given[inputs.case_argname] = self._cases[run.case]
        return self._factory.make(run, given, None if coroutines is None else coroutines.wait)

    def _finish(self, node: RunNode, ending: Ending) -> Sample:
        _, wire = self._running.pop(node.run.attempt, (node.run, self._wire.outside))
        return self._reporter.sample(node, ending, wire)

    def _held(self, node: RunNode) -> float:
        """Seconds that the run has waited for busy hosts, for no fault of its own."""
        _, wire = self._running.get(node.run.attempt, (node.run, self._wire.outside))
        return wire.waited

    def _caught(self, step: Callable[[], object]) -> BaseException | None:
        return _caught(step if self._alarm is None else partial(_limited, self._alarm, step))

    def _timed(self, ending: Ending, began: float, held: float) -> None:
        """Note the duration; who swallowed the interruption at the limit and went on has not passed."""
        taken = perf_counter() - began
        ending.duration = max(0.0, taken - held)
        if ending.error is None and taken > self._plan.timeout:
            ending.error = RunTimeout(f"the run took longer than {self._plan.timeout:g} s")


class _Coroutines:
    """Executes the coroutines of one run in its own task; context variables go with them, there and back."""

    def __init__(self, host: LoopHost, timeout: float) -> None:
        self._host = host
        self._timeout = timeout
        self._task: RunTask | None = None

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        task = self._task = self._task or RunTask()
        try:
            reply = self._host.run(task.perform(coroutine, copy_context(), self._timeout))
        except KeyboardInterrupt:
            task.interrupt()
            raise
        except RuntimeError:  # the loop refused it, so nobody else will
            coroutine.close()
            raise
        if reply.error is not None:
            raise reply.error
        if reply.context is not None:
            carry(reply.context)
        return reply.value

    def call(self, node: RunNode) -> Any:
        """Execute the test itself; without async fixtures it needs no task that outlives it."""
        if self._task is not None:
            return self.wait(_call_async(node))
        try:
            reply = self._host.run(alone(_call_async(node), self._timeout), self._timeout + GRACE)
        except TimeoutError:
            raise RunTimeout(f"the run took longer than {self._timeout:g} s") from None
        if reply.error is not None:
            raise reply.error
        return reply.value

    def end(self) -> None:
        if self._task is not None:
            self._host.run(self._task.end())


def _limited(seconds: float, step: Callable[[], object]) -> None:
    with time_limit(seconds):
        step()


def _caught(step: Callable[[], object]) -> BaseException | None:
    """What ``step`` raised, unless it ends the session."""
    try:
        step()
    except _SESSION_ENDING:
        raise
    except BaseException as error:  # noqa: BLE001  a value from here on
        return error
    return None


async def _call_async(node: RunNode) -> None:
    result = await node.obj(**node.arguments)
    if result is not None:
        said = f"Test functions should return None, but {node.nodeid} returned {type(result)!r}."
        node.warn(pytest.PytestReturnNotNoneWarning(said))
