"""Real calls over lanes: connections that are kept, limits, streams, hosts that leave, and what a client can do."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from .hosting import LIBRARIES, WAYS, Host, hosting, made, rounds

pytestmark = [pytest.mark.parametrize("library", LIBRARIES), pytest.mark.parametrize("way", WAYS)]


@pytest.fixture
def host() -> Iterator[Host]:
    """A host that counts its connections."""
    with hosting() as host:
        yield host


def test_connections_are_kept(library: Any, way: str, host: Host) -> None:
    """One after the other, all calls share one; several at a time, there are no more than were ever in flight."""
    urls = [f"{host.url}/{number}" for number in range(8)]
    answers = rounds(library, way, *([url] for url in urls), urls, urls, urls)
    assert [text for (text,) in answers[:8]] == answers[8] == answers[10] == [f"/{n}" for n in range(8)]
    assert 1 <= host.opened <= 8
    assert host.all_closed.wait(5)


def test_calls_one_after_the_other_share_a_connection(library: Any, way: str, host: Host) -> None:
    """Which is closed with the client."""
    assert rounds(library, way, *[[f"{host.url}/x"]] * 5) == [["/x"]] * 5
    assert host.opened == 1
    assert host.all_closed.wait(5)


def test_there_are_never_more_connections_than_may_be(library: Any, way: str, host: Host) -> None:
    """Who finds none waits, and everybody gets the answer to what he asked."""
    urls = [f"{host.url}/{number}" for number in range(40)]
    limits = library.Limits(max_connections=3)
    assert rounds(library, way, urls, limits=limits) == [[f"/{number}" for number in range(40)]]
    assert host.opened == host.most == 3


def test_no_more_are_kept_than_shall_be(library: Any, way: str, host: Host) -> None:
    """The others are closed after their call."""
    urls = [f"{host.url}/{number}" for number in range(3)]
    limits = library.Limits(max_keepalive_connections=0)
    rounds(library, way, urls, urls, limits=limits)
    assert host.opened == 6


def test_who_waits_too_long_gets_the_error_of_the_library(library: Any, way: str, host: Host) -> None:
    """And the place that he waited for is there for the next."""
    limits, timeout = library.Limits(max_connections=1), library.Timeout(10, pool=0.05)

    def sync() -> None:
        with made(library, way, limits=limits, timeout=timeout) as client:
            with client.stream("GET", f"{host.url}/x") as response:
                for _ in range(2):
                    with pytest.raises(library.PoolTimeout, match="each of 1 connections was busy"):
                        client.get(f"{host.url}/y")
                assert response.read() == b"/x"
            assert client.get(f"{host.url}/y").text == "/y"

    async def story() -> None:
        async with made(library, way, limits=limits, timeout=timeout) as client:
            async with client.stream("GET", f"{host.url}/x") as response:
                for _ in range(2):
                    with pytest.raises(library.PoolTimeout, match="each of 1 connections was busy"):
                        await client.get(f"{host.url}/y")
                assert await response.aread() == b"/x"
            assert (await client.get(f"{host.url}/y")).text == "/y"

    sync() if way == "sync" else asyncio.run(story())
    assert host.opened == 1


def test_a_slow_call_holds_up_nobody(library: Any, way: str, host: Host) -> None:
    """All others go on beside it."""
    limits = library.Limits(max_connections=2)
    urls = [f"{host.url}/slow", *[f"{host.url}/{number}" for number in range(20)]]

    class Opens:
        """The gate, once the other calls have been asked."""

        def __call__(self, response: Any) -> None:
            if response.request.url.path == "/19":
                host.gate.set()

        async def asynchronous(self, response: Any) -> None:
            self(response)

    opens = Opens()
    hooks = {"response": [opens if way == "sync" else opens.asynchronous]}
    (answers,) = rounds(library, way, urls, limits=limits, event_hooks=hooks, timeout=30)
    assert answers == ["/slow", *[f"/{number}" for number in range(20)]]


@pytest.mark.parametrize(
    ("path", "error"), [("/reset", "RemoteProtocolError"), ("/cut", "RemoteProtocolError")]
)
def test_errors_are_what_they_always_are(library: Any, way: str, host: Host, path: str, error: str) -> None:
    """A host that breaks off costs nobody his place: with two of them, twenty broken calls, and then a good one."""
    limits = library.Limits(max_connections=2)
    waves = [[f"{host.url}{path}"] * 20, [f"{host.url}/good"] * 2]
    assert rounds(library, way, *waves, limits=limits) == [[error] * 20, ["/good"] * 2]
    assert host.most <= 2


def test_a_host_that_is_not_there(library: Any, way: str) -> None:
    """Neither is its lane afterwards."""
    with hosting() as gone:
        url = gone.url
    limits = library.Limits(max_connections=1)
    assert rounds(library, way, [url], [url], limits=limits) == [["ConnectError"], ["ConnectError"]]


def test_a_host_that_leaves_after_its_answer(library: Any, way: str, host: Host) -> None:
    """Which it had not said before: the next call notices, and makes a new connection."""
    url = f"{host.url}/leave"
    options = {"limits": library.Limits(max_connections=1)}

    async def story() -> list[str]:
        async with made(library, way, **options) as client:
            texts = []
            for _ in range(3):
                texts.append((await client.get(url)).text)
                assert await asyncio.to_thread(host.all_closed.wait, 5)
            return texts

    if way == "async":
        assert asyncio.run(story()) == ["/leave"] * 3
    else:
        with made(library, way, **options) as client:
            for _ in range(3):
                assert client.get(url).text == "/leave"
                assert host.all_closed.wait(5)
    assert host.opened == 3


def test_a_client_can_what_it_always_can(library: Any, way: str, host: Host) -> None:
    """Base addresses, headers, redirects and event hooks are not ours to change."""
    seen = []

    def hook(request: Any) -> None:
        seen.append(request.url.path)

    async def async_hook(request: Any) -> None:
        seen.append(request.url.path)

    options = {
        "base_url": host.url,
        "headers": {"x-added": "!"},
        "follow_redirects": True,
        "event_hooks": {"request": [hook if way == "sync" else async_hook]},
    }
    assert rounds(library, way, ["/moved"], **options) == [["/there!"]]
    assert seen == host.paths == ["/moved", "/there"]
    assert host.opened == 1


def test_many_hosts_at_the_limit(library: Any, way: str, host: Host) -> None:
    """One connection is enough for two hosts, if it must be."""
    with hosting() as other:
        waves = [[f"{host.url}/x"], [f"{other.url}/y"]] * 3
        limits = library.Limits(max_connections=1)
        assert rounds(library, way, *waves, limits=limits) == [["/x"], ["/y"]] * 3
    assert (host.opened, other.opened) == (3, 3)


def test_a_closed_client_has_closed_what_was_being_read(library: Any, way: str, host: Host) -> None:
    """Every connection, busy ones included, and no call is sent any more."""

    async def story() -> None:
        client = made(library, way)
        await client.get(f"{host.url}/x")
        await client.send(client.build_request("GET", f"{host.url}/x"), stream=True)
        await client.aclose()
        assert await asyncio.to_thread(host.all_closed.wait, 5)
        with pytest.raises(RuntimeError, match="closed"):
            await client.get(f"{host.url}/x")

    if way == "async":
        asyncio.run(story())
        return
    client = made(library, way)
    client.get(f"{host.url}/x")
    client.send(client.build_request("GET", f"{host.url}/x"), stream=True)
    client.close()
    assert host.all_closed.wait(5)
    with pytest.raises(RuntimeError, match="closed"):
        client.get(f"{host.url}/x")


def test_proxies_of_the_environment(
    library: Any, way: str, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As everywhere: one for all hosts but the excepted ones, unless the environment is not to be trusted."""
    with hosting() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.removeprefix("http://"))
        monkeypatch.setenv("no_proxy", "127.0.0.1,intern.example")
        there = "http://example.org/x"
        assert rounds(library, way, [there, f"{host.url}/y"]) == [[there, "/y"]]
        assert (proxy.paths, host.paths) == ([there], ["/y"])
        monkeypatch.delenv("no_proxy")
        assert rounds(library, way, [f"{host.url}/z"], trust_env=False) == [["/z"]]
        assert proxy.all_closed.wait(5)
    assert host.paths == ["/y", "/z"]


def test_a_proxy_that_is_given(library: Any, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For every host, whatever the environment says."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "*")
    with hosting() as proxy:
        there = "http://example.org/x"
        assert rounds(library, way, [there, there], [there], proxy=proxy.url) == [[there] * 2, [there]]
        assert proxy.paths == [there] * 3
        assert proxy.most <= 2
