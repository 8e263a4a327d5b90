"""Measures how many requests a second the simulator carries on one core; run it by hand.

    python tests/benchmarks/bench_simulator.py [--seconds 5] [--connections 32] [--stream]

The server runs in a process of its own (``python -m pytest_llmrel.cli simulator --latency 0``), held on one
core where the platform allows it; the load comes from this process, held on another. Each of the keep-alive
connections is a raw asyncio protocol that sends the next chat completions request as soon as the last reply
is complete, without reading anything but the framing. Requests are counted between two instants after a
second of warming up; the CPU is that of the server process between the same instants.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_QUESTIONS = 50


def main() -> None:
    """Starts the server, loads it, and writes what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="how long to measure")
    parser.add_argument("--connections", type=int, default=32, help="keep-alive connections")
    parser.add_argument("--stream", action="store_true", help="ask for streamed replies")
    options = parser.parse_args()
    command = [sys.executable, "-m", "pytest_llmrel.cli", "simulator", "--latency", "0"]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            line = server.stdout.readline() if server.stdout else ""
            port = int(re.search(r"http://127\.0\.0\.1:(\d+)/", line)[1])
            pinned = _pin(server.pid)
            count, seconds, cpu = asyncio.run(_measure(port, server.pid, options))
        finally:
            server.terminate()
    share = (
        "unknown"
        if cpu is None
        else f"{cpu / seconds:.0%} of one core, {cpu / count * 1e6:.0f} us per request"
    )
    sys.stdout.write(
        f"{count / seconds:.0f} requests/s over {options.connections} keep-alive connections"
        f"{', streamed' if options.stream else ''} ({count} requests in {seconds:.2f} s)\n"
        f"server CPU: {share}; server and client {'on one core each' if pinned else 'not pinned'}\n"
        f"CPython {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores\n"
    )


def _pin(server: int) -> bool:
    """Gives server and client a core each, where there are two and the platform can."""
    if not hasattr(os, "sched_setaffinity"):
        return False
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(server, cores[:1])
    os.sched_setaffinity(0, cores[1:2] or cores[:1])
    return len(cores) > 1


async def _measure(port: int, server: int, options: argparse.Namespace) -> tuple[int, float, float | None]:
    """Returns the number of replies, the seconds they took, and the CPU seconds of the server."""
    loop = asyncio.get_running_loop()
    clients = [_Client(number, stream=options.stream) for number in range(options.connections)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)
    await asyncio.sleep(1)
    count, cpu, start = sum(client.replies for client in clients), _cpu(server), time.perf_counter()
    await asyncio.sleep(options.seconds)
    seconds = time.perf_counter() - start
    spent = None if cpu is None else (_cpu(server) or 0.0) - cpu
    replies = sum(client.replies for client in clients) - count
    for client in clients:
        client.transport.abort()
    return replies, seconds, spent


def _cpu(process: int) -> float | None:
    """CPU seconds a process has used so far, where the platform tells."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class _Client(asyncio.Protocol):
    """Asks again as soon as it is answered."""

    def __init__(self, number: int, *, stream: bool) -> None:
        self.replies = 0
        self._number = number
        self._stream = stream
        self._received = bytearray()
        self._requests = [_request(f"{number} {n}", stream=stream) for n in range(_QUESTIONS)]

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._complete():
            self._received.clear()
            self.replies += 1
            self._ask()

    def _ask(self) -> None:
        self.transport.write(self._requests[self.replies % _QUESTIONS])

    def _complete(self) -> bool:
        received = self._received
        assert not received or received.startswith(b"HTTP/1.1 200"[: len(received)]), received
        if self._stream:
            return received.endswith(b"\r\n0\r\n\r\n")
        head = received.find(b"\r\n\r\n")
        if head < 0:
            return False
        start = received.index(b"Content-Length: ") + 16
        return len(received) == head + 4 + int(received[start : received.index(b"\r\n", start)])


def _request(number: str, *, stream: bool) -> bytes:
    messages = [
        {"role": "system", "content": "You are the assistant of a small tea shop. " * 10},
        {"role": "user", "content": f"How long do I have to return an item? (asked by {number})"},
    ]
    body = json.dumps({"model": "shop-assistant", "messages": messages, "stream": stream}).encode()
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n"
        b"User-Agent: bench\r\nAuthorization: Bearer key\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )


if __name__ == "__main__":
    main()
