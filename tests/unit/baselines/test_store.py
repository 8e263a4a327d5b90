"""Reading, recording and pruning baseline files: what is kept, what is refused, and that nothing is lost."""

from pathlib import Path
from typing import Any

import pytest

from pytest_llmrel.baselines.place import baseline_path
from pytest_llmrel.baselines.store import Baselines, prune, read_baselines, record
from pytest_llmrel.core.baseline import Cell, ScoreSummary

from .values import CONTENT, MODEL, batch, change, entry_data, write


def ids(path: Path, name: str = "test_a") -> list[int]:
    """The numbers of the batches of an entry."""
    return [int(one.id, 16) for one in read_baselines(path).entries[name].batches]


def test_the_file_is_beside_the_module() -> None:
    """In a folder of its own."""
    assert baseline_path(Path("tests/test_faq.py")) == Path("tests/__baselines__/test_faq.json")


def test_no_file_is_no_entry(path: Path) -> None:
    """And looking makes no file."""
    assert read_baselines(path) == Baselines({}, {})
    assert not path.parent.exists()


def test_what_is_recorded_is_read(path: Path) -> None:
    """The counts, the scores, the provenance and the content."""
    assert (
        record(path, [change(of=batch(1)), change("test_b", of=batch(1, cells=(Cell("ä", "v", 0, 3),)))])
        == []
    )
    found = read_baselines(path)
    assert found.problems == {}
    assert found.entries["test_a"].batches == (batch(1),)
    assert found.entries["test_a"].batches[0].scores == {"faithfulness": ScoreSummary(10, 0.75, 0.1)}
    assert (found.entries["test_b"].content, found.entries["test_b"].provenance) == (CONTENT, MODEL)
    assert found.entries["test_b"].cells == (Cell("ä", "v", 0, 3),)


def test_counts_are_appended(path: Path) -> None:
    """Worse ones, too: a baseline is never replaced by a better one; and the content is that of today."""
    record(path, [change(of=batch(1, 9))])
    record(path, [change(of=batch(2, 2), content="f" * 16)])
    entry = read_baselines(path).entries["test_a"]
    assert (ids(path), entry.passed, entry.n, entry.content) == ([1, 2], 11, 20, "f" * 16)


def test_the_same_batch_is_stored_once(path: Path) -> None:
    """Recording it again does not even touch the file."""
    record(path, [change(), change()])
    before = (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino)
    assert record(path, [change()]) == []
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) == before
    assert ids(path) == [1]


def test_a_file_written_by_hand_is_not_formatted(path: Path) -> None:
    """A change that changes nothing leaves the bytes alone."""
    write(path, test_a=entry_data())
    before = path.read_bytes()
    assert record(path, [change(of=batch(1))]) == []
    assert path.read_bytes() == before


def test_equal_inputs_give_equal_bytes(path: Path, tmp_path: Path) -> None:
    """In canonical JSON, whatever the order of keys was."""
    one = [change("test_b", provenance={"a": "1", "b": "2"}), change("test_a")]
    two = [change("test_a"), change("test_b", provenance={"b": "2", "a": "1"})]
    other = tmp_path / "other" / "__baselines__" / "x.json"
    record(path, one)
    record(other, two)
    text = path.read_text()
    assert text == other.read_text()
    assert text.startswith('{\n  "schema": 1,\n  "tests": {\n    "test_a": {\n      "batches": [')
    assert text.endswith("}\n")
    assert text.isascii()


def test_a_batch_without_runs_is_not_recorded(path: Path) -> None:
    """It says nothing of the test; no file is begun for it."""
    (told,) = record(path, [change(of=batch(1, 0, 0))])
    assert "entry 'test_a': not recorded: no run of this session counts" in told
    assert not path.parent.exists()


def test_the_oldest_sessions_leave_the_window(path: Path) -> None:
    """As soon as there are more than 200 runs, and whole sessions at a time."""
    for number in range(1, 5):
        record(path, [change(of=batch(number, 50, 50))])
    assert ids(path) == [1, 2, 3, 4]
    record(path, [change(of=batch(5, 1, 1))])
    assert ids(path) == [2, 3, 4, 5]
    record(path, [change(of=batch(6, 150, 150))])
    assert ids(path) == [5, 6]


def test_the_newest_session_stays(path: Path) -> None:
    """Be it larger than the window."""
    record(path, [change(of=batch(1))])
    record(path, [change(of=batch(2, 300, 300))])
    assert ids(path) == [2]


def test_another_provenance_is_not_comparable(path: Path) -> None:
    """Nothing changes for that entry, the others are recorded, and a sentence says what differs."""
    record(path, [change(), change("test_b")])
    before = read_baselines(path).entries["test_a"]
    told = record(
        path,
        [change(of=batch(2), provenance={"model": "small-2", "judge": "j"}, content="f" * 16),
         change("test_b", of=batch(2))],
    )  # fmt: skip
    differs = "judge none -> 'j', model 'small-1' -> 'small-2'"
    remedy = "start anew with --llmrel-baseline=reset"
    assert told == [f"{path}: entry 'test_a': not recorded: not comparable: {differs}; {remedy}"]
    assert read_baselines(path).entries["test_a"] == before
    assert ids(path, "test_b") == [1, 2]


def test_a_reset_replaces_what_it_has_seen(path: Path) -> None:
    """And begins anew with what it brings."""
    record(path, [change(of=batch(1)), change("test_b")])
    seen = frozenset({batch(1).id})
    assert record(path, [change(of=batch(2), provenance={"model": "small-2"}, replaces=seen)]) == []
    assert (ids(path), ids(path, "test_b")) == ([2], [1])
    assert read_baselines(path).entries["test_a"].provenance == {"model": "small-2"}


def test_a_reset_keeps_what_it_has_not_seen(path: Path) -> None:
    """What another session has recorded meanwhile is kept: beside it if comparable, instead of it if not."""
    record(path, [change(of=batch(1)), change(of=batch(2))])
    seen = frozenset({batch(1).id})
    (told,) = record(path, [change(of=batch(3), provenance={"model": "small-2"}, replaces=seen)])
    assert "not comparable" in told
    assert ids(path) == [1, 2]
    assert record(path, [change(of=batch(3), replaces=seen)]) == []
    assert ids(path) == [2, 3]


def test_a_renamed_test_takes_its_counts_along(path: Path) -> None:
    """The former entry is gone; doing it again changes nothing."""
    record(path, [change("test_old", of=batch(1)), change("test_other")])
    for _ in range(2):
        assert record(path, [change("test_new", of=batch(2), former="test_old")]) == []
        assert sorted(read_baselines(path).entries) == ["test_new", "test_other"]
        assert ids(path, "test_new") == [1, 2]


def test_a_renamed_test_meets_counts_of_its_new_name(path: Path) -> None:
    """The older ones first, none twice."""
    for name, number in (("old", 1), ("old", 2), ("new", 2), ("new", 3)):
        record(path, [change(name, of=batch(number))])
    assert record(path, [change("new", of=batch(4), former="old")]) == []
    assert ids(path, "new") == [1, 2, 3, 4]


def test_a_renamed_test_that_is_not_comparable_stays(path: Path) -> None:
    """Neither moved nor appended to, unless it is replaced."""
    record(path, [change("old", of=batch(1), provenance={})])
    before = path.read_bytes()
    (told,) = record(path, [change("new", of=batch(2), former="old")])
    assert "model none -> 'small-1'" in told
    assert path.read_bytes() == before
    record(path, [change("new", of=batch(2), former="old", replaces=frozenset({batch(1).id}))])
    assert (ids(path, "new"), list(read_baselines(path).entries)) == ([2], ["new"])


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (change(of=batch(cells=(Cell("", "", 7, 5),))), "batch 1: cell 1: 7 passed of 5 runs is impossible"),
        (change(of=batch(cells=(Cell("", "", 1, 1),) * 2)), "is there twice"),
        (change(of=batch(cells=(Cell("\ud800", "", 1, 1),))), "case holds halves of characters"),
        (change(of=batch(scores={"style": ScoreSummary(1, float("nan"), None)})), "style: mean should be a finite"),
        (change("test_\ud800"), "its name holds halves of characters"),
        (change(content="?"), "content should be sixteen hexadecimal digits"),
    ],
)  # fmt: skip
def test_what_could_not_be_read_is_not_written(path: Path, wrong: Any, told: str) -> None:
    """Each is told; the others are recorded; the file stays readable."""
    record(path, [change("test_other")])
    (sentence,) = record(path, [wrong, change("test_other", of=batch(2))])
    assert told in sentence
    assert sentence.isprintable()
    assert ids(path, "test_other") == [1, 2]
    assert read_baselines(path).problems == {}


def test_pruning_removes_entries(path: Path) -> None:
    """Those that are named and there; the rest stays."""
    record(path, [change(name) for name in ("a", "b", "c")])
    assert prune(path, ["c", "a", "nobody"]) == ["a", "c"]
    assert list(read_baselines(path).entries) == ["b"]


def test_pruning_the_last_entry_removes_the_file(path: Path) -> None:
    """And the folder, if nothing else is in it."""
    other = path.with_name("test_other.json")
    for file in (path, other):
        record(file, [change()])
    assert prune(path, ["test_a"]) == ["test_a"]
    assert [file.name for file in path.parent.iterdir()] == ["test_other.json"]
    prune(other, ["test_a"])
    assert not path.parent.exists()
    assert prune(path, ["test_a"]) == []
    assert not path.parent.exists()


def test_pruning_nothing_touches_nothing(path: Path) -> None:
    """Not the format of the file either."""
    write(path, test_a=entry_data())
    before = path.read_bytes()
    assert prune(path, ["nobody"]) == []
    assert path.read_bytes() == before
