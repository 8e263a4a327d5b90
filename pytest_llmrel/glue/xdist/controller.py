"""The hooks of xdist's controller: what workers share, tests that are split over them, workers that crash."""

import pickle
from collections.abc import Generator
from queue import Empty
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmrel.glue.xdist.workers import Desk

if TYPE_CHECKING:
    from pytest_llmrel.glue.xdist.gathering import Gathering

__all__ = ["Controller"]


class Controller:
    """A plugin that is registered where xdist distributes tests."""

    def __init__(self) -> None:
        self._desk = Desk()
        self._session: pytest.Session
        self._collected = 0
        self._tests: dict[str, Any] = {}
        self._split: dict[str, Gathering] = {}
        self._nodes: dict[str, Any] = {}
        self._done: set[str] = set()

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Remember the session."""
        self._session = session

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Open a channel to a worker."""
        config = node.config
        # With --dist=each every worker is to run all of it.
        node.workerinput["llmrel_split"] = (
            "off" if config.getoption("dist") == "each" else config.getoption("llmrel_split")
        )
        self._desk.open(node)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Give its share to the others."""
        self._desk.close(node)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Count what xdist will run; chunks are no tests."""
        self._collected = len(ids)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logfinish(self) -> None:
        """Something has ended in a worker: see what there is to tell of split tests."""
        self._take_news()

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        """What took its worker with it has a result, and no chunk shows as a test."""
        self._take_news()
        if crashitem not in self._tests:
            return
        nodeid, planned = self._tests[crashitem]
        if nodeid in self._split:
            self._split[nodeid].crashed = f"a worker crashed while it ran {crashitem}"
            report.nodeid = nodeid
            return
        from pytest_llmrel.glue.xdist.gathering import lost

        vars(report)["llmrel_result"] = lost(nodeid, planned, "its worker crashed")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Report split tests that lack a part, before all tests are judged together."""
        is_over = False
        try:
            outcome = yield
            is_over = True
            return outcome
        finally:
            self._take_news()
            for nodeid, gathering in self._split.items():
                if nodeid not in self._done and gathering.has_begun:
                    self._end(gathering, is_reported=is_over and not gathering.crashed)
            self._tell_of_workers()

    def _take_news(self) -> None:
        while True:
            try:
                kind, node, *told = self._desk.news.get_nowait()
            except Empty:
                break
            if kind == "tests":
                self._learn(*told)
            elif kind == "chunk":
                nodeid, number, data = told
                gathering = self._split[nodeid]
                gathering.add(number, data)
                self._nodes[nodeid] = node
                if gathering.is_complete:
                    self._end(gathering)
        if self._split:
            surplus = sum(gathering.test.parts - 1 for gathering in self._split.values())
            self._session.testscollected = self._collected - surplus

    def _learn(self, tests: dict[str, Any]) -> None:
        """Take from the first worker what all of them have collected."""
        if self._tests:
            return
        from pytest_llmrel.glue.xdist.gathering import Gathering

        for nodeid, told in tests.items():
            if isinstance(told, bytes):
                # Whoever could forge this runs code in our name already: it is a worker of ours.
                self._split[nodeid] = Gathering(self._session, pickle.loads(told))  # noqa: S301
            else:
                self._tests[nodeid] = told

    def _end(self, gathering: "Gathering", *, is_reported: bool = True) -> None:
        """Judge a split test, and report it as xdist reports those of its workers."""
        nodeid = gathering.test.nodeid
        self._done.add(nodeid)
        config = self._session.config
        if not is_reported:
            from pytest_llmrel.glue.session import SessionResults

            SessionResults.of(config).add(gathering.result())
            return
        xdist: Any = config.pluginmanager.get_plugin("dsession")
        for report in gathering.reports():
            xdist.worker_testreport(node=self._nodes[nodeid], rep=report)

    def _tell_of_workers(self) -> None:
        """Say that there are more workers than runs that may be in flight, where that is so."""
        if not self._tests and not self._split:
            return
        from pytest_llmrel.glue.collect import settings_of
        from pytest_llmrel.glue.session import SessionResults

        most, workers = settings_of(self._session.config).most_in_flight, self._desk.most
        if workers > most:
            said = f"{workers} workers make at least {workers} runs at once, though the concurrency is {most}"
            SessionResults.of(self._session.config).remarks.append(said)
