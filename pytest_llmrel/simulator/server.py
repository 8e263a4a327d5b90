"""The life of the simulated server: a daemon thread with an event loop of its own, from start to stop."""

from __future__ import annotations

import asyncio
import ipaddress
import math
import socket
import threading
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_llmrel.simulator.apis import application
from pytest_llmrel.simulator.connection import Connection
from pytest_llmrel.simulator.faults import load_faults
from pytest_llmrel.simulator.persona_file import load_persona
from pytest_llmrel.simulator.tally import Tally

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from pytest_llmrel.simulator.application import Application
    from pytest_llmrel.simulator.faults import Faults
    from pytest_llmrel.simulator.persona import Persona

__all__ = ["Simulator"]

_PORTS = range(65536)
_BACKLOG = 1024
# What asyncio calls backlog is also how many it accepts before it looks at anything else.
_ACCEPTED_AT_ONCE = 32


class Simulator:
    """A server on this machine which answers as a persona does, in the APIs of several providers.

    Use it as a context manager; on leaving, the thread and every connection are gone. Entered a second
    time, it starts anew: same seed, same answers and faults, counts at zero.

    Args:
        persona: who answers; the bundled shop assistant if not given.
        seed: the seed of right and wrong answers and of latencies; any integer.
        host: the address to listen on; only loopback unless ``allow_remote``.
        port: the port to listen on, 0 to 65535; 0 takes a free one.
        latency: seconds that each answer takes, instead of the latency of the persona (the factor of the
            model still applies); 0 answers at once.
        allow_remote: whether other machines may be served: anybody who reaches the port is.
        faults: what happens to requests instead of answers, in place of the ``[faults]`` of the persona: a
            mapping with the keys of that table, or a text such as ``429=0.1,reset=0.05``.
        script: what happens to the first requests in order of arrival, such as ``("429", "ok", "500")``.

    Raises:
        FaultsError: faults or script have mistakes; all of them are named.
        PersonaError: the bundled persona was wanted and cannot be read.
        ValueError: an argument is out of range, or the host is not on this machine.
    """

    def __init__(  # options of a constructor, all but one by keyword
        self,
        persona: Persona | None = None,
        *,
        seed: int = 0,
        host: str = "127.0.0.1",
        port: int = 0,
        latency: float | None = None,
        allow_remote: bool = False,
        faults: str | Mapping[str, object] | None = None,
        script: Sequence[str] | None = None,
    ) -> None:
        """Checks the arguments; nothing is opened before the server is entered."""
        _check_port(port)
        persona = load_persona() if persona is None else persona
        self._persona = persona if latency is None else persona.with_latency(_checked_latency(latency))
        self._faults = _chosen_faults(persona, faults, script)
        self._seed = seed
        self._address = _resolve(host, allow_remote=allow_remote)
        self._port = port
        self._tally = Tally()
        self._running: _Running | None = None
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """The URL to give to an OpenAI client, such as ``http://127.0.0.1:54321/v1``.

        Raises:
            RuntimeError: the server is not running.
        """
        return f"{self.root_url}/v1"

    @property
    def root_url(self) -> str:
        """The URL to give to the clients of the other providers, such as ``http://127.0.0.1:54321``.

        Raises:
            RuntimeError: the server is not running.
        """
        if self._running is None:
            raise RuntimeError("the simulator is not running; use it as 'with Simulator() as simulator:'")
        host = f"[{self._address}]" if ":" in self._address else self._address
        return f"http://{host}:{self._running.port}"

    @property
    def requests(self) -> int:
        """The number of requests answered so far, with whatever status; kept after the server has stopped."""
        return self.served.total()

    @property
    def served(self) -> Counter[str]:
        """The same number by kind: ``ok``, the kinds of faults, and ``refused`` for the client's mistakes."""
        return self._tally.served

    @property
    def peak(self) -> int:
        """The most requests that were being answered at the same time."""
        return self._tally.peak

    def __enter__(self) -> Self:
        """Starts the server and returns once it listens.

        Raises:
            OSError: the address cannot be listened on.
            RuntimeError: it is running already.
        """
        if self._thread is not None:
            raise RuntimeError("the simulator is running already; make another one")
        answering = application(self._persona, self._seed, self._faults)
        ready: Future[_Running] = Future()
        serve = _Serve(answering, self._address, self._port, ready)
        thread = threading.Thread(target=serve.run, name="llmrel-simulator", daemon=True)
        thread.start()
        try:
            self._running = ready.result()
        except Exception:
            thread.join()
            raise
        self._tally, self._thread = answering.tally, thread
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops the server: open connections are dropped, answers under way are not finished."""
        running, thread = self._running, self._thread
        self._running, self._thread = None, None
        if running is not None and thread is not None:
            running.stop()
            thread.join()


class _Running:
    """A server that listens, as seen from other threads."""

    def __init__(self, port: int, loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
        self.port = port
        self._loop = loop
        self._stopping = stopping

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)


class _Serve:
    """What happens inside the thread."""

    def __init__(self, application: Application, host: str, port: int, ready: Future[_Running]) -> None:
        self._application = application
        self._host = host
        self._port = port
        self._ready = ready
        self._connections: set[Connection] = set()

    def run(self) -> None:
        # Not what the policy hands out, which users replace; and the one kind with remove_reader everywhere.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            try:
                runner.run(self._serve())
            except Exception as error:
                if self._ready.done():
                    raise
                self._ready.set_exception(error)

    async def _serve(self) -> None:
        loop, stopping = asyncio.get_running_loop(), asyncio.Event()
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.create_server((self._host, self._port), family=family)
        server = await loop.create_server(self._connect, sock=listener, backlog=_ACCEPTED_AT_ONCE)
        listener.listen(_BACKLOG)
        self._ready.set_result(_Running(listener.getsockname()[1], loop, stopping))
        await stopping.wait()
        loop.remove_reader(listener)
        await _finish_accepting()
        server.close()
        await self._drop_connections()
        await server.wait_closed()

    def _connect(self) -> Connection:
        return Connection(self._application, self._connections)

    async def _drop_connections(self) -> None:
        while self._connections:
            for connection in tuple(self._connections):
                connection.abort()
            await asyncio.sleep(0)


async def _finish_accepting() -> None:
    """Waits for the connections that are half accepted: asyncio forgets those when its server is closed."""
    accepting = asyncio.all_tasks() - {asyncio.current_task()}
    if accepting:
        await asyncio.wait(accepting)


def _chosen_faults(
    persona: Persona, faults: str | Mapping[str, object] | None, script: Sequence[str] | None
) -> Faults:
    """The faults of the persona, unless others are given; a script alone leaves the rates as they are."""
    if faults is not None:
        return load_faults(faults, script)
    return (
        persona.faults if script is None else replace(persona.faults, script=load_faults({}, script).script)
    )


def _check_port(port: int) -> None:
    if port not in _PORTS:
        raise ValueError(f"port {port} does not exist; use 1 to 65535, or 0 for a free one")


def _checked_latency(latency: float) -> float:
    if not (math.isfinite(latency) and latency >= 0):
        raise ValueError(f"latency {latency} is not a time; use seconds from 0")
    return latency


def _resolve(host: str, *, allow_remote: bool) -> str:
    """The one address that a host stands for, so that what is bound is what is checked and shown."""
    try:
        found = socket.getaddrinfo(host or "127.0.0.1", None, type=socket.SOCK_STREAM)
    except OSError as error:
        message = f"host {host!r} is not an address of this machine ({error}); use 127.0.0.1"
        raise ValueError(message) from error
    address = str(min(found, key=lambda entry: entry[0] != socket.AF_INET)[4][0])
    if not allow_remote and not ipaddress.ip_address(address.partition("%")[0]).is_loopback:
        message = f"host {host!r} would serve other machines; use 127.0.0.1, or allow_remote if that is meant"
        raise ValueError(message)
    return address
