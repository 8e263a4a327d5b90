"""Real clients that ask a real server in every way, and servers that answer as a test says, byte by byte."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import httpx2
import pytest

LIBRARIES = [pytest.param(httpx, id="httpx"), pytest.param(httpx2, id="httpx2")]
WAYS = ["plain", "streamed", "async plain", "async streamed"]
TEXT = b'{"model": "gpt-4o-mini", "usage": {"prompt_tokens": 10, "completion_tokens": 2}}'
QUESTION = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "why?"}]}
ASKED = "/v1/chat/completions"
"""A path that only models have: what is asked there may be sent again."""


def ask(library: Any, way: str, url: str, **options: Any) -> tuple[int, bytes]:
    """Post in one of four ways; status and body."""
    if "async" in way:
        return asyncio.run(ask_async(library, way, url, **options))
    with library.Client(**options) as client:
        if way == "plain":
            response = client.post(url, json=QUESTION)
            return response.status_code, response.content
        with client.stream("POST", url, json=QUESTION) as response:
            return response.status_code, b"".join(response.iter_bytes())


async def ask_async(library: Any, way: str, url: str, **options: Any) -> tuple[int, bytes]:
    """The same of an asynchronous client."""
    async with library.AsyncClient(**options) as client:
        if "plain" in way:
            response = await client.post(url, json=QUESTION)
            return response.status_code, response.content
        async with client.stream("POST", url, json=QUESTION) as response:
            return response.status_code, b"".join([chunk async for chunk in response.aiter_bytes()])


class _Quiet(ThreadingHTTPServer):
    """A client that goes away is no news."""

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """URL of a server whose every request is read, into ``body``, and then handed to ``answer``."""

    class Handler(BaseHTTPRequestHandler):
        """Reads, and asks the test."""

        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Read the body, and let the test answer."""
            self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
            while "transfer-encoding" in self.headers and not self.body.endswith(b"\r\n0\r\n\r\n"):
                self.body += self.rfile.readline()
            answer(self)

        def do_GET(self) -> None:
            """The same."""
            self.do_POST()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with _Quiet(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def reply(handler: BaseHTTPRequestHandler, body: bytes = TEXT, status: int = 200, **headers: str) -> None:
    """Answer a request; a header ``x_y`` is ``x-y``, and overrules what would be sent."""
    said = {"content_type": "application/json", "content_length": str(len(body))} | headers
    handler.send_response(status)
    for name, value in said.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def in_pieces(handler: BaseHTTPRequestHandler, *pieces: bytes, ends: bool = True) -> None:
    """Answer with a stream of events, chunk by chunk; it may leave its end to the test."""
    handler.send_response(200)
    handler.send_header("content-type", "text/event-stream")
    handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()
    for piece in pieces:
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
    if ends:
        handler.wfile.write(b"0\r\n\r\n")
    handler.wfile.flush()
