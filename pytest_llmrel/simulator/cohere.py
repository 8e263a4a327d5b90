"""Cohere's chat (its API v2) over a persona: the request as a value, and the JSON that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_llmrel.simulator.asking import Asked, listen
from pytest_llmrel.simulator.events import DONE, event, json_bytes
from pytest_llmrel.simulator.keys import check_bearer
from pytest_llmrel.simulator.messages import Handler, Reply, Request
from pytest_llmrel.simulator.reading import (
    read_flag,
    read_integer,
    read_list,
    read_model,
    read_object,
    read_turns,
)
from pytest_llmrel.simulator.tokens import count_tokens, words
from pytest_llmrel.simulator.voice import Form, Voice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_llmrel.simulator.asking import Said
    from pytest_llmrel.simulator.refusals import Refusal

__all__ = ["CohereRequest", "cohere_routes", "read_cohere", "refuse_as_cohere"]


@dataclass(frozen=True, slots=True)
class CohereRequest(Asked):
    """A chat request; billed are the texts alone, not what the template puts around each message."""

    billed_tokens: int = 0


def cohere_routes(voice: Voice) -> Mapping[str, Mapping[str, Handler]]:
    """Returns the handlers by path and method."""
    return {"/v2/chat": {"POST": voice.handler(check_bearer, read_cohere, _CHAT)}}


def refuse_as_cohere(refusal: Refusal) -> Reply:
    """Returns an error reply in Cohere's shape."""
    return Reply(refusal.status, (json_bytes({"message": str(refusal)}),), headers=refusal.headers)


def read_cohere(request: Request) -> CohereRequest:
    """Reads the body of a chat request.

    Raises:
        Refusal: the body is not JSON, or a parameter is missing or of a wrong type.
    """
    fields = read_object(request.body)
    turns = read_turns(read_list(fields, "messages"), "messages")
    question, tokens = listen(turns)
    return CohereRequest(
        model=read_model(fields),
        question=question,
        input_tokens=tokens,
        stream=read_flag(fields, "stream"),
        seed=read_integer(fields, "seed"),
        max_tokens=read_integer(fields, "max_tokens", 1),
        billed_tokens=sum([count_tokens(text) for _, text in turns]),
    )


def _document(asked: CohereRequest, said: Said) -> dict[str, object]:
    content = [{"type": "text", "text": said.first.text}]
    message = {"role": "assistant", "content": content}
    return {"id": said.identity, "message": message} | _ending(asked, said)


def _events(asked: CohereRequest, said: Said) -> tuple[bytes, ...]:
    opened = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    documents: list[tuple[str, dict[str, object]]] = [
        ("message-start", {"id": said.identity, "delta": {"message": opened}}),
        ("content-start", {"index": 0, "delta": _content({"type": "text", "text": ""})}),
        *(
            ("content-delta", {"index": 0, "delta": _content({"text": word})})
            for word in words(said.first.text)
        ),
        ("content-end", {"index": 0}),
        ("message-end", {"delta": _ending(asked, said)}),
    ]
    return (*(event({"type": kind} | document, kind) for kind, document in documents), DONE)


def _content(content: dict[str, str]) -> dict[str, object]:
    return {"message": {"content": content}}


def _ending(asked: CohereRequest, said: Said) -> dict[str, object]:
    usage = {
        "billed_units": {"input_tokens": asked.billed_tokens, "output_tokens": said.tokens},
        "tokens": {"input_tokens": asked.input_tokens, "output_tokens": said.tokens},
    }
    return {"finish_reason": "COMPLETE" if said.first.whole else "MAX_TOKENS", "usage": usage}


_CHAT: Form[CohereRequest] = Form(_document, _events, refuse_as_cohere)
