"""The life of the server: quick to start and stop, nothing left behind, loopback only."""

from __future__ import annotations

import gc
import http.client
import json
import socket
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from pytest_llmrel.simulator import Simulator, load_persona, server

if TYPE_CHECKING:
    from pathlib import Path


def port_of(simulator: Simulator) -> int:
    """The port a simulator listens on."""
    return urlsplit(simulator.base_url).port or 0


def ask(simulator: Simulator, question: str, count: int = 1) -> list[str]:
    """Asks the same thing several times on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(simulator), timeout=30)
    body = json.dumps({"model": "shop-assistant", "messages": [{"role": "user", "content": question}]})
    found = []
    try:
        for _ in range(count):
            connection.request("POST", "/v1/chat/completions", body, {"Authorization": "Bearer k"})
            found.append(json.load(connection.getresponse())["choices"][0]["message"]["content"])
    finally:
        connection.close()
    return found


def test_start_and_stop_leave_nothing_behind() -> None:
    """Fifty servers with open connections come and go: no thread, socket, task or warning remains."""
    before = threading.active_count()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = time.perf_counter()
        for _ in range(50):
            with Simulator(latency=30) as simulator:
                clients = [socket.create_connection(("127.0.0.1", port_of(simulator))) for _ in range(3)]
                clients[0].sendall(b"POST /v1/chat")
                body = b'{"model": "shop-assistant", "messages": [{"role": "user", "content": "?"}]}'
                head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer k\r\n"
                clients[1].sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            assert "llmrel-simulator" not in {thread.name for thread in threading.enumerate()}
            for client in clients:
                client.close()
        assert time.perf_counter() - start < 5
        gc.collect()
    assert [str(warning.message) for warning in caught] == []
    assert threading.active_count() == before


def test_stop_while_clients_are_coming_in() -> None:
    """Stopping in the middle of a rush of connections neither hangs nor complains."""
    stop = threading.Event()

    def rush(port: int) -> None:
        while not stop.is_set():
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                return

    for _ in range(10):
        with Simulator() as simulator:
            threads = [threading.Thread(target=rush, args=(port_of(simulator),)) for _ in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(0.02)
        stop.set()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()
        stop.clear()
    gc.collect()


def test_the_port_is_free_again() -> None:
    """A fixed port can be used by the next server at once."""
    with Simulator(latency=0) as first:
        port = port_of(first)
        ask(first, "Refund?")
    with Simulator(port=port, latency=0) as second:
        assert port_of(second) == port
        assert ask(second, "Refund?")


def test_entered_again_it_starts_anew() -> None:
    """Same seed, same answers, count at zero; the count outlives the server."""
    simulator = Simulator(latency=0, seed=4)
    answers = []
    for _ in range(2):
        with simulator:
            assert simulator.requests == 0
            answers.append(ask(simulator, "Warranty?", 20))
        assert simulator.requests == 20
    assert answers[0] == answers[1]


def test_misuse_is_told() -> None:
    """No URL before it runs or after, and no second start while it runs."""
    simulator = Simulator()
    with pytest.raises(RuntimeError, match="not running"):
        _ = simulator.base_url
    assert simulator.requests == 0
    with simulator, pytest.raises(RuntimeError, match="running already"), simulator:
        pass
    with pytest.raises(RuntimeError, match="not running"):
        _ = simulator.base_url


def test_a_port_in_use_is_an_error_of_the_caller() -> None:
    """The second server fails in the thread that asked for it, and leaves no thread."""
    with Simulator() as simulator:
        before = threading.active_count()
        with pytest.raises(OSError, match="in use"), Simulator(port=port_of(simulator)):
            pass
        assert threading.active_count() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"port": -1}, "port -1 does not exist"),
        ({"port": 65536}, "port 65536 does not exist"),
        ({"latency": -0.1}, "latency -0.1 is not a time"),
        ({"latency": float("nan")}, "latency nan is not a time"),
        ({"host": "0.0.0.0"}, "would serve other machines"),  # noqa: S104 # refused
        ({"host": "192.0.2.1"}, "would serve other machines"),
        ({"host": "::"}, "would serve other machines"),
        ({"host": "no such host"}, "is not an address"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, object], message: str) -> None:
    """Nothing is opened for a mistake; above all, nothing that other machines can reach."""
    with pytest.raises(ValueError, match=message):
        Simulator(**arguments)  # type: ignore[arg-type]


def test_remote_hosts_must_be_asked_for() -> None:
    """All interfaces are served only when that is said twice."""
    with Simulator(host="0.0.0.0", allow_remote=True, latency=0) as simulator:  # noqa: S104 # meant
        assert ask(simulator, "Refund?")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2"])
def test_other_names_of_this_machine(host: str) -> None:
    """Loopback has more than one name, and the URL is one that can be used."""
    try:
        running = Simulator(host=host, latency=0).__enter__()
    except OSError:
        pytest.skip(f"{host} cannot be listened on here")
    try:
        place = urlsplit(running.base_url)
        socket.create_connection((place.hostname, place.port), timeout=5).close()
    finally:
        running.__exit__(None, None, None)


def test_ipv6_has_brackets_in_its_url() -> None:
    """A loopback address of the newer kind makes a proper URL."""
    try:
        running = Simulator(host="::1", latency=0).__enter__()
    except (OSError, ValueError):
        pytest.skip("no IPv6 here")
    try:
        assert running.base_url.startswith("http://[::1]:")
    finally:
        running.__exit__(None, None, None)


def test_concurrency_does_not_change_the_luck() -> None:
    """Sixteen threads asking four questions get, per question, the very answers one thread gets."""
    questions = ["Warranty?", "Guarantee?", "What warranty is there?", "A guarantee on kettles?"]
    with Simulator(latency=0, seed=9) as simulator:
        expected = {question: sorted(ask(simulator, question, 40)) for question in questions}
    with Simulator(latency=0, seed=9) as simulator, ThreadPoolExecutor(16) as pool:
        jobs = [
            (question, pool.submit(ask, simulator, question, 10)) for question in questions for _ in range(4)
        ]
        found: dict[str, list[str]] = {question: [] for question in questions}
        for question, job in jobs:
            found[question] += job.result()
        assert simulator.requests == 160
    assert {question: sorted(answers) for question, answers in found.items()} == expected


def test_another_seed_gives_other_luck() -> None:
    """The seed is what makes the difference."""
    answers = []
    for seed in (0, 1):
        with Simulator(latency=0, seed=seed) as simulator:
            answers.append(ask(simulator, "Warranty?", 30))
    assert answers[0] != answers[1]


def test_rates_show_over_http(tmp_path: Path) -> None:
    """A persona of one's own is right as often as its file says, within four standard errors."""
    file = tmp_path / "coin.toml"
    file.write_text(
        'name = "coin"\nfallback = "?"\n[models.shop-assistant]\n[[topics]]\nname = "toss"\n'
        'patterns = ["toss"]\nanswers = ["heads"]\nwrong = ["tails"]\npass_rate = 0.7\n'
    )
    with Simulator(load_persona(file), seed=2) as simulator:
        heads = ask(simulator, "toss", 1000).count("heads")
    assert abs(heads / 1000 - 0.7) < 4 * (0.7 * 0.3 / 1000) ** 0.5


def test_latency_is_what_the_persona_says() -> None:
    """The bundled persona takes its time; an override takes another."""
    for latency, low, high in ((None, 0.04, 0.08), (0.2, 0.2, 0.25), (0, 0.0, 0.04)):
        with Simulator(latency=latency) as simulator:
            times = []
            for _ in range(4):
                start = time.perf_counter()
                ask(simulator, "Refund?")
                times.append(time.perf_counter() - start)
        # The quickest is what a busy machine disturbs least.
        assert low <= min(times) < high


def test_a_failing_handler_is_an_answer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of the simulator itself is a 500 in the usual shape, is logged, and harms no other request."""

    def explode(_: bytes) -> None:
        raise ZeroDivisionError

    with Simulator(latency=0) as simulator:
        connection = http.client.HTTPConnection("127.0.0.1", port_of(simulator), timeout=10)
        with monkeypatch.context() as patch:
            patch.setattr("pytest_llmrel.simulator.openai.read_chat", explode)
            connection.request("POST", "/v1/chat/completions", b"{}", {"Authorization": "Bearer k"})
            response = connection.getresponse()
            assert (response.status, json.load(response)["error"]["type"]) == (500, "server_error")
        connection.close()
        assert ask(simulator, "Refund?")
    assert "failed to answer POST" in caplog.text


def test_an_error_while_starting_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stops the thread before it listens is raised where the server was entered."""

    async def fail(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(server._Serve, "_serve", fail)
    with pytest.raises(ZeroDivisionError), Simulator():
        pass
