"""``llmrel judge calibrate`` while it judges: many at a time, and nothing is recorded halfway."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import pytest_llmrel.cli
from pytest_llmrel.baselines.calibration import read_calibration
from pytest_llmrel.baselines.labels import read_labels
from pytest_llmrel.cli.judging import judgements

from .judges import Fake, good_judge, record_of

ROOT = Path(pytest_llmrel.cli.__file__).parents[2]
INTERRUPTED = """
import itertools, sys, time, types
from pytest_llmrel.cli import judge
from pytest_llmrel.cli.main import main

asked = itertools.count()

class Slow:
    def score(self, answer, context, question=""):
        number = next(asked)
        if number == 5:
            print("slow", flush=True)
        if number >= 5:
            time.sleep(60)
        return types.SimpleNamespace(score=1.0)

judge._build = lambda _: judge._Built(Slow(), "1", "0" * 16)
sys.exit(main(["judge", "calibrate", "labels.jsonl", "--model", "m", "--concurrency", "4"]))
"""


def test_no_verdict_at_all(labelled: Path, calibrate: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is known then, and nothing recorded."""
    assert calibrate(Fake(lambda *_: None)) == 2
    assert "no verdict on any of 120 answers; no record was written" in capsys.readouterr().err
    assert not (labelled / "__judges__").exists()


@pytest.mark.parametrize("concurrency", [1, 5])
def test_as_many_at_once_as_asked_for(calibrate: Any, concurrency: int) -> None:
    """Neither more nor fewer."""
    judge = Fake(good_judge, seconds=0.002)
    calibrate(judge, "--concurrency", str(concurrency))
    assert judge.most_at_once == concurrency


def test_nothing_is_overwritten_or_paid_for_in_vain(
    labelled: Path, calibrate: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a record in the place the judge is not even asked; it may be replaced, or written elsewhere."""
    calibrate(Fake(good_judge))
    before = record_of(labelled)
    again = Fake(lambda answer, _: float(answer[0] == "g"))
    assert calibrate(again) == 2
    assert again.asked == []
    assert "there is a record already, of 120 items" in capsys.readouterr().err
    assert record_of(labelled) == before
    assert calibrate(again, "--out", "other/mine.json") == 0
    assert read_calibration(labelled / "other" / "mine.json").tp == 60
    assert record_of(labelled) == before
    assert calibrate(again, "--replace") == 0
    assert record_of(labelled).tp == 60


def test_a_failure_in_the_middle(labelled: Path, calibrate: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer and the error are told, how many were judged, and that nothing was recorded; the judge rests."""

    def rule(answer: str, times: int) -> float:
        if answer == "g40":
            error = ConnectionError("503 from \x1b[31mhost " + "x" * 9_999)
            error.add_note("the host said: overloaded")
            raise error
        return 1.0

    judge = Fake(rule)
    assert calibrate(judge, "--concurrency", "1") == 2
    shown = capsys.readouterr()
    said = (
        r"llmrel judge: labels\.jsonl:41: the judge failed \(ConnectionError: 503 from \\x1b\[31mhost x+…\); "
    )
    assert re.fullmatch(said + r"40 of 240 judgements were made; no record was written\n", shown.err)
    assert shown.out == ""
    assert not (labelled / "__judges__").exists()
    assert len(judge.asked) == 41


def test_what_the_host_said(calibrate: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Notes on the error are told with it."""

    def rule(*_: object) -> float:
        error = ConnectionError("503")
        error.add_note("overloaded")
        raise error

    assert calibrate(Fake(rule)) == 2
    assert "(ConnectionError: 503; overloaded); 0 of 240" in capsys.readouterr().err


def test_wrong_labels_are_told_before_anything_is_paid_for(
    labelled: Path, calibrate: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of them, a line each."""
    (labelled / "labels.jsonl").write_text('{"answer": "a", "context": "c", "label": 2}\n{"answer": "a"}\n')
    judge = Fake(good_judge)
    assert calibrate(judge) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" judge: ")[2][:15] for line in lines] == [
        "labels.jsonl:1:",
        *["labels.jsonl:2:"] * 2,
    ]
    assert judge.asked == []


def test_whoever_stops_listening_stops_the_judge(labelled: Path) -> None:
    """The threads take no further answer; nobody waits for them."""
    judge = Fake(good_judge, seconds=0.01)
    listening = judgements(judge, read_labels(labelled / "labels.jsonl").items, 10, 4)
    next(listening)
    listening.close()
    asked = len(judge.asked)
    time.sleep(0.1)
    assert len(judge.asked) <= asked + 4


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c(labelled: Path) -> None:
    """The command ends at once although answers are under way, says how many were judged, and records nothing."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    run = [sys.executable, "-c", INTERRUPTED]
    with subprocess.Popen(run, cwd=labelled, env={"PYTHONPATH": str(ROOT)}, **pipes) as process:
        assert process.stdout.readline() == "slow\n"
        time.sleep(0.3)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert time.monotonic() - begun < 10
    assert (process.returncode, err) == (
        130,
        "llmrel judge: interrupted; 5 of 240 judgements were made; no record was written\n",
    )
    assert sorted(path.name for path in labelled.iterdir()) == ["labels.jsonl"]
