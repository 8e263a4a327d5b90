"""The wire, seen from raw sockets: patient with the slow, strict with the broken, never dead."""

from __future__ import annotations

import json
import random
import socket
import struct
import time
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from pytest_llmrel.simulator import Simulator, connection
from pytest_llmrel.simulator.parsing import MAX_BODY

if TYPE_CHECKING:
    from collections.abc import Callable

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
Dial: TypeAlias = "Callable[[], Any]"
Raw: TypeAlias = "Callable[..., bytes]"


def test_a_request_in_single_bytes(dial: Dial, raw_chat: Raw) -> None:
    """A client may send as slowly as it likes."""
    talk = dial()
    talk.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in raw_chat():
        talk.send(bytes([byte]))
    assert talk.read().status == 200


def test_a_pipeline_is_answered_in_order(dial: Dial, raw_chat: Raw, simulator: Simulator) -> None:
    """A hundred requests in one go get a hundred replies, each to its question."""
    talk = dial()
    talk.send(b"".join(raw_chat(f"add {number} mugs to my basket", seed=1) for number in range(1, 101)))
    answers = [talk.read().json["choices"][0]["message"]["content"] for _ in range(100)]
    assert all(str(number) in answer for number, answer in enumerate(answers, 1) if answer.startswith("{"))
    assert sum(answer.startswith("{") for answer in answers) > 90
    assert simulator.requests == 100


def test_a_pipeline_waits_for_slow_answers(raw_chat: Raw) -> None:
    """Later requests wait for earlier replies, also when these take time and come in pieces."""
    with Simulator(latency=0.05) as simulator:
        port = int(simulator.base_url.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
            start = time.perf_counter()
            sock.sendall(raw_chat(stream=True) + raw_chat() + raw_chat(headers="Connection: close\r\n"))
            received = b"".join(iter(lambda: sock.recv(65536), b""))
            assert time.perf_counter() - start >= 0.15
    first, second, third = received.split(b"HTTP/1.1 200 OK")[1:]
    assert b"[DONE]" in first
    assert b'"usage"' in second
    assert b"Connection: close" in third


def test_a_chunked_body(dial: Dial, raw_chat: Raw) -> None:
    """A body in chunks, extensions and trailers included, is a body."""
    head, _, body = raw_chat().partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    talk = dial()
    talk.send(b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", b""]))
    for start in range(0, len(body), 7):
        piece = body[start : start + 7]
        talk.send(b"%X;a=b\r\n%b\r\n" % (len(piece), piece))
    talk.send(b"0\r\nX-Checksum: 5\r\n\r\n" + raw_chat())
    assert [talk.read().status, talk.read().status] == [200, 200]


def test_expect_100_continue(dial: Dial, raw_chat: Raw) -> None:
    """A client that asks first is told to go on, and then answered."""
    head, _, body = raw_chat(headers="Expect: 100-continue\r\n").partition(b"\r\n\r\n")
    talk = dial()
    talk.send(head + b"\r\n\r\n")
    assert talk.socket.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    talk.send(body)
    assert talk.read().status == 200


def test_expect_with_too_much_to_send(dial: Dial) -> None:
    """A client that asks first is spared sending what would be refused."""
    talk = dial()
    talk.send(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
        b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1)
    )
    assert talk.read().status == 413
    assert talk.rest() == b""


def test_an_oversized_body_is_refused_readably(dial: Dial, raw_chat: Raw) -> None:
    """The refusal reaches even a client that sends all its eleven megabytes before it reads."""
    talk = dial()
    body = b"x" * (MAX_BODY + 1024 * 1024)
    talk.send(raw_chat().partition(b"Content-Length")[0] + b"Content-Length: %d\r\n\r\n" % len(body))
    talk.send(body)
    answer = talk.read()
    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert answer.json["error"]["type"] == "invalid_request_error"
    assert talk.rest() == b""


def test_a_body_of_ten_mebibytes_is_answered(dial: Dial) -> None:
    """The limit itself is within the limit."""
    frame = json.dumps({"model": "shop-assistant", "messages": [{"role": "user", "content": "?"}]}).encode()
    body = frame.replace(b"?", b"?" * (MAX_BODY - len(frame) + 1))
    talk = dial()
    talk.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer k\r\n")
    talk.send(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    answer = talk.read()
    assert answer.status == 200
    assert answer.json["usage"]["prompt_tokens"] > 2_600_000


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x00\xa5\x01", b"\n", b"GET\r\n\r\n", b"\x00" * 100_000])
def test_garbage_is_refused_at_once(dial: Dial, garbage: bytes) -> None:
    """A client that speaks something else learns of it without waiting, and is let go."""
    talk = dial()
    talk.send(garbage)
    answer = talk.read()
    assert (answer.status, answer.json["error"]["code"]) == (400, None)
    assert talk.rest() == b""


def test_http_1_0_is_answered_and_closed(dial: Dial, raw_chat: Raw) -> None:
    """An old client gets no chunks, not even of a stream, and the end of the connection as the end."""
    for stream in (False, True):
        talk = dial()
        talk.send(raw_chat(stream=stream).replace(b"HTTP/1.1", b"HTTP/1.0"))
        received = talk.rest()
        assert b"Transfer-Encoding" not in received
        assert received.endswith(b"data: [DONE]\n\n" if stream else b"}}")


def test_a_client_that_ends_its_side_first(raw_chat: Raw) -> None:
    """Half-closing after the request, as netcat does, does not lose the replies."""
    with Simulator(latency=0.02) as simulator:
        port = int(simulator.base_url.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
            sock.sendall(raw_chat() + raw_chat())
            sock.shutdown(socket.SHUT_WR)
            received = b"".join(iter(lambda: sock.recv(65536), b""))
    assert received.count(b"HTTP/1.1 200 OK") == 2


def test_truncated_requests_do_no_harm(dial: Dial, raw_chat: Raw) -> None:
    """Clients that vanish at any point of a request leave the server to the others."""
    whole = raw_chat(stream=True)
    for end in range(0, len(whole) + 1, 9):
        talk = dial()
        talk.send(whole[:end])
        if end % 2:
            talk.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        talk.close()
    talk = dial()
    talk.send(raw_chat())
    assert talk.read().status == 200


def test_random_garbage_does_no_harm(dial: Dial, raw_chat: Raw) -> None:
    """Requests with bytes changed at random are answered or refused; the next client is served."""
    rng = random.Random(5)
    for _ in range(150):
        spoilt = bytearray(raw_chat())
        for _ in range(rng.randint(1, 5)):
            spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
        talk = dial()
        talk.send(bytes(spoilt))
        talk.socket.shutdown(socket.SHUT_WR)
        received = talk.rest()
        assert received == b"" or received.startswith(b"HTTP/1.1 ")
        talk.close()
    talk = dial()
    talk.send(raw_chat())
    assert talk.read().status == 200


def send_until_refused(talk: Any, data: bytes) -> int:
    """Sends the same bytes again and again until nobody takes them; returns how many were taken."""
    sent = 0
    while True:
        try:
            sent += talk.socket.send(data)
        except TimeoutError:
            return sent


def test_a_client_that_never_reads_does_not_stop_the_others(dial: Dial, raw_chat: Raw) -> None:
    """What cannot be written is not answered for ever: the server stops reading, and serves the others."""
    greedy = dial()
    greedy.socket.settimeout(0.5)
    flood = raw_chat() * 200
    assert send_until_refused(greedy, flood) < 50_000_000
    other = dial()
    other.send(raw_chat())
    assert other.read().status == 200
    greedy.socket.settimeout(10)
    assert greedy.read().status == 200


def test_a_flood_while_an_answer_is_due_is_held_back(raw_chat: Raw) -> None:
    """Requests sent during a slow answer wait in the client, beyond a small backlog, and are not lost."""
    with Simulator(latency=0.1) as simulator:
        port = int(simulator.base_url.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
            padding = {"role": "system", "content": "x" * 200_000}
            asked = {"role": "user", "content": "Refund?"}
            large = raw_chat(messages=[padding, asked])
            sock.sendall(raw_chat() + large * 3 + raw_chat(headers="Connection: close\r\n"))
            received = b"".join(iter(lambda: sock.recv(65536), b""))
    assert received.count(b"HTTP/1.1 200 OK") == 5


def test_an_unfinished_request_is_given_up(
    dial: Dial, raw_chat: Raw, monkeypatch: pytest.MonkeyPatch, simulator: Simulator
) -> None:
    """A request that is not complete in time is refused; an idle connection is not."""
    monkeypatch.setattr(connection, "_STALLED_SECONDS", 0.3)
    idle, stalled = dial(), dial()
    stalled.send(raw_chat()[:-1])
    answer = stalled.read()
    assert answer.status == 408
    assert stalled.rest() == b""
    time.sleep(0.4)
    idle.send(raw_chat())
    assert idle.read().status == 200
    idle.send(raw_chat())
    assert idle.read().status == 200
    stalled = dial()
    stalled.send(raw_chat()[:-1])
    time.sleep(0.02)
    stalled.send(raw_chat()[-1:])
    assert stalled.read().status == 200
    time.sleep(0.4)
    stalled.send(raw_chat())
    assert stalled.read().status == 200
    assert simulator.requests == 4


def test_head_has_no_body(dial: Dial, raw_chat: Raw) -> None:
    """After the head of the reply to HEAD comes the next reply, and nothing else."""
    talk = dial()
    talk.send(b"HEAD /v1/models HTTP/1.1\r\nHost: h\r\n\r\n" + raw_chat())
    assert [talk.read("HEAD").status, talk.read().status] == [405, 200]


def test_an_answer_to_nobody_is_not_given(raw_chat: Raw) -> None:
    """A client that is gone before its answer is due gets none, and none is counted."""
    with Simulator(latency=0.1) as simulator:
        port = int(simulator.base_url.split(":")[2].split("/")[0])
        sock = socket.create_connection(("127.0.0.1", port), timeout=10)
        sock.sendall(raw_chat(stream=True))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        sock.close()
        time.sleep(0.2)
        assert simulator.requests == 0


def test_a_streamed_answer_arrives_word_by_word(raw_chat: Raw) -> None:
    """The first word is there long before the last one."""
    with Simulator(latency=0.5) as simulator:
        port = int(simulator.base_url.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
            start = time.perf_counter()
            sock.sendall(raw_chat(stream=True, headers="Connection: close\r\n"))
            times = []
            while sock.recv(65536):
                times.append(time.perf_counter() - start)
    assert times[0] < 0.4
    assert times[-1] >= 0.45
    assert len(times) > 5
