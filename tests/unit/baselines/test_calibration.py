"""Records of judges: what is written is read, what is damaged is told, nothing is lost unasked."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_llmrel.baselines.calibration import (
    check_free,
    find_calibration,
    read_calibration,
    write_calibration,
)
from pytest_llmrel.baselines.place import calibration_path
from pytest_llmrel.core.calibration import Calibration, Retest
from pytest_llmrel.errors import CalibrationError

PROMPT = "1a2b3c4d5e6f7081"
RECORD = Calibration(
    model="small-1",
    prompt_version="2",
    prompt_hash=PROMPT,
    threshold=1.0,
    recorded="2026-11-23T09:30:00Z",
    version="0.1.0",
    labels_hash="ab" * 32,
    tp=54,
    fn=6,
    tn=57,
    fp=3,
    unscored=2,
    retest=Retest(120, 5, 120, 5),
)
ANEW = "restore it from version control, or delete it and calibrate anew with 'llmrel judge calibrate'"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The place of the record; nothing is there."""
    return calibration_path(tmp_path, RECORD.model, RECORD.prompt_hash)


def written(path: Path, **changes: Any) -> Path:
    """A record in which some keys are others, ``None`` removes one; a dot leads into an object."""
    write_calibration(path, RECORD, replace=True)
    document = json.loads(path.read_text())
    for name, value in changes.items():
        *outer, last = name.split("__")
        place = document
        for key in outer:
            place = place[key]
        if value is None:
            del place[last]
        else:
            place[last] = value
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("record", [RECORD, replace(RECORD, retest=None, threshold=0.8, unscored=0, tp=0)])
def test_what_is_written_is_read(path: Path, record: Calibration) -> None:
    """Every count and every name, with retest and without."""
    write_calibration(path, record)
    assert read_calibration(path) == record


def test_it_is_canonical(path: Path) -> None:
    """Sorted, indented, with counts and no rate, so that a review can read what changed."""
    write_calibration(path, RECORD)
    text = path.read_text()
    assert text == json.dumps(json.loads(text), sort_keys=True, indent=2) + "\n"
    assert json.loads(text)["counts"] == {"tp": 54, "fn": 6, "tn": 57, "fp": 3, "unscored": 2}
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4o", "gpt-4o-1a2b3c4d.json"),
        ("GPT-4o", "gpt-4o-9b816f-1a2b3c4d.json"),
        ("meta/llama:3", None),
        ("..", None),
        ("../../etc/passwd", None),
        ("東京", None),
        ("\ud800", None),
        ("x" * 999, None),
        ("a\0b", None),
    ],
)
def test_every_model_has_a_place(tmp_path: Path, model: str, name: str | None) -> None:
    """A plain name of a file below the root, whatever the model is called."""
    path = calibration_path(tmp_path, model, PROMPT)
    assert path.parent == tmp_path / "__judges__"
    assert path.name == (name or path.name)
    assert len(path.name) < 100
    assert path.name.isascii()
    assert not path.name.startswith((".", "-"))


def test_no_two_judges_share_a_place(tmp_path: Path) -> None:
    """Names that differ in case or in characters that files cannot have; and prompts."""
    models = ["a/b", "a-b", "A-b", "a:b", "a--b", "..a-b", "x" * 80, "x" * 81]
    paths = {calibration_path(tmp_path, model, prompt) for model in models for prompt in (PROMPT, "f" * 16)}
    assert len({path.name.lower() for path in paths}) == 2 * len(models)


def test_nothing_is_overwritten_unasked(path: Path) -> None:
    """The record that is there stays, and the message says which it is and what to do."""
    write_calibration(path, RECORD)
    before = path.read_bytes()
    for act in (lambda: check_free(path), lambda: write_calibration(path, replace(RECORD, tp=55))):
        with pytest.raises(CalibrationError, match=r"of 120 items, from 2026-11-23; add --replace"):
            act()
    assert path.read_bytes() == before
    check_free(path, replace=True)
    write_calibration(path, replace(RECORD, tp=55), replace=True)
    assert read_calibration(path).tp == 55


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"my notes", b'{"schema": 1, "tests": {}}', b'{"judge_record": 9}']
)
def test_what_is_no_record_is_never_replaced(path: Path, content: bytes) -> None:
    """Not even when asked: it is somebody else's file, damaged, or of a newer version."""
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(CalibrationError):
        write_calibration(path, RECORD, replace=True)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "told", "advice"),
    [
        (b"", "empty", ANEW),
        (b'{"judge_record": 1,', "not readable as JSON (line 1, column", ANEW),
        (b"<<<<<<< HEAD\n{}\n", "line 1 is the marker of a merge conflict", "keep the record of one side, whole"),
        (b"\xff", "not UTF-8", ANEW),
        (b'{"judge_record": 1, "judge_record": 1}', "is there twice in one object", ANEW),
        (b"[" * 50_000, "nested too deeply", ANEW),
        (b" " * 100_001, "too large", ANEW),
        (b'{"judge_record": 2, "other": 1}', "newer pytest_llmrel (judge_record 2, this one knows 1)", "upgrade"),
        (b'{"judge_record": 0}', 'not the record of a judge (no "judge_record": 1)', ANEW),
        (b'{"judge_record": true}', "not the record of a judge", ANEW),
        (b'{"schema": 1, "tests": {}}', "not the record of a judge", ANEW),
        (b"[1]", "not the record of a judge", ANEW),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used(path: Path, content: bytes, told: str, advice: str) -> None:
    """It is named, with what is wrong and what to do."""
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(CalibrationError) as raised:
        read_calibration(path)
    (problem,) = raised.value.problems
    assert problem.startswith(f"{path}: ")
    assert told in problem
    assert advice in problem
    assert problem.isprintable()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"counts__tp": -1}, "counts: tp"),
        ({"counts__tp": 54.0}, "counts: tp"),
        ({"counts__tp": "54"}, "counts: tp"),
        ({"counts__tp": True}, "counts: tp"),
        ({"counts__fn": None}, "counts: fn is missing"),
        ({"counts__rate": 0.9}, "counts: rate is no key of this format"),
        ({"counts": {"tp": 0, "fn": 0, "tn": 0, "fp": 0, "unscored": 5}, "retest": False}, "retest"),
        ({"judge__threshold": 1.5}, "judge: threshold"),
        ({"judge__prompt_hash": "xyz"}, "judge: prompt_hash"),
        ({"judge__model": ""}, "judge: model"),
        ({"labels_hash": "ab"}, "labels_hash"),
        ({"recorded": "yesterday"}, "recorded should be a time in UTC"),
        ({"retest__differing": 121}, "do not fit together"),
        ({"retest__items": 121}, "do not fit together"),
        ({"retest__differing": 0}, "items differ if pairs do"),
        ({"retest__pairs": 119}, "do not fit together"),
        ({"more": 1}, "more is no key of this format"),
    ],
)
def test_a_damaged_record(path: Path, changes: dict[str, Any], told: str) -> None:
    """Each mistake is told with its place; nothing is taken for something else."""
    with pytest.raises(CalibrationError) as raised:
        read_calibration(written(path, **changes))
    assert told in str(raised.value)
    assert ANEW in str(raised.value)


def test_all_mistakes_at_once(path: Path) -> None:
    """One sentence each."""
    with pytest.raises(CalibrationError) as raised:
        read_calibration(written(path, counts__tp=-1, recorded="x", judge__threshold=2))
    assert len(raised.value.problems) == 3


def test_no_item_was_judged(path: Path) -> None:
    """Then nothing is known, and the record is none: neither read nor written."""
    nothing = replace(RECORD, tp=0, fn=0, tn=0, fp=0, retest=None)
    with pytest.raises(CalibrationError, match="not written: it: no item was judged"):
        write_calibration(path, nothing)
    assert not path.exists()


def test_a_file_that_is_not_there(path: Path) -> None:
    """It is told how to make it."""
    with pytest.raises(CalibrationError, match="no such file; make it with 'llmrel judge calibrate'"):
        read_calibration(path)


def test_what_is_no_file(path: Path) -> None:
    """A folder is in the way, and a pipe is not waited for."""
    path.mkdir(parents=True)
    with pytest.raises(CalibrationError, match="not a regular file; move it away"):
        read_calibration(path)
    with pytest.raises(CalibrationError, match="not a regular file; move it away"):
        write_calibration(path, RECORD, replace=True)
    if hasattr(os, "mkfifo"):
        pipe = path.with_name("pipe.json")
        os.mkfifo(pipe)
        with pytest.raises(CalibrationError, match="not a regular file"):
            read_calibration(pipe)


def test_a_full_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written is told, and what was there stays."""
    write_calibration(path, RECORD)
    before = path.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pytest_llmrel.baselines.calibration.write_atomically", refuse)
    with pytest.raises(CalibrationError, match=r"cannot be written \(No space left on device\)"):
        write_calibration(path, replace(RECORD, tp=55), replace=True)
    assert path.read_bytes() == before


def test_the_folder_is_a_file(path: Path) -> None:
    """Nothing can be below it."""
    path.parent.write_text("")
    with pytest.raises(CalibrationError):
        write_calibration(path, RECORD)
    with pytest.raises(CalibrationError):
        read_calibration(path)


def test_no_judge_is_calibrated(tmp_path: Path) -> None:
    """Then there is no record, and looking makes no folder."""
    assert find_calibration(tmp_path, "small-1", PROMPT) is None
    assert list(tmp_path.iterdir()) == []


def test_the_record_of_the_judge_is_found(tmp_path: Path) -> None:
    """By model and prompt, in its own place or under another name; else the closest one."""
    others = [
        replace(RECORD, prompt_hash="0" * 16, recorded="2026-11-24T09:30:00Z"),
        replace(RECORD, model="large-1", recorded="2026-11-25T09:30:00Z"),
    ]
    for other in others:
        write_calibration(calibration_path(tmp_path, other.model, other.prompt_hash), other)
    assert find_calibration(tmp_path, "small-1", PROMPT) == others[0]
    assert find_calibration(tmp_path, "unknown", PROMPT) == others[1]
    renamed = tmp_path / "__judges__" / "ours.json"
    write_calibration(renamed, RECORD)
    assert find_calibration(tmp_path, "small-1", PROMPT) == RECORD
    write_calibration(calibration_path(tmp_path, "small-1", PROMPT), replace(RECORD, tp=55))
    assert find_calibration(tmp_path, "small-1", PROMPT) == replace(RECORD, tp=55)


def test_a_damaged_record_is_not_taken_for_a_missing_one(tmp_path: Path, path: Path) -> None:
    """Its own is refused; so is another one that might be it, but not if the right one is there."""
    path.parent.mkdir()
    damaged = path.with_name("ours.json")
    damaged.write_text("{")
    with pytest.raises(CalibrationError, match=r"ours\.json: not readable"):
        find_calibration(tmp_path, "small-1", PROMPT)
    write_calibration(path, RECORD)
    assert find_calibration(tmp_path, "small-1", PROMPT) == RECORD
    path.write_text("{")
    with pytest.raises(CalibrationError, match=r"small-1-1a2b3c4d\.json: not readable"):
        find_calibration(tmp_path, "small-1", PROMPT)
