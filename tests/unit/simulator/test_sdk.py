"""The official client: what it sends is understood, and what it receives it can read."""

from __future__ import annotations

import asyncio

import pytest

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
        assert {MODEL, f"{MODEL}-degraded"} < {model.id for model in client.models.list()}


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


def test_responses(simulator: Simulator) -> None:
    """Plain, as events, and through the client's own accumulation of them, synchronous or not."""
    with openai.OpenAI(base_url=simulator.base_url, api_key="k", max_retries=0) as client:
        plain = client.responses.create(model=MODEL, input="Can I return this?", instructions="Be brief.")
        events = list(client.responses.create(model=MODEL, input=MESSAGES, stream=True))
        with client.responses.stream(model=MODEL, input="Can I return this?") as stream:
            whole = stream.until_done().get_final_response()
    assert "30 days" in plain.output_text
    assert plain.usage.total_tokens == plain.usage.input_tokens + plain.usage.output_tokens
    assert events[-1].type == "response.completed"
    assert events[-1].response.usage.output_tokens_details.reasoning_tokens == 0
    assert "30 days" in whole.output_text

    async def ask() -> str:
        async with openai.AsyncOpenAI(base_url=simulator.base_url, api_key="k", max_retries=0) as client:
            stream = await client.responses.create(model=MODEL, input="Can I return this?", stream=True)
            return "".join([event.delta async for event in stream if event.type.endswith("text.delta")])

    assert "30 days" in asyncio.run(ask())


def test_embeddings(simulator: Simulator) -> None:
    """The client asks for base64 unless told otherwise, and finds the same numbers in it."""
    with openai.OpenAI(base_url=simulator.base_url, api_key="k", max_retries=0) as client:
        coded = client.embeddings.create(model="text-embedding-3-small", input="hello you")
        plain = client.embeddings.create(
            model="text-embedding-3-small", input=["hello you"], encoding_format="float"
        )
    assert coded.data[0].embedding == plain.data[0].embedding
    assert (len(coded.data[0].embedding), coded.usage.total_tokens) == (1536, 3)


def test_the_client_tries_again() -> None:
    """What the client takes for temporary, it tries again: 429, 5xx, a reset and an answer cut short."""
    script = ("429", "ok", "500", "529", "ok", "reset", "html", "ok", "truncated", "ok")
    with (
        Simulator(latency=0, script=script, faults={"retry_after": 0.01}) as simulator,
        openai.OpenAI(base_url=simulator.base_url, api_key="k", max_retries=2) as client,
    ):
        for _ in range(4):
            assert client.chat.completions.create(model=MODEL, messages=MESSAGES).choices
        assert simulator.served == {**dict.fromkeys(script, 1), "ok": 4}


def test_the_client_gives_up() -> None:
    """Without retries each fault is the exception that the client has for it."""
    expected = {
        "429": openai.RateLimitError,
        "503": openai.InternalServerError,
        "reset": openai.APIConnectionError,
        "html": openai.InternalServerError,
        "malformed": ValueError,
        "slow": openai.APITimeoutError,
    }
    with (
        Simulator(latency=0, script=list(expected), faults={"slow_seconds": 5}) as simulator,
        openai.OpenAI(base_url=simulator.base_url, api_key="k", max_retries=0, timeout=0.5) as client,
    ):
        for error in expected.values():
            with pytest.raises(error):
                client.chat.completions.create(model=MODEL, messages=MESSAGES)
