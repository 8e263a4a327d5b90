"""Gemini's content generation over a persona: paths that name the model, and answers with candidates."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from pytest_llmrel.simulator.asking import Asked, listen
from pytest_llmrel.simulator.events import event, json_bytes
from pytest_llmrel.simulator.keys import check_google_key
from pytest_llmrel.simulator.messages import Handler, Reply, Request
from pytest_llmrel.simulator.reading import (
    read_integer,
    read_list,
    read_object,
    read_table,
    rejected,
    text_of,
)
from pytest_llmrel.simulator.refusals import Refusal
from pytest_llmrel.simulator.tokens import count_tokens, words
from pytest_llmrel.simulator.voice import Form, Voice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_llmrel.simulator.asking import Choice, Said

__all__ = ["gemini_routes", "read_contents", "refuse_as_gemini"]

_PATH = re.compile(r"/v1(?:beta|alpha)?/models/([^/]+):\w+")
_MOST_CANDIDATES = 8
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


def gemini_routes(voice: Voice) -> Mapping[str, Mapping[str, Handler]]:
    """Returns the handlers by the verb that paths end with, and by method."""
    plain = voice.handler(check_google_key, read_contents, _CONTENT)
    events = voice.handler(check_google_key, _read_stream, _CONTENT)
    array = voice.handler(check_google_key, _read_stream, _ARRAY)

    def stream(request: Request) -> Reply:
        as_events = parse_qs(request.query).get("alt") == ["sse"]
        return events(request) if as_events else array(request)

    return {":generateContent": {"POST": plain}, ":streamGenerateContent": {"POST": stream}}


def refuse_as_gemini(refusal: Refusal) -> Reply:
    """Returns an error reply in Google's shape."""
    status = _STATUSES.get(refusal.status, "UNKNOWN")
    error = {"code": refusal.status, "message": str(refusal), "status": status}
    return Reply(refusal.status, (json_bytes({"error": error}),), headers=refusal.headers)


def read_contents(request: Request) -> Asked:
    """Reads a request to generate content; its names may be written in camel case or with underscores.

    Raises:
        Refusal: the path names no model, the body is not JSON, or a parameter is of a wrong type.
    """
    named = _PATH.fullmatch(request.path)
    if named is None:
        raise Refusal(404, f"Invalid URL ({request.path[:200]}); use /v1beta/models/MODEL:generateContent.")
    fields = read_object(request.body)
    turns = [_turn(content, f"contents[{i}]") for i, content in enumerate(read_list(fields, "contents"))]
    _, system = _turn(read_table(fields, _spelt(fields, "systemInstruction")), "systemInstruction")
    question, tokens = listen([("system", system), *turns] if system else turns)
    config = read_table(fields, _spelt(fields, "generationConfig"))
    return Asked(
        model=unquote(named[1]),
        question=question,
        input_tokens=tokens,
        seed=read_integer(config, "seed"),
        choices=read_integer(config, _spelt(config, "candidateCount"), 1, _MOST_CANDIDATES) or 1,
        max_tokens=read_integer(config, _spelt(config, "maxOutputTokens"), 1),
    )


def _read_stream(request: Request) -> Asked:
    return replace(read_contents(request), stream=True)


def _turn(content: object, where: str) -> tuple[str, str]:
    role = content.get("role", "user") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(role, str):
        raise rejected(content, f"'{where}' must be an object with 'parts'.", where)
    parts = content.get("parts")
    return role, text_of([parts] if isinstance(parts, dict) else parts, where)


def _spelt(fields: dict[str, Any], name: str) -> str:
    """The spelling of ``name`` in the request: as it is, or with underscores."""
    snake = re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), name)
    return snake if snake in fields else name


def _content(asked: Asked, said: Said) -> dict[str, object]:
    candidates = [_candidate(index, choice.text, choice) for index, choice in enumerate(said.choices)]
    return _envelope(asked, said, candidates, said.tokens)


def _events(asked: Asked, said: Said) -> tuple[bytes, ...]:
    return tuple([event(document) for document in _pieces(asked, said)])


def _elements(asked: Asked, said: Said) -> tuple[bytes, ...]:
    """One array of JSON, an element at a time."""
    elements = [json_bytes(document) for document in _pieces(asked, said)]
    ends = [b",\r\n"] * (len(elements) - 1) + [b"]"]
    return tuple([(b"" if i else b"[") + element + ends[i] for i, element in enumerate(elements)])


def _pieces(asked: Asked, said: Said) -> Iterator[dict[str, object]]:
    """The documents of a stream, word by word, each with the tokens so far."""
    before = 0
    for index, choice in enumerate(said.choices):
        pieces, end = words(choice.text) or [""], 0
        for number, word in enumerate(pieces, 1):
            end += len(word)
            candidate = _candidate(index, word, choice if number == len(pieces) else None)
            yield _envelope(asked, said, [candidate], before + count_tokens(choice.text[:end]))
        before += count_tokens(choice.text)


def _candidate(index: int, text: str, ending: Choice | None) -> dict[str, object]:
    candidate: dict[str, object] = {"content": {"parts": [{"text": text}], "role": "model"}, "index": index}
    if ending is not None:
        candidate["finishReason"] = "STOP" if ending.whole else "MAX_TOKENS"
    return candidate


def _envelope(
    asked: Asked, said: Said, candidates: list[dict[str, object]], tokens: int
) -> dict[str, object]:
    usage = {
        "promptTokenCount": asked.input_tokens,
        "candidatesTokenCount": tokens,
        "totalTokenCount": asked.input_tokens + tokens,
    }
    return {
        "candidates": candidates,
        "usageMetadata": usage,
        "modelVersion": asked.model,
        "responseId": said.identity,
    }


_CONTENT: Form[Asked] = Form(_content, _events, refuse_as_gemini)
_ARRAY = replace(_CONTENT, chunks=_elements, stream_type="application/json; charset=UTF-8")
