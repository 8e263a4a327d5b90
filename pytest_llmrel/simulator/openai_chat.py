"""The shapes of OpenAI's chat completions: the request as a value, and the JSON that answers it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_llmrel.simulator.asking import Asked, listen
from pytest_llmrel.simulator.events import DONE, event
from pytest_llmrel.simulator.openai_errors import refuse
from pytest_llmrel.simulator.reading import (
    read_flag,
    read_integer,
    read_list,
    read_model,
    read_object,
    read_turns,
)
from pytest_llmrel.simulator.tokens import words
from pytest_llmrel.simulator.voice import Form

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_llmrel.simulator.asking import Choice, Said

__all__ = [
    "CHAT",
    "ChatRequest",
    "chat_completion",
    "chat_documents",
    "chat_events",
    "chat_usage",
    "read_chat",
]

_MOST_CHOICES = 128


@dataclass(frozen=True, slots=True)
class ChatRequest(Asked):
    """A chat completions request; ``include_usage`` asks for the usage at the end of a stream."""

    include_usage: bool = False


def read_chat(body: bytes) -> ChatRequest:
    """Reads the body of a chat completions request; Mistral's ``random_seed`` is read as ``seed``.

    Raises:
        Refusal: the body is not JSON, or a parameter is missing or of a wrong type.
    """
    fields = read_object(body)
    question, tokens = listen(read_turns(read_list(fields, "messages"), "messages"))
    options = fields.get("stream_options")
    limit = "max_completion_tokens" if fields.get("max_completion_tokens") is not None else "max_tokens"
    seed = "seed" if fields.get("seed") is not None else "random_seed"
    return ChatRequest(
        model=read_model(fields),
        question=question,
        input_tokens=tokens,
        stream=read_flag(fields, "stream"),
        seed=read_integer(fields, seed),
        choices=read_integer(fields, "n", 1, _MOST_CHOICES) or 1,
        max_tokens=read_integer(fields, limit, 1),
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
    )


def chat_completion(chat: ChatRequest, said: Said) -> dict[str, object]:
    """Returns the document of a plain reply."""
    answers = [
        {
            "index": index,
            "message": {"role": "assistant", "content": choice.text, "refusal": None},
            "logprobs": None,
            "finish_reason": _finish_reason(choice),
        }
        for index, choice in enumerate(said.choices)
    ]
    return _envelope(chat, said, "chat.completion") | {"choices": answers, "usage": chat_usage(chat, said)}


def chat_events(chat: ChatRequest, said: Said) -> tuple[bytes, ...]:
    """Returns the server-sent events of a streamed reply, word by word, ending with ``[DONE]``."""
    documents = chat_documents(chat, said)
    if chat.include_usage:
        last = documents[-1] | {"choices": [], "usage": chat_usage(chat, said)}
        documents = [*(document | {"usage": None} for document in documents), last]
    return (*map(event, documents), DONE)


def chat_documents(chat: ChatRequest, said: Said) -> list[dict[str, object]]:
    """Returns the documents of a streamed reply, without any usage."""
    envelope = _envelope(chat, said, "chat.completion.chunk")
    deltas = [delta for index, choice in enumerate(said.choices) for delta in _deltas(index, choice)]
    return [envelope | {"choices": [delta]} for delta in deltas]


def chat_usage(chat: ChatRequest, said: Said) -> dict[str, int]:
    """Returns the usage of a request and its answer."""
    output = said.tokens
    return {
        "prompt_tokens": chat.input_tokens,
        "completion_tokens": output,
        "total_tokens": chat.input_tokens + output,
    }


def _deltas(index: int, choice: Choice) -> Iterator[dict[str, object]]:
    def delta(content: dict[str, str], finish_reason: str | None = None) -> dict[str, object]:
        return {"index": index, "delta": content, "logprobs": None, "finish_reason": finish_reason}

    yield delta({"role": "assistant", "content": ""})
    for word in words(choice.text):
        yield delta({"content": word})
    yield delta({}, _finish_reason(choice))


def _finish_reason(choice: Choice) -> str:
    return "stop" if choice.whole else "length"


def _envelope(chat: ChatRequest, said: Said, kind: str) -> dict[str, object]:
    return {
        "id": f"chatcmpl-{said.identity}",
        "object": kind,
        "created": int(time.time()),
        "model": chat.model,
        "system_fingerprint": "fp_simulated",
    }


CHAT = Form(chat_completion, chat_events, refuse, id_header="x-request-id")
