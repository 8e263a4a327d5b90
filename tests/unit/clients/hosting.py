"""A host on this machine that counts its connections, and clients that make several calls at a time."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import httpx2
import pytest

from pytest_llmrel import async_http_client, http_client

LIBRARIES = [pytest.param(httpx, id="httpx"), pytest.param(httpx2, id="httpx2")]
WAYS = ["sync", "async"]


class Host(ThreadingHTTPServer):
    """Answers with the path, or does as the path says.

    Attributes:
        opened: connections that there were.
        open: connections that there are.
        most: of those at the same time.
        paths: asked for, in order.
        gate: ``/slow`` waits for it.
        waiting: released once for each ``/slow`` that has arrived.
    """

    request_queue_size = 512
    daemon_threads = True

    def __init__(self) -> None:
        self.opened = self.open = self.most = 0
        self.paths: list[str] = []
        self.gate, self.waiting = threading.Event(), threading.Semaphore(0)
        self.lock, self.all_closed = threading.Lock(), threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        """Of the root, without a slash."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def count(self, change: int) -> None:
        """A connection has come, or gone."""
        with self.lock:
            self.opened += change > 0
            self.open += change
            self.most = max(self.most, self.open)
            (self.all_closed.clear if self.open else self.all_closed.set)()

    def handle_error(self, *_: object) -> None:
        """A client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Host

    def setup(self) -> None:
        super().setup()
        self.server.count(1)

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.server.count(-1)

    def do_GET(self) -> None:
        """Also what a proxy gets, whose path is an address."""
        self.server.paths.append(self.path)
        if self.path == "/reset":
            self.close_connection = True
            return
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("location", "/there")
            self.send_header("content-length", "0")
            self.end_headers()
            return
        if self.path == "/slow":
            self.server.waiting.release()
            self.server.gate.wait(10)
        body = self.path.encode() + self.headers.get("x-added", "").encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body) + (self.path == "/cut")))
        self.end_headers()
        self.wfile.write(body)
        # A host may do so at any time, and need not tell before.
        self.close_connection = self.path in {"/leave", "/cut"}

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def hosting() -> Iterator[Host]:
    """A host, in this block."""
    with Host() as host:
        threading.Thread(target=host.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield host
        finally:
            host.gate.set()
            host.shutdown()


def made(library: Any, way: str, **options: Any) -> Any:
    """A client of ours."""
    if way == "sync":
        return http_client(library.Client, **options)
    return async_http_client(library.AsyncClient, **options)


def rounds(library: Any, way: str, *waves: list[str], **options: Any) -> list[list[Any]]:
    """What one client gets: the calls of a wave at the same time, the waves one after the other."""
    if way == "async":
        return asyncio.run(_rounds(library, *waves, **options))
    with made(library, way, **options) as client, ThreadPoolExecutor(max(map(len, waves))) as pool:

        def get(url: str) -> Any:
            try:
                return client.get(url).text
            except library.HTTPError as error:
                return type(error).__name__

        return [list(pool.map(get, wave)) for wave in waves]


async def _rounds(library: Any, *waves: list[str], **options: Any) -> list[list[Any]]:
    async with made(library, "async", **options) as client:

        async def get(url: str) -> Any:
            try:
                return (await client.get(url)).text
            except library.HTTPError as error:
                return type(error).__name__

        return [list(await asyncio.gather(*map(get, wave))) for wave in waves]
