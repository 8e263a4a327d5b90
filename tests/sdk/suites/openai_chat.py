"""Chat completions of OpenAI's client."""

import openai
import pytest

from pytest_llmrel import krun

pytestmark = krun(32, concurrency=32)
MODEL = "gpt-4o-mini"
STREAMED = {"stream": True, "stream_options": {"include_usage": True}}


@pytest.fixture(scope="module")
def options(base_url, retries):
    return {"base_url": base_url, "api_key": "any", "max_retries": retries}


@pytest.fixture(scope="module")
def client(options):
    with openai.OpenAI(**options) as client:
        yield client


@pytest.fixture
def asked(turns):
    return {"model": MODEL, "messages": turns}


def test_sync(client, asked, meet, proven):
    meet()
    usage = client.chat.completions.create(**asked).usage
    proven("openai", MODEL, usage.prompt_tokens, usage.completion_tokens)


def test_sync_stream(client, asked, meet, proven):
    meet()
    usage = list(client.chat.completions.create(**asked, **STREAMED))[-1].usage
    proven("openai", MODEL, usage.prompt_tokens, usage.completion_tokens)


async def test_async(options, asked, ameet, proven):
    async with openai.AsyncOpenAI(**options) as client:
        await ameet()
        usage = (await client.chat.completions.create(**asked)).usage
    proven("openai", MODEL, usage.prompt_tokens, usage.completion_tokens)


async def test_async_stream(options, asked, ameet, proven):
    async with openai.AsyncOpenAI(**options) as client:
        await ameet()
        stream = await client.chat.completions.create(**asked, **STREAMED)
        usage = [event async for event in stream][-1].usage
    proven("openai", MODEL, usage.prompt_tokens, usage.completion_tokens)
