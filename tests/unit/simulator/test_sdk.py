"""The official client: what it sends is understood, and what it receives it can read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_llmrel.simulator import Simulator

openai = pytest.importorskip("openai")

MODEL = "shop-assistant"
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Can I return this?"}]


def test_a_plain_completion(simulator: Simulator) -> None:
    """Text, reason, usage and request id arrive in the client's own types."""
    with openai.OpenAI(base_url=simulator.base_url, api_key="k", max_retries=0) as client:
        reply = client.chat.completions.create(model=MODEL, messages=MESSAGES, temperature=0)
    assert "30 days" in reply.choices[0].message.content
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
    assert reply._request_id.startswith("req_")


def test_a_streamed_completion(simulator: Simulator) -> None:
    """The pieces add up, and the usage comes last."""
    with openai.OpenAI(base_url=simulator.base_url, api_key="k", max_retries=0) as client:
        stream = client.chat.completions.create(
            model=MODEL, messages=MESSAGES, stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
    assert "30 days" in "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens > 0


def test_the_models(simulator: Simulator) -> None:
    """The list of models is one."""
    with openai.OpenAI(base_url=simulator.base_url, api_key="k", max_retries=0) as client:
        assert [model.id for model in client.models.list()] == [MODEL, f"{MODEL}-degraded"]


def test_errors_become_the_right_exceptions(simulator: Simulator) -> None:
    """The client tells a wrong model from a wrong parameter by status and code."""
    with openai.OpenAI(base_url=simulator.base_url, api_key="k", max_retries=0) as client:
        with pytest.raises(openai.NotFoundError) as unknown:
            client.chat.completions.create(model="gpt-0", messages=MESSAGES)
        with pytest.raises(openai.BadRequestError) as wrong:
            client.chat.completions.create(model=MODEL, messages=[])
    assert unknown.value.code == "model_not_found"
    assert wrong.value.param == "messages"


def test_many_at_once(simulator: Simulator) -> None:
    """A hundred concurrent requests of the asynchronous client are answered."""

    async def ask_all() -> list[str]:
        async with openai.AsyncOpenAI(base_url=simulator.base_url, api_key="k", max_retries=0) as client:
            asked = [client.chat.completions.create(model=MODEL, messages=MESSAGES) for _ in range(100)]
            return [reply.choices[0].message.content for reply in await asyncio.gather(*asked)]

    assert len(asyncio.run(ask_all())) == 100
    assert simulator.requests == 100
