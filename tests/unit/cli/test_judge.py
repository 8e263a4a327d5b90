"""``llmrel judge``: what is recorded of a judge, and what is shown of it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmrel.baselines.place import calibration_path
from pytest_llmrel.cli.main import main
from pytest_llmrel.core.calibration import Retest

from .judges import PROMPT, Fake, good_judge, record_of

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_recorded(labelled: Path, calibrate: Any) -> None:
    """The counts by the first verdict of each answer, the noise by the second, and what they were found with."""
    judge = Fake(good_judge)
    assert calibrate(judge) == 0
    record = record_of(labelled)
    assert (record.tp, record.fn, record.tn, record.fp, record.unscored) == (54, 6, 57, 3, 0)
    assert record.retest == Retest(items=120, differing=1, pairs=120, differing_pairs=1)
    assert (record.model, record.prompt_version, record.prompt_hash) == ("small-1", "2", PROMPT)
    assert (record.threshold, len(record.labels_hash)) == (1.0, 64)
    assert len(judge.asked) == 240
    assert set(judge.asked[:120]) == {(f"{kind}{n}", "c", "q") for kind in "gb" for n in range(60)}


def test_what_is_shown(labelled: Path, calibrate: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Each figure with interval and items, where the record is; and the same again of the record alone."""
    calibrate(Fake(good_judge))
    out = capsys.readouterr().out
    for part in (
        "judge small-1, prompt 2 (1a2b3c4d), passes answers with a score of at least 1",
        "120 answers judged; labels ",
        "usable as a gate",
        "written to __judges__/small-1-1a2b3c4d.json; commit it",
    ):
        assert part in out
    for row in (
        r"prevalence +50\.0 % +41\.2 % \.\. 58\.8 % +60/120  Wilson 95 %",
        r"sensitivity +90\.0 % +79\.9 % \.\. 95\.3 % +54/60  Wilson 95 %",
        r"specificity +95\.0 % +86\.3 % \.\. 98\.3 % +57/60  Wilson 95 %",
        r"J +0\.850 +0\.7\d\d \.\. 0\.9\d\d +120  Newcombe",
        r"kappa +0\.850 +0\.7\d\d \.\. 0\.9\d\d +120  Bayesian",
        r"retest noise +0\.8 % +0\.1 % \.\. 4\.6 % +1/120  Wilson",
        r"within-item variance +0\.004 +0\.001 \.\. 0\.023 +120  half",
    ):
        assert re.search(row, out), row
    assert main(["judge", "show", "__judges__/small-1-1a2b3c4d.json"]) == 0
    assert out.startswith(capsys.readouterr().out)


def test_a_judge_that_is_not_usable(
    labelled: Path, calibrate: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is recorded all the same, with every reason, and the exit code says so; so it does when shown."""
    assert calibrate(Fake(lambda answer, _: float(int(answer[-1]) < 7)), "--repeats", "1") == 1
    out = capsys.readouterr().out
    assert "not usable as the only gate yet:\n- J = sensitivity + specificity - 1 is " in out
    assert "- the specificity may be as low as" in out
    assert re.search(r"retest noise +n/a +no item was judged twice", out)
    assert record_of(labelled).retest is None
    assert main(["judge", "show", "__judges__/small-1-1a2b3c4d.json"]) == 1


def test_no_verdict_is_neither_pass_nor_failure(
    labelled: Path, calibrate: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Answers without a score, or with an impossible one, are counted apart and shown."""
    scores = {"g0": None, "g1": float("nan"), "b0": 2.0, "b1": -1.0}
    assert calibrate(Fake(lambda answer, _: scores.get(answer, float(answer[0] == "g")))) == 0
    record = record_of(labelled)
    assert (record.tp, record.fn, record.tn, record.fp, record.unscored) == (58, 0, 58, 0, 4)
    assert record.retest.items == 116
    assert "116 answers judged, 4 more without a verdict;" in capsys.readouterr().out


def test_a_second_verdict_does_not_stand_in_for_the_first(labelled: Path, calibrate: Any) -> None:
    """An answer that got none at first is without one; one that got none at last was judged once."""

    def rule(answer: str, times: int) -> float | None:
        missing = {"g0": 1, "b0": 2}.get(answer)
        return None if times == missing else float(answer[0] == "g")

    calibrate(Fake(rule), "--concurrency", "1")
    record = record_of(labelled)
    assert (record.tp, record.tn, record.unscored, record.retest.items) == (59, 60, 1, 118)
    calibrate(Fake(rule), "--concurrency", "1", "--repeats", "3", "--replace")
    record = record_of(labelled)
    assert (record.tp, record.unscored) == (59, 1)
    assert (record.retest.items, record.retest.pairs) == (119, 118 * 3 + 1)


def test_the_threshold(labelled: Path, calibrate: Any) -> None:
    """Where one is given, a score that reaches it passes; it is recorded."""
    calibrate(Fake(lambda answer, _: 0.8 if answer[0] == "g" else 0.79), "--threshold", "0.8")
    record = record_of(labelled)
    assert (record.tp, record.tn, record.threshold) == (60, 60, 0.8)


def test_pairs_of_more_repeats(labelled: Path, calibrate: Any) -> None:
    """Three judgements are three pairs; one that differs from two others makes two of them."""
    calibrate(
        Fake(lambda answer, times: float(answer[0] == "g" and not (answer == "g9" and times == 3))),
        "--repeats",
        "3",
    )
    assert record_of(labelled).retest == Retest(120, 1, 360, 2)


def test_the_root(labelled: Path, calibrate: Any, tmp_path: Path) -> None:
    """The record is below the root of pytest, wherever one is."""
    calibrate(Fake(good_judge), "--root", "project")
    assert record_of(labelled / "project").tp == 54


@pytest.mark.parametrize(
    "arguments",
    [
        ["calibrate", "labels.jsonl"],
        ["calibrate", "--model", "m"],
        ["calibrate", "labels.jsonl", "--model", "m", "--repeats", "0"],
        ["calibrate", "labels.jsonl", "--model", "m", "--concurrency", "101"],
        ["calibrate", "labels.jsonl", "--model", "m", "--threshold", "1.1"],
        ["calibrate", "labels.jsonl", "--model", "m", "--threshold", "nan"],
        ["show"],
        [],
    ],
)
def test_mistakes(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One line, exit code 2."""
    assert main(["judge", *arguments]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)


def test_a_record_that_cannot_be_shown(labelled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong with it, and what to do."""
    assert main(["judge", "show", "no.json"]) == 2
    assert capsys.readouterr().err == (
        "llmrel judge: no.json: no such file; make it with 'llmrel judge calibrate'\n"
    )


def test_a_hostile_record_is_shown_harmless(
    labelled: Path, calibrate: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Escape sequences in the name of a model do not reach the terminal, and it has an end."""
    calibrate(Fake(good_judge))
    path = calibration_path(labelled, "small-1", PROMPT)
    document = json.loads(path.read_text())
    document["judge"]["model"] = "\x1b[31m\u202e" + "x" * 9_999
    document["judge"]["prompt_version"] = document["pytest_llmrel"] = "\x1b]0;\n"
    path.write_text(json.dumps(document))
    capsys.readouterr()
    assert main(["judge", "show", str(path)]) == 0
    out = capsys.readouterr().out
    assert all(line.isprintable() and len(line) < 300 for line in out.splitlines())
