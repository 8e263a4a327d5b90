"""OpenAI's embeddings: unit vectors that depend on the text alone, in both encodings."""

from __future__ import annotations

import base64
import json
import math
import struct
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.simulator import Simulator
from pytest_llmrel.simulator.embeddings import embed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PATH = "/v1/embeddings"


def product(one: Sequence[float], other: Sequence[float]) -> float:
    """The scalar product, which of unit vectors is the cosine of their angle."""
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


@given(st.text(max_size=40), st.integers(1, 64))
def test_every_vector_has_length_one(text: str, dimensions: int) -> None:
    """Whatever the text, and however few the dimensions."""
    vector = embed(text, dimensions)
    assert len(vector) == dimensions
    assert product(vector, vector) == pytest.approx(1, abs=1e-5)


def test_texts_that_share_words_are_close() -> None:
    """The cosine is one for the same words, about the share of common words otherwise, and else near zero."""
    text = embed("how long is the warranty", 1536)
    assert product(text, embed("The WARRANTY is how long?", 1536)) == pytest.approx(1)
    assert product(text, embed("how long is the delivery", 1536)) == pytest.approx(0.8, abs=0.1)
    assert abs(product(text, embed("green tea", 1536))) < 0.1


def test_vectors_never_change() -> None:
    """The numbers are frozen: recorded expectations of users depend on them."""
    assert [round(value, 4) for value in embed("tea", 4)] == [-0.4082, 0.0, 0.4082, 0.8165]


def test_both_encodings_say_the_same(call: Callable[..., Any]) -> None:
    """Base64 holds little-endian floats of single precision, which are the numbers of the list."""
    body = {"model": "text-embedding-3-small", "input": ["hello you", "hello moon"], "dimensions": 16}
    plain = call("POST", PATH, body)
    coded = call("POST", PATH, {**body, "encoding_format": "base64"}).json
    for one, other in zip(plain.json["data"], coded["data"], strict=True):
        raw = base64.b64decode(other["embedding"])
        assert list(struct.unpack("<16f", raw)) == one["embedding"]
    assert [member["index"] for member in coded["data"]] == [0, 1]
    assert (plain.status, plain.json["object"], plain.json["model"]) == (200, "list", body["model"])
    assert plain.json["usage"] == {"prompt_tokens": 3 + 3, "total_tokens": 6}
    assert plain.headers["x-request-id"]


def test_what_may_be_embedded(call: Callable[..., Any]) -> None:
    """A text, texts, tokens, or lists of tokens, under any model name; 1536 dimensions unless others are asked."""
    found = [
        call("POST", PATH, {"model": "any", "input": given}).json
        for given in ("hello", ["hello"], [1, 2, 3], [[1, 2, 3], [4]])
    ]
    assert [len(document["data"]) for document in found] == [1, 1, 1, 2]
    assert found[0]["data"] == found[1]["data"]
    assert found[2]["data"][0] == found[3]["data"][0]
    assert [document["usage"]["total_tokens"] for document in found] == [2, 2, 3, 4]
    assert len(found[0]["data"][0]["embedding"]) == 1536


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": None}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": ["a", ""]}, "input"),
        ({"input": ["a", 1]}, "input"),
        ({"input": [[]]}, "input"),
        ({"input": [[1], "a"]}, "input"),
        ({"input": [[True]]}, "input"),
        ({"input": {"a": 1}}, "input"),
        ({"input": ["a"] * 2049}, "input"),
        ({"input": ["a"] * 1000, "dimensions": 4096}, "input"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": 5000}, "dimensions"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"encoding_format": []}, "encoding_format"),
        ({"model": None}, "model"),
    ],
)
def test_what_openai_would_refuse_is_refused(
    call: Callable[..., Any], fields: dict[str, Any], param: str
) -> None:
    """In the shape of its errors, with the parameter."""
    answer = call("POST", PATH, {"model": "m", "input": "hello", **fields})
    assert (answer.status, answer.json["error"]["param"]) == (400, param)


def post(simulator: Simulator, path: str, body: dict[str, Any]) -> Any:
    """Posts to a simulator other than that of the fixtures."""
    data = json.dumps(body).encode()
    request = urllib.request.Request(simulator.base_url + path, data, {"Authorization": "Bearer k"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 # loopback
        return json.load(response)


def test_it_uses_up_no_luck_of_answers() -> None:
    """A text that is both asked and embedded, under one model, is answered as if it were not embedded."""
    question = "How long is the warranty?"
    chat = {"model": "shop-assistant", "messages": [{"role": "user", "content": question}]}
    found = []
    for embedded in (False, True):
        with Simulator(latency=0) as simulator:
            found.append([])
            for _ in range(10):
                if embedded:
                    post(simulator, "/embeddings", {"model": "shop-assistant", "input": question})
                found[-1].append(post(simulator, "/chat/completions", chat)["id"])
    assert found[0] == found[1]
    assert len(set(found[0])) == 10


def test_a_long_text_is_embedded_in_no_time() -> None:
    """The work grows with the words, not with words times dimensions."""
    start = time.perf_counter()
    embed("word " * 100_000, 4096)
    assert time.perf_counter() - start < 3
