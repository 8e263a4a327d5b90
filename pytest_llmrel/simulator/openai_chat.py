"""The shapes of OpenAI's chat completions: the request as a value, and the JSON that answers it."""

from __future__ import annotations

import json
import math
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "ChatError",
    "ChatRequest",
    "Choice",
    "completion",
    "completion_events",
    "count_tokens",
    "read_chat",
]

_CHARACTERS_PER_TOKEN = 4
_TOKENS_PER_MESSAGE = 4
_MOST_CHOICES = 128
_WORD = re.compile(r"\s*\S+\s*|\s+")
_KINDS = {
    bool: "a boolean",
    dict: "an object",
    float: "a number",
    int: "a number",
    list: "an array",
    str: "a string",
}


class ChatError(Exception):
    """A request that OpenAI's API would refuse.

    Attributes:
        status: the HTTP status to refuse with.
        param: the parameter at fault, if it is one.
        code: OpenAI's word for the problem, if there is one.
    """

    def __init__(self, status: int, message: str, param: str | None = None, code: str | None = None) -> None:
        """Keeps what the error body is made of."""
        super().__init__(message)
        self.status = status
        self.param = param
        self.code = code


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What the simulator reads of a request; every other parameter is accepted and has no effect."""

    model: str
    question: str
    input_tokens: int
    stream: bool = False
    include_usage: bool = False
    seed: int | None = None
    choices: int = 1
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer text, possibly cut short."""

    text: str
    finish_reason: str = "stop"

    @classmethod
    def cut(cls, text: str, max_tokens: int | None) -> Choice:
        """Returns the choice that ``text`` becomes under a limit on output tokens."""
        if max_tokens is None or count_tokens(text) <= max_tokens:
            return cls(text)
        return cls(text[: max_tokens * _CHARACTERS_PER_TOKEN], "length")


def count_tokens(text: str) -> int:
    """Returns a deterministic estimate: four characters to the token, as English roughly has."""
    return math.ceil(len(text) / _CHARACTERS_PER_TOKEN)


def read_chat(body: bytes) -> ChatRequest:
    """Reads the body of a chat completions request.

    Raises:
        ChatError: the body is not JSON, or a parameter is missing or of a wrong type.
    """
    fields = _read_object(body)
    messages = _read_messages(fields)
    texts = [_text_of(message) for message in messages]
    options = fields.get("stream_options")
    limit = "max_completion_tokens" if fields.get("max_completion_tokens") is not None else "max_tokens"
    return ChatRequest(
        model=_read_model(fields),
        question=_last_question(messages, texts),
        input_tokens=sum(count_tokens(text) + _TOKENS_PER_MESSAGE for text in texts),
        stream=_read_flag(fields, "stream"),
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        seed=_read_integer(fields, "seed"),
        choices=_read_integer(fields, "n", 1, _MOST_CHOICES) or 1,
        max_tokens=_read_integer(fields, limit, 1),
    )


def completion(chat: ChatRequest, choices: tuple[Choice, ...], identity: str) -> bytes:
    """Returns the body of a plain reply."""
    answers = [
        {
            "index": index,
            "message": {"role": "assistant", "content": choice.text, "refusal": None},
            "logprobs": None,
            "finish_reason": choice.finish_reason,
        }
        for index, choice in enumerate(choices)
    ]
    document = _envelope(chat, identity, "chat.completion")
    return json.dumps(document | {"choices": answers, "usage": _usage(chat, choices)}).encode("ascii")


def completion_events(chat: ChatRequest, choices: tuple[Choice, ...], identity: str) -> tuple[bytes, ...]:
    """Returns the server-sent events of a streamed reply, word by word, ending with ``[DONE]``."""
    document = _envelope(chat, identity, "chat.completion.chunk")
    unfinished = {"usage": None} if chat.include_usage else {}
    deltas = [delta for index, choice in enumerate(choices) for delta in _deltas(index, choice)]
    events = [document | {"choices": [delta]} | unfinished for delta in deltas]
    if chat.include_usage:
        events.append(document | {"choices": [], "usage": _usage(chat, choices)})
    return (*(f"data: {json.dumps(event)}\n\n".encode("ascii") for event in events), b"data: [DONE]\n\n")


def _deltas(index: int, choice: Choice) -> Iterator[dict[str, object]]:
    def delta(content: dict[str, str], finish_reason: str | None = None) -> dict[str, object]:
        return {"index": index, "delta": content, "logprobs": None, "finish_reason": finish_reason}

    yield delta({"role": "assistant", "content": ""})
    for word in _WORD.findall(choice.text):
        yield delta({"content": word})
    yield delta({}, choice.finish_reason)


def _envelope(chat: ChatRequest, identity: str, kind: str) -> dict[str, object]:
    return {
        "id": f"chatcmpl-{identity}",
        "object": kind,
        "created": int(time.time()),
        "model": chat.model,
        "system_fingerprint": "fp_simulated",
    }


def _usage(chat: ChatRequest, choices: tuple[Choice, ...]) -> dict[str, int]:
    output = sum(count_tokens(choice.text) for choice in choices)
    return {
        "prompt_tokens": chat.input_tokens,
        "completion_tokens": output,
        "total_tokens": chat.input_tokens + output,
    }


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        message = "We could not parse the JSON body of your request: it must be one valid JSON object."
        raise ChatError(400, message) from None
    if not isinstance(fields, dict):
        raise ChatError(400, f"The body must be a JSON object, not {_kind(fields)}.")
    return fields


def _read_model(fields: dict[str, Any]) -> str:
    model = fields.get("model")
    if not isinstance(model, str) or not model:
        raise ChatError(400, "You must provide a model parameter, a string.", "model", _code(model))
    return model


def _read_messages(fields: dict[str, Any]) -> list[dict[str, Any]]:
    messages = fields.get("messages")
    if messages is None:
        raise ChatError(400, "Missing required parameter: 'messages'.", "messages", _code(None))
    if not isinstance(messages, list) or not messages:
        raise ChatError(
            400, "'messages' must be an array with at least one message.", "messages", _code(messages)
        )
    for index, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            name = f"messages[{index}]"
            raise ChatError(400, f"'{name}' must be an object with a 'role'.", name, _code(message))
    return messages


def _text_of(message: dict[str, Any]) -> str:
    """The text of a message, whose content may be a string, a list of parts, or nothing (tool calls)."""
    content = message.get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join([part for part in parts if isinstance(part, str)])
    if content is None or isinstance(content, str):
        return content or ""
    problem = f"The content of a message must be a string or an array, not {_kind(content)}."
    raise ChatError(400, problem, "messages", _code(content))


def _last_question(messages: list[dict[str, Any]], texts: list[str]) -> str:
    asked = [text for message, text in zip(messages, texts, strict=True) if message["role"] == "user"]
    return (asked or texts)[-1]


def _read_flag(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise ChatError(400, f"'{name}' must be true or false, not {_kind(value)}.", name, _code(value))
    return bool(value)


def _read_integer(
    fields: dict[str, Any], name: str, least: int | None = None, most: int | None = None
) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise ChatError(400, f"'{name}' must be an integer, not {_kind(value)}.", name, _code(value))
    if (least is not None and value < least) or (most is not None and value > most):
        bounds = f"at least {least}" if most is None else f"from {least} to {most}"
        raise ChatError(400, f"'{name}' must be {bounds}.", name, "integer_out_of_range")
    return value


def _code(value: object) -> str:
    return "missing_required_parameter" if value is None else "invalid_type"


def _kind(value: object) -> str:
    """What a wrong value is, in the words of JSON."""
    return _KINDS.get(type(value), "null")
