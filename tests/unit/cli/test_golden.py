"""``llmrel golden lint``: what it says of files of cases, and with which exit code."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_llmrel.cli.main import main

Lint = Callable[..., tuple[int, list[str], list[str]]]
GOOD = {"id": "a", "question": "How long?", "expected": "30 days"}


@pytest.fixture
def lint(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, list[str], list[str]]]:
    """Exit code and lines of the command, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, list[str], list[str]]:
        code = main(["golden", "lint", *arguments])
        said = capsys.readouterr()
        return code, said.out.splitlines(), said.err.splitlines()

    return run


def write(name: str, *rows: dict[str, Any] | str) -> None:
    """A file of JSON lines in the current folder."""
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    Path(name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def test_nothing_wrong(lint: Lint) -> None:
    """Exit code 0, and how much was looked at."""
    write("a.jsonl", GOOD)
    write("b.jsonl", GOOD, GOOD | {"id": "b", "question": "Where?"})
    assert lint("a.jsonl") == (0, ["1 file, 1 case, no problems"], [])
    assert lint("a.jsonl", "b.jsonl") == (0, ["2 files, 3 cases, no problems"], [])


def test_findings_have_file_line_and_both_cases(lint: Lint) -> None:
    """One line each, by the lines of the file; exit code 1."""
    write("a.jsonl", GOOD, "", GOOD | {"id": "b", "expected": "14 days"}, GOOD | {"id": "c", "expected": ""})
    assert lint("a.jsonl") == (
        1,
        ["1 file, 3 cases, 3 problems"],
        [
            "a.jsonl:3: contradiction: case b expects something else than case a of line 1: '14 days' and '30 days'",
            "a.jsonl:4: duplicate: case c asks the same as case a of line 1: 'How long?'",
            "a.jsonl:4: empty: case c has nothing in: expected",
        ],
    )


def test_damage_is_found_like_anything_else(lint: Lint) -> None:
    """A file that cannot be used is told with all that is wrong with it, and the next one is looked at."""
    write("a.jsonl", GOOD, GOOD, "[]")
    write("b.jsonl", GOOD, GOOD | {"id": "b"})
    code, out, err = lint("a.jsonl", "b.jsonl")
    assert (code, out) == (1, ["2 files, 2 cases, 3 problems"])
    assert [line.partition(": ")[0] for line in err] == ["a.jsonl:2", "a.jsonl:3", "b.jsonl:2"]


def test_columns_can_be_named(lint: Lint) -> None:
    """Where they are called otherwise."""
    write("a.jsonl", {"ask": "x", "say": "y", "input": "1"}, {"ask": "X", "say": "z", "input": "2"})
    assert lint("a.jsonl")[0] == 0
    code, _, (line,) = lint("a.jsonl", "--question", "ask", "--expected=say")
    assert code == 1
    assert line.startswith("a.jsonl:2: contradiction: case ")


def test_what_cannot_be_done(lint: Lint) -> None:
    """Exit code 2 and what to do: no file, a folder, another suffix, no such column, no file named."""
    write("a.jsonl", GOOD)
    Path("folder.json").mkdir()
    Path("a.txt").touch()
    for arguments, said in (
        (["no.jsonl"], "llmrel golden: no.jsonl: no such file"),
        (["a.jsonl", "folder.json"], "llmrel golden: folder.json: a folder; name the file"),
        (["a.txt"], "llmrel golden: a.txt: nothing is known of such a suffix"),
        (
            ["a.jsonl", "--question", "q"],
            "llmrel golden: a.jsonl: there is no column q; there are id, question, expected",
        ),
        ([], "llmrel golden lint: the following arguments are required: FILE"),
        (["a.jsonl", "--quest", "q"], "llmrel: unrecognized arguments"),
    ):
        code, out, err = lint(*arguments)
        assert (code, out) == (2, [])
        assert len(err) == 1
        assert err[0].startswith(said)


def test_nothing_reaches_the_terminal_that_it_would_obey(lint: Lint) -> None:
    """Names of files and texts of cases are anybody's."""
    name = "a\x1b[2J.jsonl"
    write(name, GOOD | {"question": "\x1b]0;x\x07?"}, GOOD | {"id": "b", "question": "\x1b]0;X\x07"})
    code, _, err = lint(name)
    assert code == 1
    assert err
    assert all(line.isprintable() for line in err)


def test_the_script_itself(tmp_path: Path) -> None:
    """As it is typed: exit code and streams of a process, and nothing of pytest in it."""
    path = tmp_path / "a.csv"
    path.write_text("question,expected\nHow long?,30 days\nhow long,14 days\n")
    code = (
        "import sys\nfrom pytest_llmrel.cli.main import main\ncode = main(sys.argv[1:])\n"
        "assert 'pytest' not in sys.modules and 'yaml' not in sys.modules\nsys.exit(code)"
    )
    command = [sys.executable, "-c", code, "golden", "lint", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (1, "1 file, 2 cases, 1 problem\n")
    assert run.stderr.startswith(f"{path}:3: contradiction: case ")
