"""What the plugin costs a session that does not use it: no module, no file, no word."""

import json
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MAY_BE_LOADED = {f"pytest_llmrel{room}" for room in ("", ".plugin", ".hookspecs", ".options")}
NEVER = {
    "asyncio",
    "numpy",
    "httpx",
    "pydantic",
    "hypothesis",
    "anyio",
    "concurrent.futures",
    "multiprocessing",
}
PROBE = """
import json, pytest, sys

@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    with open("modules.json", "w") as file:
        json.dump(sorted(sys.modules), file)
"""
UNRELATED = """
import pytest

@pytest.fixture
def number():
    yield 1

@pytest.mark.parametrize("other", [1, 2])
def test_fails_once(number, other):
    assert number == other

@pytest.mark.skip
def test_skipped():
    pass

class TestOne:
    def test_it(self, tmp_path, monkeypatch, capsys):
        pass
"""
OTHERS = sorted({point.name for point in entry_points(group="pytest11")} - {"llmrel"})


def loaded_by(code: str) -> set[str]:
    """The modules that are loaded after some code, in an interpreter of its own."""
    code += "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout))


def session(folder: Path, *arguments: str) -> tuple[set[str], str, set[str]]:
    """Modules at the end, output and files of an unrelated session, other plugins switched off."""
    folder.mkdir()
    (folder / "conftest.py").write_text(PROBE)
    (folder / "test_unrelated.py").write_text(UNRELATED)
    (folder / "pytest.ini").write_text("[pytest]\n")
    blocked = [word for name in OTHERS for word in ("-p", f"no:{name}")]
    command = [sys.executable, "-m", "pytest", "-ra", *blocked, *arguments]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert "2 passed, 1 skipped" in run.stdout or "1 failed, 2 passed, 1 skipped" in run.stdout, run.stdout
    files = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if "__pycache__" not in path.parts
    }
    return set(json.loads((folder / "modules.json").read_text())), run.stdout, files


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """The same session with the plugin and without it."""
    folder = tmp_path_factory.mktemp("footprint")
    return session(folder / "with"), session(folder / "without", "-p", "no:llmrel")


def test_the_entry_point_loads_pytest_only() -> None:
    """After pytest itself, importing the plugin loads the package root and the plugin: nothing else at all."""
    new = loaded_by("import pytest; import pytest_llmrel.plugin") - loaded_by("import pytest")
    assert new == {"pytest_llmrel", "pytest_llmrel.plugin"}


def test_an_unrelated_session_loads_nothing_more(sessions: Any) -> None:
    """Up to its very end, the terminal summary included."""
    (with_it, _, _), (without, _, _) = sessions
    assert "pytest_llmrel.plugin" in with_it
    assert not {name for name in without if name.startswith("pytest_llmrel")}
    assert with_it - without <= MAY_BE_LOADED


def test_an_unrelated_session_loads_nothing_heavy(sessions: Any) -> None:
    """What pytest itself does without is not brought in."""
    (with_it, _, _), (without, _, _) = sessions
    assert NEVER & with_it <= NEVER & without


def test_an_unrelated_session_shows_nothing_more(sessions: Any) -> None:
    """But for the list of plugins that pytest prints, and times."""

    def lines(text: str) -> list[str]:
        kept = [line for line in text.splitlines() if not line.startswith(("plugins:", "rootdir:"))]
        return [re.sub(r" in \d+\.\d+s.*", "", line).strip("= ") for line in kept]

    (_, with_it, _), (_, without, _) = sessions
    assert lines(with_it) == lines(without)
    assert "llmrel" not in "\n".join(lines(with_it))


def test_an_unrelated_session_writes_nothing_more(sessions: Any) -> None:
    """No folder, no file."""
    (_, _, with_it), (_, _, without) = sessions
    assert with_it == without


@pytest.mark.parametrize("arguments", [["--collect-only"], ["--fixtures"], ["--version"]])
def test_other_ways_to_start_pytest_stay_poor(tmp_path: Path, arguments: list[str]) -> None:
    """Looking is as cheap as running."""
    (tmp_path / "conftest.py").write_text(PROBE)
    (tmp_path / "test_unrelated.py").write_text(UNRELATED)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    blocked = [word for name in OTHERS for word in ("-p", f"no:{name}")]
    command = [sys.executable, "-m", "pytest", *blocked, *arguments]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    if not (tmp_path / "modules.json").exists():
        return  # pytest did not even read the conftest
    found = set(json.loads((tmp_path / "modules.json").read_text()))
    assert {name for name in found if name.startswith("pytest_llmrel")} <= MAY_BE_LOADED
