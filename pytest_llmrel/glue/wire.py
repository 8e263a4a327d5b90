"""The wire of a session and of a test: made from options, ini file, hooks and the tape beside the test."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from importlib.metadata import version
from threading import Timer
from typing import Any

import pytest

from pytest_llmrel.core.call import Exchange, Usage
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.errors import TapeError, Unreplayable
from pytest_llmrel.glue.book import entry_name, relative_to_root
from pytest_llmrel.glue.xdist.workers import Link
from pytest_llmrel.wire.budget import Budget
from pytest_llmrel.wire.course import course_of
from pytest_llmrel.wire.internals import watched_clients
from pytest_llmrel.wire.item import ItemWire
from pytest_llmrel.wire.price import PriceList, read_prices
from pytest_llmrel.wire.redaction import Redactor
from pytest_llmrel.wire.run import current_wire
from pytest_llmrel.wire.session import Policy, SessionWire, TapeMode
from pytest_llmrel.wire.steps import Course, Request
from pytest_llmrel.wire.tape import Tape
from pytest_llmrel.wire.tapeplace import tape_path

__all__ = ["Seam", "item_wire", "save_tape", "session_wire", "tape_damage"]

_SESSION = pytest.StashKey[SessionWire]()
_ITEM = pytest.StashKey[ItemWire]()
_DAMAGE = pytest.StashKey[str]()
_SENDING = 0.03
"""Seconds in which the first requests of a session are sent."""


def session_wire(config: pytest.Config) -> SessionWire:
    """That of the session, made on first use."""
    found = config.stash.get(_SESSION, None)
    if found is None:
        found = config.stash[_SESSION] = SessionWire(
            policy=_policy(config),
            prices=PriceList(read_prices(config.getini("llmrel_prices")), _asks_price(config)),
            budget=_budget(config),
            redactor=Redactor(os.environ),
        )
    return found


def item_wire(item: pytest.Function, plan: RunPlan) -> ItemWire:
    """That of a test, made on first use, when its tape is read."""
    found = item.stash.get(_ITEM, None)
    if found is None:
        tape = None
        try:
            tape = _tape_of(item)
        except TapeError as error:
            item.stash[_DAMAGE] = str(error)
        found = item.stash[_ITEM] = ItemWire(session_wire(item.config), plan.faults, tape)
    return found


def tape_damage(item: pytest.Function) -> str:
    """What is wrong with the tape of a test, ``""`` if nothing is."""
    return item.stash.get(_DAMAGE, "")


class Seam:
    """Where every call over HTTP is seen, of the runs of several tests at once."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._is_open = self._is_warm = False
        self._current: ItemWire | None = None

    def turn_to(self, wire: ItemWire | None) -> None:
        """Take calls that belong to no run for those of this test; ``None`` between tests."""
        if wire is not None and not self._is_open:
            self._open.enter_context(watched_clients(self._begin))
            self._is_open = True
        self._current = wire

    def close(self) -> None:
        """See nothing more."""
        self._is_open, self._current = False, None
        self._open.close()

    def _begin(self, request: Request) -> Course | None:
        """The course of a call, whoever makes it."""
        current = self._current
        run = current_wire.get() or (None if current is None else current.only or current.outside)
        if run is None:
            return None
        if not self._is_warm:
            self._is_warm = True
            _warm_up(run.session)
        if current is not None and run is current.outside and current.mode is TapeMode.REPLAY:
            raise run.refuse(_not_on_tape(request))
        return course_of(run, request)


def _warm_up(session: SessionWire) -> None:
    """Load what the answers will need while they are waited for, and their requests are on their way."""
    timer = Timer(_SENDING, session.warm_up)
    timer.daemon = True
    timer.start()


def _not_on_tape(request: Request) -> Unreplayable:
    return Unreplayable(
        f"{request.method} {request.host}{request.path} was called outside of any run, by a shared fixture "
        "or a thread that the test started, and is on no tape; call it in the test or a function-scoped "
        "fixture, or set concurrency=1"
    )


def save_tape(item: pytest.Function, wire: ItemWire) -> dict[str, Any] | None:
    """Write what was recorded of a test, all or nothing.

    Returns:
        What there is to say of its tape, ``None`` where there is none to speak of.
    """
    if wire.mode is TapeMode.OFF:
        return None
    from pytest_llmrel.wire.tapefile import write_tape

    path, tracks = tape_path(item.path, entry_name(item)), {**wire.tape.tracks, **wire.new_tracks}
    problem = ""
    if wire.new_tracks:
        try:
            write_tape(path, Tape(entry_name(item), version("pytest-llmrel"), tracks), wire.session.redactor)
        except OSError as error:
            problem = f"{path}: the tape was not written ({error.strerror or error}); nothing was recorded"
    return {
        "mode": str(wire.mode),
        "file": relative_to_root(item.config.rootpath, path),
        "tracks": len(tracks),
        "recorded": 0 if problem else len(wire.new_tracks),
        "problem": problem,
    }


def _policy(config: pytest.Config) -> Policy:
    return Policy(
        mode=TapeMode(config.getoption("llmrel_tape")),
        retries=int(config.getini("llmrel_retries")),
        free_hosts=frozenset(config.getini("llmrel_free_hosts")),
        ignored=frozenset(config.getini("llmrel_tape_ignore")),
        ask_usage=_asks_usage(config),
        ask_secrets=_asks_secrets(config),
    )


def _budget(config: pytest.Config) -> Budget:
    """That of the session, which workers of xdist spend together."""
    dollars: float | None = config.getoption("llmrel_budget")
    return Budget(dollars, None if dollars is None else Link.of(config))


def _asks_usage(config: pytest.Config) -> Callable[[Exchange], Usage | None] | None:
    hook = config.hook.pytest_llmrel_usage
    return (lambda exchange: hook(exchange=exchange)) if hook.get_hookimpls() else None


def _asks_price(config: pytest.Config) -> Callable[[str, Usage], Decimal | None] | None:
    hook = config.hook.pytest_llmrel_price
    return (lambda model, usage: hook(model=model, usage=usage)) if hook.get_hookimpls() else None


def _asks_secrets(config: pytest.Config) -> Callable[[Exchange], list[str]] | None:
    hook = config.hook.pytest_llmrel_redact
    if not hook.get_hookimpls():
        return None
    return lambda exchange: [secret for answer in hook(exchange=exchange) for secret in answer]


def _tape_of(item: pytest.Function) -> Tape | None:
    if item.config.getoption("llmrel_tape") == TapeMode.OFF:
        return None
    from pytest_llmrel.wire.tapefile import read_tape

    return read_tape(tape_path(item.path, entry_name(item)))
