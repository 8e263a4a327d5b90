"""Answers in the shape of the providers' public documentation, written by hand and small."""

import json
from typing import Any

from pytest_llmrel.core.call import Exchange

OPENAI = "https://api.openai.com/v1/chat/completions"
RESPONSES = "https://api.openai.com/v1/responses"
EMBEDDINGS = "https://api.openai.com/v1/embeddings"
ANTHROPIC = "https://api.anthropic.com/v1/messages"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent?key=secret"
GEMINI_STREAM = GEMINI.replace("generateContent", "streamGenerateContent")
MISTRAL = "https://api.mistral.ai/v1/chat/completions"
GROQ = "https://api.groq.com/openai/v1/chat/completions"
COHERE = "https://api.cohere.com/v2/chat"

CHAT_USAGE = {
    "prompt_tokens": 1200,
    "completion_tokens": 31,
    "total_tokens": 1231,
    "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 7, "audio_tokens": 0},
}
CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "30 days"}, "finish_reason": "stop"}
    ],
    "usage": CHAT_USAGE,
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "model": "gpt-5-mini-2025-08-07",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "30 days"}]}],
    "usage": {
        "input_tokens": 328,
        "input_tokens_details": {"cached_tokens": 256},
        "output_tokens": 52,
        "output_tokens_details": {"reasoning_tokens": 40},
        "total_tokens": 380,
    },
}
EMBEDDING = {
    "object": "list",
    "data": [{"object": "embedding", "embedding": [0.1, -0.2], "index": 0}],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 8, "total_tokens": 8},
}
MESSAGE_USAGE = {
    "input_tokens": 25,
    "cache_creation_input_tokens": 100,
    "cache_read_input_tokens": 1000,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 15,
    "service_tier": "standard",
}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": "30 days"}],
    "stop_reason": "end_turn",
    "usage": MESSAGE_USAGE,
}
CONTENT = {
    "candidates": [{"content": {"parts": [{"text": "30 days"}], "role": "model"}, "finishReason": "STOP"}],
    "usageMetadata": {
        "promptTokenCount": 11,
        "candidatesTokenCount": 22,
        "thoughtsTokenCount": 300,
        "cachedContentTokenCount": 6,
        "totalTokenCount": 333,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 11}],
    },
    "modelVersion": "gemini-2.5-flash",
}
COHERE_USAGE = {
    "billed_units": {"input_tokens": 5, "output_tokens": 20},
    "tokens": {"input_tokens": 71, "output_tokens": 22},
}
COHERE_CHAT = {
    "id": "c14c80c3",
    "finish_reason": "COMPLETE",
    "message": {"role": "assistant", "content": [{"type": "text", "text": "30 days"}]},
    "usage": COHERE_USAGE,
}


def exchange(
    url: str,
    answer: Any,
    *,
    asked: Any = None,
    status: int = 200,
    content_type: str = "application/json",
    method: str = "POST",
) -> Exchange:
    """An exchange of JSON; bytes go as they are, as an event stream if they look like one."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    if body.startswith((b"data:", b"event:", b":", b"\xef\xbb\xbfdata:")):
        content_type = "text/event-stream"
    request = b"" if asked is None else json.dumps(asked).encode()
    return Exchange(method, url, request, status, content_type, body)


def events(*documents: Any, end: bytes = b"\n", done: bool = False) -> bytes:
    """A stream of these, each with its type as the name of the event if it has one."""
    lines = []
    for document in documents:
        if "type" in document:
            lines.append(b"event: " + document["type"].encode())
        lines += [b"data: " + json.dumps(document, separators=(",", ":")).encode(), b""]
    return end.join([*lines, b"data: [DONE]", b"", b""] if done else [*lines, b""])


def chat_chunks(usage: Any = CHAT_USAGE) -> list[dict[str, Any]]:
    """A streamed chat whose usage was asked for: null in every chunk but the last."""
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": CHAT["model"], "usage": None}
    words = [{"index": 0, "delta": {"content": word}, "finish_reason": None} for word in ("30", " days")]
    words.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    return [*(chunk | {"choices": [word]} for word in words), chunk | {"choices": [], "usage": usage}]


def message_events(*, end: bool = True) -> list[dict[str, Any]]:
    """A streamed message: at the start what went in and a first token, at the end what came out."""
    opened = MESSAGE | {"content": [], "stop_reason": None, "usage": MESSAGE_USAGE | {"output_tokens": 1}}
    last = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15}}
    text = {"type": "text_delta", "text": '"usage": {"output_tokens": 9}'}
    return [
        {"type": "message_start", "message": opened},
        {"type": "content_block_delta", "index": 0, "delta": text},
        *([last, {"type": "message_stop"}] if end else []),
    ]


def response_events() -> list[dict[str, Any]]:
    """A streamed response: the whole of it comes once more at the end."""
    opened = RESPONSE | {"status": "in_progress", "output": [], "usage": None}
    return [
        {"type": "response.created", "response": opened},
        {"type": "response.output_text.delta", "delta": "30 days"},
        {"type": "response.completed", "response": RESPONSE},
    ]


def contents() -> list[dict[str, Any]]:
    """Gemini's pieces: each with the usage so far."""
    first = CONTENT | {
        "candidates": [{"content": {"parts": [{"text": "30"}], "role": "model"}}],
        "usageMetadata": {"promptTokenCount": 11, "totalTokenCount": 11},
    }
    return [first, CONTENT]


def cohere_events() -> list[dict[str, Any]]:
    """Cohere's events: the usage is in the last one."""
    return [
        {"type": "message-start", "id": "c14c80c3", "delta": {"message": {"role": "assistant"}}},
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "30 days"}}}},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": COHERE_USAGE}},
    ]
