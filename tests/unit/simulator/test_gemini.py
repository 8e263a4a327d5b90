"""Gemini's content generation over HTTP: paths, keys, shapes plain and streamed, and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = "/v1beta/models/gemini-2.5-flash:generateContent"
STREAM = "/v1beta/models/gemini-2.5-flash:streamGenerateContent"
KEY = {"x-goog-api-key": "any"}


def asking(question: str = "Can I return this?", **fields: Any) -> dict[str, Any]:
    """A request to generate content."""
    return {"contents": [{"role": "user", "parts": [{"text": question}]}], **fields}


def text_of(document: dict[str, Any], index: int = 0) -> str:
    """The text of one candidate."""
    return "".join(part["text"] for part in document["candidates"][index]["content"]["parts"])


def test_a_candidate(call: Callable[..., Any]) -> None:
    """One candidate of the model, the usage, and the name that was asked for."""
    answer = call("POST", PATH, asking(), KEY)
    document = answer.json
    candidate = document["candidates"][0]
    assert (answer.status, candidate["finishReason"], candidate["content"]["role"]) == (200, "STOP", "model")
    assert "30 days" in text_of(document)
    assert document["modelVersion"] == "gemini-2.5-flash"
    usage = document["usageMetadata"]
    assert usage["promptTokenCount"] == 9
    assert usage["candidatesTokenCount"] == -(-len(text_of(document)) // 4)
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + usage["candidatesTokenCount"]


def check_stream(documents: list[dict[str, Any]]) -> None:
    """Whether the documents of a stream make an answer, and count its tokens on the way."""
    text = "".join(map(text_of, documents))
    counts = [document["usageMetadata"]["candidatesTokenCount"] for document in documents]
    assert "30 days" in text
    assert counts == sorted(counts)
    assert counts[-1] == -(-len(text) // 4)
    assert [document["candidates"][0].get("finishReason") for document in documents[-2:]] == [None, "STOP"]


def test_the_events_of_a_stream(call: Callable[..., Any]) -> None:
    """Each is a document of its own without a type; the last one says why it is the last."""
    events = call("POST", f"{STREAM}?alt=sse", asking(), KEY).events
    assert {name for name, _ in events} == {""}
    check_stream([data for _, data in events])


def test_a_stream_without_events_is_an_array(call: Callable[..., Any]) -> None:
    """Unless the query asks for events, the same documents come as one array of JSON."""
    answer = call("POST", STREAM, asking(), KEY)
    assert answer.headers["content-type"].startswith("application/json")
    check_stream(answer.json)
    short = call("POST", STREAM, asking(generationConfig={"maxOutputTokens": 1}), KEY).json
    assert text_of(short[0]) == text_of(short[0])[:4]


def test_the_config_is_read_in_either_spelling(call: Callable[..., Any]) -> None:
    """Limit, seed, candidates and system instruction have an effect, in camel case or with underscores."""
    camel = {
        "generationConfig": {"maxOutputTokens": 3, "candidateCount": 2, "seed": 5},
        "systemInstruction": {"parts": [{"text": "s" * 40}]},
    }
    snake = {
        "generation_config": {"max_output_tokens": 3, "candidate_count": 2, "seed": 5},
        "system_instruction": {"parts": {"text": "s" * 40}},
    }
    found = [call("POST", PATH, asking(**fields), KEY).json for fields in (camel, snake)]
    assert found[0] == found[1]
    assert [candidate["finishReason"] for candidate in found[0]["candidates"]] == ["MAX_TOKENS"] * 2
    assert [len(text_of(found[0], index)) for index in (0, 1)] == [12, 12]
    assert found[0]["usageMetadata"] == {
        "promptTokenCount": 9 + 14,
        "candidatesTokenCount": 6,
        "totalTokenCount": 29,
    }


def test_a_stream_of_two_candidates_tells_them_apart(call: Callable[..., Any]) -> None:
    """Each has its index and its end, and the tokens of both are counted."""
    body = asking(generationConfig={"candidateCount": 2, "maxOutputTokens": 2})
    candidates = [data["candidates"][0] for _, data in call("POST", f"{STREAM}?alt=sse", body, KEY).events]
    assert [c["index"] for c in candidates if "finishReason" in c] == [0, 1]
    events = call("POST", f"{STREAM}?alt=sse", body, KEY).events
    assert events[-1][1]["usageMetadata"]["candidatesTokenCount"] == 4


def test_the_last_user_is_the_question(call: Callable[..., Any]) -> None:
    """Roles may be missing, and results of functions are no question."""
    contents = [
        {"parts": [{"text": "Can I "}, {"inlineData": {}}, {"text": "return this?"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f"}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f"}}]},
    ]
    assert "30 days" in text_of(call("POST", PATH, {"contents": contents}, KEY).json)


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        (KEY, "", 200),
        ({}, "?key=any", 200),
        ({"Authorization": "Bearer any"}, "", 200),
        ({}, "", 403),
        ({}, "?key=", 403),
        ({"x-goog-api-key": ""}, "?k=v", 403),
    ],
)
def test_keys(call: Callable[..., Any], headers: dict[str, str], query: str, status: int) -> None:
    """A header or the query will do with any key; without one it is refused as Google refuses."""
    answer = call("POST", PATH + query, asking(), headers)
    assert answer.status == status
    if status == 403:
        assert answer.json["error"]["status"] == "PERMISSION_DENIED"


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
def test_versions_and_escapes(call: Callable[..., Any], version: str) -> None:
    """The version in the path is of no account, and the model in it may be escaped."""
    assert call("POST", f"/{version}/models/shop%2Dassistant:generateContent", asking(), KEY).status == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "word"),
    [
        ("/v1beta/models/gemini-0:generateContent", asking(), 404, "NOT_FOUND"),
        ("/v1beta/models/a/b:generateContent", asking(), 404, "NOT_FOUND"),
        ("/v1beta/gemini:generateContent", asking(), 404, "NOT_FOUND"),
        ("/v1beta/models/gemini-2.5-flash:embedContent", asking(), 404, "NOT_FOUND"),
        (PATH, b"[", 400, "INVALID_ARGUMENT"),
        (PATH, {}, 400, "INVALID_ARGUMENT"),
        (PATH, {"contents": "hello"}, 400, "INVALID_ARGUMENT"),
        (PATH, {"contents": ["hello"]}, 400, "INVALID_ARGUMENT"),
        (PATH, {"contents": [{"role": 5, "parts": []}]}, 400, "INVALID_ARGUMENT"),
        (PATH, {"contents": [{"parts": 5}]}, 400, "INVALID_ARGUMENT"),
        (PATH, asking(generationConfig=[]), 400, "INVALID_ARGUMENT"),
        (PATH, asking(generationConfig={"maxOutputTokens": "9"}), 400, "INVALID_ARGUMENT"),
        (PATH, asking(generationConfig={"candidateCount": 9}), 400, "INVALID_ARGUMENT"),
        (PATH, asking(systemInstruction="brief"), 400, "INVALID_ARGUMENT"),
    ],
)
def test_errors_have_the_shape_of_google(
    call: Callable[..., Any], path: str, body: Any, status: int, word: str
) -> None:
    """Every refusal says its status as a number and as a word."""
    answer = call("POST", path, body, KEY)
    assert (answer.status, answer.json["error"]["code"], answer.json["error"]["status"]) == (
        status,
        status,
        word,
    )
    assert answer.json["error"]["message"]


def test_other_methods(call: Callable[..., Any]) -> None:
    """The verb in the path is posted, nothing else."""
    answer = call("GET", PATH, None, KEY)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
