"""The clients of other providers, where they are installed: sync, async and streamed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_llmrel.simulator import Simulator

QUESTION = "Can I return this?"
TURNS = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]


def test_anthropic(simulator: Simulator) -> None:
    """Messages, their streams, and the errors by which its users tell what went wrong."""
    anthropic = pytest.importorskip("anthropic")
    options = {"base_url": simulator.root_url, "api_key": "k", "max_retries": 0}
    asked = {"model": "claude-haiku-4-5", "max_tokens": 99, "system": "Be brief.", "messages": TURNS[1:]}
    with anthropic.Anthropic(**options) as client:
        plain = client.messages.create(**asked)
        with client.messages.stream(**asked) as stream:
            assert "30 days" in "".join(stream.text_stream)
            usage = stream.get_final_message().usage
        assert [event.type for event in client.messages.create(**asked, stream=True)][-1] == "message_stop"
        with pytest.raises(anthropic.NotFoundError):
            client.messages.create(**{**asked, "model": "claude-0"})
    assert "30 days" in plain.content[0].text
    assert plain.usage.input_tokens == usage.input_tokens == 5 + 4 + 3 + 4
    assert usage.output_tokens > 10

    async def ask() -> str:
        async with anthropic.AsyncAnthropic(**options) as client, client.messages.stream(**asked) as stream:
            return "".join([text async for text in stream.text_stream])

    assert "30 days" in asyncio.run(ask())


def test_mistral(simulator: Simulator) -> None:
    """Chat with and without a stream, whose last event carries the usage, and embeddings."""
    mistral = pytest.importorskip("mistralai.client")
    asked = {"model": "mistral-small-latest", "messages": TURNS, "random_seed": 5}
    with mistral.Mistral(api_key="k", server_url=simulator.root_url) as client:
        plain = client.chat.complete(**asked)
        events = list(client.chat.stream(**asked))
        assert len(client.embeddings.create(model="mistral-embed", inputs=["a", "b"]).data) == 2
        with pytest.raises(mistral.errors.SDKError):
            client.chat.complete(**{**asked, "model": "m"})
    text = "".join(event.data.choices[0].delta.content or "" for event in events)
    assert text == plain.choices[0].message.content
    assert events[-1].data.usage.total_tokens == plain.usage.total_tokens

    async def ask() -> int:
        async with mistral.Mistral(api_key="k", server_url=simulator.root_url) as client:
            events = [event async for event in await client.chat.stream_async(**asked)]
            return events[-1].data.usage.total_tokens

    assert asyncio.run(ask()) == plain.usage.total_tokens


def test_google(simulator: Simulator) -> None:
    """Generated content with and without a stream."""
    genai = pytest.importorskip("google.genai")
    client = genai.Client(api_key="k", http_options=genai.types.HttpOptions(base_url=simulator.root_url))
    asked = {
        "model": "gemini-2.5-flash",
        "contents": QUESTION,
        "config": {"system_instruction": "Brief.", "seed": 4},
    }
    plain = client.models.generate_content(**asked)
    pieces = list(client.models.generate_content_stream(**asked))
    assert "30 days" in plain.text
    assert "".join(piece.text for piece in pieces) == plain.text
    assert pieces[-1].usage_metadata.total_token_count == plain.usage_metadata.total_token_count
    assert plain.model_version == "gemini-2.5-flash"
    with pytest.raises(genai.errors.ClientError, match="NOT_FOUND"):
        client.models.generate_content(model="gemini-0", contents=QUESTION)

    async def ask() -> str:
        stream = await client.aio.models.generate_content_stream(**asked)
        text = "".join([piece.text async for piece in stream])
        assert text == (await client.aio.models.generate_content(**asked)).text
        await client.aio.aclose()
        return text

    assert asyncio.run(ask()) == plain.text
    client.close()


def test_groq(simulator: Simulator) -> None:
    """Chat with and without a stream, whose last event carries the usage in Groq's own field."""
    groq = pytest.importorskip("groq")
    options = {"base_url": simulator.root_url, "api_key": "k", "max_retries": 0}
    asked = {"model": "llama-3.3-70b-versatile", "messages": TURNS, "seed": 5}
    with groq.Groq(**options) as client:
        plain = client.chat.completions.create(**asked)
        events = list(client.chat.completions.create(**asked, stream=True))
        with pytest.raises(groq.NotFoundError):
            client.chat.completions.create(model="m", messages=TURNS)
    assert (
        "".join(event.choices[0].delta.content or "" for event in events) == plain.choices[0].message.content
    )
    assert events[-1].x_groq.usage.total_tokens == plain.usage.total_tokens

    async def ask() -> int:
        async with groq.AsyncGroq(**options) as client:
            stream = await client.chat.completions.create(**asked, stream=True)
            return [event async for event in stream][-1].x_groq.usage.total_tokens

    assert asyncio.run(ask()) == plain.usage.total_tokens


def test_cohere(simulator: Simulator) -> None:
    """Chat of the second version, with and without a stream."""
    cohere = pytest.importorskip("cohere")
    options = {"api_key": "k", "base_url": simulator.root_url}
    asked = {"model": "command-r-08-2024", "messages": TURNS, "seed": 5}
    with cohere.ClientV2(**options) as client:
        plain = client.chat(**asked)
        events = list(client.chat_stream(**asked))
        with pytest.raises(cohere.NotFoundError):
            client.chat(model="m", messages=TURNS)
    text = "".join(event.delta.message.content.text for event in events if event.type == "content-delta")
    assert text == plain.message.content[0].text
    assert "30 days" in text
    assert events[-1].delta.usage.billed_units.output_tokens == plain.usage.billed_units.output_tokens > 10

    async def ask() -> str:
        async with cohere.AsyncClientV2(**options) as client:
            events = [event async for event in client.chat_stream(**asked)]
        return "".join([e.delta.message.content.text for e in events if e.type == "content-delta"])

    assert asyncio.run(ask()) == text
