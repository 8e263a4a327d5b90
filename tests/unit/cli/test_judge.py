"""``llmrel judge``: what is judged, what is recorded, what is shown, and that nothing is recorded halfway."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import pytest_llmrel.cli
from pytest_llmrel.baselines.calibration import read_calibration
from pytest_llmrel.baselines.place import calibration_path
from pytest_llmrel.cli import judge as command
from pytest_llmrel.cli.judging import judgements
from pytest_llmrel.cli.main import main
from pytest_llmrel.core.calibration import Retest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(pytest_llmrel.cli.__file__).parents[2]
PROMPT = "1a2b3c4d5e6f7081"
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


class Found(NamedTuple):
    """What a judge says."""

    score: float | None


class Fake:
    """A judge by rule, which counts how often it is asked and how many ask at once."""

    def __init__(self, rule: Callable[[str, int], float | None], seconds: float = 0.0) -> None:
        self.rule = rule
        self.seconds = seconds
        self.asked: list[tuple[str, str, str]] = []
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()

    def score(self, answer: str, context: str, question: str = "") -> Found:
        """The score of an answer, by the rule, which is told how often it was asked for this answer."""
        with self.lock:
            self.asked.append((answer, context, question))
            times = [asked[0] for asked in self.asked].count(answer)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self.seconds)
        with self.lock:
            self.at_once -= 1
        return Found(self.rule(answer, times))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with 60 faithful answers, g0 to g59, and 60 others, b0 to b59; we are in it."""
    monkeypatch.chdir(tmp_path)
    lines = [
        {"answer": f"{kind}{number}", "context": "c", "question": "q", "label": label}
        for kind, label in (("g", 1), ("b", 0))
        for number in range(60)
    ]
    (tmp_path / "labels.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return tmp_path


@pytest.fixture
def calibrate(here: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The command with a judge of one's own."""

    def run(judge: Any, *arguments: str) -> int:
        monkeypatch.setattr(command, "_build", lambda _: command._Built(judge, "2", PROMPT))
        return main(["judge", "calibrate", "labels.jsonl", "--model", "small-1", *arguments])

    return run


def good_judge(answer: str, times: int) -> float:
    """Misses the first six good answers and is taken in by the first three bad ones; wavers about the last."""
    number = int(answer[1:])
    if number == 59 and times > 1:
        return 0.5
    if answer[0] == "g":
        return 0.5 if number < 6 else 1.0
    return 1.0 if number < 3 else 0.9


def record_of(here: Path) -> Any:
    """The record, in its place."""
    return read_calibration(calibration_path(here, "small-1", PROMPT))


def test_what_is_recorded(here: Path, calibrate: Any) -> None:
    """The counts by the first verdict of each answer, the noise by the second, and what they were found with."""
    judge = Fake(good_judge)
    assert calibrate(judge) == 0
    record = record_of(here)
    assert (record.tp, record.fn, record.tn, record.fp, record.unscored) == (54, 6, 57, 3, 0)
    assert record.retest == Retest(items=120, differing=1, pairs=120, differing_pairs=1)
    assert (record.model, record.prompt_version, record.prompt_hash) == ("small-1", "2", PROMPT)
    assert (record.threshold, len(record.labels_hash)) == (1.0, 64)
    assert len(judge.asked) == 240
    assert set(judge.asked[:120]) == {(f"{kind}{n}", "c", "q") for kind in "gb" for n in range(60)}


def test_what_is_shown(here: Path, calibrate: Any, capsys: pytest.CaptureFixture[str]) -> None:
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


def test_a_judge_that_is_not_usable(here: Path, calibrate: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """It is recorded all the same, with every reason, and the exit code says so; so it does when shown."""
    assert calibrate(Fake(lambda answer, _: float(hash_digit(answer) < 7)), "--repeats", "1") == 1
    out = capsys.readouterr().out
    assert "not usable as the only gate yet:\n- J = sensitivity + specificity - 1 is " in out
    assert "- the specificity may be as low as" in out
    assert re.search(r"retest noise +n/a +no item was judged twice", out)
    assert record_of(here).retest is None
    assert main(["judge", "show", "__judges__/small-1-1a2b3c4d.json"]) == 1


def hash_digit(answer: str) -> int:
    """The last digit of an answer: nothing that says whether it is good."""
    return int(answer[-1])


def test_no_verdict_is_neither_pass_nor_failure(
    here: Path, calibrate: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Answers without a score, or with an impossible one, are counted apart and shown."""
    scores = {"g0": None, "g1": float("nan"), "b0": 2.0, "b1": -1.0}
    assert calibrate(Fake(lambda answer, _: scores.get(answer, float(answer[0] == "g")))) == 0
    record = record_of(here)
    assert (record.tp, record.fn, record.tn, record.fp, record.unscored) == (58, 0, 58, 0, 4)
    assert record.retest.items == 116
    assert "116 answers judged, 4 more without a verdict;" in capsys.readouterr().out


def test_a_second_verdict_does_not_stand_in_for_the_first(here: Path, calibrate: Any) -> None:
    """An answer that got none at first is without one; one that got none at last was judged once."""

    def rule(answer: str, times: int) -> float | None:
        missing = {"g0": 1, "b0": 2}.get(answer)
        return None if times == missing else float(answer[0] == "g")

    calibrate(Fake(rule), "--concurrency", "1")
    record = record_of(here)
    assert (record.tp, record.tn, record.unscored, record.retest.items) == (59, 60, 1, 118)


def test_no_verdict_at_all(here: Path, calibrate: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is known then, and nothing recorded."""
    assert calibrate(Fake(lambda *_: None)) == 2
    assert "no verdict on any of 120 answers; no record was written" in capsys.readouterr().err
    assert not (here / "__judges__").exists()


def test_the_threshold(here: Path, calibrate: Any) -> None:
    """Where one is given, a score that reaches it passes; it is recorded."""
    calibrate(Fake(lambda answer, _: 0.8 if answer[0] == "g" else 0.79), "--threshold", "0.8")
    record = record_of(here)
    assert (record.tp, record.tn, record.threshold) == (60, 60, 0.8)


def test_pairs_of_more_repeats(here: Path, calibrate: Any) -> None:
    """Three judgements are three pairs; one that differs from two others makes two of them."""
    calibrate(
        Fake(lambda answer, times: float(answer[0] == "g" and not (answer == "g9" and times == 3))),
        "--repeats",
        "3",
    )
    assert record_of(here).retest == Retest(120, 1, 360, 2)


@pytest.mark.parametrize("concurrency", [1, 5])
def test_as_many_at_once_as_asked_for(calibrate: Any, concurrency: int) -> None:
    """Neither more nor fewer."""
    judge = Fake(good_judge, seconds=0.002)
    calibrate(judge, "--concurrency", str(concurrency))
    assert judge.most_at_once == concurrency


def test_nothing_is_overwritten_or_paid_for_in_vain(
    here: Path, calibrate: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a record in the place the judge is not even asked; it may be replaced, or written elsewhere."""
    calibrate(Fake(good_judge))
    before = record_of(here)
    again = Fake(lambda answer, _: float(answer[0] == "g"))
    assert calibrate(again) == 2
    assert again.asked == []
    assert "there is a record already, of 120 items" in capsys.readouterr().err
    assert record_of(here) == before
    assert calibrate(again, "--out", "other/mine.json") == 0
    assert read_calibration(here / "other" / "mine.json").tp == 60
    assert record_of(here) == before
    assert calibrate(again, "--replace") == 0
    assert record_of(here).tp == 60


def test_the_root(here: Path, calibrate: Any, tmp_path: Path) -> None:
    """The record is below the root of pytest, wherever one is."""
    calibrate(Fake(good_judge), "--root", "project")
    assert record_of(here / "project").tp == 54


def test_a_failure_in_the_middle(here: Path, calibrate: Any, capsys: pytest.CaptureFixture[str]) -> None:
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
    assert not (here / "__judges__").exists()
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
    here: Path, calibrate: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of them, a line each."""
    (here / "labels.jsonl").write_text('{"answer": "a", "context": "c", "label": 2}\n{"answer": "a"}\n')
    judge = Fake(good_judge)
    assert calibrate(judge) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" judge: ")[2][:15] for line in lines] == [
        "labels.jsonl:1:",
        *["labels.jsonl:2:"] * 2,
    ]
    assert judge.asked == []


def test_whoever_stops_listening_stops_the_judge(here: Path) -> None:
    """The threads take no further answer; nobody waits for them."""
    from pytest_llmrel.baselines.labels import read_labels

    judge = Fake(good_judge, seconds=0.01)
    listening = judgements(judge, read_labels(here / "labels.jsonl").items, 10, 4)
    next(listening)
    listening.close()
    asked = len(judge.asked)
    time.sleep(0.1)
    assert len(judge.asked) <= asked + 4


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c(here: Path) -> None:
    """The command ends at once although answers are under way, says how many were judged, and records nothing."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    run = [sys.executable, "-c", INTERRUPTED]
    with subprocess.Popen(run, cwd=here, env={"PYTHONPATH": str(ROOT)}, **pipes) as process:
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
    assert sorted(path.name for path in here.iterdir()) == ["labels.jsonl"]


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


def test_a_record_that_cannot_be_shown(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong with it, and what to do."""
    assert main(["judge", "show", "no.json"]) == 2
    assert capsys.readouterr().err == (
        "llmrel judge: no.json: no such file; make it with 'llmrel judge calibrate'\n"
    )


def test_a_hostile_record_is_shown_harmless(
    here: Path, calibrate: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Escape sequences in the name of a model do not reach the terminal, and it has an end."""
    calibrate(Fake(good_judge))
    path = calibration_path(here, "small-1", PROMPT)
    document = json.loads(path.read_text())
    document["judge"]["model"] = "\x1b[31m\u202e" + "x" * 9_999
    document["judge"]["prompt_version"] = document["pytest_llmrel"] = "\x1b]0;\n"
    path.write_text(json.dumps(document))
    capsys.readouterr()
    assert main(["judge", "show", str(path)]) == 0
    out = capsys.readouterr().out
    assert all(line.isprintable() and len(line) < 300 for line in out.splitlines())
