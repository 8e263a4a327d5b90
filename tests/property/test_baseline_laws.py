"""Laws of baseline files: what is written is read, counts add up, the window holds, damage is told."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st

from pytest_llmrel.baselines.place import baseline_path
from pytest_llmrel.baselines.store import Baselines, Change, prune, read_baselines, record
from pytest_llmrel.core.baseline import WINDOW, BaselineEntry, Batch, Cell, ScoreSummary
from pytest_llmrel.errors import BaselineError

from .strategies import hostile_text

texts = st.text(st.characters(codec="utf-8"), max_size=20)
hexes = st.text("0123456789abcdef", min_size=16, max_size=16)
finite = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
cells = st.dictionaries(st.tuples(texts, texts), counts, min_size=1, max_size=4).map(
    lambda found: tuple(Cell(*address, *count) for address, count in found.items())
)
scores = st.builds(ScoreSummary, st.integers(1, 60), finite, st.none() | st.floats(0, allow_infinity=False))
moments = st.datetimes().map(lambda moment: f"{moment.replace(microsecond=0).isoformat()}Z")
batches = st.builds(
    Batch,
    id=hexes,
    recorded=moments,
    version=texts,
    cells=cells,
    scores=st.dictionaries(texts, scores, max_size=2),
)
provenances = st.dictionaries(texts, texts, max_size=3)
sessions = st.lists(batches, max_size=6, unique_by=lambda batch: batch.id)
changes = st.builds(Change, name=texts, content=hexes, provenance=provenances, batch=batches)
CONTENT = "0" * 16


@contextmanager
def file() -> Iterator[Path]:
    """Where the baselines of a module would be."""
    with tempfile.TemporaryDirectory() as folder:
        yield baseline_path(Path(folder) / "test_x.py")


def one_by_one(path: Path, recorded: list[Batch]) -> BaselineEntry | None:
    """The entry after one session after the other."""
    for batch in recorded:
        record(path, [Change("test", CONTENT, {}, batch)])
    return read_baselines(path).entries.get("test")


def totals(entry: BaselineEntry | None) -> dict[tuple[str, str], tuple[int, int]]:
    """Passes and runs of each case and wording, in whatever order; those without runs apart."""
    found = entry.cells if entry else ()
    return {(cell.case, cell.variant): (cell.passed, cell.n) for cell in found if cell.n}


@given(st.lists(changes, max_size=5, unique_by=lambda change: change.name))
def test_what_is_recorded_is_read(wanted: list[Change]) -> None:
    """Every text and number comes back as it was."""
    with file() as path:
        undone = record(path, wanted)
        expected = {
            change.name: BaselineEntry(change.content, change.provenance, (change.batch,))
            for change in wanted
            if change.batch.n
        }
        assert read_baselines(path) == Baselines(expected, {})
        assert len(undone) == len(wanted) - len(expected)


@given(sessions)
def test_counts_add_up_until_the_window_is_full(recorded: list[Batch]) -> None:
    """What is remembered is the sum of what was recorded, case by case, at once or one by one."""
    assume(sum(batch.n for batch in recorded) <= WINDOW)
    with file() as one, file() as other:
        record(other, [Change("test", CONTENT, {}, batch) for batch in recorded])
        entry = one_by_one(one, recorded)
        assert entry == read_baselines(other).entries.get("test")
        cells = [cell for batch in recorded for cell in batch.cells if cell.n]
        expected = {
            address: (
                sum(cell.passed for cell in cells if (cell.case, cell.variant) == address),
                sum(cell.n for cell in cells if (cell.case, cell.variant) == address),
            )
            for address in {(cell.case, cell.variant) for cell in cells}
        }
        assert totals(entry) == expected


@given(sessions)
def test_the_window_holds_the_newest(recorded: list[Batch]) -> None:
    """As many of the newest sessions as fit, the newest one in any case; and none is dropped without need."""
    kept = [batch for batch in recorded if batch.n]
    assume(kept)
    with file() as path:
        entry = one_by_one(path, recorded)
    assert entry is not None
    number = len(entry.batches)
    assert entry.batches == tuple(kept[-number:])
    assert entry.n <= WINDOW or number == 1
    if number < len(kept):
        assert entry.n + kept[-number - 1].n > WINDOW


@given(sessions, batches, batches)
def test_the_order_of_two_sessions_does_not_matter(before: list[Batch], one: Batch, two: Batch) -> None:
    """Whoever is first, the same is remembered while there is room; and the newest two always are, if they fit."""
    assume(len({batch.id for batch in (*before, one, two)}) == len(before) + 2)
    assume(one.n and two.n and one.n + two.n <= WINDOW)
    with file() as path, file() as other:
        first, second = one_by_one(path, [*before, one, two]), one_by_one(other, [*before, two, one])
    assert first is not None
    assert second is not None
    assert {batch.id for batch in first.batches} == {batch.id for batch in second.batches}
    assert totals(first) == totals(second)


@given(sessions, st.integers(0, 5))
def test_recording_is_idempotent(recorded: list[Batch], number: int) -> None:
    """A session that is remembered is not counted again, and the bytes stay."""
    with file() as path:
        entry = one_by_one(path, recorded)
        assume(entry is not None)
        assert entry is not None
        before = path.read_bytes()
        again = entry.batches[number % len(entry.batches)]
        assert record(path, [Change("test", CONTENT, {}, again)]) == []
        assert path.read_bytes() == before


@given(st.lists(changes, min_size=1, max_size=4), st.data())
def test_pruning_removes_exactly_what_is_named(recorded: list[Change], data: Any) -> None:
    """Nothing else changes, and nothing is left of nothing."""
    with file() as path:
        record(path, recorded)
        before = dict(read_baselines(path).entries)
        names = data.draw(st.sets(st.sampled_from([*before, "nobody"])))
        assert prune(path, names) == sorted(names & before.keys())
        rest = {name: entry for name, entry in before.items() if name not in names}
        assert read_baselines(path).entries == rest
        assert path.exists() is path.parent.exists() is bool(rest)


def read_or_refused(path: Path) -> Baselines | BaselineError:
    """What a file holds, possible counts only, or why it cannot be used; texts are fit to be shown."""
    try:
        found = read_baselines(path)
    except BaselineError as error:
        found, problems = error, error.problems
    else:
        problems = tuple(found.problems.values())
        assert not found.entries.keys() & found.problems.keys()
        for entry in found.entries.values():
            assert entry.n > 0
            for cell in (cell for batch in entry.batches for cell in batch.cells):
                assert 0 <= cell.passed <= cell.n
                assert type(cell.n) is type(cell.passed) is int
    assert all(text.isprintable() and len(text) < 9_000 for text in problems)
    return found


@given(st.data())
def test_any_damage_is_told(data: Any) -> None:
    """Bytes are changed, lost or put in anywhere: the counts are possible or refused; nothing else happens."""
    with file() as path:
        batch = Batch(
            "1" * 16,
            "2026-11-23T09:30:00Z",
            "0.2.0",
            (Cell("ä", "v", 7, 12),),
            {"s": ScoreSummary(1, 0.5, None)},
        )
        record(path, [Change(name, CONTENT, {"model": "a"}, batch) for name in ("test_a", "test_b")])
        text = path.read_bytes()
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(text)))
            lost = data.draw(st.integers(0, 3))
            put = data.draw(
                st.binary(max_size=3)
                | st.sampled_from([b'"', b"{", b"}", b",", b"1", b"-", b"e9", b"null", b"\\u"])
            )
            text = text[:at] + put + text[at + lost :]
        path.write_bytes(text)
        found = read_or_refused(path)
        if isinstance(found, BaselineError):
            return
        undamaged = not found.problems
        try:
            record(path, [Change("test_new", CONTENT, {}, batch)])
        except BaselineError:
            assert not undamaged
            assert path.read_bytes() == text
        else:
            assert undamaged
            assert read_baselines(path).entries.keys() == found.entries.keys() | {"test_new"}


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | hostile_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile_text, inner, max_size=3),
    max_leaves=8,
)
PLAIN: dict[str, Any] = {
    "content": CONTENT,
    "provenance": {"model": "a"},
    "batches": [
        {
            "id": "1" * 16,
            "recorded": "2026-11-23T09:30:00Z",
            "pytest_llmrel": "0.2.0",
            "cells": [{"case": "", "variant": "", "passed": 1, "n": 2}],
            "scores": {"s": {"n": 1, "mean": 0.5, "sd": None}},
        }
    ],
}


def _replaced(value: Any, place: list[int], new: Any) -> Any:
    """The value with another one somewhere within it; the numbers say where."""
    if not place or not isinstance(value, dict | list) or not value:
        return new
    first, *rest = place
    if isinstance(value, list):
        at = first % len(value)
        return [*value[:at], _replaced(value[at], rest, new), *value[at + 1 :]]
    key = sorted(value)[first % len(value)]
    return value | {key: _replaced(value[key], rest, new)}


@given(st.lists(st.integers(0, 5), max_size=6), json_like)
@example([0, 0, 0], {"passed": 10**400, "n": 10**400})
def test_any_other_value_is_told(place: list[int], value: Any) -> None:
    """Well-formed files in which one value is any other: as above, and a whole entry is refused, not the file."""
    with file() as path:
        path.parent.mkdir()
        entry = _replaced(PLAIN, place, value)
        path.write_text(json.dumps({"schema": 1, "tests": {"test_a": entry, "test_b": PLAIN}}))
        found = read_or_refused(path)
        if isinstance(found, BaselineError):
            assert "NaN is no number" in str(found) or "Infinity is no number" in str(found)
            return
        assert "test_b" in found.entries
        assert found.entries.keys() | found.problems.keys() == {"test_a", "test_b"}


@given(hostile_text, hostile_text, hostile_text)
def test_hostile_texts_are_kept_or_refused(name: str, case: str, model: str) -> None:
    """In a change: it is recorded as it is, or told in a printable sentence; the file stays readable."""
    batch = Batch("1" * 16, "2026-11-23T09:30:00Z", "0.2.0", (Cell(case, "", 1, 2),))
    with file() as path:
        undone = record(
            path,
            [
                Change(name, CONTENT, {"model": model}, batch),
                Change("test_ok", CONTENT, {}, replace(batch, cells=(Cell("", "", 1, 2),))),
            ],
        )
        found = read_baselines(path)
    assert found.problems == {}
    assert "test_ok" in found.entries
    if undone:
        assert all(text.isprintable() for text in undone)
    elif name != "test_ok":
        assert found.entries[name] == BaselineEntry(CONTENT, {"model": model}, (batch,))
