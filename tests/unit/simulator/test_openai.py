"""The API over HTTP: routes, keys, errors in OpenAI's shape, and reproducible answers."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from pytest_llmrel.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable

CHAT = "/v1/chat/completions"


def chat(question: str = "How long is the warranty?", **fields: Any) -> dict[str, Any]:
    """A chat request; warranty answers of the bundled persona vary most."""
    return {"model": "shop-assistant", "messages": [{"role": "user", "content": question}], **fields}


def test_an_answer(call: Callable[..., Any]) -> None:
    """A question about returns is answered, with usage."""
    answer = call("POST", CHAT, chat("Can I return this?"))
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert "30 days" in answer.json["choices"][0]["message"]["content"]
    assert answer.json["usage"]["total_tokens"] > 10
    assert answer.headers["x-request-id"]


def test_a_streamed_answer_says_the_same(call: Callable[..., Any]) -> None:
    """Streaming changes the form, not the luck."""
    plain = call("POST", CHAT, chat(seed=5)).json["choices"][0]["message"]["content"]
    answer = call("POST", CHAT, chat(seed=5, stream=True))
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [
        json.loads(line[6:]) for line in answer.body.decode().split("\n\n") if line.startswith("data: {")
    ]
    assert "".join(event["choices"][0]["delta"].get("content", "") for event in events) == plain
    assert answer.body.endswith(b"data: [DONE]\n\n")


def test_the_models_are_listed(call: Callable[..., Any]) -> None:
    """All names that are served are there to be found, aliases behind the model they stand for."""
    answer = call("GET", "/v1/models?limit=5")
    names = [model["id"] for model in answer.json["data"]]
    assert names[:2] == ["shop-assistant", "gpt-4o-mini"]
    assert names[-4:] == ["shop-assistant-degraded", "judge", "judge-careless", "judge-gullible"]


@pytest.mark.parametrize(
    ("request_line", "body", "status", "code"),
    [
        ("GET /", None, 404, "unknown_url"),
        ("POST /v1/unknown", b"{}", 404, "unknown_url"),
        ("GET /v1/models/", None, 404, "unknown_url"),
        (f"GET {CHAT}", None, 405, "method_not_supported"),
        ("DELETE /v1/models", None, 405, "method_not_supported"),
        ("BREW /v1/models", None, 405, "method_not_supported"),
        (f"POST {CHAT}", b"{", 400, None),
        (f"POST {CHAT}", b"[" * 50_000, 400, None),
        (f"POST {CHAT}", None, 400, None),
        (f"POST {CHAT}", {"model": "shop-assistant"}, 400, "missing_required_parameter"),
        (f"POST {CHAT}", {"messages": [{"role": "user"}]}, 400, "missing_required_parameter"),
        (f"POST {CHAT}", {**chat(), "model": "gpt-\ud800" * 500}, 404, "model_not_found"),
    ],
)
def test_errors_have_the_shape_of_openai(
    call: Callable[..., Any], request_line: str, body: Any, status: int, code: str | None
) -> None:
    """Every refusal is JSON with message, type, param and code, and is short."""
    answer = call(*request_line.split(), body)
    assert answer.status == status
    assert set(answer.json["error"]) == {"message", "type", "param", "code"}
    assert (answer.json["error"]["type"], answer.json["error"]["code"]) == ("invalid_request_error", code)
    assert len(answer.body) < 1500


def test_head_has_no_body(call: Callable[..., Any]) -> None:
    """HEAD is refused like any other method, without a body, and the connection stays in step."""
    answer = call("HEAD", "/v1/models")
    assert (answer.status, answer.body, answer.headers["allow"]) == (405, b"", "GET")
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer  "},
        {"Authorization": "Basic abc"},
        {"X-Api-Key": "k"},
    ],
)
def test_a_missing_key_is_refused(call: Callable[..., Any], headers: dict[str, str]) -> None:
    """Without a bearer key there is no answer, on any path."""
    for method, path in (("POST", CHAT), ("GET", "/v1/models")):
        answer = call(method, path, chat() if method == "POST" else None, headers)
        assert (answer.status, answer.json["error"]["code"]) == (401, "invalid_api_key")


def test_any_key_will_do(call: Callable[..., Any]) -> None:
    """The scheme is read in any case, the key not at all."""
    assert call("GET", "/v1/models", None, {"authorization": "bEARER x"}).status == 200


def contents(answer: Any) -> list[str]:
    """The texts of an answer."""
    return [choice["message"]["content"] for choice in answer.json["choices"]]


def test_each_repetition_has_its_own_luck_and_a_seed_fixes_it(call: Callable[..., Any]) -> None:
    """Asked again, a question may be answered otherwise; with a seed it never is."""
    assert len({contents(call("POST", CHAT, chat()))[0] for _ in range(30)}) > 1
    assert len({contents(call("POST", CHAT, chat(seed=3)))[0] for _ in range(10)}) == 1
    assert len({contents(call("POST", CHAT, chat(seed=seed)))[0] for seed in range(30)}) > 1


def test_choices_have_luck_of_their_own(call: Callable[..., Any]) -> None:
    """With n, each choice is a draw of the same sequence; with n and a seed, they are fixed but differ."""
    together = contents(call("POST", CHAT, chat(n=40)))
    with Simulator(latency=0) as other:
        port = urlsplit(other.base_url).port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        singly = []
        for _ in range(40):
            connection.request("POST", CHAT, json.dumps(chat()), {"Authorization": "Bearer k"})
            singly += [
                choice["message"]["content"] for choice in json.load(connection.getresponse())["choices"]
            ]
        connection.close()
    assert together == singly
    assert len(set(together)) > 1
    seeded = [contents(call("POST", CHAT, chat(n=40, seed=1))) for _ in range(2)]
    assert seeded[0] == seeded[1]
    assert len(set(seeded[0])) > 1


def test_a_cut_answer(call: Callable[..., Any]) -> None:
    """max_tokens is obeyed, in the text, the reason and the usage."""
    answer = call("POST", CHAT, chat("Refund?", max_tokens=3)).json
    assert len(answer["choices"][0]["message"]["content"]) == 12
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 3
