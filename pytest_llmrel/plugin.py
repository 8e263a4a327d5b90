"""pytest's entry point: options, markers, hooks; loads the rest only for sessions with ``krun`` tests.

Every hook returns at once where there is nothing for it to do, and nothing but pytest is imported here.
"""

import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

__all__: list[str] = []

_MARKERS = (
    (
        "krun(k=10, *, pass_rate, gates, gate, stop, concurrency, timeout, task_minutes): "
        "run the test k times, independently and concurrently, and judge all runs at once"
    ),
    (
        "paraphrase(argname, *wordings, file, field, perturb, n): "
        "run a krun test in each of these wordings of the same request"
    ),
    "llmrel_golden(path, argname='case', *, schema, each): run a krun test over each row of a dataset",
    "llmrel_faults(*names, rate=1.0): let calls over HTTP of a krun test meet these faults",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare options and ini keys; ``docs/reference/options.md`` describes them."""
    from pytest_llmrel.options import add_options

    add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare our own hooks."""
    from pytest_llmrel import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers and check the ini values."""
    from pytest_llmrel.options import check_options

    for line in _MARKERS:
        config.addinivalue_line("markers", line)
    check_options(config)
    if not hasattr(config, "workerinput"):  # xdist's workers leave it to their controller
        config.pluginmanager.register(_Results(config), "llmrel-results")
    if config.getoption("dist", "no") != "no" and config.getoption("tx", None):
        from pytest_llmrel.glue.xdist.controller import Controller

        config.pluginmanager.register(Controller(), "llmrel-controller")


@pytest.fixture
def llmrel() -> object:
    """The run in progress: score(), output(), usage(), judging(), abstain(), case, variant, index, seed."""
    raise pytest.UsageError("fixture 'llmrel' is the run of a krun test; mark the test with @krun")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the arguments of our marks a value, so that pytest does not look for a fixture."""
    if any(map(metafunc.definition.get_closest_marker, ("paraphrase", "llmrel_golden"))):
        from pytest_llmrel.glue.inputs import parametrize_inputs

        parametrize_inputs(metafunc)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, items: list[pytest.Item]
) -> Generator[None, Any, Any]:
    """Report all mistakes in all marks at once, those of deselected tests and of late marks too."""
    collected = list(items)
    outcome = yield
    everything = dict.fromkeys([*collected, *items])
    if "pytest_llmrel.glue.marks" in sys.modules or any(map(_is_marked, everything)):
        from pytest_llmrel.glue.collect import mistakes_in

        mistakes = mistakes_in(session, everything) or _guard(session.config, collected, items)
        if mistakes:
            _refuse(session.config, items, mistakes)
        session.config.pluginmanager.register(_Runs(), "llmrel-runs")
        if hasattr(session.config, "workerinput"):
            from pytest_llmrel.glue.xdist.chunk import split

            split(session.config, items)
    elif session.config.getoption("llmrel_hunt") and not session.testsfailed:
        _refuse_to_hunt(session.config, items)
    elif session.config.getoption("llmrel_shard"):
        from pytest_llmrel.glue.shards import take_shard

        take_shard(session.config, items)
    return outcome


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Take over tests that were marked after they had been collected, in a session without any other."""
    manager = session.config.pluginmanager
    if not manager.has_plugin("llmrel-runs"):
        late = (mark.name for item in session.items for mark in item.own_markers)
        if "krun" in late:
            manager.register(_Runs(), "llmrel-runs")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """With ``--llmrel-plan`` say what the tests are going to take, in place of running them."""
    config = session.config
    if not config.getoption("llmrel_plan") or session.testsfailed or config.option.collectonly:
        return None
    from pytest_llmrel.glue.forecast import show_forecast

    show_forecast(session)
    return True


def _guard(config: pytest.Config, collected: Sequence[pytest.Item], chosen: list[pytest.Item]) -> str:
    """Leave out what the command line does not want, and read the baselines; a mistake in how, or ``""``."""
    from pytest_llmrel.errors import LedgerError, PlanError
    from pytest_llmrel.glue.collect import warn_of_infeasible_gates
    from pytest_llmrel.glue.dataset import deselect_others
    from pytest_llmrel.glue.guards import SessionGuards
    from pytest_llmrel.glue.huntable import check_hunts
    from pytest_llmrel.glue.ledger import SessionLedger
    from pytest_llmrel.glue.shards import take_shard

    guards = SessionGuards.of(config)
    try:
        deselect_others(config, chosen)
        check_hunts(config, chosen)
        guards.prepare(collected, chosen)
        take_shard(config, chosen)
        SessionLedger.of(config).begin()
    except (LedgerError, PlanError) as error:
        return f"pytest_llmrel: {error}"
    if hasattr(config, "workeroutput"):
        config.workeroutput["llmrel_unused"] = guards.unused
    if getattr(config, "workerinput", {"workerid": "gw0"})["workerid"] != "gw0":
        return ""  # all workers of xdist have collected the same tests
    warning = warn_of_infeasible_gates(chosen)
    return f"pytest_llmrel: {warning}" if warning else ""


def _refuse_to_hunt(config: pytest.Config, items: list[pytest.Item]) -> None:
    from pytest_llmrel.errors import PlanError
    from pytest_llmrel.glue.huntable import check_hunts

    try:
        check_hunts(config, items)
    except PlanError as error:
        _refuse(config, items, f"pytest_llmrel: {error}")


def _refuse(config: pytest.Config, items: list[pytest.Item], mistakes: str) -> None:
    """Run nothing. A worker of xdist must not raise: it hands the mistakes to its controller."""
    if not hasattr(config, "workeroutput"):
        raise pytest.UsageError(mistakes)
    config.workeroutput["llmrel_mistakes"] = mistakes
    items.clear()


def _is_marked(item: pytest.Item) -> bool:
    return any(map(item.get_closest_marker, ("krun", "paraphrase", "llmrel_golden")))


def _guards(config: pytest.Config) -> Any:
    """What is known of baselines and tapes, ``None`` where no ``krun`` test was collected."""
    if "pytest_llmrel.glue.guards" not in sys.modules:
        return None
    from pytest_llmrel.glue.guards import SessionGuards

    return SessionGuards.of(config)


def _ledgers(config: pytest.Config) -> list[dict[str, Any]]:
    """What there is to tell of the ledger of this process."""
    if "pytest_llmrel.glue.ledger" not in sys.modules:
        return []
    from pytest_llmrel.glue.ledger import SessionLedger

    return [SessionLedger.of(config).told]


class _Runs:
    """The hooks of the process that runs ``krun`` tests."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Take a ``krun`` item over, as late as possible: whoever replaces items before cannot lose it."""
        if item.get_closest_marker("krun") is None or not isinstance(item, pytest.Function):
            return (yield)
        from pytest_llmrel.glue.item import adopt
        from pytest_llmrel.glue.lookahead import Lookahead

        adopt(item)
        with Lookahead.of(item.session).turn(item, nextitem):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Let threads and event loop end with the last test."""
        from pytest_llmrel.runtime.garbage import eased_collection

        try:
            with eased_collection():
                return (yield)
        finally:
            from pytest_llmrel.glue.flow import Flow

            Flow.of(session.config).close()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the result on the report, where xdist carries it to the controller."""
        report = yield
        if item.get_closest_marker("krun") is not None:
            from pytest_llmrel.glue.item import complete

            complete(item, call, report)
        return report

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Close the ledger; a worker of xdist leaves it to its controller to tell of it."""
        from pytest_llmrel.glue.ledger import SessionLedger

        ledger = SessionLedger.of(session.config)
        ledger.end()
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["llmrel_ledger"] = ledger.told


class _Results:
    """The hooks of the process that shows and writes: the controller, or the only one there is."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._json: str | None = config.getoption("llmrel_json")
        self._is_shard = config.getoption("llmrel_shard") is not None
        self._mistakes = ""
        self._unused: list[tuple[str, str]] = []
        self._ledgers: list[dict[str, Any]] = []
        self._session = ""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of xdist what session it belongs to: a ``--testrunuid`` may be used twice."""
        import secrets

        self._session = self._session or secrets.token_hex(4)
        node.workerinput["llmrel_session"] = self._session

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take from a worker of xdist what kept it from running anything."""
        output = getattr(node, "workeroutput", {})
        self._mistakes = output.get("llmrel_mistakes", self._mistakes)
        self._unused = output.get("llmrel_unused", self._unused)
        if "llmrel_ledger" in output:
            self._ledgers.append(output["llmrel_ledger"])
        if "llmrel_shard" in output:
            self._shard_log().part = output["llmrel_shard"]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the result of an item."""
        result = getattr(report, "llmrel_result", None)
        if result is not None:
            from pytest_llmrel.glue.session import SessionResults

            SessionResults.of(self._config).add(result)
        if self._is_shard:
            self._shard_log().note(report)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Judge all tests together when the last one has ended; a failure is a report like any other."""
        outcome = yield
        results = self._existing()
        suite = None if results is None else results.judge()
        if suite is not None and suite.status == "FAIL":
            from pytest_llmrel.glue.suite import report_failure

            report_failure(session, suite)
        return outcome

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the files; one that was asked for and is missing is a failure."""
        if self._mistakes:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        results, guards = self._existing(), _guards(session.config)
        is_empty = session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED
        if is_empty and self._is_shard and self._shard_log().is_empty:
            session.exitstatus = pytest.ExitCode.OK  # the other shards have them all
        if results is None:
            is_collecting = session.config.option.collectonly and guards is not None and guards.has_tests
            is_shard = self._is_shard and not session.config.getoption("llmrel_plan")
            if not (self._json and (is_collecting or is_shard)):
                return
            from pytest_llmrel.glue.session import SessionResults

            results = SessionResults(session.config)
        results.ledgers = self._ledgers or _ledgers(session.config)
        results.unused = self._unused or (guards.unused if guards else [])
        results.unused_tapes = guards.unused_tapes if guards else []
        if self._is_shard:
            results.shard = self._shard_log().entry(session.config, int(session.exitstatus))
        results.record()
        if self._json is not None:
            results.write_json(Path(self._json))
        if results.problems and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the table."""
        for line in self._mistakes.splitlines():
            terminalreporter.write_line(line, red=True)
        results = self._existing()
        if results is not None:
            results.show(terminalreporter)
        if self._is_shard:
            terminalreporter.write_line(self._shard_log().line(self._config))

    def _shard_log(self) -> Any:
        from pytest_llmrel.glue.shards import ShardLog

        return ShardLog.of(self._config)

    def _existing(self) -> Any:
        if "pytest_llmrel.glue.session" not in sys.modules:
            return None
        from pytest_llmrel.glue.session import SessionResults

        return SessionResults.existing(self._config)
