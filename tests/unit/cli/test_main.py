"""The ``llmrel`` script itself: its commands, its version, its exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import pytest_llmrel.cli
from pytest_llmrel.cli.main import main

ROOT = Path(pytest_llmrel.cli.__file__).parents[2]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is shown on stdout, in one line."""
    assert main(["--version"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("llmrel ")
    assert (shown.out.count("\n"), shown.err) == (1, "")


@pytest.mark.parametrize("argv", [["--help"], ["simulator", "--help"]])
def test_help_names_what_there_is(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Help is an answer, not a mistake."""
    assert main(argv) == 0
    shown = capsys.readouterr()
    assert "simulator" in shown.out
    assert "model" in shown.out


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["unknown"],
        ["--unknown"],
        ["simulator", "extra"],
        ["simulator", "--por", "1"],
        ["simulator", "--seed", "x"],
    ],
)
def test_mistakes_are_one_line_and_exit_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake is told in one line on stderr that names where help is."""
    assert main(argv) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert "--help" in shown.err


def test_the_arguments_are_those_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Called without arguments, as a console script is, main reads those of the process."""
    monkeypatch.setattr(sys, "argv", ["llmrel", "--help"])
    assert main() == 0


def test_it_starts_light() -> None:
    """Asking for help loads neither pytest, nor the server, nor anything third-party."""
    code = "import sys; from pytest_llmrel.cli.main import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(run.stderr.split())
    assert not loaded & {"pytest", "httpx", "numpy", "asyncio", "pytest_llmrel.simulator"}


def test_the_module_runs_like_the_script() -> None:
    """``python -m pytest_llmrel.cli`` gives the exit code on to the shell."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest_llmrel.cli"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("llmrel: ")
