"""What an interrupted session has left is read, however it ended; what is no ledger is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_llmrel.errors import LedgerError
from pytest_llmrel.ledger.former import Former
from pytest_llmrel.ledger.lines import line_of

Written = Callable[..., Path]


def runs(former: Former) -> list[int]:
    """The seeds of all runs."""
    return sorted(seed for identity in former.tests for seed, _ in former.runs(identity))


def test_runs_are_found_by_test(written: Written) -> None:
    """In the order in which they ended, with what is known of them."""
    former = Former([written()])
    assert {name: (test.nodeid, test.runs) for name, test in former.tests.items()} == {
        "one": ("test_it.py::test_one", 3),
        "two": ("test_it.py::test_two", 3),
    }
    assert list(former.runs("two")) == [
        (seed, {"outcome": "passed", "duration": seed / 8}) for seed in (1, 3, 5)
    ]
    assert list(former.runs("three")) == []
    assert (former.damaged, former.nodeids) == (0, {"test_it.py::test_one", "test_it.py::test_two"})


def test_a_file_may_end_anywhere(written: Written) -> None:
    """At every byte: the runs that were written whole are there, and nothing else is."""
    path = written()
    whole = path.read_bytes()
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        former = Former([path])
        ended = whole[:length].count(b"\n")
        assert runs(former) == list(range(max(0, ended - 3))), length
        assert former.damaged == (ended > 0 and not whole[:length].endswith(b"\n")), length


def test_a_hole_costs_the_runs_in_it(written: Written) -> None:
    """A power failure may take what was written in between: at any byte, one line is lost, and no other."""
    path = written()
    whole = path.read_bytes()
    begin = whole.index(b"[1,0,") - 9
    for place in range(begin, len(whole)):
        path.write_bytes(whole[:place] + b"\0" + whole[place + 1 :])
        former = Former([path])
        lost = 2 if whole[place : place + 1] == b"\n" and place + 1 < len(whole) else 1
        assert len(runs(former)) == 6 - lost, place
        assert former.damaged == 1, place


def test_runs_of_a_test_whose_line_is_lost(written: Written) -> None:
    """Nobody knows what they were runs of."""
    path = written()
    path.write_bytes(path.read_bytes().replace(b'"identity":"one"', b'"identity":"0ne"'))
    former = Former([path])
    assert (list(former.tests), runs(former), former.damaged) == (["two"], [1, 3, 5], 4)


def test_files_are_read_one_after_the_other(written: Written) -> None:
    """Their numbers of tests are their own."""
    former = Former([written(2, "a"), written(4, "b")])
    assert [seed for seed, _ in former.runs("one")] == [0, 0, 2]


def test_what_we_would_not_write_is_no_run(written: Written) -> None:
    """However whole its line is; whoever asks for the runs gets none that fits."""
    path = written(0)
    with path.open("ab") as file:
        for data in ([1], [1, "x", {}], [1, None, 3], {"test": 3}, {"nodeid": 1, "test": [], "identity": []}):
            file.write(line_of(data))
        file.write(b'%08x [1, "' % 0 + b"\n")
    former = Former([path])
    assert {seed for seed, _ in former.runs("one")} <= {-1}
    assert former.damaged == 4


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (
            line_of({"ledger": 2, "more": True}),
            "is a ledger of version 2, and this pytest_llmrel reads version 1",
        ),
        (line_of({"ledger": None}), "is no ledger"),
        (line_of([1, 2]), "is no ledger"),
        (b"{}\n", "is no ledger"),
        (b"\xff\xfe\n", "is no ledger"),
    ],
)
def test_another_ledger_is_refused(written: Written, first: bytes, said: str) -> None:
    """With what to do about it."""
    path = written()
    path.write_bytes(first + path.read_bytes())
    with pytest.raises(LedgerError, match=said) as caught:
        Former([path])
    assert str(path) in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Is named."""
    with pytest.raises(LedgerError, match="cannot be read"):
        Former([tmp_path])
