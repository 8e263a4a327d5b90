"""Faults as clients meet them: resets that are resets, bodies that end early, and counts of all that."""

from __future__ import annotations

import errno
import json
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmrel.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable

httpx = pytest.importorskip("httpx")

QUESTION = "How long is the warranty?"
TURNS = [{"role": "user", "content": QUESTION}]
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {"model": "shop-assistant", "messages": TURNS}),
    "mistral": ("/v1/chat/completions", {"model": "mistral-small-latest", "messages": TURNS}),
    "groq": ("/openai/v1/chat/completions", {"model": "shop-assistant", "messages": TURNS}),
    "responses": ("/v1/responses", {"model": "shop-assistant", "input": QUESTION}),
    "embeddings": ("/v1/embeddings", {"model": "e", "input": QUESTION}),
    "anthropic": ("/v1/messages", {"model": "shop-assistant", "messages": TURNS, "max_tokens": 99}),
    "gemini": (
        "/v1beta/models/shop-assistant:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": QUESTION}]}]},
    ),
    "cohere": ("/v2/chat", {"model": "shop-assistant", "messages": TURNS}),
}
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
KEYS = {"Authorization": "Bearer k"}


def port_of(simulator: Simulator) -> int:
    """The port a simulator listens on."""
    return int(simulator.root_url.rpartition(":")[2])


def ask(simulator: Simulator, api: str = "chat", **fields: Any) -> Any:
    """Asks one thing on a connection of its own."""
    path, body = ASKED[api]
    return httpx.post(simulator.root_url + path, json={**body, **fields}, headers=KEYS, timeout=10)


def stream(simulator: Simulator, api: str) -> Any:
    """Asks for a streamed answer."""
    if api != "gemini":
        return ask(simulator, api, stream=True)
    path = ASKED[api][0].replace("generate", "streamGenerate")
    return httpx.post(f"{simulator.root_url}{path}?alt=sse", json=ASKED[api][1], headers=KEYS, timeout=10)


def message_of(api: str, document: Any) -> tuple[str, object]:
    """The message of an error in the shape of an API, and the word by which its clients know the kind."""
    if api == "cohere":
        return document["message"], None
    if api == "mistral":
        assert document["object"] == "error"
        return document["message"], document["type"]
    error = document["error"]
    return error["message"], error["status"] if api == "gemini" else error["type"]


@pytest.mark.parametrize("api", ASKED)
@pytest.mark.parametrize("status", [429, 500, 503, 529])
def test_refusals_have_the_shape_of_the_api(api: str, status: int) -> None:
    """A provider in trouble says so in its own words, and a 429 says how long to wait."""
    with Simulator(latency=0, faults={str(status): 1, "retry_after": 0.5}) as simulator:
        answer = ask(simulator, api)
        assert answer.status_code == status
        assert answer.headers.get("retry-after") == ("0.5" if status == 429 else None)
        message, kind = message_of(api, answer.json())
        assert "try again" in message
        assert simulator.served == {str(status): 1}
    if api == "anthropic":
        assert answer.json()["type"] == "error"
        expected = {429: "rate_limit_error", 500: "api_error", 503: "api_error", 529: "overloaded_error"}
        assert kind == expected[status]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_reset_is_a_reset(raw_chat: Callable[..., bytes], *, streamed: bool) -> None:
    """The client's operating system says ECONNRESET before there is a single byte of an answer."""
    with Simulator(latency=0.2, faults={"reset": 1}) as simulator:
        port = port_of(simulator)
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
            sock.sendall(raw_chat(stream=streamed))
            with pytest.raises(ConnectionResetError) as caught:
                sock.recv(1)
        assert caught.value.errno == errno.ECONNRESET
        with pytest.raises(httpx.ReadError):
            ask(simulator, stream=streamed)
        assert simulator.served == {"reset": 2}


@pytest.mark.parametrize("api", ASKED)
def test_a_truncated_answer_is_seen_to_be_incomplete(api: str) -> None:
    """Some of the answer arrives, plain or streamed; then the connection ends before it should."""
    with Simulator(latency=0.01, faults={"truncated": 1}) as simulator:
        for make in (ask, stream) if api != "embeddings" else (ask,):
            with pytest.raises(httpx.RemoteProtocolError, match=r"incomplete|without sending complete"):
                make(simulator, api)


def test_what_is_truncated_has_begun_properly(raw_chat: Callable[..., bytes]) -> None:
    """Half of the announced body is there; of a stream half of the events, without the last chunk."""
    with Simulator(latency=0, faults={"truncated": 1}) as simulator:
        found = []
        for streamed in (False, True):
            port = port_of(simulator)
            with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
                sock.sendall(raw_chat(stream=streamed))
                found.append(b"".join(iter(lambda: sock.recv(65536), b"")))
    head, _, body = found[0].partition(b"\r\n\r\n")
    assert b"Connection: close" not in head
    assert len(body) == int(head.partition(b"Content-Length: ")[2].split()[0]) // 2 > 50
    assert found[1].count(b"data: {") > 3
    assert not found[1].endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("api", ASKED)
def test_a_malformed_answer_is_whole_for_http_only(api: str) -> None:
    """Status 200, a body that is complete, and JSON that ends in the middle."""
    with Simulator(latency=0, faults={"malformed": 1}) as simulator:
        answer = ask(simulator, api)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        with pytest.raises(json.JSONDecodeError):
            answer.json()
        if api != "embeddings":
            last = stream(simulator, api).text.strip().splitlines()[-1]
            with pytest.raises(json.JSONDecodeError):
                json.loads(last.removeprefix("data: "))


@pytest.mark.parametrize("status", [200, 502])
def test_a_page_of_a_proxy(status: int) -> None:
    """HTML where JSON was asked for, under either status."""
    with Simulator(latency=0, faults={"html": 1, "html_status": status}) as simulator:
        answer = ask(simulator)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_a_slow_answer_comes_late() -> None:
    """It takes as long as is set on top of its latency, and is right."""
    with Simulator(latency=0, faults={"slow": 1, "slow_seconds": 0.3}) as simulator:
        start = time.perf_counter()
        assert ask(simulator).json()["choices"]
        assert time.perf_counter() - start >= 0.3
        assert simulator.served == {"slow": 1}


def texts(simulator: Simulator, count: int) -> list[str]:
    """The answers to one question, asked until there are so many."""
    found: list[str] = []
    while len(found) < count:
        try:
            answer = ask(simulator)
            found.append(answer.json()["choices"][0]["message"]["content"])
        except (httpx.HTTPError, ValueError, KeyError):
            continue
    return found


def test_answers_are_the_same_with_and_without_faults() -> None:
    """Faults of every kind come between the answers, and change none of them."""
    rates = dict.fromkeys(("429", "500", "reset", "truncated", "malformed", "html", "slow"), 0.1)
    with Simulator(latency=0, seed=6) as simulator:
        expected = texts(simulator, 40)
    with Simulator(latency=0, seed=6, faults={**rates, "slow_seconds": 0}) as simulator:
        assert texts(simulator, 40) == expected
        assert set(simulator.served) == {*rates, "ok"}
        assert simulator.requests == simulator.served.total() > 50
    assert len(set(expected)) > 1


def test_a_client_that_gives_up_on_a_slow_answer_uses_up_none() -> None:
    """The next attempt gets the answer that the first one would have had."""
    with Simulator(latency=0, seed=6) as simulator:
        expected = texts(simulator, 10)
    faults = {"slow_seconds": 0.2, "script": ["slow", "ok"] * 10}
    with Simulator(latency=0, seed=6, faults=faults) as simulator:
        found = []
        for _ in range(10):
            path, body = ASKED["chat"]
            with pytest.raises(httpx.ReadTimeout):
                httpx.post(simulator.root_url + path, json=body, headers=KEYS, timeout=0.05)
            found.append(ask(simulator).json()["choices"][0]["message"]["content"])
        time.sleep(0.3)
        assert simulator.served == {"ok": 10}
    assert found == expected


def test_a_request_with_a_seed_of_its_own_can_be_tried_again() -> None:
    """Its answer is fixed, its faults are not: otherwise no retry could ever succeed."""
    with Simulator(latency=0, faults={"500": 0.5}) as simulator:
        statuses = {ask(simulator, seed=4).status_code for _ in range(30)}
    assert statuses == {200, 500}


def test_a_script_is_for_requests_that_a_model_would_answer() -> None:
    """Bad requests, unknown models and the list of models use up no step, and are counted apart."""
    with Simulator(latency=0, script=("429", "ok", "reset")) as simulator:
        assert ask(simulator, model="nobody").status_code == 404
        assert ask(simulator, messages=[]).status_code == 400
        assert httpx.get(f"{simulator.base_url}/models", headers=KEYS).status_code == 200
        assert [ask(simulator).status_code for _ in range(2)] == [429, 200]
        with pytest.raises(httpx.ReadError):
            ask(simulator, "anthropic")
        assert ask(simulator).status_code == 200
        assert simulator.served == {"refused": 2, "429": 1, "ok": 3, "reset": 1}


def test_entered_again_faults_start_anew() -> None:
    """The script and the counts are at their beginning."""
    simulator = Simulator(latency=0, script=("500",))
    for _ in range(2):
        with simulator:
            assert simulator.served == {}
            assert [ask(simulator).status_code for _ in range(2)] == [500, 200]
        assert (simulator.served, simulator.peak) == ({"500": 1, "ok": 1}, 1)


def test_the_peak_is_how_many_are_answered_at_once(raw_chat: Callable[..., bytes]) -> None:
    """Eight that come together and take a while are eight; those that left early are not still counted."""
    with Simulator(latency=0.3) as simulator:
        assert simulator.peak == 0
        threads = [threading.Thread(target=ask, args=(simulator,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert simulator.peak == 8
    with Simulator(latency=0.2) as simulator:
        for _ in range(4):
            with socket.create_connection(("127.0.0.1", port_of(simulator)), timeout=10) as sock:
                sock.sendall(raw_chat())
                time.sleep(0.05)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            time.sleep(0.05)
        assert (simulator.peak, simulator.served) == (1, {})


def test_a_slow_answer_that_cannot_be_made_is_a_500(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of the simulator itself, after the wait, is told like any other, and harms no other request."""
    with Simulator(latency=0, faults={"slow_seconds": 0.01}, script=("slow",)) as simulator:
        with monkeypatch.context() as patch:
            patch.setattr("pytest_llmrel.simulator.voice.Voice._answer", None)
            assert ask(simulator).status_code == 500
        assert ask(simulator).status_code == 200
    assert "failed to answer POST" in caplog.text
