"""Fixtures of the suite: where the model is, and what the tests talk to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from shop_assistant import Basket, Conversation, Endpoint, ShopAssistant

from pytest_llmrel import http_client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx


@pytest.fixture(scope="session")
def endpoint(pytestconfig: pytest.Config) -> Iterator[Endpoint]:
    """The model of the environment; without OPENAI_BASE_URL a simulated one, so the suite runs offline."""
    if "OPENAI_BASE_URL" in os.environ:
        yield Endpoint.from_environment()
        return
    model = os.environ.get("LLM_MODEL", "shop-assistant")
    if pytestconfig.getoption("llmrel_tape") == "replay":  # the tapes answer; nobody has to be there
        yield Endpoint("http://replay.invalid/v1", "none", model)
        return
    from pytest_llmrel.simulator import Simulator

    with Simulator() as simulator:
        yield Endpoint(simulator.base_url, "simulated", model)


@pytest.fixture(scope="session")
def client(endpoint: Endpoint) -> Iterator[httpx.Client]:
    """One for all runs: connections are kept, however many calls are in flight."""
    with http_client(**endpoint.client_options()) as client:
        yield client


@pytest.fixture
def bot(endpoint: Endpoint, client: httpx.Client) -> ShopAssistant:
    """An assistant; each run of a test has its own."""
    return ShopAssistant(endpoint, client)


@pytest.fixture
def conversation(bot: ShopAssistant) -> Conversation:
    """A talk that begins with this run."""
    return Conversation(bot)


@pytest.fixture
def basket(tmp_path: Path) -> Iterator[Basket]:
    """A basket with one teapot in it, in a folder of this run alone."""
    path = tmp_path / "basket.json"
    basket = Basket(path)
    basket.change("teapot", 1)
    yield basket
    assert Basket(path).items == basket.items, "another run has written to the basket of this one"
