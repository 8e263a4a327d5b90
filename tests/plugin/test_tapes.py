"""What is recorded is replayed: the same answers for the same runs, with no server and in any order."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from example import Outcome
from wire_example import STYLES, Asking, tracks

from pytest_llmrel.simulator import Simulator

NOWHERE = "http://127.0.0.1:9/v1"
"""Nobody listens there."""
RECORD, REPLAY = "--llmrel-tape=record", "--llmrel-tape=replay"
MIXED = """
@krun(24, gates=["pass_rate >= 0.5", "cost <= 1", "cost_per_pass <= 1", "call_latency_p95 <= 5"])
DEF test_a(llmrel):
    answer = ASK(WARRANTY)
    note("answer", llmrel.index, answer["id"])
    llmrel.score("tokens_out", answer["usage"]["completion_tokens"])
    is_right = "two years" in text(answer).lower()
    assert is_right, "wrong answer"
"""
ONE_CALL = "@krun(5)\nDEF test_a(): ASK()\n"


def answers(outcome: Outcome) -> dict[int, str]:
    """The id of the answer that each run got."""
    return {int(run): answer for run, answer in outcome.log("answer")}


def facts(outcome: Outcome) -> dict[str, Any]:
    """What a replay must have in common with its recording: all but what a clock has measured, and URLs."""
    test = outcome.test()
    names = ("verdict", "runs", "passed", "failed", "errors", "unfinished")
    counted = ("calls", "usd", "known_usd", "unpriced_calls", "input_tokens", "output_tokens", "idle_runs")
    kinds = ("type", "location", "outcome", "count")
    failures = {tuple(group[kind] for kind in kinds) for group in test["failures"]}
    metrics = {
        name: [value[part] for part in ("point", "low", "high", "n")]
        for name, value in test["metrics"].items()
        if "latency" not in name
    }
    cost = {name: test["cost"][name] for name in counted}
    return {name: test[name] for name in names} | {"metrics": metrics, "cost": cost, "failures": failures}


# --- the same again -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", STYLES)
def test_a_replay_is_the_recording(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """Verdict, counts, failures, tokens, cost and metrics are those of the recording, run by run."""
    # All 24 runs ask the same question at once, and each gets the answer again that it got then.
    suite = Asking(pytester, monkeypatch, MIXED, style=style)
    with Simulator(latency=0.01, seed=3) as model:
        recorded = suite.run(model, RECORD)
    assert model.requests == 24
    replayed = suite.run(NOWHERE, REPLAY)
    assert recorded.test()["verdict"] == "PASS"
    assert 0 < recorded.counts()["failed"] < 12, "a recording of one kind of answers shows little"
    assert facts(replayed) == facts(recorded)
    assert answers(replayed) == answers(recorded)
    assert len(set(answers(replayed).values())) == 24
    for name in ("call_latency_p50", "call_latency_p95", "latency_p50", "latency_p95"):
        then, now = (outcome.test()["metrics"][name]["point"] for outcome in (recorded, replayed))
        assert now == pytest.approx(then, abs=1e-6)
    cost = replayed.test()["cost"]
    assert (cost["calls"], cost["replayed_calls"]) == (24, 24)
    assert "24 replayed, for nothing" in replayed.out
    assert recorded.test()["tape"]["recorded"] == 24
    assert replayed.test()["tape"]["recorded"] == 0


@pytest.mark.parametrize("style", ["threads", "async"])
def test_replays_are_equal_byte_for_byte(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """The report is the same file at any concurrency, and under xdist."""
    suite = Asking(pytester, monkeypatch, MIXED, style=style)
    with Simulator(latency=0.01, seed=3) as model:
        recorded = suite.run(model, RECORD, "--llmrel-concurrency=32")
    reports = set()
    for arguments in (("1",), ("8",), ("8",), ("32",), ("8", "-n2")):
        options = (f"--llmrel-concurrency={arguments[0]}", "--llmrel-baseline=off", *arguments[1:])
        outcome = suite.run(NOWHERE, REPLAY, *options)
        assert answers(outcome) == answers(recorded)
        reports.add((suite.path / "llmrel-report.json").read_bytes())
    assert len(reports) == 1


def test_recording_with_workers(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers of xdist record each test's own tape; a session without them replays all."""
    tests = """
@pytest.mark.parametrize("number", [1, 2, 3])
@krun(24, pass_rate=0.5)
def test_a(llmrel, number):
    answer = ask(WARRANTY)
    note("answer", number, llmrel.index, answer["id"])
    assert "two years" in text(answer).lower()
"""
    suite = Asking(pytester, monkeypatch, tests)
    with Simulator(latency=0, seed=3) as model:
        recorded = suite.run(model, RECORD, "-n2", subprocess=True)
    assert model.requests == 72
    replayed = suite.run(NOWHERE, REPLAY)
    assert sorted(replayed.log("answer")) == sorted(recorded.log("answer"))
    for name, test in recorded.tests.items():
        assert test["verdict"] == "PASS"
        assert replayed.test(name)["metrics"]["pass_rate"] == test["metrics"]["pass_rate"]


def test_wordings_have_their_own_tracks(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A track is found by wording and run: the tally of each wording is that of the recording."""
    tests = """
@krun(6, pass_rate=0)
@paraphrase("question", WARRANTY, "What about the guarantee?")
def test_a(llmrel, question):
    answer = ask(question)
    note("answer", question.split()[0], llmrel.index, answer["id"])
    assert "two years" in text(answer).lower()
"""
    suite = Asking(pytester, monkeypatch, tests)
    with Simulator(latency=0, seed=4) as model:
        recorded = suite.run(model, RECORD)
    replayed = suite.run(NOWHERE, REPLAY)
    assert replayed.test()["variants"] == recorded.test()["variants"]
    assert sorted(replayed.log()) == sorted(recorded.log())
    assert len(recorded.log()) == 12


# --- kinds of answers ---------------------------------------------------------------------------------------


def test_streams_are_replayed_as_streams(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream comes back event by event, with its usage; so does one that nobody reads to its end."""
    tests = """
@krun(3, gates=["cost <= 1"])
@pytest.mark.parametrize("most", [1000, 2])
def test_a(llmrel, most):
    body = asking(RETURN, stream=True, stream_options={"include_usage": True})
    with httpx.stream("POST", to(), headers=HEADERS, json=body, verify=False) as answer:
        for number, line in enumerate(answer.iter_lines()):
            note("line", most, llmrel.index, line)
            if number >= most:
                break
"""
    suite = Asking(pytester, monkeypatch, tests)
    with Simulator(latency=0) as model:
        recorded = suite.run(model, RECORD)
    replayed = suite.run(NOWHERE, REPLAY)
    assert sorted(replayed.log()) == sorted(recorded.log())
    assert len(recorded.log()) > 60
    for most, verdict in ((1000, "PASS"), (2, "INCONCLUSIVE")):
        then, now = (outcome.test(f"[{most}]") for outcome in (recorded, replayed))
        assert (then["verdict"], now["verdict"]) == (verdict, verdict)
        assert (then["errors"], now["errors"]) == (0, 0)
        assert now["cost"]["input_tokens"] == then["cost"]["input_tokens"] == (42 if most > 2 else 0)


class _Speech(BaseHTTPRequestHandler):
    """Answers with every byte there is, and with another last one each time."""

    asked = 0

    def do_POST(self) -> None:
        """What a model of speech says."""
        self.rfile.read(int(self.headers["content-length"]))
        type(self).asked += 1
        body = bytes(range(256)) * 4 + bytes([type(self).asked])
        self.send_response(200)
        self.send_header("content-type", "audio/mpeg")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing is printed."""


def test_a_body_that_is_no_text(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Speech comes back byte for byte; a form that sends a file is the same request again."""
    tests = """
@krun(3)
def test_a(llmrel):
    answer = httpx.post(to("audio/speech"), json={"input": "Hello"}, verify=False)
    assert answer.content[:-1] == bytes(range(256)) * 4
    note("answer", llmrel.index, answer.content[-1])
    httpx.post(to("audio/transcriptions"), files={"file": bytes(range(256))}, verify=False)
"""
    suite = Asking(pytester, monkeypatch, tests)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Speech)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        recorded = suite.run(f"http://127.0.0.1:{server.server_port}/v1", RECORD)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    recorded.outcomes(passed=1)
    replayed = suite.run(NOWHERE, REPLAY).outcomes(passed=1)
    assert answers(replayed) == answers(recorded)
    assert len(set(answers(replayed).values())) == 3


def test_refusals_and_broken_connections(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """What went wrong then goes wrong again: the same statuses and exceptions for the same runs."""
    tests = """
@krun(12, pass_rate=0, stop="never")
def test_a(llmrel):
    try:
        note("answer", llmrel.index, ask()["id"])
    except Exception as error:
        note("answer", llmrel.index, type(error).__name__)
        raise
"""
    suite = Asking(pytester, monkeypatch, tests, llmrel_retries="0")
    script = ("500", "reset", "truncated", "ok", "malformed", "429", *["ok"] * 6)
    with Simulator(latency=0, script=script) as model:
        recorded = suite.run(model, RECORD)
    replayed = suite.run(NOWHERE, REPLAY)
    assert answers(replayed) == answers(recorded)
    wrong = sorted(answer for answer in answers(recorded).values() if answer[0].isupper())
    assert wrong == [
        "HTTPStatusError",
        "HTTPStatusError",
        "JSONDecodeError",
        "ReadError",
        "RemoteProtocolError",
    ]
    assert facts(replayed) == facts(recorded)


# --- more, fewer, none --------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", STYLES)
def test_raising_k_records_what_is_missing(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """Five runs are on the tape, three more are asked for: three are made, and the five stay as they are."""
    suite = Asking(pytester, monkeypatch, ONE_CALL, style=style)
    with Simulator(latency=0) as model:
        suite.run(model, RECORD).outcomes(passed=1)
        former = tracks(suite.tape())
        suite.edit({"test_it.py": ONE_CALL.replace("5", "8")})
        outcome = suite.run(model, RECORD).outcomes(passed=1)
        assert model.requests == 8
        again = suite.run(model, RECORD).outcomes(passed=1)
        assert model.requests == 8, "nothing is missing any more"
    cost = outcome.test()["cost"]
    assert (cost["calls"], cost["replayed_calls"]) == (8, 5)
    assert (outcome.test()["tape"]["recorded"], again.test()["tape"]["recorded"]) == (3, 0)
    now = tracks(suite.tape())
    assert sorted(now) == list(range(8))
    assert {run: now[run] for run in former} == former
    suite.run(NOWHERE, REPLAY).outcomes(passed=1)


def test_too_few_runs_on_the_tape(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer tracks than k, or none, is an error before the first run that says how to record; nothing is sent."""
    suite = Asking(pytester, monkeypatch, ONE_CALL)
    with Simulator(latency=0) as model:
        missing = suite.run(model, REPLAY)
        assert "there is no tape; record what is missing with --llmrel-tape=record" in missing.out
        assert model.requests == 0
        suite.run(model, RECORD).outcomes(passed=1)
        suite.edit({"test_it.py": "@krun(8)\ndef test_a():\n    note('ran')\n    ask()\n"})
        short = suite.run(model, REPLAY)
        assert model.requests == 5
    for outcome in (missing, short):
        outcome.outcomes(errors=1)
        assert outcome.test()["verdict"] == "INCONCLUSIVE"
        assert outcome.test()["runs"] == 0
    assert short.log() == []
    said = "the tape lacks 3 of 8 runs, first of all run 5; record what is missing with --llmrel-tape=record"
    assert said in short.out
    assert "the set-up of its shared fixtures failed" not in missing.out + short.out
    assert missing.test()["stopped"]["reason"].startswith("there is no tape")
    assert short.test()["stopped"]["reason"] == said


def test_all_runs_are_made(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Early stopping would leave holes on the tape: it is off, in recording and in replay."""
    tests = "@krun(20, pass_rate=0.1)\ndef test_a(): ask()\n"
    suite = Asking(pytester, monkeypatch, tests)
    with Simulator(latency=0) as model:
        assert suite.run(model).test()["runs"] < 20
        before = model.requests
        assert suite.run(model, RECORD).counts() == {"passed": 20}
        assert model.requests - before == 20
    assert suite.run(NOWHERE, REPLAY).counts() == {"passed": 20}


def test_a_test_that_fails_is_recorded(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures are what one wants to look at again: they are on the tape like everything else."""
    tests = """
@krun(4)
def test_a(llmrel):
    ask()
    assert llmrel.index == 9, "wrong answer"
"""
    suite = Asking(pytester, monkeypatch, tests)
    with Simulator(latency=0) as model:
        suite.run(model, RECORD).outcomes(failed=1)
    assert sorted(tracks(suite.tape())) == [0, 1, 2, 3]
    replayed = suite.run(NOWHERE, REPLAY)
    assert (replayed.test()["verdict"], replayed.counts()) == ("FAIL", {"failed": 4})


def test_replay_costs_nothing(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A budget is not touched by answers from a tape, priced or not; gates on the cost mean what they meant."""
    suite = Asking(pytester, monkeypatch, "@krun(20, gates=['cost <= 0'])\ndef test_a(): ask()\n")
    with Simulator(latency=0) as model:
        suite.run(model, RECORD, "--llmrel-baseline=off")
    suite.edit({"test_it.py": "@krun(5, gates=['cost <= 1'])\ndef test_a(): ask()\n"})
    cheap = suite.run(NOWHERE, REPLAY, "--llmrel-budget=0.0000001", "--llmrel-concurrency=1")
    assert cheap.counts() == {"passed": 5}
    assert cheap.test()["verdict"] == "PASS"
    assert cheap.test()["cost"]["usd"] > 0
    suite.edit({"test_it.py": "@krun(5, gates=['cost <= 0'])\ndef test_a(): ask()\n"})
    assert suite.run(NOWHERE, REPLAY).test()["verdict"] == "FAIL"


def test_off_is_off(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the option nothing is recorded, and a tape that is there is left alone."""
    suite = Asking(pytester, monkeypatch, ONE_CALL)
    with Simulator(latency=0) as model:
        suite.run(model).outcomes(passed=1)
        assert not suite.tape().parent.parent.exists()
        suite.run(model, RECORD)
        before = suite.tape().read_bytes()
        outcome = suite.run(model)
    assert model.requests == 15
    assert outcome.test()["tape"] is None
    assert suite.tape().read_bytes() == before
    assert json.loads(before.splitlines()[0])["test"] == "test_a"
