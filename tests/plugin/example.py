"""A small test suite as a value, and what came of running it in a session of its own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

__all__ = ["PLAIN", "Example", "Outcome", "example"]

PLAIN = ("-p", "no:asyncio", "-p", "no:anyio")
"""Arguments for a session in which no other plugin drives coroutines."""

_INI = "[pytest]\n"
_WITNESS = """
import os


def note(*words):
    handle = os.open("log.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, (" ".join(map(str, words)) + "\\n").encode())
    os.close(handle)
"""
"""Module ``witness`` of inner sessions: ``note()`` appends a line to the log, from any thread or process."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished inner session.

    Attributes:
        session: pytest's own account of it.
        report: the document of ``--llmrel-json``, or ``None`` if none was written.
        path: the session's directory.
    """

    session: pytest.RunResult
    report: Mapping[str, Any] | None
    path: Path

    @property
    def ret(self) -> int:
        """Exit status of the session."""
        return int(self.session.ret)

    @property
    def out(self) -> str:
        """Everything the session printed to stdout."""
        return self.session.stdout.str()

    @property
    def err(self) -> str:
        """Everything the session printed to stderr."""
        return self.session.stderr.str()

    @property
    def tests(self) -> Mapping[str, Mapping[str, Any]]:
        """Results of the krun tests by node id."""
        return {} if self.report is None else {test["nodeid"]: test for test in self.report["tests"]}

    def test(self, name: str = "") -> Mapping[str, Any]:
        """The result whose node id ends with ``name``; the only one there is if ``name`` is empty."""
        found = [test for nodeid, test in self.tests.items() if nodeid == name or nodeid.endswith(name)]
        assert len(found) == 1, f"{len(found)} {name!r} among {list(self.tests)}\n{self.out}{self.err}"
        return found[0]

    def counts(self, name: str = "") -> dict[str, int]:
        """Runs of a test by outcome, without the outcomes that did not happen."""
        test = self.test(name)
        names = ("passed", "failed", "errors", "abstained", "skipped", "xfailed", "unfinished")
        return {key: test[key] for key in names if test.get(key)}

    def log(self, first: str = "") -> list[list[str]]:
        """What the tests noted, as lists of words; with ``first``, what follows it in its lines."""
        lines = [line.split() for line in self._lines()]
        return [line[1:] for line in lines if line[0] == first] if first else lines

    def _lines(self) -> list[str]:
        file = self.path / "log.txt"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    def outcomes(self, **expected: int) -> "Outcome":
        """Assert how many items passed, failed and so on; the others must be none."""
        seen = {key: count for key, count in self.session.parseoutcomes().items() if key != "warnings"}
        assert seen == {_plural(key, count): count for key, count in expected.items()}, self.out + self.err
        return self


def _plural(name: str, count: int) -> str:
    return "errors" if name in {"error", "errors"} else name


@dataclass(frozen=True, slots=True)
class Example:
    """Files of an inner session by path; nothing is written before :meth:`run`."""

    files: Mapping[str, str]
    ini: Mapping[str, str] = field(default_factory=dict)

    def with_files(self, files: Mapping[str, str]) -> "Example":
        """The same, with more files or others in place of them."""
        return Example({**self.files, **files}, self.ini)

    def with_ini(self, **ini: str) -> "Example":
        """The same, with ini keys of pytest."""
        return Example(self.files, {**self.ini, **ini})

    def write(self, path: Path) -> None:
        """Write the files, and a ``pytest.ini`` unless there is one among them."""
        for name, text in {"pytest.ini": self._ini_file(), "witness.py": _WITNESS, **self.files}.items():
            file = path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(text).lstrip("\n"), encoding="utf-8")

    def run(
        self, pytester: pytest.Pytester, *args: str, subprocess: bool = False, timeout: float = 60
    ) -> Outcome:
        """Run the suite with the plugin loaded by its entry point.

        Args:
            pytester: gives the directory.
            args: of pytest.
            subprocess: in a new interpreter; needed where process exit, threads or modules matter.
            timeout: seconds a subprocess may take.
        """
        asyncio = {} if "no:asyncio" in args else {"asyncio_default_fixture_loop_scope": "function"}
        replace(self, ini={**asyncio, **self.ini}).write(pytester.path)
        document = pytester.path / "llmrel-report.json"
        document.unlink(missing_ok=True)
        (pytester.path / "log.txt").unlink(missing_ok=True)
        # hypothesis is imported for its part of the summary, which takes longer than most inner sessions
        arguments = (f"--llmrel-json={document}", "-p", "no:hypothesispytest", *args)
        if subprocess:
            session = pytester.runpytest_subprocess(*arguments, timeout=timeout)
        else:
            session = pytester.runpytest_inprocess(*arguments)
        report = json.loads(document.read_text(encoding="utf-8")) if document.exists() else None
        return Outcome(session, report, pytester.path)

    def _ini_file(self) -> str:
        return _INI + "".join(f"{key} = {value}\n" for key, value in self.ini.items())


def example(text: str, **ini: str) -> Example:
    """A suite of one file, ``test_it.py``."""
    return Example({"test_it.py": text}, ini)
