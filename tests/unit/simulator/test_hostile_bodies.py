"""Whatever is sent to whichever API: an answer or a refusal, never a failure of the simulator."""

from __future__ import annotations

import http.client
import json
import random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from pytest_llmrel.simulator import Simulator

TURNS = [{"role": "user", "content": [{"type": "text", "text": "Refund?"}]}]
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"model": "shop-assistant", "messages": TURNS, "stream": True, "seed": 3, "n": 2},
    "/v1/responses": {
        "model": "shop-assistant",
        "input": TURNS,
        "instructions": "Be brief.",
        "stream": False,
    },
    "/v1/embeddings": {"model": "e", "input": ["a", "b"], "dimensions": 4, "encoding_format": "base64"},
    "/v1/messages": {
        "model": "shop-assistant",
        "messages": TURNS,
        "max_tokens": 9,
        "system": [{"text": "s"}],
    },
    "/v1beta/models/shop-assistant:streamGenerateContent?alt=sse": {
        "contents": [{"role": "user", "parts": [{"text": "Refund?"}]}],
        "generationConfig": {"maxOutputTokens": 9, "seed": 5, "candidateCount": 1},
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
    },
    "/v2/chat": {"model": "shop-assistant", "messages": TURNS, "seed": 4, "max_tokens": 9, "stream": True},
}
ODDITIES: list[Any] = [
    None,
    True,
    0,
    -1,
    10**400,
    1.5,
    "",
    "\ud800",
    "x" * 5000,
    [],
    [[]],
    [None],
    {},
    {"a": {}},
    [5],
]


def spoilt(value: Any, rng: random.Random) -> Any:
    """The same document with one part of it replaced by something odd."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.2:
        return rng.choice(ODDITIES)
    if isinstance(value, list):
        place = rng.randrange(len(value))
        return [spoilt(member, rng) if index == place else member for index, member in enumerate(value)]
    chosen = rng.choice(list(value))
    return {key: spoilt(member, rng) if key == chosen else member for key, member in value.items()}


@pytest.mark.parametrize("path", BODIES)
def test_no_document_makes_it_fail(path: str, simulator: Simulator) -> None:
    """Three hundred documents with one to three odd parts are answered, or refused with a 4xx in JSON."""
    rng, place = random.Random(path), urlsplit(simulator.root_url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
    statuses = set()
    for _ in range(300):
        body = BODIES[path]
        for _ in range(rng.randint(1, 3)):
            body = spoilt(body, rng)
        connection.request("POST", path, json.dumps(body), {"Authorization": "Bearer k"})
        response = connection.getresponse()
        content = response.read()
        statuses.add(response.status)
        assert response.status in {200, 400, 404}, (body, content)
        if response.status != 200:
            assert json.loads(content)
    connection.close()
    assert statuses >= {200, 400}


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("body", [b"", b"{", b"[" * 50_000, b"\xff", b"null", b'"text"', b"9" * 9000, b"NaN"])
def test_what_is_no_object_is_refused(call: Any, path: str, body: bytes) -> None:
    """Each API refuses what is not one JSON object, with a 400 and a word about it."""
    answer = call("POST", path, body)
    assert answer.status == 400
    assert "JSON" in answer.body.decode()
