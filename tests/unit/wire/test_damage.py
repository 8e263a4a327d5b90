"""Answers that say they are fine and are not: proxies' pages, halves of documents, streams that broke off."""

import json
import re
from typing import Any

import pytest

from pytest_llmrel.wire.documents import LARGE
from pytest_llmrel.wire.usage import damage_of

from . import answers
from .answers import events, exchange

PAGE = b"<!DOCTYPE html><html><title>502 Bad Gateway</title></html>"
SPEECH = "https://api.openai.com/v1/audio/speech"
STREAMS = [
    (answers.OPENAI, events(*answers.chat_chunks(), done=True), "[DONE]"),
    (answers.RESPONSES, events(*answers.response_events()), "response.completed"),
    (answers.ANTHROPIC, events(*answers.message_events()), "message_stop"),
    (answers.GEMINI_STREAM, events(*answers.contents(), end=b"\r\n"), "finishReason"),
    (answers.GEMINI_STREAM, json.dumps(answers.contents()).encode(), "finishReason"),
    (answers.COHERE, events(*answers.cohere_events(), done=True), "message-end"),
]


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        (answers.OPENAI, answers.CHAT),
        (answers.RESPONSES, answers.RESPONSE),
        (answers.EMBEDDINGS, answers.EMBEDDING),
        (answers.ANTHROPIC, answers.MESSAGE),
        (answers.GEMINI, answers.CONTENT),
        (answers.COHERE, answers.COHERE_CHAT),
        (answers.OPENAI, b"\xef\xbb\xbf{}"),
        (answers.OPENAI, '{"é": "東\U0001f600"}'.encode()),
        (answers.OPENAI, {"long": ["é{["] * LARGE}),
        *((url, body) for url, body, _ in STREAMS),
        (answers.OPENAI, events({"choices": []}, done=True).rstrip()),
        (answers.GEMINI_STREAM, events({"promptFeedback": {"blockReason": "SAFETY"}})),
        (answers.RESPONSES, events({"type": "response.incomplete", "response": {}})),
        ("http://localhost/llm/ask", events({"model": "m"})),
    ],
)
def test_nothing_is_wrong(url: str, answer: Any) -> None:
    """Plain and streamed, long and short, with a byte order mark; a protocol that nobody knows is not judged."""
    assert damage_of(exchange(url, answer)) == ""


@pytest.mark.parametrize(("url", "body", "end"), STREAMS)
def test_a_stream_that_breaks_off(url: str, body: bytes, end: str) -> None:
    """Wherever it does, also between two events and in the middle of the last one; and it says what is missing."""
    whole = (
        len(body.rstrip().removesuffix(b"data: [DONE]").rstrip())
        if url == answers.COHERE
        else len(body.rstrip())
    )
    assert end in damage_of(exchange(url, events({"candidates": []})))
    told = re.search(rb'"finish_reason"\s*:\s*"', body)  # whoever says why it ended has ended
    for length in range(1, told.end() if told else whole):
        said = damage_of(exchange(url, body[:length], content_type="text/event-stream"))
        assert "broke off" in said or "cut off" in said or (length < 10 and said), (length, said)


@pytest.mark.parametrize("start", [b"", b'data: {"choices": []}\n\n', b": wait\r\r"])
def test_done_is_a_line_of_its_own(start: bytes) -> None:
    """A model may write about it."""
    said = b'data: {"choices": [{"delta": {"content": "then comes\\ndata: [DONE]"}}]}\n\n'
    assert "without [DONE]" in damage_of(exchange(answers.OPENAI, start + said))
    assert damage_of(exchange(answers.OPENAI, start + said + b"data:[DONE]")) == ""
    assert (
        damage_of(exchange(answers.OPENAI, start + b"data: [DONE]", content_type="text/event-stream")) == ""
    )


@pytest.mark.parametrize(
    ("url", "body"),
    [
        (answers.ANTHROPIC, events(*answers.message_events(end=False), {"type": "error", "error": {"type": "overloaded_error"}})),
        (answers.OPENAI, events(answers.chat_chunks()[0], {"error": {"message": "boom"}}, done=True)),
        (answers.RESPONSES, events({"type": "response.failed", "response": {"status": "failed"}})),
    ],
)  # fmt: skip
def test_a_stream_that_reports_an_error(url: str, body: bytes) -> None:
    """The status was sent before anybody knew; the words of the error are not repeated."""
    assert damage_of(exchange(url, body)) == "the event stream reports an error of the provider"


@pytest.mark.parametrize("content_type", ["text/html", "application/json", "text/event-stream", ""])
@pytest.mark.parametrize("url", [answers.OPENAI, answers.GEMINI, "http://localhost/llm/ask"])
def test_html_in_place_of_json(url: str, content_type: str) -> None:
    """The page of a proxy, whatever it calls itself."""
    for page in (PAGE, b"\n <html>", b"<?xml version='1.0'?>"):
        said = damage_of(exchange(url, page, content_type=content_type, asked={"model": "m"}))
        assert said == "the answer is HTML in place of JSON, such as the page of a proxy"


@pytest.mark.parametrize("body", [b"", b"\r\n \n"])
def test_an_empty_answer(body: bytes) -> None:
    """Nothing, or nothing but space."""
    assert damage_of(exchange(answers.OPENAI, body)) == "the answer is empty"


def test_json_that_is_cut_off() -> None:
    """Wherever it is, in text, numbers, names and escapes, and in the middle of a character."""
    whole = json.dumps(
        {"a": [1, -2.5e3, True, None], "é\n\u2028": "東京 \\u00e9"}, ensure_ascii=False
    ).encode()
    whole = whole[:-2] + b'\\u00e9"}'
    assert damage_of(exchange(answers.OPENAI, whole)) == ""
    for length in range(1, len(whole)):
        assert "cut off" in damage_of(exchange(answers.OPENAI, whole[:length])), whole[:length]


def test_a_long_document_that_is_cut_off() -> None:
    """Seen by its brackets, without reading it."""
    whole = json.dumps({"long": ['\\"]}'] * LARGE}).encode()
    for lost in (1, 2, 3, 1000):
        assert "cut off after" in damage_of(exchange(answers.OPENAI, whole[:-lost]))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"a" 1, "b": 2222222}', "does not parse (Expecting ':' delimiter at character 5)"),
        (b"upstream connect error or disconnect", "does not parse"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too many digits"),
        (b"[" * 100_000, "too deeply"),
        (b'{"a": "\xff"}', "no valid UTF-8"),
        (b'{"a": "' + b"x" * 70_000 + b'\xe9"}', "no valid UTF-8"),
        (b'data: {"a": "\xff"}\n\n', "no valid UTF-8"),
    ],
)
def test_what_is_no_json_or_no_text(body: bytes, words: str) -> None:
    """The words say why, and never what stands there."""
    said = damage_of(exchange(answers.OPENAI, body))
    assert words in said
    assert "upstream" not in said


@pytest.mark.parametrize("content_type", ["audio/mpeg", "text/plain", "application/x-ndjson", "text/vtt", ""])
def test_answers_that_are_no_json_by_right(content_type: str) -> None:
    """Speech, subtitles, lines of JSON; but an API that has JSON only has nothing else."""
    assert damage_of(exchange(SPEECH, b"\xff\xf3 {", content_type=content_type)) == ""
    assert damage_of(exchange(answers.OPENAI, b"\xff\xf3 {", content_type=content_type)) != ""
    assert damage_of(exchange(SPEECH, b"{", content_type="application/problem+json")) != ""


@pytest.mark.parametrize(
    ("status", "method", "url"),
    [
        (302, "POST", answers.OPENAI),
        (404, "POST", answers.OPENAI),
        (500, "POST", answers.OPENAI),
        (200, "GET", answers.OPENAI),
        (200, "POST", "http://localhost/shop"),
        (200, "POST", "https://api.anthropic.com/v1/messages/count_tokens"),
    ],
)
def test_what_is_not_asked_is_not_judged(status: int, method: str, url: str) -> None:
    """Answers that say themselves that something is wrong, and calls that ask no model."""
    assert damage_of(exchange(url, PAGE, status=status, method=method)) == ""
