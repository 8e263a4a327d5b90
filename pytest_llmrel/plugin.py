"""pytest's entry point: options, markers, hooks; loads the rest only for sessions with ``krun`` tests.

Every hook returns at once where there is nothing for it to do, and nothing but pytest is imported here.
"""

import os
import sys
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

__all__: list[str] = []

_BASELINE_MODES = ("check", "new", "update", "reset", "off")
_MARKERS = (
    (
        "krun(k=10, *, pass_rate, gates, gate, stop, concurrency, timeout, task_minutes): "
        "run the test k times, independently and concurrently, and judge all runs at once"
    ),
    "paraphrase(argname, *wordings): run a krun test in each of these wordings of the same request",
)


def _count(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(text)
    return int(text)


_count.__name__ = "whole number of at least 1"


def _path(text: str) -> str:
    """An absolute path, for argparse; an empty one is a variable that was not set."""
    if not text.strip():
        raise ValueError(text)
    return str(Path(text).absolute())  # xdist sends options to its workers, as simple types only


_path.__name__ = "path that is not empty"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare options and ini keys; ``docs/reference/options.md`` describes them."""
    group = parser.getgroup("llmrel", "reliability of LLM features (pytest_llmrel)")
    group.addoption(
        "--llmrel-k",
        type=_count,
        metavar="N",
        help="runs per wording, whatever the marks say (a quick look: 1)",
    )
    group.addoption(
        "--llmrel-concurrency",
        type=_count,
        metavar="N",
        help="most runs of a test in flight (default 8); a mark's own concurrency is never exceeded",
    )
    group.addoption(
        "--llmrel-json", type=_path, metavar="PATH", help="write the results to PATH as JSON (schema 1)"
    )
    group.addoption(
        "--llmrel-baseline",
        choices=_BASELINE_MODES,
        default="check",
        help="what to do with baselines: compare (check, the default), also record the missing ones (new), "
        "also append this session's runs (update), begin anew (reset), or ignore them (off)",
    )
    group.addoption(
        "--llmrel-baseline-runs",
        type=_count,
        metavar="N",
        default=50,
        help="runs of a test that a new baseline records (default 50)",
    )
    group.addoption(
        "--llmrel-force",
        action="store_true",
        help="let --llmrel-baseline=update and =reset change baselines on a CI machine",
    )
    parser.addini("llmrel_k", "runs per wording where no mark says it (default 10)", default="")
    parser.addini("llmrel_concurrency", "most runs of a test in flight (default 8)", default="")
    parser.addini(
        "llmrel_max_error_rate",
        "share of runs ending in an infrastructure error above which a test is INCONCLUSIVE (default 0.1)",
        default="0.1",
    )
    parser.addini(
        "llmrel_inconclusive", "what INCONCLUSIVE does to a test: fail (default) or warn", default="fail"
    )
    parser.addini(
        "llmrel_alpha",
        "chance that a session turns red although no test is worse than its baseline (default 0.01)",
        default="0.01",
    )
    parser.addini(
        "llmrel_scores",
        "names of scores that are recorded outside the test's own code",
        type="args",
        default=[],
    )


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare our own hooks."""
    from pytest_llmrel import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers and check the ini values."""
    for line in _MARKERS:
        config.addinivalue_line("markers", line)
    _check_ini(config)
    _check_baseline(config)
    if not hasattr(config, "workerinput"):  # xdist's workers leave it to their controller
        config.pluginmanager.register(_Results(config), "llmrel-results")


def _check_ini(config: pytest.Config) -> None:
    chosen = config.getini("llmrel_inconclusive")
    if chosen not in {"fail", "warn"}:
        raise pytest.UsageError(f"ini key llmrel_inconclusive = {chosen}; it must be 'fail' or 'warn'")
    for name in ("llmrel_k", "llmrel_concurrency"):
        text = config.getini(name)
        if text and not (text.isdecimal() and int(text) > 0):
            raise pytest.UsageError(f"ini key {name} = {text}; it must be a whole number of at least 1")
    _check_number(config, "llmrel_max_error_rate", "within 0..1", lambda value: 0 <= value <= 1)
    _check_number(config, "llmrel_alpha", "between 0 and 1", lambda value: 0 < value < 1)


def _check_number(config: pytest.Config, name: str, rule: str, is_valid: Callable[[float], bool]) -> None:
    text = config.getini(name)
    try:
        valid = is_valid(float(text))
    except ValueError:
        valid = False
    if not valid:
        raise pytest.UsageError(f"ini key {name} = {text}; it must be a number {rule}")


def _check_baseline(config: pytest.Config) -> None:
    mode = config.getoption("llmrel_baseline")
    on_ci = os.environ.get("CI", "").lower() not in {"", "0", "false"}
    if mode in {"update", "reset"} and on_ci and not config.getoption("llmrel_force"):
        raise pytest.UsageError(
            f"--llmrel-baseline={mode} is refused where CI={os.environ['CI']}: a build would move its own "
            "bar; record where you can review and commit the change, or add --llmrel-force"
        )


@pytest.fixture
def llmrel() -> object:
    """The run in progress: score(), output(), abstain(), case, variant, index, seed."""
    raise pytest.UsageError("fixture 'llmrel' is the run of a krun test; mark the test with @krun")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the argument of a ``paraphrase`` mark a value, so that pytest does not look for a fixture."""
    if metafunc.definition.get_closest_marker("paraphrase") is not None:
        from pytest_llmrel.glue.collect import parametrize_wording

        parametrize_wording(metafunc)


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
    return outcome


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Take over tests that were marked after they had been collected, in a session without any other."""
    manager = session.config.pluginmanager
    if not manager.has_plugin("llmrel-runs"):
        late = (mark.name for item in session.items for mark in item.own_markers)
        if "krun" in late:
            manager.register(_Runs(), "llmrel-runs")


def _guard(config: pytest.Config, collected: Sequence[pytest.Item], chosen: Sequence[pytest.Item]) -> str:
    """Read the baselines; a mistake in how, or ``""``."""
    from pytest_llmrel.errors import PlanError
    from pytest_llmrel.glue.collect import warn_of_infeasible_gates
    from pytest_llmrel.glue.guards import SessionGuards

    guards = SessionGuards.of(config)
    try:
        guards.prepare(collected, chosen)
    except PlanError as error:
        return f"pytest_llmrel: {error}"
    if hasattr(config, "workeroutput"):
        config.workeroutput["llmrel_unused"] = guards.unused
    if getattr(config, "workerinput", {"workerid": "gw0"})["workerid"] != "gw0":
        return ""  # all workers of xdist have collected the same tests
    warning = warn_of_infeasible_gates(chosen)
    return f"pytest_llmrel: {warning}" if warning else ""


def _refuse(config: pytest.Config, items: list[pytest.Item], mistakes: str) -> None:
    """Run nothing. A worker of xdist must not raise: it hands the mistakes to its controller."""
    if not hasattr(config, "workeroutput"):
        raise pytest.UsageError(mistakes)
    config.workeroutput["llmrel_mistakes"] = mistakes
    items.clear()


def _is_marked(item: pytest.Item) -> bool:
    return item.get_closest_marker("krun") is not None or item.get_closest_marker("paraphrase") is not None


def _unused(config: pytest.Config) -> list[tuple[str, str]]:
    if "pytest_llmrel.glue.guards" not in sys.modules:
        return []
    from pytest_llmrel.glue.guards import SessionGuards

    return SessionGuards.of(config).unused


def _has_tests(config: pytest.Config) -> bool:
    if "pytest_llmrel.glue.guards" not in sys.modules:
        return False
    from pytest_llmrel.glue.guards import SessionGuards

    return SessionGuards.of(config).has_tests


class _Runs:
    """The hooks of the process that runs ``krun`` tests."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Take a ``krun`` item over, as late as possible: whoever replaces items before cannot lose it."""
        if item.get_closest_marker("krun") is not None and isinstance(item, pytest.Function):
            from pytest_llmrel.glue.item import adopt

            adopt(item)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the result on the report, where xdist carries it to the controller."""
        report = yield
        if item.get_closest_marker("krun") is not None:
            from pytest_llmrel.glue.item import result_of

            vars(report)["llmrel_result"] = result_of(item, call, report)
        return report


class _Results:
    """The hooks of the process that shows and writes: the controller, or the only one there is."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._json: str | None = config.getoption("llmrel_json")
        self._mistakes = ""
        self._unused: list[tuple[str, str]] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take from a worker of xdist what kept it from running anything."""
        output = getattr(node, "workeroutput", {})
        self._mistakes = output.get("llmrel_mistakes", self._mistakes)
        self._unused = output.get("llmrel_unused", self._unused)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the result of an item."""
        result = getattr(report, "llmrel_result", None)
        if result is not None:
            from pytest_llmrel.glue.session import SessionResults

            SessionResults.of(self._config).add(result)

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
        results = self._existing()
        if results is None:
            if not (self._json and session.config.option.collectonly and _has_tests(session.config)):
                return
            from pytest_llmrel.glue.session import SessionResults

            results = SessionResults(session.config)
        results.unused = self._unused or _unused(session.config)
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

    def _existing(self) -> Any:
        if "pytest_llmrel.glue.session" not in sys.modules:
            return None
        from pytest_llmrel.glue.session import SessionResults

        return SessionResults.existing(self._config)
