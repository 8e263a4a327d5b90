"""Requests, and a session and a run that see them, for tests that send nothing."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from pytest_llmrel.wire.run import RunWire
from pytest_llmrel.wire.session import Policy, SessionWire
from pytest_llmrel.wire.steps import Request

URL = "https://api.openai.com/v1/chat/completions"


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
