"""Tokens of the calls that providers answer, plain and streamed; and of hostile answers, which say nothing."""

import json
import subprocess
import sys
import time
import tracemalloc
from typing import Any

import pytest

from pytest_llmrel.core.call import Usage
from pytest_llmrel.wire.documents import LARGE
from pytest_llmrel.wire.usage import is_model_call, usage_of

from . import answers
from .answers import CHAT, CHAT_USAGE, events, exchange

GPT = "gpt-4o-mini-2024-07-18"
CHAT_COUNTS = (GPT, 1200, 31, 1024, 0, 7)
RESPONSE_COUNTS = ("gpt-5-mini-2025-08-07", 328, 52, 256, 0, 40)
MESSAGE_COUNTS = ("claude-sonnet-4-5-20250929", 1125, 15, 1000, 100, 0)
CONTENT_COUNTS = ("gemini-2.5-flash", 11, 322, 6, 0, 300)
COHERE_COUNTS = ("command-a-03-2025", 5, 20, 0, 0, 0)
GATEWAY = "http://localhost:4000"
DEPLOYMENT = (
    "https://acme.openai.azure.com/openai/deployments/our%20bot/chat/completions?api-version=2024-10-21"
)


def counts(usage: Usage | None) -> tuple[Any, ...] | None:
    """Everything but the units."""
    return usage and (
        usage.model,
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    )


@pytest.mark.parametrize(
    ("url", "answer", "expected"),
    [
        (answers.OPENAI, CHAT, CHAT_COUNTS),
        (answers.RESPONSES, answers.RESPONSE, RESPONSE_COUNTS),
        (answers.EMBEDDINGS, answers.EMBEDDING, ("text-embedding-3-small", 8, 0, 0, 0, 0)),
        (answers.ANTHROPIC, answers.MESSAGE, MESSAGE_COUNTS),
        (answers.GEMINI, answers.CONTENT, CONTENT_COUNTS),
        (answers.MISTRAL, CHAT, CHAT_COUNTS),
        (answers.GROQ, CHAT, CHAT_COUNTS),
        (answers.COHERE, answers.COHERE_CHAT, COHERE_COUNTS),
    ],
)
def test_plain_answers(url: str, answer: Any, expected: tuple[Any, ...]) -> None:
    """Cached tokens are within the input and reasoning within the output, however the provider counts them."""
    assert counts(usage_of(exchange(url, answer, asked={"model": "command-a-03-2025"}))) == expected


@pytest.mark.parametrize(
    ("url", "body", "expected"),
    [
        (answers.OPENAI, events(*answers.chat_chunks(), done=True), CHAT_COUNTS),
        (answers.RESPONSES, events(*answers.response_events()), RESPONSE_COUNTS),
        (answers.ANTHROPIC, events(*answers.message_events()), MESSAGE_COUNTS),
        (answers.GEMINI_STREAM, events(*answers.contents(), end=b"\r\n"), CONTENT_COUNTS),
        (answers.GEMINI_STREAM, json.dumps(answers.contents()).encode(), CONTENT_COUNTS),
        (answers.COHERE, events(*answers.cohere_events(), done=True), COHERE_COUNTS),
    ],
)
def test_streamed_answers(url: str, body: bytes, expected: tuple[Any, ...]) -> None:
    """A stream says the same as the plain answer of which it consists, to which it is the equal in all values."""
    assert counts(usage_of(exchange(url, body, asked={"model": "command-a-03-2025"}))) == expected


def test_a_stream_of_mistral_and_one_of_groq() -> None:
    """Mistral says it in the last chunk unasked, Groq there within ``x_groq``."""
    *before, last, _ = answers.chat_chunks()
    mistral = events(*before, last | {"usage": CHAT_USAGE}, done=True)
    groq = events(*before, last | {"x_groq": {"id": "req_1", "usage": CHAT_USAGE}}, done=True)
    assert counts(usage_of(exchange(answers.MISTRAL, mistral))) == CHAT_COUNTS
    assert counts(usage_of(exchange(answers.GROQ, groq))) == CHAT_COUNTS


@pytest.mark.parametrize(
    ("path", "answer", "expected"),
    [
        ("/v1/chat/completions", CHAT, CHAT_COUNTS),
        ("/llm/ask", CHAT, CHAT_COUNTS),
        ("/llm/ask", answers.RESPONSE, RESPONSE_COUNTS),
        ("/llm/ask", answers.MESSAGE, MESSAGE_COUNTS),
        ("/llm/ask", answers.CONTENT, CONTENT_COUNTS),
        ("/llm/ask", answers.EMBEDDING, ("text-embedding-3-small", 8, 0, 0, 0, 0)),
        ("/v1/chat/completions", answers.MESSAGE, MESSAGE_COUNTS),
        ("/anthropic/v1/messages", CHAT, CHAT_COUNTS),
    ],
)
def test_a_gateway(path: str, answer: Any, expected: tuple[Any, ...]) -> None:
    """At any host the path says whose answer it is, and where it does not, or is wrong, its shape does."""
    assert counts(usage_of(exchange(GATEWAY + path, answer))) == expected


def test_units_have_the_names_of_genai_prices() -> None:
    """All that was reported, zeros too, sorted by name."""
    usage = usage_of(exchange(answers.ANTHROPIC, answers.MESSAGE))
    assert usage is not None
    assert usage.units == (
        ("cache_read_tokens", 1000), ("cache_write_1h_tokens", 0), ("cache_write_5m_tokens", 100),
        ("cache_write_tokens", 100), ("input_tokens", 1125), ("output_tokens", 15),
    )  # fmt: skip


def test_a_provider_s_own_dialect_is_read_at_its_host() -> None:
    """That of xAI counts reasoning beside the output; Cohere's whole numbers may come with a decimal point."""
    grok = CHAT | {"model": "grok-4"}
    assert counts(usage_of(exchange("https://api.x.ai/v1/chat/completions", grok)))[2] == 31 + 7
    usage = {"billed_units": {"input_tokens": 5.0, "output_tokens": 20.0}}
    found = usage_of(exchange(answers.COHERE, answers.COHERE_CHAT | {"usage": usage}))
    assert counts(found) == ("", 5, 20, 0, 0, 0)
    assert all(type(count) is int for _, count in found.units)


@pytest.mark.parametrize(
    ("url", "asked", "model"),
    [
        (answers.OPENAI, {"model": "gpt-4o-mini", "messages": []}, "gpt-4o-mini"),
        (answers.OPENAI, {"model": 7}, ""),
        (answers.OPENAI, {"model": "m" * 1000}, ""),
        (answers.OPENAI, ["model"], ""),
        (answers.OPENAI, None, ""),
        (DEPLOYMENT, {"messages": []}, "our bot"),
        (
            "https://x/v1/projects/p/locations/l/publishers/mistralai/models/codestral:rawPredict",
            None,
            "codestral",
        ),
    ],
)
def test_the_model_of_an_answer_without_one(url: str, asked: Any, model: str) -> None:
    """The request names it, and else the URL; nobody guesses."""
    for empty in ({}, {"model": ""}, {"model": None}):
        found = usage_of(exchange(url, {"usage": CHAT_USAGE} | empty, asked=asked))
        assert found is not None
        assert found.model == model


def test_a_model_that_genai_prices_does_not_know() -> None:
    """Has tokens all the same."""
    assert counts(usage_of(exchange(answers.OPENAI, CHAT | {"model": "ours-7b"})))[:3] == (
        "ours-7b",
        1200,
        31,
    )


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b": keep-alive\n\n"])
def test_an_event_stream_as_the_standard_allows(start: bytes, end: bytes) -> None:
    """Any ends of lines, a byte order mark, comments, no space, data in several lines, no blank line at the end."""
    document = json.dumps(answers.chat_chunks()[-1], indent=1).encode()
    lines = [
        b"id: 1",
        b"retry: 5",
        *(b"data:" + line for line in document.splitlines()),
        b":",
        b"other: usage",
    ]
    whole = start.replace(b"\n", end) + events(*answers.chat_chunks(usage=None), end=end) + end.join(lines)
    assert counts(usage_of(exchange(answers.OPENAI, whole))) == CHAT_COUNTS


def test_the_last_usage_counts() -> None:
    """Servers that count with every chunk, and a model that writes about usage, lead nobody astray."""
    first, *rest = answers.chat_chunks()
    early = first | {"usage": CHAT_USAGE | {"completion_tokens": 1, "completion_tokens_details": None}}
    said = first | {"choices": [{"index": 0, "delta": {"content": '"usage": {"prompt_tokens": 1}'}}]}
    assert counts(usage_of(exchange(answers.OPENAI, events(early, *rest, said, done=True)))) == CHAT_COUNTS


def test_later_values_of_a_message_replace_earlier_ones() -> None:
    """What the end of Anthropic's stream says of the input again, after a search; its nulls say nothing."""
    opened, text, last, stop = answers.message_events()
    usage = {"input_tokens": 500, "cache_read_input_tokens": None, "output_tokens": 60}
    more = events(opened, text, last, last | {"usage": usage}, stop)
    assert counts(usage_of(exchange(answers.ANTHROPIC, more))) == (MESSAGE_COUNTS[0], 1600, 60, 1000, 100, 0)


@pytest.mark.parametrize(
    ("url", "body"),
    [
        (answers.OPENAI, events(*answers.chat_chunks(usage=None), done=True)),
        (answers.ANTHROPIC, events(*answers.message_events(end=False))),
        (answers.RESPONSES, events(*answers.response_events()[:-1])),
        (answers.COHERE, events(*answers.cohere_events()[:-1])),
        (answers.GEMINI_STREAM, events(*answers.contents())[:-40]),
        (answers.OPENAI, json.dumps(CHAT).encode()[:-1]),
        (answers.OPENAI, b"data: [DONE]\n\n"),
        (answers.OPENAI, b""),
    ],
)
def test_an_answer_that_does_not_say(url: str, body: bytes) -> None:
    """No usage asked for, or broken off before it: the first token that Anthropic announces is not the output."""
    assert usage_of(exchange(url, body)) is None


WRONG_COUNTS = ["12", -1, True, False, 1.5, float("nan"), float("inf"), 10**13, 10**400]


@pytest.mark.parametrize("wrong", WRONG_COUNTS, ids=repr)
@pytest.mark.parametrize("name", ["prompt_tokens", "completion_tokens", "cached_tokens"])
def test_what_is_no_count_is_unknown(name: str, wrong: Any) -> None:
    """Never 0 by mistake, and never ignored where it is optional: cached tokens have another price."""
    usage: dict[str, Any] = {"prompt_tokens": 12, "completion_tokens": 3}
    changed = {"prompt_tokens_details": {name: wrong}} if name == "cached_tokens" else {name: wrong}
    assert usage_of(exchange(answers.OPENAI, CHAT | {"usage": usage})) is not None
    assert usage_of(exchange(answers.OPENAI, CHAT | {"usage": usage | changed})) is None


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        (answers.OPENAI, {"usage": {"prompt_tokens": 12, "total_tokens": 15}}),
        (answers.OPENAI, {"usage": CHAT_USAGE | {"prompt_tokens": 1000}}),
        (answers.OPENAI, {"usage": CHAT_USAGE | {"completion_tokens": 6}}),
        (answers.OPENAI, {"usage": {}}), (answers.OPENAI, {"usage": 7}), (answers.OPENAI, {"usage": None}),
        (answers.ANTHROPIC, {"usage": {"input_tokens": 12}}),
        (answers.GEMINI, {"usageMetadata": {"promptTokenCount": 12, "totalTokenCount": 15}}),
        (answers.GEMINI, {"usageMetadata": {"candidatesTokenCount": 3, "totalTokenCount": 15}}),
        (answers.COHERE, {"usage": {"tokens": {"input_tokens": 5}}}),
        (answers.OPENAI, []), (answers.OPENAI, 7), (answers.OPENAI, "usage"),
        ("https://[", CHAT | {"usage": {"words": 7}}),
    ],
)  # fmt: skip
def test_usage_that_is_not_all_there(url: str, answer: Any) -> None:
    """Missing output is no output of zero, and a part is never larger than the whole."""
    assert usage_of(exchange(url, answer)) is None


def test_zeros_that_gemini_leaves_out() -> None:
    """A blocked question has an input and nothing else: the total says so."""
    usage = {"promptTokenCount": 12, "totalTokenCount": 12}
    assert counts(usage_of(exchange(answers.GEMINI, {"usageMetadata": usage})))[1:3] == (12, 0)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"usage":' * 100_000,
        b'{"usage": {"prompt_tokens": ' + b"9" * 5000 + b"}}",
        b"\xff" * 99,
    ],
)
def test_hostile_bytes(body: bytes) -> None:
    """Too deep, too many digits, no text: unknown, and no exception."""
    assert usage_of(exchange(answers.OPENAI, body)) is None
    assert usage_of(exchange(answers.OPENAI, b"data: " + body)) is None


@pytest.mark.parametrize(
    ("url", "body", "expected"),
    [
        (answers.EMBEDDINGS, b'{"data": [%s], "model": "ada", "usage": {"prompt_tokens": 8, "total_tokens": 8}}', ("ada", 8)),
        (answers.OPENAI, b'{"choices": [{"message": {"tool": {"usage": 1}}}, %s], "usage": {"prompt_tokens": 8, "completion_tokens": 1}}', ("gpt-4o", 8)),
        (answers.GEMINI_STREAM, b'[{"a": [%s], "usageMetadata": {"promptTokenCount": 1}}, {"usageMetadata": {"promptTokenCount": 8}}]', ("gpt-4o", 8)),
        (answers.RESPONSES, b'data: {"type": "response.completed", "response": {"output": [%s], "model": "gpt-5", "usage": {"input_tokens": 8, "output_tokens": 1}}}\n\n', ("gpt-5", 8)),
        (answers.OPENAI, b'{"choices": ["%s', None),
        (answers.OPENAI, b"data: %s\n\n", None),
    ],
)  # fmt: skip
def test_a_large_body_is_not_made_into_objects(url: str, body: bytes, expected: Any) -> None:
    """Of two megabytes of tiny lists, which would be forty as objects, what matters is found with little memory."""
    whole = exchange(url, body % b",".join([b"[]"] * (2 * LARGE // 3)), asked={"model": "gpt-4o"})
    usage_of(exchange(url, CHAT))
    tracemalloc.start()
    found = usage_of(whole)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found and (found.model, found.input_tokens)) == expected
    assert peak < 4 * len(whole.body)


@pytest.mark.parametrize(
    "part",
    [
        b"\n",
        b'"usage":1\n\n',
        b'data: {"usage":null}\n\n',
        b': "usage": 1\n\n',
        b'\\"',
        b"[",
        b'{"usage":',
        b"\r\ndata:",
    ],
)
def test_a_long_hostile_body_costs_no_more_than_its_length(part: bytes) -> None:
    """Four megabytes of the worst that comes to mind take seconds at most, as JSON and as events."""
    began = time.perf_counter()
    for start in (b'{"a": "', b"data: ", b"["):
        assert usage_of(exchange(answers.OPENAI, start + part * (4 * LARGE // len(part)))) is None
    assert time.perf_counter() - began < 20


@pytest.mark.parametrize(
    ("method", "url", "asked", "expected"),
    [
        ("POST", answers.OPENAI, None, True),
        ("POST", answers.GEMINI_STREAM, {}, True),
        ("POST", DEPLOYMENT, {}, True),
        ("POST", "http://localhost:11434/api/generate", None, True),
        ("POST", f"{GATEWAY}/llm/ask", {"model": "ours"}, True),
        ("POST", f"{GATEWAY}/llm/ask", {"model": ["ours"]}, False),
        ("POST", f"{GATEWAY}/llm/ask", {"text": '"model"'}, False),
        ("POST", f"{GATEWAY}/surveys/1/responses", {"answer": 4}, False),
        ("POST", "https://api.openai.com/v1/moderations", {"model": "m"}, False),
        ("POST", "https://api.anthropic.com/v1/messages/count_tokens", {"model": "m"}, False),
        ("POST", "https://[", {"model": "m"}, True),
        *(
            (method, answers.OPENAI, {"model": "m"}, False)
            for method in ("GET", "HEAD", "OPTIONS", "DELETE", "PUT")
        ),
    ],
)
def test_what_a_provider_would_bill(method: str, url: str, asked: Any, expected: bool) -> None:
    """A POST to one of their paths, or one that names a model; not what only counts or moderates."""
    assert is_model_call(method, url, json.dumps(asked).encode()) is expected


def test_a_large_request_that_names_a_model() -> None:
    """A picture within it changes nothing."""
    asked = {"picture": "x" * LARGE, "model": "ours"}
    assert is_model_call("POST", f"{GATEWAY}/llm/ask", json.dumps(asked).encode())
    assert counts(usage_of(exchange(f"{GATEWAY}/llm/ask", {"usage": CHAT_USAGE}, asked=asked)))[0] == "ours"


def test_nothing_heavy_is_imported_before_there_is_usage() -> None:
    """Recognising a call of a model needs no price list; it takes 139 ms to load."""
    code = (
        "import sys; from pytest_llmrel.wire.usage import damage_of, is_model_call; from pytest_llmrel.wire import price;"
        "from pytest_llmrel.core.call import Exchange; call = Exchange('POST', 'http://x/v1/messages', b'', 200, '', b'{}');"
        "assert is_model_call(call.method, call.url, b'') and not damage_of(call); assert not {'genai_prices', 'pydantic', 'httpx'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
