"""Replies of a judge that are anything but what was asked for: n/a with a reason, in bounded time and memory."""

import asyncio
import contextlib
import json
import socketserver
import threading
import time
import tracemalloc
from typing import Any

import httpx
import pytest

from pytest_llmrel.faithfulness.judge import Judge
from pytest_llmrel.faithfulness.judge_http import MOST_BYTES
from pytest_llmrel.faithfulness.judge_reply import Malformed, Ruling, read_reply

from .judging import CONTEXT, RIGHT, claim, judge_at, ruling, serving

QUOTE = "returned within 30 days"
UNUSABLE = {
    "empty": "",
    "prose": "All claims are supported.",
    "html": "<!DOCTYPE html><html><body>Please sign in</body></html>",
    "a list": "[1, 2]",
    "half": ruling(claim(RIGHT, QUOTE))[:-5],
    "deep": '{"claims": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "deep objects": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "no claims key": '{"verdict": "supported"}',
    "null": '{"claims": null}',
    "claims as text": '{"claims": "supported"}',
    "claims as numbers": '{"claims": [1]}',
    "unknown verdict": ruling(claim(RIGHT, QUOTE, "maybe")),
    "verdict of a wrong type": ruling(claim(RIGHT, QUOTE, verdict=True)),  # type: ignore[arg-type]
    "verdict in a list": ruling(claim(RIGHT, QUOTE, verdict=["supported"])),  # type: ignore[arg-type]
    "sentence NaN": ruling(claim(RIGHT, QUOTE, sentence=float("nan"))),
    "sentence as text": ruling(claim(RIGHT, QUOTE, sentence="1")),
    "sentence of an infinite size": '{"claims": [{"sentence": 1e999, "claim": "a", "verdict": "supported"}]}',
    "NaN in front": '{"claims": NaN}',
    "claim missing": '{"claims": [{"sentence": 1, "verdict": "supported", "quote": "x"}]}',
    "quote of a wrong type": ruling(claim(RIGHT, quote=7)),  # type: ignore[arg-type]
    "endless claim": ruling(claim("word " * 10_000)),
    "endless claims": ruling(*[claim(f"claim {number}") for number in range(1001)]),
    "no_claims of a wrong type": '{"claims": [], "no_claims": ["one"]}',
    "two objects": ruling() + ruling(claim(RIGHT, QUOTE)),
    "a lone surrogate": '{"claims": [{"sentence": 1, "claim": "\\ud800", "verdict": "supported"}]}',
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_reply_is_no_score(name: str) -> None:
    """Asked for twice, then n/a, with a reason that is short and repeats nothing of the reply."""
    with serving(UNUSABLE[name]) as simulator:
        result = judge_at(simulator).score(RIGHT, CONTEXT)
        assert simulator.served == {"ok": 2}
    assert (result.score, result.claims) == (None, ())
    assert result.reason.startswith("the judge's reply was unusable twice: ")
    assert len(result.reason) < 300
    assert result.reason.isprintable()


@pytest.mark.parametrize("way", ["threads", "asyncio"])
def test_ten_megabytes_are_not_read(way: str) -> None:
    """Neither in threads nor in tasks; memory stays within twice the bound."""
    with serving('{"claims": [' + " " * 10_000_000) as simulator:
        judge = judge_at(simulator)
        judge.score(RIGHT, CONTEXT)  # what is loaded once does not count
        tracemalloc.start()
        try:
            result = (
                asyncio.run(judge.ascore(RIGHT, CONTEXT)) if way == "asyncio" else judge.score(RIGHT, CONTEXT)
            )
            sizes = [
                trace.size
                for trace in tracemalloc.take_snapshot()
                .filter_traces((tracemalloc.Filter(True, "*judge_http.py"),))
                .traces
            ]
        finally:
            tracemalloc.stop()
    assert result.score is None
    assert f"longer than {MOST_BYTES:,} bytes" in result.reason
    assert sum(sizes) < 2 * MOST_BYTES


class Dripping(socketserver.BaseRequestHandler):
    """Begins to answer, and goes on byte by byte."""

    def handle(self) -> None:
        """Until the other side has gone."""
        self.request.recv(65536)
        with contextlib.suppress(OSError):
            self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
            while True:
                self.request.sendall(b" ")
                time.sleep(0.02)


@pytest.mark.parametrize("way", ["threads", "asyncio"])
def test_a_reply_that_drips_is_a_timeout(way: str) -> None:
    """Each byte comes in time; all of them together do not."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Dripping) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        judge = Judge("m", f"http://127.0.0.1:{server.server_address[1]}/v1", api_key_env="", timeout=0.3)
        began = time.perf_counter()
        with pytest.raises(httpx.ReadTimeout, match="too long"):
            asyncio.run(judge.ascore(RIGHT, CONTEXT)) if way == "asyncio" else judge.score(RIGHT, CONTEXT)
        assert time.perf_counter() - began < 5
        server.shutdown()


@pytest.mark.parametrize("kind", ["html", "malformed"])
def test_a_page_of_a_proxy_and_cut_json_are_unusable(kind: str) -> None:
    """Under status 200, they are no chat completion; once, the second reply is believed."""
    faults: dict[str, Any] = {"html_status": 200}
    with serving(faults=faults | {kind: 1.0}) as simulator:
        assert judge_at(simulator).score(RIGHT, CONTEXT).score is None
        assert simulator.requests == 2
    with serving(faults=faults, script=(kind, "ok")) as simulator:
        assert judge_at(simulator).score(RIGHT, CONTEXT).score == 1.0


def test_a_page_under_an_error_status_is_an_error() -> None:
    """502 is a fault of the infrastructure, not a reply."""
    with serving(script=("html",)) as simulator, pytest.raises(httpx.HTTPStatusError, match="502"):
        judge_at(simulator).score(RIGHT, CONTEXT)


@pytest.mark.parametrize(
    "said",
    [
        "```json\n{}\n```",
        "Here it is: {} I hope this helps.",
        "<think>The context says so.</think>\n{}",
        "{}\x00",
        "\ufeff{}",
    ],
)
def test_words_around_the_json_do_no_harm(said: str) -> None:
    """Models add fences, thoughts and courtesies; one request is enough."""
    with serving(said.replace("{}", ruling(claim(RIGHT, QUOTE)))) as simulator:
        assert judge_at(simulator).score(RIGHT, CONTEXT).score == 1.0
        assert simulator.requests == 1


def test_what_is_more_than_asked_for_is_ignored() -> None:
    """Other keys, other case, ``null`` for nothing."""
    more = claim(RIGHT, QUOTE, " Supported ", confidence=float("nan"), reason=None)
    body = json.dumps({"claims": [more], "no_claims": [7, -1], "score": 1.0, "thoughts": {"a": [1]}})
    with serving(body) as simulator:
        assert judge_at(simulator).score(RIGHT, CONTEXT).score == 1.0


def test_a_score_of_the_judges_own_is_nothing() -> None:
    """It is asked for verdicts; what it thinks of the whole does not count."""
    with serving('{"claims": [], "score": 1.0, "faithfulness": 1.0}') as simulator:
        assert judge_at(simulator).score(RIGHT, CONTEXT).score == 0.0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{}]}',
        b'{"choices": [{"message": {"content": null}}]}',
        b'{"choices": [{"message": {"content": ["{}"]}}]}',
        b'{"choices": [{"message": {"content": 7}}]}',
        b'{"choices": {"0": {"message": {"content": "{}"}}}}',
        b'{"error": {"message": "overloaded"}}',
        b'data: {"choices": []}\n\n',
        b"[" * 1_000_000,
        b'{"choices": [{"message": {"content": "{\\u0000}"}}]}',
        b'{"choices": [{"message": {"content": "} {"}}]}',
    ],
)
def test_an_envelope_that_is_none_is_malformed(body: bytes) -> None:
    """Whatever the bytes: a value that says so, no exception."""
    assert isinstance(read_reply(body), Malformed)


def test_an_envelope_that_is_one_is_read() -> None:
    """The bodies above differ from this one."""
    body = json.dumps({"choices": [{"message": {"content": ruling(claim(RIGHT))}}]}).encode()
    assert isinstance(read_reply(body), Ruling)
