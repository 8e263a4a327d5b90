"""What an entry of a baseline file may hold, and what a reader is told of what it may not."""

import copy
from typing import Any

import pytest
from pydantic import ValidationError

from pytest_llmrel.baselines import schema
from pytest_llmrel.core.baseline import BaselineEntry, Batch, Cell, ScoreSummary

from .values import batch_data, entry_data

ENTRY = BaselineEntry(
    "00c0ffee00c0ffee",
    {"model": "small-1", "prompt": "öüß"},
    (
        Batch(
            "0123456789abcdef",
            "2026-02-28T23:59:59Z",
            "0.2.0",
            (Cell("refund", "", 0, 0), Cell("refund", "typos", 3, 5)),
            {"faithfulness": ScoreSummary(1, 0.5, None), "style": ScoreSummary(3, -2.0, 0.0)},
        ),
        Batch("0123456789abcdee", "2026-03-01T00:00:00Z", "0.2.1", (Cell("", "", 1, 1),)),
    ),
)


def mistakes(data: Any) -> list[str]:
    """What is wrong with an entry."""
    with pytest.raises(ValidationError) as raised:
        schema.EntryRecord.model_validate(data)
    return schema.sentences(raised.value)


def changed(*place: str | int, to: Any) -> dict[str, Any]:
    """An entry in which one value is another one, or absent."""
    data: Any = copy.deepcopy(entry_data(batch_data(scores={"style": {"n": 2, "mean": 0.5, "sd": 0.1}})))
    item = data
    for part in place[:-1]:
        item = item[part]
    item[place[-1]] = to
    if to is ...:
        del item[place[-1]]
    return data


def test_an_entry_comes_back_as_it_was() -> None:
    """From the value to the file and back."""
    assert schema.EntryRecord.model_validate(schema.entry_data(ENTRY)).value() == ENTRY


def test_a_whole_number_is_a_score() -> None:
    """JSON knows one kind of number; a person may write 1 for 1.0."""
    data = changed("batches", 0, "scores", "style", "mean", to=1)
    assert schema.EntryRecord.model_validate(data).value().batches[0].scores["style"].mean == 1.0


CELL = ("batches", 0, "cells", 0)
SCORE = ("batches", 0, "scores", "style")


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        ((*CELL, "passed"), True, "batch 1: cell 1: passed should be a valid integer, and is true"),
        ((*CELL, "passed"), 9.0, "batch 1: cell 1: passed should be a valid integer, and is 9.0"),
        ((*CELL, "passed"), "9", "batch 1: cell 1: passed should be a valid integer, and is '9'"),
        ((*CELL, "passed"), None, "batch 1: cell 1: passed should be a valid integer, and is null"),
        ((*CELL, "passed"), -1, "batch 1: cell 1: passed should be greater than or equal to 0, and is -1"),
        ((*CELL, "passed"), 11, "batch 1: cell 1: 11 passed of 10 runs is impossible"),
        ((*CELL, "n"), 10**9, "batch 1: cell 1: n should be less than or equal to 1000000, and is 1000000000"),
        ((*CELL, "n"), ..., "batch 1: cell 1: n is missing"),
        ((*CELL, "varaint"), "", "batch 1: cell 1: varaint is no key of this format"),
        ((*CELL, "case"), "\ud800", "batch 1: cell 1: case holds halves of characters, and is '\\ud800'"),
        ((*CELL,), 7, "batch 1: cell 1 should be a valid dictionary, and is 7"),
        ((*SCORE, "mean"), float("inf"), "batch 1: scores: style: mean should be a finite number, and is inf"),
        ((*SCORE, "mean"), False, "batch 1: scores: style: mean should be a valid number, and is false"),
        ((*SCORE, "sd"), -0.1, "batch 1: scores: style: sd should be greater than or equal to 0, and is -0.1"),
        ((*SCORE, "n"), 0, "batch 1: scores: style: n should be greater than or equal to 1, and is 0"),
        (("batches", 0, "id"), "ABCDEF0123456789", "batch 1: id should be sixteen hexadecimal digits, and is"),
        (("batches", 0, "id"), "\u0660" * 16, "batch 1: id should be sixteen hexadecimal digits, and is"),
        (("batches", 0, "recorded"), "2026-02-30T00:00:00Z", "batch 1: recorded should be a time in UTC"),
        (("batches", 0, "recorded"), "2026-2-3T00:00:00Z", "batch 1: recorded should be a time in UTC"),
        (("batches", 0, "recorded"), "2026-11-23T09:30:00Z\n", "batch 1: recorded should be a time in UTC"),
        (("batches", 0, "recorded"), "2026-11-23T09:30:00+01:00", "batch 1: recorded should be a time in UTC"),
        (("batches", 0, "cells"), [], "batch 1: cells is empty"),
        (("batches",), [], "batches is empty"),
        (("batches",), {}, "batches should be a valid list, and is an object"),
        (("content",), "c0ffee", "content should be sixteen hexadecimal digits, and is 'c0ffee'"),
        (("provenance", "model"), None, "provenance: model should be a valid string, and is null"),
        (("provenance", "\ud800"), "x", "provenance: '���' holds halves of characters"),
        (("baches",), [], "baches is no key of this format"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_a_sentence(place: Any, value: Any, told: str) -> None:
    """Where it is, what should be there and what is; and nothing is taken for something else."""
    (sentence,) = mistakes(changed(*place, to=value))
    assert sentence.startswith(told)


def test_an_entry_of_another_kind() -> None:
    """The entry itself is what is wrong."""
    assert mistakes([]) == ["it should be a valid dictionary, and is a list"]


def test_all_mistakes_are_told_at_once() -> None:
    """Doubles included, although what is doubled has other mistakes, too."""
    cells = [
        {"case": "", "variant": "", "passed": 7, "n": 5},
        {"case": "", "variant": "", "passed": 1, "m": 1},
    ]
    data = entry_data(batch_data(), batch_data(cells=cells), 5, content=0)
    assert mistakes(data) == [
        "content should be a valid string, and is 0",
        "batch 2: cell 1: 7 passed of 5 runs is impossible",
        "batch 2: cell 2: n is missing",
        "batch 2: cell 2: m is no key of this format",
        "batch 2: cells: case '', variant '' is there twice: a merge gone wrong?",
        "batch 3 should be a valid dictionary, and is 5",
        "batches: id '0000000000000001' is there twice: a merge gone wrong?",
    ]


def test_doubles_alone() -> None:
    """They are mistakes even where everything else is right, each told once; and long keys are told apart."""
    assert mistakes(entry_data(*[batch_data()] * 3)) == [
        "batches: id '0000000000000001' is there twice: a merge gone wrong?"
    ]
    cells = [{"case": "x" * 500 + end, "variant": "", "passed": 1, "n": 1} for end in "ab"]
    schema.EntryRecord.model_validate(entry_data(batch_data(cells=cells)))


def test_hostile_text_is_short_and_printable() -> None:
    """A file that somebody else wrote cannot flood or steer the terminal of a reader."""
    evil = "\x1b[2J\u202e" + "x" * 10_000
    data = changed(*CELL, "passed", to=evil) | {evil: 1, "provenance": {evil: evil, evil * 2: 5}}
    for sentence in mistakes(data):
        assert sentence.isprintable()
        assert len(sentence) < 300


def test_mistakes_without_end_are_counted() -> None:
    """The first twenty are told."""
    data = entry_data(batch_data(cells=[{}] * 1_000))
    told = mistakes(data)
    assert (len(told), told[-1]) == (21, "and 3980 more mistakes")
