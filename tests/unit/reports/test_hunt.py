"""What a hunt found, in sentences and as data: from values, without a hunt."""

import json
from dataclasses import replace

import pytest

from pytest_llmrel.perturb.edits import Edit
from pytest_llmrel.perturb.found import Broken, HuntResult
from pytest_llmrel.perturb.observed import Counts
from pytest_llmrel.reports.hunt import hunt_entry, hunt_told

POLITE = Edit(9, 9, "", " Thanks!", "polite")
TYPO = Edit(0, 3, "How", "Hwo", "typos")
BROKEN = Broken("How long? Thanks!", Counts(1, 10), (POLITE,), 5000.0)
FOUND = HuntResult("How long?", Counts(19, 20), BROKEN, True, 66, 33, "")
NONE = replace(FOUND, broken=None, shrunk=False)


def test_both_wordings_with_their_rates() -> None:
    """The first sentence stands alone: what breaks it, how often it passes; then the primary one, and the cost."""
    assert hunt_told(FOUND) == [
        'one edit (polite) makes it pass 1 of 10 times (95 % 0.02 to 0.40): "How long? Thanks!"',
        'the primary wording passes 19 of 20 times (95 % 0.76 to 0.99): "How long?"',
        "found with 66 calls, 33 wordings",
    ]


def test_edits_of_one_kind_are_named_once() -> None:
    """Their number is told, and that fewer may do, if that was not settled."""
    several = replace(BROKEN, edits=(TYPO, replace(TYPO, start=4, end=7), POLITE))
    told = hunt_told(replace(FOUND, broken=several, shrunk=False))
    assert told[0].startswith("3 edits (typos, polite) make it pass 1 of 10 times")
    assert told[-1].endswith("; fewer edits may do, the calls were spent before that was settled")


@pytest.mark.parametrize(
    ("remark", "stopped", "said"),
    [
        ("", "", "no wording is shown to pass less often than the primary one"),
        ("the primary wording never passed", "", "the primary wording never passed"),
        ("a remark", "the budget of $1 is spent", "the budget of $1 is spent"),
    ],
)
def test_where_none_was_found(remark: str, stopped: str, said: str) -> None:
    """What stopped it comes first, then why nothing could be found, else that nothing was."""
    first, primary = hunt_told(replace(NONE, remark=remark), stopped)
    assert first == f"{said} (66 calls, 33 wordings)"
    assert primary.startswith("the primary wording passes 19 of 20 times")


def test_what_was_found_outlasts_what_stopped_it() -> None:
    """A break that was shown is one, whatever ended the hunt."""
    assert hunt_told(FOUND, "interrupted")[0] == hunt_told(FOUND)[0]


def test_no_run_has_no_rate() -> None:
    """Neither 0 nor 1: no interval is invented."""
    assert (
        hunt_told(replace(NONE, counts=Counts()))[1]
        == 'no run of the primary wording was judged: "How long?"'
    )
    assert hunt_entry(replace(NONE, counts=Counts()))["primary"] == {
        "text": "How long?", "passed": 0, "n": 0, "low": None, "high": None,
    }  # fmt: skip


def test_hostile_wordings_stay_on_their_line() -> None:
    """Control characters are spelled out, line breaks are spaces, and the endless has an end."""
    nasty = "How\x1b[31m\u202elong\nFAIL" + "x" * 10_000
    told = hunt_told(replace(FOUND, primary=nasty, broken=replace(BROKEN, wording=nasty)))
    for line in told:
        assert not {"\x1b", "\u202e", "\n"} & set(line)
        assert len(line) < 500


def test_the_data_of_a_break() -> None:
    """JSON-simple, with names of edits, counts and intervals; the texts are whole."""
    entry = hunt_entry(FOUND)
    assert json.loads(json.dumps(entry)) == entry
    assert entry["broken"]["edits"] == ["polite"]
    assert entry["broken"]["text"] == "How long? Thanks!"
    assert (entry["broken"]["passed"], entry["broken"]["n"]) == (1, 10)
    assert entry["broken"]["low"] < 0.1 < entry["broken"]["high"]
    assert (entry["calls"], entry["wordings"], entry["shrunk"], entry["remark"]) == (66, 33, True, "")
    assert hunt_entry(NONE)["broken"] is None
