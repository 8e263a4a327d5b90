"""OpenAI's responses: the request as a value, the document that answers it, and the events of its making."""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING, Any

from pytest_llmrel.simulator.asking import Asked, listen
from pytest_llmrel.simulator.events import event
from pytest_llmrel.simulator.openai_errors import refuse
from pytest_llmrel.simulator.reading import (
    read_flag,
    read_integer,
    read_list,
    read_model,
    read_object,
    rejected,
    text_of,
)
from pytest_llmrel.simulator.tokens import words
from pytest_llmrel.simulator.voice import Form

if TYPE_CHECKING:
    from pytest_llmrel.simulator.asking import Said
    from pytest_llmrel.simulator.messages import Request

__all__ = ["RESPONSES", "read_responses"]

_ECHOED: dict[str, object] = {
    "background": False,
    "error": None,
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "service_tier": "default",
    "store": False,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "truncation": "disabled",
}
"""Parts of every response that depend on nothing the simulator reads."""


def read_responses(request: Request) -> Asked:
    """Reads a request for a response; what went before under ``previous_response_id`` is not known.

    Raises:
        Refusal: the body is not JSON, or a parameter is missing or of a wrong type.
    """
    fields = read_object(request.body)
    turns = _turns(fields)
    instructions = text_of(fields.get("instructions"), "instructions")
    question, tokens = listen([("system", instructions), *turns] if instructions else turns)
    return Asked(
        model=read_model(fields),
        question=question,
        input_tokens=tokens,
        stream=read_flag(fields, "stream"),
        max_tokens=read_integer(fields, "max_output_tokens", 1),
    )


def _turns(fields: dict[str, Any]) -> list[tuple[str, str]]:
    given = fields.get("input")
    if isinstance(given, str):
        return [("user", given)]
    return [_turn(item, f"input[{index}]") for index, item in enumerate(read_list(fields, "input"))]


def _turn(item: object, where: str) -> tuple[str, str]:
    """One item as role and text; calls of tools and their outputs have no role, and ask nothing."""
    if not isinstance(item, dict) or not isinstance(item.get("role", item.get("type")), str):
        raise rejected(item, f"'{where}' must be an object with a 'role' or a 'type'.", where)
    role, content = item.get("role", "tool"), item.get("content", item.get("output"))
    return role, text_of(content, where) if "role" in item or isinstance(content, str | list) else ""


def _response(asked: Asked, said: Said) -> dict[str, object]:
    status = "completed" if said.first.whole else "incomplete"
    usage = {
        "input_tokens": asked.input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": said.tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": asked.input_tokens + said.tokens,
    }
    details = None if said.first.whole else {"reason": "max_output_tokens"}
    output = [_message(said, status, [_part(said.first.text)])]
    return _envelope(asked, said, status, output) | {"incomplete_details": details, "usage": usage}


def _events(asked: Asked, said: Said) -> tuple[bytes, ...]:
    """The events in OpenAI's order, each with its number."""
    text, whole = said.first.text, _response(asked, said)
    opened = _envelope(asked, said, "in_progress", []) | {"incomplete_details": None, "usage": None}
    where = {"item_id": f"msg_{said.identity}", "output_index": 0, "content_index": 0}
    status = str(whole["status"])
    documents: list[tuple[str, dict[str, object]]] = [
        ("created", {"response": opened}),
        ("in_progress", {"response": opened}),
        ("output_item.added", {"output_index": 0, "item": _message(said, "in_progress", [])}),
        ("content_part.added", where | {"part": _part("")}),
        *(("output_text.delta", where | {"delta": word, "logprobs": []}) for word in words(text)),
        ("output_text.done", where | {"text": text, "logprobs": []}),
        ("content_part.done", where | {"part": _part(text)}),
        ("output_item.done", {"output_index": 0, "item": _message(said, status, [_part(text)])}),
        (status, {"response": whole}),
    ]
    return tuple([_numbered(*named, number) for named, number in zip(documents, count(), strict=False)])


def _numbered(name: str, document: dict[str, object], number: int) -> bytes:
    kind = f"response.{name}"
    return event({"type": kind, "sequence_number": number} | document, kind)


def _envelope(asked: Asked, said: Said, status: str, output: list[dict[str, object]]) -> dict[str, object]:
    return {
        "id": f"resp_{said.identity}",
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "model": asked.model,
        "output": output,
        **_ECHOED,
    }


def _message(said: Said, status: str, content: list[dict[str, object]]) -> dict[str, object]:
    identity = f"msg_{said.identity}"
    return {"id": identity, "type": "message", "status": status, "role": "assistant", "content": content}


def _part(text: str) -> dict[str, object]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


RESPONSES: Form[Asked] = Form(_response, _events, refuse, id_header="x-request-id")
