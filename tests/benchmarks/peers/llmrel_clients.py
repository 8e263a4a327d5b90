"""Clients of the scenario, shared by all tests of the module: httpx2's own, or this plugin's on httpx."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

KEY = {"authorization": "Bearer k"}


@pytest.fixture(scope="session")
def url() -> str:
    """Where chats are completed."""
    return os.environ["BENCH_URL"]


@pytest.fixture(scope="session")
def aclient() -> Any:
    """Asynchronous; it lives as long as the process."""
    if os.environ["BENCH_CLIENT"] == "httpx2":
        import httpx2

        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
        return httpx2.AsyncClient(timeout=60, headers=KEY, limits=limits)
    from pytest_llmrel import async_http_client

    return async_http_client(timeout=60, headers=KEY)


@pytest.fixture(scope="session")
def client() -> Iterator[Any]:
    """Synchronous, for all threads."""
    if os.environ["BENCH_CLIENT"] == "httpx2":
        import httpx2

        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
        chosen: Any = httpx2.Client(timeout=60, headers=KEY, limits=limits)
    else:
        from pytest_llmrel import http_client

        chosen = http_client(timeout=60, headers=KEY)
    with chosen:
        yield chosen
