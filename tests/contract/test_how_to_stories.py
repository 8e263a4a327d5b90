"""The how-to pages that tell a story run as they stand: their files are written, their commands are typed."""

import os
import re
import shlex
import shutil
import subprocess
import sys
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
    "measure-faithfulness",
    "record-and-replay",
    "resume-after-a-crash",
    "test-recovery",
    "trust-your-judge",
)
FILES = frozenset({"ini", "jsonl", "python", "toml"})
BLOCK = re.compile(r"^```(\w+)(?: ([\w./-]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
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

    A file is named by the first line of its block, a comment, or where there can be none, by the word behind
    the language. A ``text`` block is what the last command before it prints, and is answered.
    """
    return BLOCK.findall((ROOT / "docs" / "how-to" / f"{page}.md").read_text("utf-8"))


@pytest.mark.parametrize("page", STORIES)
def test_the_story_goes_as_told(tmp_path: Path, page: str) -> None:
    """Every command ends and prints as the page tells, in order; a replay does with every socket closed."""
    (tmp_path / "closed.py").write_text(NO_SOCKETS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    typed = 0
    with Simulator(latency=0) as simulator:
        for (language, name, text), (following, _, shown) in pairwise([*blocks(page), ("", "", "")]):
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
    """Run a command of the page, which prints ``shown``; it succeeds, unless the page says ``# exit status 1``."""
    program, *arguments = shlex.split(line.removeprefix("! "), comments=True)
    module = {"pytest": ["-m", "pytest"], "llmrel": ["-m", "pytest_llmrel.cli"], "python": []}[program]
    environ = {name: value for name, value in os.environ.items() if name not in {"CI", "OPENAI_BASE_URL"}}
    environ["PYTHONPATH"] = str(folder)
    if "--llmrel-tape=replay" in arguments:
        arguments += ["-p", "closed"]
    else:
        environ |= {"OPENAI_BASE_URL": f"{url}/", "OPENAI_API_KEY": "any"}
    command = [sys.executable, *module, *arguments]
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
    fails = line.startswith("! ") or line.endswith("# exit status 1")
    assert ended.returncode == fails, f"{line}\n{ended.stdout}"
    missing = not_printed(shown, ended.stdout)
    assert not missing, f"{line}: {missing!r} is not printed\n{ended.stdout}"


def not_printed(shown: str, printed: str) -> list[str]:
    """Lines of the page that are not in the output, however aligned; ``...`` stands for anything."""
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    wanted = [" ".join(TYPED.sub(r"\1", line).split()) for line in shown.splitlines()]
    patterns = {line: ".*".join(map(re.escape, line.split("..."))) for line in wanted if line}
    return [
        line for line, pattern in patterns.items() if not any(re.fullmatch(pattern, had) for had in lines)
    ]


def test_a_page_cannot_show_what_is_not_printed() -> None:
    """Alignment, answers and what is left out do not matter; every other character does."""
    printed = "a   b\n[a]ccept  [q]uit > \n7 passed in 1.2 s\n"
    assert not_printed("  a b\n[a]ccept [q]uit > a\n\n7 passed in ...\n...\n", printed) == []
    assert not_printed("a c\n8 passed in ...\npassed\n", printed) == ["a c", "8 passed in ...", "passed"]


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
