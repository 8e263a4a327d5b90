"""Files of labels: what is read, and all that is wrong with them, each with its line."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from pytest_llmrel.baselines.labels import Labelled, read_labels
from pytest_llmrel.errors import CalibrationError

SHARED = Path(__file__).parents[4] / "shared" / "data" / "faithfulness_dev.jsonl"


def line(answer: str = "yes", label: Any = 1, **more: Any) -> bytes:
    """One item as it stands in a file."""
    return json.dumps({"answer": answer, "context": "c", "label": label} | more).encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is not there."""
    return tmp_path / "labels.jsonl"


def problems(path: Path, *lines: bytes) -> list[str]:
    """What is wrong with these lines, without the name of the file."""
    path.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(CalibrationError) as raised:
        read_labels(path)
    assert all(said.startswith(f"{path}:") for said in raised.value.problems)
    assert all(said.isprintable() for said in raised.value.problems)
    assert all(len(said) < len(str(path)) + 300 for said in raised.value.problems)
    return [said.removeprefix(f"{path}:") for said in raised.value.problems]


def test_what_is_read(path: Path) -> None:
    """Answers, contexts, questions and labels, with their lines; other keys and empty lines are left alone."""
    path.write_bytes(b"\n".join([line("a", question="q", id=7), b"", b" \t", line("b", 0)]))
    labels = read_labels(path)
    assert labels.items == (
        Labelled(1, "a", "c", "q", faithful=True),
        Labelled(4, "b", "c", "", faithful=False),
    )
    assert labels.digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(("good", "bad"), [(1, 0), (True, False), ("faithful", "unfaithful")])
def test_labels_in_three_spellings(path: Path, good: object, bad: object) -> None:
    """They say the same."""
    path.write_bytes(line("a", good) + b"\n" + line("b", bad))
    assert [item.faithful for item in read_labels(path).items] == [True, False]


@pytest.mark.parametrize("label", [2, -1, 1.0, "1", "true", "Faithful", "yes", None, [], {}, ""])
def test_any_other_label_is_a_mistake(path: Path, label: object) -> None:
    """Nothing is guessed."""
    (told,) = problems(path, line("a", 1), line("b", 0), line("c", label))
    assert told.startswith("3: label should be 1 or 0, true or false, 'faithful' or 'unfaithful', and is ")


def test_an_editor_of_another_system(path: Path) -> None:
    """A byte order mark and CRLF are no mistakes."""
    path.write_bytes(b"\xef\xbb\xbf" + line("a") + b"\r\n" + line("b", 0) + b"\r\n\r\n")
    assert [item.line for item in read_labels(path).items] == [1, 2]
    path.write_bytes(b"\xef\xbb\xbf\r\n" + line("a") + b"\n" + line("b", 0))
    assert [item.line for item in read_labels(path).items] == [2, 3]


def test_all_mistakes_are_told_at_once(path: Path) -> None:
    """Each with its line, several of a line, and what to write instead."""
    told = problems(
        path,
        line("a"),
        b'{"answer": "a", "lable": 1}',
        b"{",
        b"[1]",
        b'{"answer": " ", "context": "", "label": 1}',
        b'{"answer": 5, "context": "c", "label": 1}',
        line("b", 0),
    )
    assert [said.partition(" ")[0] for said in told] == ["2:", "2:", "3:", "4:", "5:", "5:", "6:"]
    assert "context is missing" in told[0]
    assert "label is missing" in told[1]
    assert "not readable as JSON" in told[2]
    assert 'write {"question": "...", "context"' in told[2]
    assert "a list, where an object should be" in told[3]
    assert "answer should not be empty" in told[4]
    assert "context should not be empty" in told[5]
    assert "answer should be a valid string" in told[6]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (b'{"answer": "\x00", "context": "c", "label": 1}', "not readable as JSON"),
        (b'{"answer": "\xff", "context": "c", "label": 1}', "not UTF-8"),
        (b'{"answer": "\\ud800", "context": "c", "label": 1}', "halves of characters"),
        (b'{"answer": "a", "answer": "b", "context": "c", "label": 1}', "'answer' is there twice"),
        (b'{"answer": "a", "context": "c", "label": NaN}', "NaN is no number"),
        (b"<<<<<<< HEAD", "the marker of a merge conflict; resolve it"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"answer": "' + b"\\u001b[31m" * 50 + b'", "context": 1, "label": 1}', "context should be"),
        (line("x" * 10_000_000), "longer than 8 MB; shorten its context"),
    ],
)
def test_bytes_that_are_no_labels(path: Path, broken: bytes, said: str) -> None:
    """They are named by their line, and the lines after them are counted right."""
    told = problems(path, line("a"), broken, b"?", line("b", 0))
    assert [one.partition(" ")[0] for one in told] == ["2:", "3:"]
    assert said in told[0]


def test_the_same_item_twice(path: Path) -> None:
    """It would count twice as evidence; with both labels it is no evidence at all."""
    told = problems(path, line("a"), line("b", 0), line("a", id=3), line("b", 1), line("a", question="q"))
    assert told == [
        "3: the item of line 1 again; remove one of the two",
        "4: the item of line 2 again, with the opposite label; decide which is right",
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "no labelled answer"),
        ([line("a"), line("b")], "all 2 answers are faithful; a judge is calibrated by unfaithful ones, too"),
        ([line("a", 0)], "all 1 answers are unfaithful; a judge is calibrated by faithful ones, too"),
    ],
)
def test_labels_that_cannot_calibrate(path: Path, lines: list[bytes], said: str) -> None:
    """Before anything is paid for."""
    (told,) = problems(path, *lines)
    assert said in told


def test_mistakes_without_end(path: Path) -> None:
    """Twenty are told, and the rest of the file is not even read."""
    told = problems(path, *[b"x"] * 100_000)
    assert len(told) == 21
    assert told[-1] == " and more mistakes after these"


def test_too_many_answers(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has labelled so many by hand."""
    monkeypatch.setattr("pytest_llmrel.baselines.labels._MOST_ITEMS", 3)
    (told,) = problems(path, *[line(str(number), number % 2) for number in range(9)])
    assert "more than 3 answers" in told


def test_what_is_no_file(path: Path) -> None:
    """A missing file, a folder, a pipe."""
    with pytest.raises(CalibrationError, match="no such file"):
        read_labels(path)
    path.mkdir()
    with pytest.raises(CalibrationError, match="not a regular file"):
        read_labels(path)
    if hasattr(os, "mkfifo"):
        pipe = path / "pipe"
        os.mkfifo(pipe)
        with pytest.raises(CalibrationError, match="not a regular file"):
            read_labels(pipe)


@pytest.mark.skipif(not SHARED.is_file(), reason="the labelled answers do not lie beside the repository")
def test_labelled_answers_of_others() -> None:
    """A published collection is read as it is."""
    labels = read_labels(SHARED)
    assert len(labels.items) == 356
    assert 100 < sum(item.faithful for item in labels.items) < 256
