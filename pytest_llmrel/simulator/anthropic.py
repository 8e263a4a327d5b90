"""Anthropic's messages over a persona: the request as a value, and the message or events that answer it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_llmrel.simulator.asking import Asked, listen
from pytest_llmrel.simulator.events import event, json_bytes
from pytest_llmrel.simulator.keys import check_x_api_key
from pytest_llmrel.simulator.messages import Handler, Reply, Request
from pytest_llmrel.simulator.reading import (
    read_flag,
    read_integer,
    read_list,
    read_model,
    read_object,
    read_turns,
    rejected,
    text_of,
)
from pytest_llmrel.simulator.tokens import words
from pytest_llmrel.simulator.voice import Form, Voice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_llmrel.simulator.asking import Said
    from pytest_llmrel.simulator.refusals import Refusal

__all__ = ["anthropic_routes", "read_messages", "refuse_as_anthropic"]

_ERRORS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_SERVER_FAULT = 500


def anthropic_routes(voice: Voice) -> Mapping[str, Mapping[str, Handler]]:
    """Returns the handlers by path and method."""
    return {"/v1/messages": {"POST": voice.handler(check_x_api_key, read_messages, _MESSAGES)}}


def refuse_as_anthropic(refusal: Refusal) -> Reply:
    """Returns an error reply in Anthropic's shape."""
    rest = "api_error" if refusal.status >= _SERVER_FAULT else "invalid_request_error"
    error = {"type": _ERRORS.get(refusal.status, rest), "message": str(refusal)}
    document = {"type": "error", "error": error, "request_id": None}
    return Reply(refusal.status, (json_bytes(document),), headers=refusal.headers)


def read_messages(request: Request) -> Asked:
    """Reads the body of a messages request.

    Raises:
        Refusal: the body is not JSON, or a parameter is missing or of a wrong type.
    """
    fields = read_object(request.body)
    turns = read_turns(read_list(fields, "messages"), "messages")
    system = text_of(fields.get("system"), "system")
    question, tokens = listen([("system", system), *turns] if system else turns)
    limit = read_integer(fields, "max_tokens", 1)
    if limit is None:
        raise rejected(None, "max_tokens: Field required", "max_tokens")
    return Asked(
        model=read_model(fields),
        question=question,
        input_tokens=tokens,
        stream=read_flag(fields, "stream"),
        max_tokens=limit,
    )


def _message(asked: Asked, said: Said) -> dict[str, object]:
    content = [{"type": "text", "text": said.first.text}]
    return _envelope(asked, said, content, said.tokens) | _stop(said)


def _events(asked: Asked, said: Said) -> tuple[bytes, ...]:
    # As the real one does, the start says that one token is out, and the end how many it were.
    opened = _envelope(asked, said, [], 1) | {"stop_reason": None, "stop_sequence": None}
    documents: list[dict[str, object]] = [
        {"type": "message_start", "message": opened},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
            for word in words(said.first.text)
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": _stop(said), "usage": {"output_tokens": said.tokens}},
        {"type": "message_stop"},
    ]
    return tuple([event(document, str(document["type"])) for document in documents])


def _envelope(asked: Asked, said: Said, content: list[dict[str, str]], output: int) -> dict[str, object]:
    usage = {
        "input_tokens": asked.input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output,
        "service_tier": "standard",
    }
    return {
        "id": f"msg_{said.identity}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": content,
        "usage": usage,
    }


def _stop(said: Said) -> dict[str, object]:
    return {"stop_reason": "end_turn" if said.first.whole else "max_tokens", "stop_sequence": None}


_MESSAGES: Form[Asked] = Form(_message, _events, refuse_as_anthropic, id_header="request-id")
