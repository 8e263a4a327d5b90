"""What a client is made of: whose class it is, what it costs to make one, and what cannot be made."""

import ssl
import threading
from typing import Any

import httpx
import httpx2
import openai
import pytest

from pytest_llmrel import async_http_client, http_client
from pytest_llmrel.clients import client as module
from pytest_llmrel.core.call import Usage
from pytest_llmrel.simulator import Simulator
from pytest_llmrel.wire.course import course_of
from pytest_llmrel.wire.internals import watched_clients
from pytest_llmrel.wire.run import RunWire
from pytest_llmrel.wire.session import SessionWire

from .hosting import LIBRARIES, WAYS, hosting, made, rounds


def test_a_client_is_of_the_class_that_was_asked_for() -> None:
    """SDKs look at that."""
    with http_client() as client, http_client(openai.DefaultHttpxClient) as other:
        assert (type(client), type(other)) == (httpx.Client, openai.DefaultHttpxClient)
        assert client.timeout == httpx.Client().timeout
    assert type(async_http_client()) is httpx.AsyncClient
    assert type(async_http_client(httpx2.AsyncClient)) is httpx2.AsyncClient


@pytest.mark.parametrize("kind", [httpx.AsyncClient, httpx.HTTPTransport, "httpx2", int, httpx.Client()])
def test_what_is_no_client_is_refused(kind: Any) -> None:
    """And it is said what would do."""
    with pytest.raises(
        TypeError, match=r"no client .* give httpx\.Client, httpx2\.Client or a class derived"
    ):
        http_client(kind)


@pytest.mark.parametrize("option", ["transport", "colour"])
def test_options_that_it_does_not_have_are_refused(option: str) -> None:
    """The transport is what ours differs in."""
    with pytest.raises(TypeError, match=option):
        http_client(**{option: None})
    with pytest.raises(TypeError, match=option):
        async_http_client(httpx2.AsyncClient, **{option: None})


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", WAYS)
def test_certificates_are_loaded_once(library: Any, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For all clients and lanes: that takes longer than many a call. Not so what is anybody's own."""
    loaded = []
    original = library.create_ssl_context

    def load(**options: Any) -> ssl.SSLContext:
        loaded.append(options.get("verify", True))
        return original(**options)

    monkeypatch.setattr(library, "create_ssl_context", load)
    module._usual_tls.cache_clear()
    with hosting() as host:
        for _ in range(3):
            rounds(library, way, [f"{host.url}/x"] * 4)
        assert loaded == [True]
        rounds(library, way, [f"{host.url}/x"], trust_env=False)
        rounds(library, way, [f"{host.url}/x"] * 4, verify=False)
        rounds(library, way, [f"{host.url}/x"], verify=ssl.create_default_context())
    assert loaded[:3] == [True, True, False]
    monkeypatch.undo()
    module._usual_tls.cache_clear()


def test_certificates_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """They are read when a client is made, although others had been loaded before."""
    http_client().close()
    (tmp_path / "none.pem").write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(ssl.SSLError):
        http_client()
    http_client(trust_env=False).close()


@pytest.mark.parametrize("library", LIBRARIES)
def test_64_threads_share_a_client(library: Any) -> None:
    """Each gets the answers to what it asked, over no more connections than there are threads."""
    wrong = []
    with hosting() as host, made(library, "sync", timeout=30) as client:

        def work(number: int) -> None:
            for turn in range(5):
                path = f"/{number}-{turn}"
                if client.get(f"{host.url}{path}").text != path:
                    wrong.append(path)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert len(host.paths) == 64 * 5
        assert host.opened <= 64


@pytest.mark.parametrize("way", WAYS)
def test_an_sdk_takes_it_and_its_calls_are_seen(way: str) -> None:
    """Each once, with its tokens."""
    import asyncio

    wire = RunWire(SessionWire())
    asked: Any = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Can I return this?"}]}

    async def story(url: str) -> None:
        client = async_http_client(openai.DefaultAsyncHttpxClient)
        async with openai.AsyncOpenAI(base_url=url, api_key="k", http_client=client) as sdk:
            await asyncio.gather(*(sdk.chat.completions.create(**asked) for _ in range(3)))

    with Simulator(latency=0) as simulator, watched_clients(lambda request: course_of(wire, request)):
        if way == "async":
            asyncio.run(story(simulator.base_url))
        else:
            client = http_client(openai.DefaultHttpxClient)
            with openai.OpenAI(base_url=simulator.base_url, api_key="k", http_client=client) as sdk:
                for _ in range(3):
                    sdk.chat.completions.create(**asked)
        assert simulator.served == {"ok": 3}
    assert [type(call.usage) for call in wire.calls] == [Usage] * 3
