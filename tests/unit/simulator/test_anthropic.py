"""Anthropic's messages over HTTP: their shapes, plain and streamed, keys, and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = "/v1/messages"
KEY = {"x-api-key": "any", "anthropic-version": "2023-06-01"}


def asking(question: str = "Can I return this?", **fields: Any) -> dict[str, Any]:
    """A messages request."""
    messages = [{"role": "user", "content": question}]
    return {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": messages, **fields}


def test_a_message(call: Callable[..., Any]) -> None:
    """One text block, the reason to stop, the usage, and the name that was asked for."""
    answer = call("POST", PATH, asking(), KEY)
    document = answer.json
    assert (answer.status, document["type"], document["role"]) == (200, "message", "assistant")
    assert "30 days" in document["content"][0]["text"]
    assert (document["stop_reason"], document["stop_sequence"]) == ("end_turn", None)
    assert document["model"] == "claude-sonnet-4-5"
    assert document["id"].startswith("msg_")
    assert document["usage"]["input_tokens"] == 5 + 4
    assert document["usage"]["output_tokens"] > 10
    assert answer.headers["request-id"].startswith("req_")


def test_the_events_of_a_stream(call: Callable[..., Any]) -> None:
    """They come in Anthropic's order, each named twice; the start knows the input, the end the output."""
    events = call("POST", PATH, asking(stream=True), KEY).events
    names = [name for name, _ in events]
    assert names[:3] == ["message_start", "content_block_start", "ping"]
    assert names[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert set(names[3:-3]) == {"content_block_delta"}
    assert [data["type"] for _, data in events] == names
    opened, ending = events[0][1]["message"], events[-2][1]
    assert (opened["content"], opened["stop_reason"], opened["usage"]["input_tokens"]) == ([], None, 9)
    text = "".join(data["delta"]["text"] for name, data in events if name == "content_block_delta")
    assert "30 days" in text
    assert ending["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert ending["usage"]["output_tokens"] == -(-len(text) // 4)


def test_a_limit_on_tokens(call: Callable[..., Any]) -> None:
    """The answer ends there and says so, plain and streamed."""
    document = call("POST", PATH, asking(max_tokens=3), KEY).json
    assert (len(document["content"][0]["text"]), document["stop_reason"]) == (12, "max_tokens")
    events = call("POST", PATH, asking(max_tokens=3, stream=True), KEY).events
    assert events[-2][1]["delta"]["stop_reason"] == "max_tokens"
    assert events[-2][1]["usage"] == {"output_tokens": 3}


def test_what_counts_as_input(call: Callable[..., Any]) -> None:
    """System prompts and blocks are read; results of tools are no question."""
    messages = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Can I "},
                {"type": "image"},
                {"type": "text", "text": "return it?"},
            ],
        },
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "look", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "yes"}]},
    ]
    system = [{"type": "text", "text": "s" * 40}]
    document = call("POST", PATH, asking(messages=messages, system=system), KEY).json
    assert "30 days" in document["content"][0]["text"]
    assert document["usage"]["input_tokens"] == 10 + 4 + 4 * 4
    plain = call("POST", PATH, asking(messages=messages, system="s" * 40), KEY).json
    assert plain["usage"] == document["usage"]


@pytest.mark.parametrize(
    ("fields", "status", "kind", "part"),
    [
        ({"model": "claude-0"}, 404, "not_found_error", "`claude-0` does not exist"),
        ({"model": None}, 400, "invalid_request_error", "model"),
        ({"max_tokens": None}, 400, "invalid_request_error", "max_tokens: Field required"),
        ({"max_tokens": 0}, 400, "invalid_request_error", "'max_tokens' must be at least 1"),
        ({"messages": None}, 400, "invalid_request_error", "'messages'"),
        ({"messages": [{"role": "user", "content": 5}]}, 400, "invalid_request_error", "a number"),
        ({"system": 5}, 400, "invalid_request_error", "a number"),
        ({"stream": 1}, 400, "invalid_request_error", "'stream'"),
    ],
)
def test_errors_have_the_shape_of_anthropic(
    call: Callable[..., Any], fields: dict[str, Any], status: int, kind: str, part: str
) -> None:
    """Every refusal has a type by which the client knows it, and says what is wrong."""
    answer = call("POST", PATH, asking(**fields), KEY)
    assert (answer.status, answer.json["type"], answer.json["error"]["type"]) == (status, "error", kind)
    assert part in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Api-Key": "k"}, 200),
        ({"Authorization": "Bearer k"}, 200),
        ({}, 401),
        ({"X-Api-Key": ""}, 401),
        ({"Authorization": "k"}, 401),
    ],
)
def test_keys(call: Callable[..., Any], headers: dict[str, str], status: int) -> None:
    """Either header will do with any key; without one, Anthropic's word for it."""
    answer = call("POST", PATH, asking(), headers)
    assert answer.status == status
    if status == 401:
        assert answer.json["error"]["type"] == "authentication_error"


def test_other_methods_and_paths(call: Callable[..., Any]) -> None:
    """What is not served under this path is refused in the same shape."""
    assert call("GET", PATH, None, KEY).json["error"]["type"] == "invalid_request_error"
    assert call("POST", f"{PATH}/count_tokens", b"{}", KEY).json["error"]["type"] == "not_found_error"
