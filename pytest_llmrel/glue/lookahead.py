"""Starts the runs of the tests that follow, while there is room beside those of the test being judged."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.glue.asyncplugins import has_plugin_loop
from pytest_llmrel.glue.collect import plan_of
from pytest_llmrel.glue.crew import staffing_of
from pytest_llmrel.glue.experiment import Experiment
from pytest_llmrel.glue.flow import Flow
from pytest_llmrel.glue.runnode import take_shared
from pytest_llmrel.glue.session import SessionResults
from pytest_llmrel.glue.wire import session_wire
from pytest_llmrel.reports.spending import dollars

__all__ = ["Lookahead"]

_MARKS = ("filterwarnings", "skip", "skipif", "timeout", "xfail")
"""What pytest or a plugin does something about before it runs a test."""
_HOOKS = (
    "pytest_runtest_call",
    "pytest_runtest_logstart",
    "pytest_runtest_protocol",
    "pytest_runtest_setup",
    "pytest_runtest_teardown",
)
_HARMLESS = frozenset(
    "__channelexec__ _hypothesis_pytestplugin _pytest anyio pytest_asyncio pytest_cov pytest_html "
    "pytest_llmrel pytest_metadata pytest_rerunfailures pytest_sugar pytest_timeout xdist".split()
)
"""Packages whose hooks prepare nothing for a run; the first is what xdist is in a worker."""


class Lookahead:
    """The tests whose runs were started before it was their turn."""

    _KEY = pytest.StashKey["Lookahead"]()

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._flow = Flow.of(session.config)
        self._places = {id(item): place for place, item in enumerate(session.items)}
        self._following: list[pytest.Item] = []
        self._first = 0
        self._ahead: dict[pytest.Item, Experiment] = {}
        self._is_blocked = False
        self._flow.when_blocked = self.drop
        self._is_told = session.config.getini("llmrel_lookahead") == "off"
        self._obstacle = _obstacle(session.config)

    @classmethod
    def of(cls, session: pytest.Session) -> "Lookahead":
        """That of ``session``, made on first use."""
        found = session.stash.get(cls._KEY, None)
        if found is None:
            found = session.stash[cls._KEY] = cls(session)
        return found

    @contextmanager
    def turn(self, item: pytest.Function, nextitem: pytest.Item | None) -> Iterator[None]:
        """The time in which pytest is busy with ``item``; what was started ahead goes on after it."""
        self._follow(item, nextitem)
        goes_on = False
        try:
            with self._flow.watching(item):
                yield
            goes_on = nextitem is not None and not (self._session.shouldstop or self._session.shouldfail)
        finally:
            if not goes_on:
                self.cancel()
            if not self._ahead:
                self._flow.pause()

    def take(self, item: pytest.Function, plan: RunPlan) -> Experiment:
        """The experiment of ``item``, begun or not."""
        return self._ahead.pop(item, None) or Experiment(item, plan)

    def open_next(self) -> bool:
        """Begin with the test that follows the last one that was begun, if that is safe."""
        if self._is_blocked or len(self._ahead) >= self._flow.most_in_flight:
            return False
        place = self._first + len(self._ahead)
        item = self._following[place] if place < len(self._following) else None
        experiment = self._begun(item) if isinstance(item, pytest.Function) else None
        if item is None or experiment is None:
            self._is_blocked = True
            return False
        self._ahead[item] = experiment
        return True

    def drop(self) -> None:
        """Give up what was started ahead; it is run anew when it is its turn."""
        given_up = [experiment.abandon() for experiment in self._ahead.values()]
        self._ahead.clear()
        self._is_blocked = True
        runs, usd = (
            sum(summary.runs for summary in given_up),
            sum(summary.spent.known_usd for summary in given_up),
        )
        if runs:
            cost = f"; what they cost, {dollars(usd)}, is in no test" if usd else ""
            SessionResults.of(self._session.config).remarks.append(
                f"{runs} runs of tests that were started ahead were given up{cost}"
            )

    def cancel(self) -> None:
        """No test follows any more: nothing more is sent, and nobody waits for anything."""
        if self._ahead:
            session_wire(self._session.config).budget.end("the session has ended")
        self.drop()

    def _follow(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Find out which tests follow: all that do, or, where a plugin hands them out, only the next one."""
        items, place = self._session.items, self._places.get(id(item), len(self._session.items))
        is_worker = hasattr(self._session.config, "workerinput")
        if not is_worker and place + 1 < len(items) and items[place + 1] is nextitem:
            self._following, self._first = items, place + 1
        else:
            self._following, self._first = [nextitem] if nextitem else [], 0
        begun = [each for each in self._ahead if each is not item]
        if begun != self._following[self._first : self._first + len(begun)]:
            self.drop()
        self._is_blocked = False

    def _tell(self, obstacle: str) -> None:
        """Let the user know once what makes a session slower, unless it was the user's word."""
        if not self._is_told:
            self._is_told = True
            said = f"runs of different tests did not overlap: {obstacle}; see llmrel_lookahead"
            SessionResults.of(self._session.config).remarks.append(said)

    def _begun(self, item: pytest.Function) -> Experiment | None:
        """The experiment of ``item`` with its first runs on their way, ``None`` if it has to wait."""
        if item.get_closest_marker("krun") is None or any(map(item.get_closest_marker, _MARKS)):
            return None
        if obstacle := self._obstacle or _watcher(item):
            self._tell(obstacle)
            return None
        if has_plugin_loop(item) or not take_shared(item):
            return None
        try:
            plan = plan_of(item)
            staffing = staffing_of(item, plan)
            experiment = None if staffing.alone else Experiment(item, plan)
            if experiment is None or experiment.obstacle:
                return None
            experiment.begin(staffing)
        except Exception:  # noqa: BLE001  whatever it is comes up again, and is reported, at its turn
            return None
        return experiment


def _obstacle(config: pytest.Config) -> str:
    """What keeps all tests of a session from being started ahead."""
    if config.getini("llmrel_lookahead") == "off":
        return "it is off"
    filters = [*config.getini("filterwarnings"), *(config.getoption("pythonwarnings", None) or ())]
    if any(each.strip().startswith("error") for each in filters):
        return "warnings are errors, and pytest makes them so for one test at a time"
    return ""


def _watcher(item: pytest.Function) -> str:
    """Who wants to do something before or after each test, ``""`` if nobody does."""
    for name in _HOOKS:
        for implementation in getattr(item.ihook, name).get_hookimpls():
            module: str = getattr(implementation.function, "__module__", "")
            if module.partition(".")[0] not in _HARMLESS:
                return f"{module} implements {name}"
    return ""
