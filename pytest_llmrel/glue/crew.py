"""Who executes the runs of an item: threads, tasks on one loop, or the main thread, one at a time."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.glue.asyncplugins import foreign_backend, is_coroutine_test, needs_loop, shared_loop
from pytest_llmrel.glue.endings import Reporter
from pytest_llmrel.glue.flow import Flow
from pytest_llmrel.glue.lifecycle import Lifecycle
from pytest_llmrel.glue.runnode import RunFactory, fixture_functions
from pytest_llmrel.glue.threadsafety import reasons_to_be_alone
from pytest_llmrel.runtime.alarm import can_interrupt
from pytest_llmrel.runtime.crews import InlineCrew, ThreadCrew
from pytest_llmrel.runtime.loops import InlineLoop, LoopHost, ThreadLoop
from pytest_llmrel.runtime.pool import Crew, Inbox
from pytest_llmrel.runtime.taskcrew import TaskCrew

__all__ = ["PROCESS_GLOBAL", "Staffing", "crew_for", "staffing_of"]

PROCESS_GLOBAL = frozenset(
    {"capfd", "capfdbinary", "caplog", "capsys", "capsysbinary", "capteesys", "monkeypatch", "recwarn"}
)
"""Fixtures that change or watch the state of the whole process."""
_GRACE = 3.0
"""Seconds beyond its timeout after which an async run that was cancelled, and went on, is given up."""


@dataclass(frozen=True, slots=True)
class Staffing:
    """How the runs of an item are executed.

    Attributes:
        concurrency: most runs in flight.
        foreign: name of the async library that drives the test in place of asyncio, or ``""``.
        notes: why, where it is not what the plan asked for.
    """

    concurrency: int
    foreign: str
    notes: tuple[str, ...]

    @property
    def alone(self) -> bool:
        """One run at a time."""
        return self.concurrency == 1

    @property
    def forbidden(self) -> frozenset[str]:
        """Fixtures that a run must not request while others are in flight."""
        return frozenset() if self.alone else PROCESS_GLOBAL


def staffing_of(item: pytest.Function, plan: RunPlan) -> Staffing:
    """Decide from the fixtures of ``item``, after the shared ones have been set up."""
    foreign = foreign_backend(item)
    reasons = [*sorted(PROCESS_GLOBAL & set(item.fixturenames)), *reasons_to_be_alone(item)]
    if foreign:
        reasons.append(f"{foreign} instead of asyncio")
    if item.config.getoption("usepdb", False) or item.config.getoption("trace", False):
        reasons.append("the debugger")
    if not reasons or plan.concurrency == 1:
        return Staffing(plan.concurrency, foreign, ())
    return Staffing(1, foreign, (f"runs one at a time, because of {', '.join(reasons)}",))


@contextmanager
def crew_for(
    item: pytest.Function,
    plan: RunPlan,
    staffing: Staffing,
    factory: RunFactory,
    reporter: Reporter,
    inbox: Inbox,
) -> Iterator[Crew]:
    """The crew that executes the runs of ``item``, and the event loop it may need."""
    flow = Flow.of(item.config)
    asynchronous = not staffing.foreign and needs_loop(item)
    inline = staffing.alone and can_interrupt()
    host = _host(flow, item, inline=inline) if asynchronous else None
    limit = plan.timeout + (_GRACE if host or staffing.foreign else 0)
    lifecycle = Lifecycle(
        factory,
        plan,
        reporter,
        host=host,
        body_is_async=asynchronous and is_coroutine_test(item),
        foreign=bool(staffing.foreign),
        alarm=limit if inline else None,
        parameters=_direct_parameters(item),
    )
    try:
        if inline:
            yield InlineCrew(lifecycle.execute, inbox)
        elif host and is_coroutine_test(item) and _fixtures_are_immediate(item, plan):
            yield TaskCrew(host, lifecycle.execute_on_loop, lifecycle.give_up, inbox, limit)
        else:
            stuck = host.stuck if host else str
            yield ThreadCrew(flow.threads, lifecycle.execute, lifecycle.give_up, inbox, limit, stuck)
    finally:
        if host:
            host.close()


def _host(flow: Flow, item: pytest.Function, *, inline: bool) -> LoopHost:
    loop = shared_loop(item)
    if loop is not None:
        return InlineLoop(loop, owned=False) if inline else ThreadLoop(loop, owned=False)
    return InlineLoop(asyncio.new_event_loop(), owned=True) if inline else flow.loop()


def _fixtures_are_immediate(item: pytest.Function, plan: RunPlan) -> bool:
    """Whether no function-scoped fixture of the test could block the loop, or has to wait for it."""
    per_run = {name for name, (scope, _) in fixture_functions(item).items() if scope == "function"}
    given = {"llmrel", "request", plan.inputs.argname, plan.inputs.case_argname}
    return per_run <= {*given, *_direct_parameters(item)}


def _direct_parameters(item: pytest.Function) -> dict[str, object]:
    """What ``parametrize`` gives to arguments; pytest makes fixtures of them, to be run in every run."""
    fixtures = fixture_functions(item)
    callspec = getattr(item, "callspec", None)
    return {
        name: value
        for name, value in (callspec.params.items() if callspec else ())
        if fixtures.get(name, ("", None))[1].__module__ == "_pytest.python"
    }
