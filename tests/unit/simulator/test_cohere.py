"""Cohere's chat over HTTP: its shapes, plain and streamed, and its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = "/v2/chat"


def asking(question: Any = "Can I return this?", **fields: Any) -> dict[str, Any]:
    """A chat request."""
    return {"model": "command-r-08-2024", "messages": [{"role": "user", "content": question}], **fields}


def test_an_answer(call: Callable[..., Any]) -> None:
    """One text, the reason to stop, and a usage in which less is billed than counted."""
    answer = call("POST", PATH, asking([{"type": "text", "text": "Can I return this?"}]))
    document = answer.json
    text = document["message"]["content"][0]["text"]
    assert (answer.status, document["finish_reason"], document["message"]["role"]) == (
        200,
        "COMPLETE",
        "assistant",
    )
    assert "30 days" in text
    output = -(-len(text) // 4)
    assert document["usage"] == {
        "billed_units": {"input_tokens": 5, "output_tokens": output},
        "tokens": {"input_tokens": 9, "output_tokens": output},
    }


def test_the_events_of_a_stream(call: Callable[..., Any]) -> None:
    """They come in Cohere's order, each named twice, and the usage comes last."""
    events = call("POST", PATH, asking(stream=True, seed=4)).events
    assert events.pop() == ("", "[DONE]")
    names = [name for name, _ in events]
    assert names[:2] == ["message-start", "content-start"]
    assert names[-2:] == ["content-end", "message-end"]
    assert set(names[2:-2]) == {"content-delta"}
    assert [data["type"] for _, data in events] == names
    text = "".join(
        data["delta"]["message"]["content"]["text"] for name, data in events if name == "content-delta"
    )
    plain = call("POST", PATH, asking(seed=4)).json
    assert text == plain["message"]["content"][0]["text"]
    assert events[-1][1]["delta"] == {"finish_reason": "COMPLETE", "usage": plain["usage"]}
    assert events[0][1]["id"] == plain["id"]


def test_a_limit_on_tokens(call: Callable[..., Any]) -> None:
    """The answer ends there and says so."""
    document = call("POST", PATH, asking(max_tokens=3)).json
    assert (len(document["message"]["content"][0]["text"]), document["finish_reason"]) == (12, "MAX_TOKENS")


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (asking(), {}, 401),
        (asking(model="command-0"), None, 404),
        (asking(messages=[]), None, 400),
        (asking(5), None, 400),
        (asking(stream="yes"), None, 400),
        (asking(seed="x"), None, 400),
        (asking(max_tokens=0), None, 400),
        (b"", None, 400),
    ],
)
def test_errors_have_the_shape_of_cohere(
    call: Callable[..., Any], body: Any, headers: dict[str, str] | None, status: int
) -> None:
    """Every refusal is a message and nothing else, on other paths too."""
    answer = call("POST", PATH, body, headers)
    assert (answer.status, set(answer.json)) == (status, {"message"})
    assert set(call("POST", "/v2/embed", b"{}").json) == {"message"}
