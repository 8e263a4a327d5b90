"""Chat completions as Groq and Mistral serve them, and that OpenAI's are left as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

OPENAI, GROQ = "/v1/chat/completions", "/openai/v1/chat/completions"
MISTRAL = {"User-Agent": "mistral-client-python/3.7.0", "Authorization": "Bearer k"}
TURNS = [{"role": "user", "content": "Can I return this?"}]


def asking(**fields: Any) -> dict[str, Any]:
    """A chat request."""
    return {"model": "shop-assistant", "messages": TURNS, **fields}


def documents(answer: Any) -> list[dict[str, Any]]:
    """The documents of a stream, which must end as OpenAI's do."""
    *events, (_, last) = answer.events
    assert last == "[DONE]"
    return [data for _, data in events]


def test_openai_sends_no_usage_unasked(call: Callable[..., Any]) -> None:
    """A stream of any other client and model has none, and no word of Groq's."""
    found = documents(call("POST", OPENAI, asking(stream=True)))
    assert not any("usage" in document or "x_groq" in document for document in found)


@pytest.mark.parametrize(
    ("model", "headers"),
    [("shop-assistant", MISTRAL), ("mistral-small-latest", None), ("mistral-small-latest", MISTRAL)],
)
def test_mistral_always_sends_the_usage(
    call: Callable[..., Any], model: str, headers: dict[str, str] | None
) -> None:
    """It is in the last chunk, beside the reason to stop, whether client or model says that it is Mistral's."""
    *before, last = documents(call("POST", OPENAI, asking(model=model, stream=True), headers))
    assert last["choices"][0]["finish_reason"] == "stop"
    text = "".join(document["choices"][0]["delta"]["content"] for document in before)
    assert last["usage"] == {
        "prompt_tokens": 9,
        "completion_tokens": -(-len(text) // 4),
        "total_tokens": 9 - (-len(text) // 4),
    }
    assert not any("usage" in document for document in before)


def test_mistral_calls_the_seed_random(call: Callable[..., Any]) -> None:
    """It fixes the answer as OpenAI's does, and is checked like it."""
    found = [
        call("POST", OPENAI, asking(**{name: 7}), MISTRAL).json["id"] for name in ("random_seed", "seed")
    ]
    assert found[0] == found[1] == call("POST", OPENAI, asking(random_seed=7), MISTRAL).json["id"]
    assert call("POST", OPENAI, asking(random_seed="7"), MISTRAL).json["param"] == "random_seed"


def test_errors_of_mistral_are_flat(call: Callable[..., Any]) -> None:
    """They have no ``error`` around them, from the missing key on if the client is Mistral's."""
    keyless = {"User-Agent": MISTRAL["User-Agent"]}
    for body, headers, status in (
        (asking(), keyless, 401),
        (asking(model="m"), MISTRAL, 404),
        (b"", MISTRAL, 400),
    ):
        answer = call("POST", OPENAI, body, headers)
        assert (answer.status, answer.json["object"], answer.json["raw_status_code"]) == (
            status,
            "error",
            status,
        )
        assert answer.json["message"]


def test_groq_sends_the_usage_in_a_word_of_its_own(call: Callable[..., Any]) -> None:
    """It is in the last chunk of every stream; asked for as OpenAI's is, it comes that way as well."""
    found = documents(call("POST", GROQ, asking(stream=True)))
    assert found[0]["x_groq"]["id"].startswith("req_")
    assert found[-1]["choices"][0]["finish_reason"] == "stop"
    assert found[-1]["x_groq"]["usage"]["prompt_tokens"] == 9
    asked = documents(call("POST", GROQ, asking(stream=True, stream_options={"include_usage": True})))
    assert (asked[-1]["choices"], asked[-1]["usage"]["prompt_tokens"]) == ([], 9)


def test_everything_of_openai_is_under_the_path_of_groq(call: Callable[..., Any]) -> None:
    """With the same key, models and errors."""
    assert call("GET", "/openai/v1/models").json == call("GET", "/v1/models").json
    assert call("POST", GROQ, asking()).json["object"] == "chat.completion"
    assert call("POST", GROQ, asking(model="m")).json["error"]["code"] == "model_not_found"
    assert call("POST", GROQ, asking(), {}).status == 401


def test_an_alias_has_luck_of_its_own(call: Callable[..., Any]) -> None:
    """The answers to an alias are those of a sequence of its own, and carry the name that was asked for."""
    found = {
        model: [call("POST", OPENAI, asking(model=model)).json for _ in range(5)]
        for model in ("shop-assistant", "gpt-4o-mini")
    }
    assert {answer["model"] for answer in found["gpt-4o-mini"]} == {"gpt-4o-mini"}
    identities = [answer["id"] for answers in found.values() for answer in answers]
    assert len(set(identities)) == 10
