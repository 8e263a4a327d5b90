"""The how-to pages that tell a story run as they stand: their files are written, their commands are typed."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest

from pytest_llmrel.simulator import Simulator
from pytest_llmrel.wire.redaction import secrets_in

ROOT = Path(__file__).parents[2]
STORIES = (
    "build-a-golden-dataset",
    "find-the-wording-that-breaks-it",
    "know-what-it-costs",
    "record-and-replay",
    "test-recovery",
)
FILES = frozenset({"ini", "jsonl", "python", "toml"})
BLOCK = re.compile(r"^```(\w+)(?: ([\w./-]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STATUS = re.compile(r"# exit status (\d)$")
TYPED = re.compile(r"^(\[a\]ccept .*> |new text .*> )(.*)$")
"""A question of ``llmrel paraphrase review``, and the answer that the page types."""
NO_SOCKETS = """
import socket


def refused(*arguments, **options):
    raise AssertionError(f"a socket was used: {arguments}")


for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, refused)
socket.getaddrinfo = socket.create_connection = refused
"""
"""A plugin that closes every way out of the process."""


def blocks(page: str) -> list[tuple[str, str, str]]:
    """Language, file name (or nothing) and text of the code blocks of a how-to page.

    A block of a file is named by its first line, a comment, or where there can be none, by the word behind
    its language. A ``text`` block is what the last command of the block before it says.
    """
    return BLOCK.findall((ROOT / "docs" / "how-to" / f"{page}.md").read_text("utf-8"))


@pytest.mark.parametrize("page", STORIES)
def test_the_story_goes_as_told(tmp_path: Path, page: str) -> None:
    """Every command ends and says what the page tells, in order; a replay does with every socket closed."""
    (tmp_path / "closed.py").write_text(NO_SOCKETS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    typed = 0
    found = blocks(page)
    with Simulator(latency=0) as simulator:
        for (language, name, text), (following, _, shown) in pairwise([*found, ("", "", "")]):
            if language in FILES:
                file = tmp_path / (name or text.partition("\n")[0].removeprefix("# "))
                file.parent.mkdir(exist_ok=True)
                file.write_text(text, "utf-8")
            elif language == "sh":
                *lines, last = text.splitlines()
                for line in lines:
                    type_in(tmp_path, line, simulator.base_url)
                type_in(tmp_path, last, simulator.base_url, shown if following == "text" else "")
                typed += len(lines) + 1
    assert typed


def type_in(folder: Path, line: str, url: str, shown: str = "") -> None:
    """Run a command of the page, which has to end and to say as the page tells."""
    program, *arguments = shlex.split(line, comments=True)
    module = {"pytest": "pytest", "llmrel": "pytest_llmrel.cli"}[program]
    environ = {name: value for name, value in os.environ.items() if name not in {"CI", "OPENAI_BASE_URL"}}
    environ["PYTHONPATH"] = str(folder)
    if "--llmrel-tape=replay" in arguments:
        arguments += ["-p", "closed"]
    else:
        environ |= {"OPENAI_BASE_URL": f"{url}/", "OPENAI_API_KEY": "any"}
    command = [sys.executable, "-m", module, *arguments]
    answers = "".join(f"{match[2]}\n" for match in map(TYPED.match, shown.splitlines()) if match)
    ended = subprocess.run(
        command,
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        input=answers,
        text=True,
        check=False,
        timeout=120,
    )
    status = STATUS.search(line)
    assert ended.returncode == (int(status[1]) if status else 0), f"{line}\n{ended.stdout}"
    missing = not_said(shown, ended.stdout.splitlines())
    assert not missing, f"{line}: {missing!r} is not said\n{ended.stdout}"


def not_said(shown: str, said: Iterable[str]) -> str:
    """The first line of a page that is not in the output, behind the lines before it; ``...`` are any lines."""
    rest = iter(said)
    for line in shown.splitlines():
        wanted = TYPED.sub(r"\1", line).strip()
        if wanted.strip(".") and not any(wanted in heard for heard in rest):
            return line
    return ""


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
    written = {".ini", ".json", ".jsonl", ".md", ".py", ".toml"}
    files = [path for path in sorted((ROOT / "example_suite").rglob("*")) if path.suffix in written]
    assert len(files) > 20
    assert {path: found for path in files if (found := secrets_in(path.read_text("utf-8")))} == {}
