"""OpenAI's responses over HTTP: their shapes, plain and streamed, and what is read of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = "/v1/responses"


def asking(given: Any = "Can I return this?", **fields: Any) -> dict[str, Any]:
    """A request for a response."""
    return {"model": "gpt-4o-mini", "input": given, **fields}


def test_a_response(call: Callable[..., Any]) -> None:
    """One message with one text, the usage with its details, and the name that was asked for."""
    answer = call("POST", PATH, asking())
    document = answer.json
    assert (answer.status, document["object"], document["status"]) == (200, "response", "completed")
    assert document["model"] == "gpt-4o-mini"
    (message,) = document["output"]
    assert (message["type"], message["role"], message["content"][0]["type"]) == (
        "message",
        "assistant",
        "output_text",
    )
    assert "30 days" in message["content"][0]["text"]
    usage = document["usage"]
    assert usage["input_tokens"] == 5 + 4
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["input_tokens_details"]["cached_tokens"] == 0
    assert usage["output_tokens_details"]["reasoning_tokens"] == 0
    assert answer.headers["x-request-id"].startswith("req_")


def test_the_events_of_a_stream(call: Callable[..., Any]) -> None:
    """They come in OpenAI's order, numbered, and the last one carries the whole response."""
    events = call("POST", PATH, asking(stream=True)).events
    names = [name.removeprefix("response.") for name, _ in events]
    assert names[:4] == ["created", "in_progress", "output_item.added", "content_part.added"]
    assert names[-4:] == ["output_text.done", "content_part.done", "output_item.done", "completed"]
    assert set(names[4:-4]) == {"output_text.delta"}
    assert [data["type"] for _, data in events] == [name for name, _ in events]
    assert [data["sequence_number"] for _, data in events] == list(range(len(events)))
    assert (events[0][1]["response"]["status"], events[0][1]["response"]["output"]) == ("in_progress", [])
    whole = events[-1][1]["response"]
    text = "".join(data["delta"] for name, data in events if name.endswith(".delta"))
    assert text == whole["output"][0]["content"][0]["text"] == events[-4][1]["text"]
    assert whole["usage"]["output_tokens"] == -(-len(text) // 4)
    assert {data["item_id"] for _, data in events if "item_id" in data} == {whole["output"][0]["id"]}


def test_a_limit_on_tokens(call: Callable[..., Any]) -> None:
    """A response that is cut is incomplete, and so is the end of its stream."""
    document = call("POST", PATH, asking(max_output_tokens=3)).json
    assert (document["status"], document["incomplete_details"]) == (
        "incomplete",
        {"reason": "max_output_tokens"},
    )
    assert document["usage"]["output_tokens"] == 3
    name, data = call("POST", PATH, asking(max_output_tokens=3, stream=True)).events[-1]
    assert (name, data["response"]["status"]) == ("response.incomplete", "incomplete")


@pytest.mark.parametrize(
    ("given", "instructions", "tokens"),
    [
        ("Can I return this?", None, 9),
        ([{"role": "user", "content": "Can I return this?"}], None, 9),
        (
            [{"role": "user", "content": [{"type": "input_text", "text": "Can I return this?"}]}],
            "Be brief.",
            9 + 7,
        ),
        (
            [
                {"type": "message", "role": "user", "content": "Can I return this?"},
                {"type": "reasoning", "summary": []},
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": "four"},
                {"type": "item_reference", "id": "x", "content": {"a": 1}},
            ],
            None,
            9 + 4 + 4 + 5 + 4,
        ),
    ],
)
def test_what_counts_as_input(
    call: Callable[..., Any], given: Any, instructions: str | None, tokens: int
) -> None:
    """A text, or items of many kinds; the last text of a user is the question."""
    document = call("POST", PATH, asking(given, instructions=instructions)).json
    assert "30 days" in document["output"][0]["content"][0]["text"]
    assert document["usage"]["input_tokens"] == tokens


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"input": None}, 400, "input"),
        ({"input": []}, 400, "input"),
        ({"input": 5}, 400, "input"),
        ({"input": ["hi"]}, 400, "input[0]"),
        ({"input": [{"content": "hi"}]}, 400, "input[0]"),
        ({"input": [{"role": "user", "content": 5}]}, 400, "input[0]"),
        ({"instructions": 5}, 400, "instructions"),
        ({"max_output_tokens": "9"}, 400, "max_output_tokens"),
        ({"model": None}, 400, "model"),
        ({"model": "gpt-0"}, 404, "model"),
    ],
)
def test_what_openai_would_refuse_is_refused(
    call: Callable[..., Any], fields: dict[str, Any], status: int, param: str
) -> None:
    """In the shape of its errors, with the parameter."""
    answer = call("POST", PATH, asking(**fields) if "input" not in fields else {**asking(), **fields})
    assert (answer.status, answer.json["error"]["param"]) == (status, param)
