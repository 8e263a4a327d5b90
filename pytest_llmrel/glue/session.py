"""What a session keeps of its ``krun`` tests, and what it shows and writes at the end."""

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from pytest_llmrel.core.files import write_atomically
from pytest_llmrel.reports.overview import overview
from pytest_llmrel.reports.result import Result, canonical, session_document

__all__ = ["SessionResults"]

_COLOURS: Mapping[str, dict[str, bool]] = {
    "FAIL": {"red": True},
    "INCONCLUSIVE": {"yellow": True},
    "PASS": {"green": True},
    "": {},
}


class SessionResults:
    """The results of a session by node id, in the order they came."""

    _KEY = pytest.StashKey["SessionResults"]()

    def __init__(self) -> None:
        self._results: dict[str, Result] = {}
        self.problem = ""

    @classmethod
    def of(cls, config: pytest.Config) -> "SessionResults":
        """The results of the session that ``config`` belongs to, made on first use."""
        return config.stash.setdefault(cls._KEY, cls())

    @classmethod
    def existing(cls, config: pytest.Config) -> "SessionResults | None":
        """The same, or ``None`` in a session without ``krun`` tests."""
        return config.stash.get(cls._KEY, None)

    def add(self, result: Result) -> None:
        """Keep ``result``; a re-run of the same test replaces the former one."""
        self._results[result["nodeid"]] = result

    def write_json(self, path: Path) -> None:
        """Write the document of the session; a failure is kept in ``problem``, for the summary to show."""
        try:
            write_atomically(path, canonical(session_document(self._results, _provenance())))
        except OSError as error:
            self.problem = f"--llmrel-json: {path} was not written: {error}"

    def show(self, terminal: pytest.TerminalReporter) -> None:
        """Print the table."""
        terminal.section("reliability (llmrel)")
        brief = terminal.config.get_verbosity() < 0
        for line, verdict in overview(list(self._results.values()), brief=brief):
            terminal.write_line(line, **_COLOURS[verdict])
        if self.problem:
            terminal.write_line(self.problem, red=True)


def _provenance() -> dict[str, Any]:
    return {
        "pytest": pytest.__version__,
        "pytest_llmrel": version("pytest-llmrel"),
        "python": platform.python_version(),
    }
