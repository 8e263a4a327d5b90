"""The how-to pages that tell a story run as they stand: their files are written, their commands are typed."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_llmrel.simulator import Simulator
from pytest_llmrel.wire.redaction import secrets_in

ROOT = Path(__file__).parents[2]
STORIES = (
    "know-what-it-costs",
    "measure-faithfulness",
    "record-and-replay",
    "test-recovery",
    "trust-your-judge",
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NO_SOCKETS = """
import socket


def refused(*arguments, **options):
    raise AssertionError(f"a socket was used: {arguments}")


for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, refused)
socket.getaddrinfo = socket.create_connection = refused
"""
"""A plugin that closes every way out of the process."""


def blocks(page: str) -> list[tuple[str, str]]:
    """Language and text of the code blocks of a how-to page."""
    return BLOCK.findall((ROOT / "docs" / "how-to" / f"{page}.md").read_text("utf-8"))


@pytest.mark.parametrize("page", STORIES)
def test_the_story_goes_as_told(tmp_path: Path, page: str) -> None:
    """Every command does as it should (after ``!`` it fails), and prints what is shown; a replay uses no socket."""
    (tmp_path / "closed.py").write_text(NO_SOCKETS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    typed, printed = 0, ""
    with Simulator(latency=0) as simulator:
        for language, text in blocks(page):
            if language == "python":
                name = text.partition("\n")[0].removeprefix("# ")
                (tmp_path / name).write_text(text, "utf-8")
            elif language == "sh":
                for line in text.splitlines():
                    printed = type_in(tmp_path, line, simulator.base_url)
                    typed += 1
            elif language == "text":
                assert_printed(text, printed)
    assert typed


def assert_printed(text: str, printed: str) -> None:
    """Every line is there, however it is indented and aligned; ``...`` stands for anything."""
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    for line in filter(None, (" ".join(line.split()) for line in text.splitlines())):
        wanted = re.compile(".*".join(map(re.escape, line.split("..."))))
        assert any(map(wanted.fullmatch, lines)), f"{line}\n{printed}"


def type_in(folder: Path, line: str, url: str) -> str:
    """Run a command of the page, which has to succeed, or to fail after ``!``; what it printed."""
    fails = line.startswith("! ")
    name, *arguments = shlex.split(line.removeprefix("! "))
    program = {"pytest": ["-m", "pytest"], "llmrel": ["-m", "pytest_llmrel.cli"], "python": []}[name]
    environ = {name: value for name, value in os.environ.items() if name not in {"CI", "OPENAI_BASE_URL"}}
    environ["PYTHONPATH"] = str(folder)
    if "--llmrel-tape=replay" in arguments:
        arguments += ["-p", "closed"]
    else:
        environ |= {"OPENAI_BASE_URL": f"{url}/", "OPENAI_API_KEY": "any"}
    command = [sys.executable, *program, *arguments]
    ended = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == fails, f"{line}\n{ended.stdout}{ended.stderr}"
    return ended.stdout + ended.stderr


def test_the_example_is_replayed_without_a_socket(tmp_path: Path) -> None:
    """The committed tapes answer every call of the example suite; nothing is sent, and nothing is written."""
    folder = tmp_path / "example_suite"
    ignored = ("__pycache__", ".pytest_cache")
    shutil.copytree(ROOT / "example_suite", folder, ignore=shutil.ignore_patterns(*ignored))
    (folder / "closed.py").write_text(NO_SOCKETS)
    before = {path: path.read_bytes() for path in sorted(folder.rglob("__tapes__/*/*.jsonl"))}
    assert len(before) > 10
    type_in(folder, "pytest --llmrel-tape=replay", "")
    assert {path: path.read_bytes() for path in sorted(folder.rglob("__tapes__/*/*.jsonl"))} == before


def test_nothing_secret_is_committed() -> None:
    """No tape, baseline or source file of the repository holds what looks like a key."""
    written = {".ini", ".json", ".jsonl", ".md", ".py"}
    files = [path for path in sorted((ROOT / "example_suite").rglob("*")) if path.suffix in written]
    assert len(files) > 20
    assert {path: found for path in files if (found := secrets_in(path.read_text("utf-8")))} == {}
