"""What a session keeps of its ``krun`` tests, and what it judges, records, shows and writes at the end."""

import platform
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from pytest_llmrel.core.files import write_atomically
from pytest_llmrel.glue.recording import record_baselines
from pytest_llmrel.glue.shards import shard_of
from pytest_llmrel.reports.guards import compared_strata, guard_lines
from pytest_llmrel.reports.overview import overview
from pytest_llmrel.reports.result import Result, canonical, session_document, suite_entry
from pytest_llmrel.reports.resumption import resumption_lines
from pytest_llmrel.reports.safe import printable
from pytest_llmrel.reports.spending import session_totals, spending_lines
from pytest_llmrel.verdict.regression import Suite, judge_suite

__all__ = ["SUITE", "SessionResults"]

SUITE = "llmrel::regression"
"""Node id of the report by which the suite as a whole fails."""

_COLOURS: Mapping[str, dict[str, bool]] = {
    "FAIL": {"red": True},
    "INCONCLUSIVE": {"yellow": True},
    "PASS": {"green": True},
    "": {},
}


class SessionResults:
    """The results of a session by node id, in the order they came."""

    _KEY = pytest.StashKey["SessionResults"]()

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._results: dict[str, Result] = {}
        self._stamp = {
            "id": secrets.token_hex(8),
            "recorded": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "pytest_llmrel": version("pytest-llmrel"),
        }
        self.suite: Suite | None = None
        self.shard: Mapping[str, Any] | None = None
        self.unused: list[tuple[str, str]] = []
        self.unused_tapes: list[str] = []
        self.recorded: list[str] = []
        self.remarks: list[str] = []
        self.problems: list[str] = []
        self.ledgers: list[Mapping[str, Any]] = []

    @classmethod
    def of(cls, config: pytest.Config) -> "SessionResults":
        """The results of the session that ``config`` belongs to, made on first use."""
        found = config.stash.get(cls._KEY, None)
        if found is None:
            found = config.stash[cls._KEY] = cls(config)
        return found

    @classmethod
    def existing(cls, config: pytest.Config) -> "SessionResults | None":
        """The same, or ``None`` in a session without ``krun`` tests."""
        return config.stash.get(cls._KEY, None)

    def add(self, result: Result) -> None:
        """Keep ``result``; a re-run of the same test replaces the former one, but not what its baseline gets.

        A plugin that repeats what failed would otherwise keep the better of two.
        """
        former = self._results.get(result["nodeid"])
        if former is not None:
            result["baseline"] = former["baseline"]
        batch = (result["baseline"] or {}).get("batch")
        if batch is not None:
            batch.update(self._stamp)
        self._results[result["nodeid"]] = result
        if (result["tape"] or {}).get("problem"):
            self.problems.append(result["tape"]["problem"])

    def judge(self) -> Suite | None:
        """Judge all tests together by the regression rule.

        Returns:
            ``None`` if none was compared with a baseline, and of a shard: ``llmrel merge`` sees all tests.
        """
        compared = compared_strata(self._results.values())
        if compared and shard_of(self._config) is None:
            self.suite = judge_suite(compared, float(self._config.getini("llmrel_alpha")))
        return self.suite

    def record(self) -> None:
        """Write what the session was asked to record; what could not be written is a problem."""
        recorded, problems = record_baselines(self._config.rootpath, self._results.values())
        self.recorded += recorded
        self.problems += problems

    def write_json(self, path: Path) -> None:
        """Write the document of the session; what could not be written is a problem."""
        suite = suite_entry(self.suite, self.unused, self.unused_tapes)
        suite |= session_totals(self._results.values())
        document = session_document(self._results, _provenance(), suite, self.shard)
        try:
            write_atomically(path, canonical(document))
        except OSError as error:
            self.problems.append(f"--llmrel-json: {path} was not written: {error}")

    def show(self, terminal: pytest.TerminalReporter) -> None:
        """Print the table, what the baselines say, and what went wrong."""
        terminal.section("reliability (llmrel)")
        brief = terminal.config.get_verbosity() < 0
        results = list(self._results.values())
        for line, verdict in overview(results, brief=brief):
            terminal.write_line(line, **_COLOURS[verdict])
        for line, verdict in guard_lines(results, self.suite, self.unused, brief=brief):
            terminal.write_line(line, **_COLOURS[verdict])
        for line in spending_lines(results):
            terminal.write_line(printable(line))
        for line, verdict in resumption_lines(self.ledgers):
            terminal.write_line(printable(line), **_COLOURS[verdict])
        for line in (*self.remarks, *self.recorded):
            terminal.write_line(printable(line))
        for problem in self.problems:
            terminal.write_line(printable(problem), red=True)


def _provenance() -> dict[str, Any]:
    return {
        "pytest": pytest.__version__,
        "pytest_llmrel": version("pytest-llmrel"),
        "python": platform.python_version(),
    }
