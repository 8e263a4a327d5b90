"""OpenAI's shapes: how a request is read, and what JSON answers it."""

from __future__ import annotations

import json

import pytest

from pytest_llmrel.simulator.asking import Choice, Said
from pytest_llmrel.simulator.openai_chat import ChatRequest, chat_completion, chat_events, read_chat
from pytest_llmrel.simulator.refusals import Refusal
from pytest_llmrel.simulator.tokens import count_tokens

ASKED = [{"role": "user", "content": "hello you"}]


def body(**fields: object) -> bytes:
    """A request body, complete but for what the test changes."""
    return json.dumps({"model": "m", "messages": ASKED, **fields}).encode()


def test_tokens_are_four_characters() -> None:
    """The estimate is exact, deterministic, and zero for nothing."""
    assert [count_tokens(text) for text in ("", "a", "abcd", "abcde")] == [0, 1, 1, 2]


def test_the_last_user_message_is_the_question() -> None:
    """Whatever comes before or after it, system prompt and answers, counts as input only."""
    messages = [
        {"role": "system", "content": "s" * 40},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": None, "tool_calls": []},
        {
            "role": "user",
            "content": [{"type": "text", "text": "sec"}, {"type": "image_url"}, {"text": "ond"}, 5],
        },
        {"role": "tool", "content": "tool"},
    ]
    chat = read_chat(body(messages=messages))
    assert chat.question == "second"
    assert chat.input_tokens == (10 + 2 + 0 + 2 + 1) + 5 * 4


def test_without_a_user_message_the_last_one_is_the_question() -> None:
    """Some applications put everything into a system or developer message."""
    assert read_chat(body(messages=[{"role": "developer", "content": "do"}])).question == "do"


def test_options_are_read() -> None:
    """Those that have an effect arrive; null is as good as absent; the others are accepted."""
    chat = read_chat(
        body(
            stream=True,
            stream_options={"include_usage": True},
            seed=-5,
            n=2,
            max_tokens=9,
            max_completion_tokens=3,
            temperature=0,
            tools=[],
        )
    )
    assert (chat.stream, chat.include_usage, chat.seed, chat.choices, chat.max_tokens) == (
        True,
        True,
        -5,
        2,
        3,
    )
    plain = read_chat(body(stream=None, stream_options=None, seed=None, n=None, max_tokens=None))
    assert plain == read_chat(body())


@pytest.mark.parametrize(
    ("raw", "param"),
    [
        (b"", None),
        (b"{", None),
        (b"\xff\xfe\xfd", None),
        (b"[" * 100_000, None),
        (b"9" * 10_000, None),
        (b"[]", None),
        (b"null", None),
        (b"{}", "messages"),
        (b'{"messages": []}', "messages"),
        (b'{"messages": {"role": "user"}}', "messages"),
        (b'{"messages": ["hi"]}', "messages[0]"),
        (b'{"messages": [{"content": "hi"}]}', "messages[0]"),
        (b'{"messages": [{"role": "user", "content": 5}], "model": "m"}', "messages"),
        (b'{"messages": [{"role": "user", "content": "hi"}]}', "model"),
        (body(model=5), "model"),
        (body(model=""), "model"),
        (body(stream="yes"), "stream"),
        (body(seed=1.5), "seed"),
        (body(seed=True), "seed"),
        (body(n=0), "n"),
        (body(n=129), "n"),
        (body(max_tokens=0), "max_tokens"),
        (body(max_completion_tokens="9"), "max_completion_tokens"),
    ],
)
def test_what_openai_would_refuse_is_refused(raw: bytes, param: str | None) -> None:
    """Each malformed body is a 400 that names the parameter."""
    with pytest.raises(Refusal) as caught:
        read_chat(raw)
    assert (caught.value.status, caught.value.param) == (400, param)


def test_a_limit_on_tokens_cuts_the_answer() -> None:
    """An answer over the limit ends there and says so; one at the limit is whole."""
    assert Choice.under(2, "abcdefgh") == Choice("abcdefgh")
    assert Choice.under(2, "abcdefghi") == Choice("abcdefgh", whole=False)


def test_a_plain_reply_has_the_documented_shape() -> None:
    """Two choices share one usage."""
    said = Said((Choice("abcd"), Choice("efgh", whole=False)), "x")
    document = chat_completion(ChatRequest("m", "q", 7), said)
    assert (document["id"], document["object"], document["model"]) == ("chatcmpl-x", "chat.completion", "m")
    assert [choice["message"]["content"] for choice in document["choices"]] == ["abcd", "efgh"]
    assert [choice["finish_reason"] for choice in document["choices"]] == ["stop", "length"]
    assert document["usage"] == {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}


def events_of(chat: ChatRequest, *choices: Choice) -> list[dict[str, object]]:
    """The streamed reply, parsed; checks the frame of each event on the way."""
    events = chat_events(chat, Said(choices, "x"))
    assert events[-1] == b"data: [DONE]\n\n"
    assert all(event.startswith(b"data: ") and event.endswith(b"\n\n") for event in events)
    return [json.loads(event[6:]) for event in events[:-1]]


@pytest.mark.parametrize("text", ["Two  words\nand a tail \n", "", "  ", "x", "émoji 🫖 ok"])
def test_the_pieces_of_a_stream_make_the_text(text: str) -> None:
    """Nothing is lost between the words, blanks included."""
    deltas = [event["choices"][0]["delta"] for event in events_of(ChatRequest("m", "q", 1), Choice(text))]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert "".join(delta.get("content", "") for delta in deltas) == text
    assert deltas[-1] == {}


def test_a_stream_carries_usage_only_when_asked() -> None:
    """The usage comes last, with no choices; until then it is null, and without the option absent."""
    asked = events_of(ChatRequest("m", "q", 7, include_usage=True), Choice("abcd"))
    assert asked[-1]["choices"] == []
    assert asked[-1]["usage"] == {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8}
    assert all(event["usage"] is None for event in asked[:-1])
    assert not any("usage" in event for event in events_of(ChatRequest("m", "q", 7), Choice("abcd")))


def test_a_stream_of_two_choices_tells_them_apart() -> None:
    """Each choice has its own index, beginning and end."""
    events = events_of(ChatRequest("m", "q", 7), Choice("a"), Choice("b", whole=False))
    ends = [(c["index"], c["finish_reason"]) for e in events for c in e["choices"] if c["finish_reason"]]
    assert ends == [(0, "stop"), (1, "length")]
