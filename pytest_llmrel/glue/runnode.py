"""A pytest node for one run, with function-scoped fixtures of its own: every touch of pytest's internals.

pytest sets a function-scoped fixture up once per item and keeps it in the shared ``FixtureDef``. A run has
its own node, whose function-scoped definitions are copies; higher-scoped ones are views of the originals.
"""

import copy
import dataclasses
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pytest
from _pytest.compat import NOTSET
from _pytest.fixtures import FixtureDef
from _pytest.logging import caplog_handler_key, caplog_records_key
from _pytest.scope import Scope

from pytest_llmrel.core.run import Run
from pytest_llmrel.glue.asyncfixtures import Await, bridged, is_async, refuse_unawaited
from pytest_llmrel.glue.finalizers import run_finalizers
from pytest_llmrel.glue.scratch import ScratchFolders

__all__ = ["RunFactory", "RunNode", "fixture_functions", "renew", "set_up_shared", "take_shared", "value_of"]

_OVERRIDDEN = frozenset({"repr_failure", "runtest", "setup"})
"""What the item itself was given by :mod:`pytest_llmrel.glue.item`, and a run must not inherit."""


class RunNode(pytest.Function):
    """One run of an item; fixtures see it as ``request.node``."""

    run: Run
    factory: "RunFactory"
    wait_for: Await | None
    active: bool = True
    passed: bool = False
    _finalizers: list[Callable[[], object]]
    _dynamic: dict[str, Sequence[Any]]

    def addfinalizer(self, fin: Callable[[], object]) -> None:
        """Keep a finalizer for the end of this run; those of shared fixtures end with the item."""
        if _finished_scope(fin) in {None, Scope.Function}:
            self._finalizers.append(fin)
        else:
            self.factory.item.addfinalizer(fin)

    def add_marker(self, marker: str | pytest.MarkDecorator, append: bool = True) -> None:
        """Mark the item too: a fixture that applies ``xfail`` means the test."""
        super().add_marker(marker, append)
        self.factory.mark_item(self.own_markers[-1 if append else 0])

    @property
    def ihook(self) -> Any:
        """Those of the item; pytest would find out anew each time which conftests see its path."""
        return self.factory.hooks

    @property
    def arguments(self) -> dict[str, object]:
        """What the test function is called with."""
        return {name: self.funcargs[name] for name in self._fixtureinfo.argnames}

    def begin(self, phase: str) -> None:
        """Give ``caplog`` empty records for the next phase, if it is this run's alone."""
        handler = self.factory.caplog_handler
        if handler is not None:
            handler.reset()
            self.stash[caplog_records_key][phase] = handler.records

    def tear_down(self) -> None:
        """Run the finalizers, last first, every one of them.

        Raises:
            BaseException: what a finalizer raised; several are raised as a group.
        """
        self.active = False
        failure = run_finalizers(self._finalizers, self.name)
        # Cut the cycles through request, fixtures and instance: memory must not wait for the collector.
        vars(self).update(
            _request=None, _fixtureinfo=None, _instance=None, _obj=None, _dynamic={}, funcargs={}
        )
        if failure is not None:
            raise failure

    def isolated(self, name: str, definitions: Sequence[FixtureDef[Any]]) -> Sequence[Any]:
        """The definitions of a fixture that was requested dynamically, for this run alone."""
        known = self._dynamic.get(name)
        if known is None:
            known = self._dynamic[name] = self.factory.definitions_for(self, name, definitions)
        return known


class RunFactory:
    """Makes the run nodes of one item, after its higher-scoped fixtures have been set up.

    Args:
        item: the collected test.
        forbidden: fixtures that a concurrent run must not request, or empty if runs come one at a time.
        bridge_async: whether async fixtures are driven by ``wait_for`` (else by the plugin they belong to).
    """

    def __init__(self, item: pytest.Function, forbidden: frozenset[str], *, bridge_async: bool) -> None:
        self.item = item
        self.hooks = item.ihook
        self.caplog_handler = None if forbidden else item.stash.get(caplog_handler_key, None)
        self._forbidden = forbidden
        self._bridge_async = bridge_async
        self._lock = threading.RLock()
        self._views: dict[int, _SharedFixture] = {}
        self._session = _SessionView(item.session)
        self._scratch = ScratchFolders(item)
        self._closure = item._fixtureinfo.name2fixturedefs
        self._ready = {
            name: self._view(definitions[-1])
            for name, definitions in self._closure.items()
            if definitions and name in item.funcargs
        }
        self._ready_lists = {name: (view,) for name, view in self._ready.items()}
        self._values = {name: item.funcargs[name] for name in self._ready}

    def make(self, run: Run, given: Mapping[str, object], wait_for: Await | None) -> RunNode:
        """A node for ``run``, not set up yet.

        Args:
            run: what fixture ``llmrel`` yields.
            given: values of arguments that no fixture has to compute.
            wait_for: executes the coroutines of async fixtures.
        """
        item = self.item
        node: RunNode = RunNode.from_parent(
            item.parent,
            name=item.name,
            callspec=getattr(item, "callspec", None),
            # A method is looked up anew, on an instance of the run's own.
            callobj=item.obj if item.cls is None else NOTSET,
            fixtureinfo=item._fixtureinfo,
            originalname=item.originalname,
        )
        inherited = vars(item).keys() - vars(node).keys() - _OVERRIDDEN
        vars(node).update({name: vars(item)[name] for name in inherited})
        node.run, node.factory, node.wait_for = run, self, wait_for
        node._finalizers, node._dynamic = [], {}
        node.session = cast("pytest.Session", self._session)
        node.own_markers, node.user_properties = list(item.own_markers), item.user_properties
        node.keywords = item.keywords
        node.stash._storage.update(item.stash._storage)
        node.stash[caplog_records_key] = {}
        self._give_fixtures(node, given)
        return node

    def _give_fixtures(self, node: RunNode, given: Mapping[str, object]) -> None:
        constants = {name: _Constant(name, value) for name, value in given.items()}
        own = {
            name: self.definitions_for(node, name, definitions)
            for name, definitions in self._closure.items()
            if name not in self._ready and name not in constants
        }
        info = node._fixtureinfo
        definitions: dict[str, Any] = {**self._ready_lists, **own}
        node._fixtureinfo = dataclasses.replace(info, name2fixturedefs=definitions)
        node.fixturenames = list(info.names_closure)
        node._initrequest()
        known: dict[str, Any] = node._request._fixture_defs
        known.update(self._ready)
        known.update(constants)
        node.funcargs.update(self._values)
        node.funcargs.update({name: given[name] for name in given if name in info.names_closure})

    def definitions_for(
        self, node: RunNode, name: str, definitions: Sequence[FixtureDef[Any]]
    ) -> Sequence[Any]:
        """Copies of the function-scoped definitions of ``name``, views of the others."""
        if name in self._forbidden:
            raise pytest.UsageError(
                f"fixture {name!r} changes the state of the whole process, and was requested by a run among "
                f"others; name it in the signature of {node.name}, which then runs one at a time"
            )
        return tuple(
            self._own(definition, node) if _is_per_run(node, definition) else self._view(definition)
            for definition in definitions
        )

    def mark_item(self, mark: pytest.Mark) -> None:
        """Add a mark to the item, once."""
        with self._lock:
            if mark not in self.item.own_markers:
                self.item.own_markers.append(mark)
                self.item.keywords[mark.name] = mark

    def _view(self, definition: FixtureDef[Any]) -> "_SharedFixture":
        view = self._views.get(id(definition))
        if view is None:
            view = self._views[id(definition)] = _SharedFixture(definition, self._lock)
        return view

    def _own(self, definition: FixtureDef[Any], node: RunNode) -> FixtureDef[Any]:
        own = copy.copy(definition)
        changed = vars(own)
        changed.update(cached_result=None, _finalizers=[])
        if definition.argname == "tmp_path" and definition.func.__module__ == "_pytest.tmpdir":
            changed["func"] = self._scratch.tmp_path
        elif self._bridge_async and is_async(definition.func):
            changed["func"] = bridged(definition.func, node)
        return own


def value_of(item: pytest.Function, name: str) -> Any:
    """The value of a higher-scoped fixture, set up if it is not yet."""
    return item._request.getfixturevalue(name)


def fixture_functions(item: pytest.Function) -> dict[str, tuple[str, Callable[..., Any]]]:
    """Scope and function of the fixtures that ``item`` uses, by name."""
    return {
        name: (_scope(item, definitions[-1]).value, definitions[-1].func)
        for name, definitions in item._fixtureinfo.name2fixturedefs.items()
        if definitions
    }


def take_shared(item: pytest.Function) -> bool:
    """Give ``item`` what is set up already, before it is its turn; whether nothing else has to be."""
    active, fixtures = item.session._setupstate.stack, item._fixtureinfo.name2fixturedefs
    shared = [found[-1] for found in fixtures.values() if found and not _is_per_run(item, found[-1])]
    chosen = getattr(getattr(item, "callspec", None), "params", {})
    for fixture in shared:
        value, _, error = fixture.cached_result or (None, None, "not set up")
        if error is not None or fixture.argname in chosen:  # for another parameter it is set up anew
            return False
        item.funcargs[fixture.argname] = value
    return all(node in active for node in item.listchain()[:-1])


def renew(item: pytest.Function) -> pytest.Function:
    """A copy of ``item`` that can be run once more, with neither fixtures nor memories of a former run."""
    copied = copy.copy(item)
    copied.stash, copied.own_markers, copied.user_properties = pytest.Stash(), [*item.own_markers], []
    copied.stash._storage.update(item.stash._storage)
    copied._initrequest()
    return copied


def set_up_shared(item: pytest.Function) -> None:
    """Set up what is not function-scoped, in pytest's order; names without a fixture fail as in pytest."""
    closure = item._fixtureinfo.name2fixturedefs
    for name in item.fixturenames:
        definitions = closure.get(name) or ()
        missing = not definitions and name != "request"
        if missing or (definitions and not _is_per_run(item, definitions[-1])):
            item.funcargs[name] = refuse_unawaited(name, value_of(item, name))


def _scope(node: pytest.Function, definition: FixtureDef[Any]) -> Scope:
    # A scope given to parametrize() overrides the fixture's own.
    callspec = getattr(node, "callspec", None)
    overridden: Scope | None = callspec._arg2scope.get(definition.argname) if callspec else None
    return overridden or definition._scope


def _is_per_run(node: pytest.Function, definition: FixtureDef[Any]) -> bool:
    return _scope(node, definition) is Scope.Function


def _finished_scope(finalizer: Any) -> Scope | None:
    """Scope of the fixture that a finalizer finishes; ``None`` if it is something else."""
    fixture = getattr(getattr(finalizer, "func", None), "__self__", None)
    return fixture._scope if isinstance(fixture, FixtureDef) else None


class _SharedFixture:
    """A higher-scoped fixture as runs see it: the original, set up under a lock."""

    def __init__(self, definition: FixtureDef[Any], lock: Any) -> None:
        self._definition = definition
        self._lock = lock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._definition, name)

    def execute(self, request: Any) -> Any:
        """Set the original up, unless it is."""
        with self._lock:
            return refuse_unawaited(self._definition.argname, self._definition.execute(request))

    def addfinalizer(self, finalizer: Callable[[], object]) -> None:
        """Register a dependent, unless it is a run's own: those end with the run, and would pile up here."""
        if _finished_scope(finalizer) is not Scope.Function:
            self._definition.addfinalizer(finalizer)


class _Constant:
    """A fixture whose value is known."""

    _scope = Scope.Function
    scope = "function"

    def __init__(self, argname: str, value: object) -> None:
        self.argname = argname
        self.cached_result = (value, None, None)

    def addfinalizer(self, finalizer: Callable[[], object]) -> None:
        """Nothing here ends before the run does."""


class _View:
    """Something of pytest's as a run's node sees it: the same, but for what a subclass says."""

    def __init__(self, real: Any) -> None:
        self.__dict__["_real"] = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _SessionView(_View):
    """The session: the run is active, and dynamic fixtures are its own."""

    def __init__(self, session: pytest.Session) -> None:
        super().__init__(session)
        self.__dict__["_setupstate"] = _SetupStateView(session._setupstate)
        self.__dict__["_fixturemanager"] = _FixtureManagerView(session._fixturemanager)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._real, name, value)

    # So that isinstance(request.session, pytest.Session) holds.
    __class__ = property(lambda self: type(self._real))


class _SetupStateView(_View):
    """pytest's stack of active nodes, with the runs beside it."""

    def is_node_active(self, node: Any) -> bool:
        """Whether fixtures may be set up for ``node``."""
        if type(node) is _SessionView:
            node = node._real
        return node.active if isinstance(node, RunNode) else self._real.is_node_active(node)


class _FixtureManagerView(_View):
    """pytest's fixture definitions, isolated for the run that asks."""

    def getfixturedefs(self, argname: str, node: Any) -> Sequence[Any] | None:
        """The definitions of ``argname`` that ``node`` sees."""
        definitions: Sequence[Any] | None = self._real.getfixturedefs(argname, node)
        if definitions and isinstance(node, RunNode):
            return node.isolated(argname, definitions)
        return definitions
