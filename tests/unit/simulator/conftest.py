"""Fixtures for the simulator's tests: a server that answers at once, and raw ways to talk to it."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from pytest_llmrel.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = {"Authorization": "Bearer any"}


@dataclass
class Answer:
    """A response, read to its end."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def events(self) -> list[tuple[str, Any]]:
        """The server-sent events of the body, each with its type ("" if it has none) and its data."""
        assert self.headers["content-type"].startswith("text/event-stream")
        assert self.body.endswith(b"\n\n")
        found = []
        for block in self.body.decode().removesuffix("\n\n").split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.split("\n"))
            data = fields["data"]
            found.append((fields.get("event", ""), data if data == "[DONE]" else json.loads(data)))
        return found


class Dialogue:
    """One TCP connection, on which a test writes bytes and reads responses."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)

    def send(self, data: bytes) -> None:
        """Writes bytes as they are."""
        self.socket.sendall(data)

    def read(self, method: str = "POST") -> Answer:
        """Reads one response and not a byte of the next."""
        response = http.client.HTTPResponse(_Unbuffered(self.socket), method=method)
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())

    def rest(self) -> bytes:
        """Reads until the server ends the connection."""
        return b"".join(iter(lambda: self.socket.recv(65536), b""))

    def close(self) -> None:
        """Closes this end."""
        self.socket.close()


class _Unbuffered:
    """Lets http.client read from a socket without reading ahead."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def makefile(self, mode: str) -> Any:
        return self._socket.makefile(mode, buffering=0)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A running simulator that does not wait."""
    with Simulator(latency=0) as running:
        yield running


@pytest.fixture
def dial(simulator: Simulator) -> Iterator[Callable[[], Dialogue]]:
    """Opens raw connections to the simulator, and closes them after the test."""
    opened: list[Dialogue] = []

    def open_one() -> Dialogue:
        opened.append(Dialogue(urlsplit(simulator.base_url).port or 0))
        return opened[-1]

    yield open_one
    for dialogue in opened:
        dialogue.close()


@pytest.fixture
def call(simulator: Simulator) -> Callable[..., Answer]:
    """Makes one request on a connection of its own; a body that is not bytes is sent as JSON."""

    def make(method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        place = urlsplit(simulator.base_url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, path, data, KEY if headers is None else headers)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    return make


@pytest.fixture
def raw_chat() -> Callable[..., bytes]:
    """Words a chat request as the bytes of HTTP."""

    def word(question: str = "Refund?", headers: str = "", **fields: Any) -> bytes:
        messages = [{"role": "user", "content": question}]
        body = json.dumps({"model": "shop-assistant", "messages": messages, **fields}).encode()
        head = (
            "POST /v1/chat/completions HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer k\r\n"
            f"Content-Length: {len(body)}\r\n{headers}\r\n"
        )
        return head.encode() + body

    return word
