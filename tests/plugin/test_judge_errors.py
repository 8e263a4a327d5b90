"""A judge that cannot judge: an error of the run, never the model's failure, and never a pass."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from example import Outcome
from wire_example import STYLES, Asking, fake_key

from pytest_llmrel.simulator import Simulator

HEAD = """
import os
from pytest_llmrel import Judge

CONTEXT = "Items can be returned within 30 days. The shop sells tea."
RIGHT = "Items can be returned within 30 days."
JUDGE = Judge("judge", os.environ["MODEL_URL"], "LLMREL_TEST_KEY", timeout=5)
"""
SCORED = """
@krun(6, gates=["faithful_rate >= 0.1", "pass_rate >= 0"])
DEF test_a(llmrel): SCORE(RIGHT, context=CONTEXT, scorer=JUDGE)
"""
DIRECT = """
@krun(6, gates=["pass_rate >= 0"])
DEF test_a(): assert JUDGE.score(RIGHT, CONTEXT).score == 1
"""


@contextmanager
def refusing(status: int, body: str) -> Iterator[str]:
    """A host that says no to whatever it is asked; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()


def suite_of(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, test: str, style: str = "threads"
) -> Asking:
    """A judge with a key, and no second tries."""
    monkeypatch.setenv("LLMREL_TEST_KEY", fake_key("judge"))
    call = "await llmrel.afaithfulness" if style == "async" else "llmrel.faithfulness"
    return Asking(pytester, monkeypatch, HEAD + test.replace("SCORE", call), style=style, llmrel_retries="0")


def assert_undecided(outcome: Outcome, said: str) -> None:
    """Errors alone, INCONCLUSIVE, and the terminal says why."""
    outcome.outcomes(failed=1)
    assert set(outcome.counts()) <= {"errors", "unfinished"}, outcome.out
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert said in outcome.out


@pytest.mark.parametrize("test", [SCORED, DIRECT])
@pytest.mark.parametrize("style", STYLES[:2])
@pytest.mark.parametrize("status", [400, 422, 307])
def test_a_refused_request_is_no_failure_of_the_model(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, test: str, style: str, status: int
) -> None:
    """A context that is too long, an option that the host does not know: its words are shown, escapes spelled out."""
    suite = suite_of(pytester, monkeypatch, test, style)
    said = f"too long \x1b[2J, key {fake_key('judge')}"
    with refusing(status, said) as url:
        outcome = suite.run(url)
    assert_undecided(outcome, f"the judge's host refused the request ({status} ")
    assert outcome.counts() == {"errors": 6}
    assert "too long \\x1b[2J, key ***" in outcome.out
    assert "\x1b[2J" not in outcome.out
    assert fake_key("judge") not in outcome.out + str(outcome.report)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_every_call_would_meet_ends_the_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """A wrong key or model is asked for once, not forty times."""
    suite = suite_of(pytester, monkeypatch, SCORED.replace("krun(6", "krun(40, concurrency=1"))
    with refusing(status, "no") as url:
        outcome = suite.run(url)
    assert_undecided(outcome, "the judge's host said: 'no'")
    assert outcome.counts() == {"errors": 1, "unfinished": 39}


def test_a_missing_key_is_said(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of the variable; the runs that follow are not made."""
    suite = suite_of(pytester, monkeypatch, SCORED)
    monkeypatch.delenv("LLMREL_TEST_KEY")
    assert_undecided(
        suite.run("http://127.0.0.1:9/v1"), "the environment variable LLMREL_TEST_KEY holds no key"
    )


def test_a_judge_too_late(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own timeout ends the waiting."""
    suite = suite_of(pytester, monkeypatch, SCORED)
    suite.edit(
        {
            "test_it.py": HEAD.replace("timeout=5", "timeout=0.2")
            + SCORED.replace("SCORE", "llmrel.faithfulness").replace("DEF", "def")
        }
    )
    with Simulator(latency=3) as model:
        assert_undecided(suite.run(model), "Timeout")


def test_a_judge_that_talks_nonsense_gives_no_score(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked twice in each run, then not applicable: neither a good nor a bad score."""
    suite = suite_of(pytester, monkeypatch, SCORED)
    with refusing(200, '{"choices": [{"message": {"content": "SUPPORTED"}}]}') as url:
        outcome = suite.run(url)
    test = outcome.test()
    assert (outcome.counts(), test["verdict"]) == ({"passed": 6}, "INCONCLUSIVE")
    assert test["cost"]["judge"]["calls"] == 12
    assert test["metrics"]["faithful_rate"]["point"] is None
    assert "the judge's reply was unusable twice" in outcome.out


@pytest.mark.parametrize("style", STYLES)
def test_a_replay_needs_no_key(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """Nor a network: the verdict is that of the recording."""
    suite = suite_of(pytester, monkeypatch, SCORED, style)
    with Simulator(latency=0) as model:
        suite.run(model, "--llmrel-tape=record").outcomes(passed=1)
    monkeypatch.delenv("LLMREL_TEST_KEY")
    again = suite.run("http://127.0.0.1:9/v1", "--llmrel-tape=replay").outcomes(passed=1)
    assert again.test()["cost"]["judge"]["calls"] == 6


def test_a_reply_after_a_refusal_is_not_too_late(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy judge is asked again after the pause it wants; the pause is longer than a reply may take."""
    test = SCORED.replace("krun(6", "krun(1").replace("faithful_rate", "faithfulness")
    suite = suite_of(pytester, monkeypatch, test)
    suite.edit(
        {
            "test_it.py": (HEAD + test)
            .replace("timeout=5", "timeout=0.5")
            .replace("DEF", "def")
            .replace("SCORE", "llmrel.faithfulness")
        },
        llmrel_retries="3",
    )
    with Simulator(latency=0, faults={"script": ["429"], "retry_after": 1}) as model:
        outcome = suite.run(model)
        assert model.requests == 2
    assert outcome.counts() == {"passed": 1}
    assert outcome.test()["metrics"]["faithfulness"]["point"] == 1
