"""Baseline files that are damaged: each is refused with what to do, and never overwritten."""

import os
import sys
from pathlib import Path

import pytest

from pytest_llmrel.baselines.store import prune, read_baselines, record
from pytest_llmrel.errors import BaselineError

from .values import batch_data, change, entry_data, write

CONFLICT = '{\n  "schema": 1,\n<<<<<<< HEAD\n  "tests": {}\n=======\n  "tests": {"a": 1}\n>>>>>>> theirs\n}\n'
ANEW = "restore it from version control, or delete it and record anew"


@pytest.mark.parametrize(
    ("content", "told", "advice"),
    [
        (b"", "empty", ANEW),
        (b" \n", "empty", ANEW),
        (b'{"schema": 1,', "not readable as JSON (line 1, column 14: ", ANEW),
        (CONFLICT.encode(), "line 3 is the marker of a merge conflict; resolve it", "the batches of both sides"),
        (CONFLICT.replace("\n", "\r\n").encode(), "line 3 is the marker of a merge conflict", "of both sides"),
        (b"{\r\n=======\r\n", "line 2 is the marker of a merge conflict", "the batches of both sides"),
        (b"=======\n", "line 1 is the marker of a merge conflict", "the batches of both sides"),
        (b'{"schema": 1, "tests": "\xff"}', "not UTF-8 (byte 24)", ANEW),
        (b'{"schema": 1, "tests": {}, "tests": {}}', "key 'tests' is there twice in one object", ANEW),
        (b'{"schema": 1, "tests": {"a": {"b": 1, "b": 1}}}', "key 'b' is there twice in one object", ANEW),
        (b'{"schema": 1, "tests": {"a": NaN}}', "NaN is no number", ANEW),
        (b'{"schema": 1, "tests": {"a": -Infinity}}', "-Infinity is no number", ANEW),
        (b"[" * 100_000, "nested too deeply", ANEW),
        (b"1" * 5_000, "a number is too long", ANEW),
        (b'{"schema": 2, "entries": []}', "written by a newer pytest_llmrel (schema 2, this one", "upgrade pytest_"),
        (b'{"schema": 0, "tests": {}}', "not a baseline file", ANEW),
        (b'{"schema": true, "tests": {}}', "not a baseline file", ANEW),
        (b'{"schema": 1.0, "tests": {}}', "not a baseline file", ANEW),
        (b'{"schema": 1}', "not a baseline file", ANEW),
        (b'{"schema": 1, "tests": []}', "not a baseline file", ANEW),
        (b'{"schema": 1, "tests": {}, "test": {}}', "not a baseline file", ANEW),
        (b"[]", "not a baseline file", ANEW),
        (b"null", "not a baseline file", ANEW),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used(path: Path, content: bytes, told: str, advice: str) -> None:
    """It is named with what is wrong and what to do, and neither recording nor pruning touches it."""
    path.parent.mkdir()
    path.write_bytes(content)
    for use, rest in ((read_baselines, ()), (record, ([change()],)), (prune, (["test_a"],))):
        with pytest.raises(BaselineError) as raised:
            use(path, *rest)
        (problem,) = raised.value.problems
        assert problem.startswith(f"{path}: ")
        assert told in problem
        assert advice in problem
        assert problem.isprintable()
    assert path.read_bytes() == content
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_byte_order_mark_is_no_damage(path: Path) -> None:
    """Some editors write one."""
    write(path, test_a=entry_data())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert list(read_baselines(path).entries) == ["test_a"]


def test_a_folder_is_no_file(path: Path) -> None:
    """It is told what is in the way."""
    path.mkdir(parents=True)
    with pytest.raises(BaselineError, match="not a regular file; move it away"):
        read_baselines(path)


def test_the_folder_is_a_file(path: Path) -> None:
    """Nothing can be below it, neither read nor written."""
    path.parent.write_text("")
    with pytest.raises(BaselineError, match="cannot be read"):
        read_baselines(path)
    with pytest.raises(BaselineError):
        record(path, [change()])


def test_links_in_a_circle(path: Path) -> None:
    """They lead to no file, and are not taken for a missing one."""
    path.parent.mkdir()
    path.symlink_to(path.name)
    for use, rest in ((read_baselines, ()), (record, ([change()],)), (prune, (["test_a"],))):
        with pytest.raises(BaselineError, match="cannot be read"):
            use(path, *rest)


def test_a_link_to_a_file_stays_a_link(path: Path) -> None:
    """Recording changes what it leads to."""
    real = write(path.parent.parent / "elsewhere" / "real.json", test_a=entry_data())
    path.parent.mkdir()
    path.symlink_to(real)
    assert record(path, [change("test_b")]) == []
    assert path.is_symlink()
    assert sorted(read_baselines(real).entries) == ["test_a", "test_b"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_a_pipe_is_not_waited_for(path: Path) -> None:
    """A session would hang for ever."""
    path.parent.mkdir()
    os.mkfifo(path)
    with pytest.raises(BaselineError, match="not a regular file"):
        read_baselines(path)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="permissions do not bind root")
def test_an_unreadable_file(path: Path) -> None:
    """It is not taken for a missing one."""
    write(path, test_a=entry_data()).chmod(0)
    with pytest.raises(BaselineError, match=r"cannot be read .*check its permissions"):
        read_baselines(path)


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")]
)
def test_a_file_that_the_system_refuses(path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    """As above, for those who are root."""
    write(path, test_a=entry_data())

    def refuse(_: Path) -> bytes:
        raise error

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(BaselineError, match=f"cannot be read \\({error.strerror}\\)"):
        read_baselines(path)


def test_a_full_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written is told, and the file is as it was."""
    record(path, [change()])
    before = path.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pytest_llmrel.baselines.store.write_atomically", refuse)
    with pytest.raises(
        BaselineError, match=r"cannot be written \(No space left on device\); nothing was recorded"
    ):
        record(path, [change("test_b")])
    assert path.read_bytes() == before


def test_a_damaged_entry_is_told_and_the_others_are_read(path: Path) -> None:
    """With the file, the entry, all its mistakes in one text, and what to do."""
    write(path, test_a=entry_data(batch_data(1, 7, 5), batch_data(1, "x")), test_b=entry_data(), test_c=3)
    found = read_baselines(path)
    assert list(found.entries) == ["test_b"]
    assert found.problems["test_a"] == (
        f"{path}: entry 'test_a': batch 1: cell 1: 7 passed of 5 runs is impossible; "
        "batch 2: cell 1: passed should be a valid integer, and is 'x'; "
        "batches: id '0000000000000001' is there twice: a merge gone wrong?; "
        "restore it from version control, or remove the entry"
    )
    assert "entry 'test_c': it should be a valid dictionary, and is 3" in found.problems["test_c"]


def test_an_entry_without_runs_is_damaged(path: Path) -> None:
    """It has no rate."""
    write(path, test_a=entry_data(batch_data(1), batch_data(2, 0, 0)))
    assert "batch 2: no runs" in read_baselines(path).problems["test_a"]


def test_a_name_that_no_test_can_have(path: Path) -> None:
    """Halves of characters are spelled out, hostile ones do not act, long ones are cut."""
    write(path, **{"\ud800": entry_data(), "\x1b[31m" + "x" * 9_999: 1})
    one, two = read_baselines(path).problems.values()
    assert "entry '\\ud800': its name holds halves of characters" in one
    assert two.isprintable()
    assert len(two) < len(str(path)) + 250


def test_nothing_is_recorded_beside_a_damaged_entry(path: Path) -> None:
    """Writing would lose it."""
    write(path, test_a=entry_data(), test_bad=entry_data(content="?"))
    before = path.read_bytes()
    with pytest.raises(BaselineError, match="entry 'test_bad': content should be"):
        record(path, [change("test_new")])
    with pytest.raises(BaselineError, match="entry 'test_bad': content should be"):
        prune(path, ["test_a"])
    assert path.read_bytes() == before


def test_a_damaged_entry_can_be_pruned(path: Path) -> None:
    """That is one of the two remedies."""
    write(path, test_a=entry_data(), test_bad=entry_data(content="?"))
    assert prune(path, ["test_bad"]) == ["test_bad"]
    assert (list(read_baselines(path).entries), read_baselines(path).problems) == (["test_a"], {})
