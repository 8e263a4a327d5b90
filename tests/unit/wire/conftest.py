"""Requests, and a session and a run that see them, for tests that send nothing."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pytest_llmrel.core.run import replaying
from pytest_llmrel.wire.run import RunWire, current_wire
from pytest_llmrel.wire.session import Policy, SessionWire
from pytest_llmrel.wire.steps import Request

URL = "https://api.openai.com/v1/chat/completions"


@pytest.fixture(autouse=True)
def no_run_before() -> Iterator[None]:
    """What a test begins as the run in progress is none for the next."""
    was = current_wire.set(None), replaying.set(False)
    yield
    current_wire.reset(was[0])
    replaying.reset(was[1])


@pytest.fixture
def ask() -> Callable[..., Request]:
    """Makes a request to a model."""

    def make(question: str = "why?", url: str = URL, method: str = "POST", **changes: Any) -> Request:
        body = json.dumps(
            {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": question}]}
        ).encode()
        return Request(method, url, (("content-type", "application/json"),), changes.get("body", body), 30.0)

    return make


@pytest.fixture
def make_wire() -> Callable[..., RunWire]:
    """Makes the wire of a run in a session of its own."""

    def make(retries: int = 2, **parts: Any) -> RunWire:
        session = SessionWire(policy=Policy(retries=retries), **parts.pop("session", {}))
        return RunWire(session, **parts)

    return make
