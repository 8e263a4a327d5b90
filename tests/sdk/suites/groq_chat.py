"""Chat of Groq's client, whose streams say what they used in a field of their own."""

import groq
import pytest

from pytest_llmrel import krun

pytestmark = krun(32, concurrency=32)
MODEL = "llama-3.3-70b-versatile"


@pytest.fixture(scope="module")
def options(root_url, retries):
    return {"base_url": root_url, "api_key": "any", "max_retries": retries}


@pytest.fixture(scope="module")
def client(options):
    with groq.Groq(**options) as client:
        yield client


@pytest.fixture
def asked(turns):
    return {"model": MODEL, "messages": turns}


def test_sync(client, asked, meet, proven):
    meet()
    usage = client.chat.completions.create(**asked).usage
    proven("groq", MODEL, usage.prompt_tokens, usage.completion_tokens)


def test_sync_stream(client, asked, meet, proven):
    meet()
    usage = list(client.chat.completions.create(**asked, stream=True))[-1].x_groq.usage
    proven("groq", MODEL, usage.prompt_tokens, usage.completion_tokens)


async def test_async(options, asked, ameet, proven):
    async with groq.AsyncGroq(**options) as client:
        await ameet()
        usage = (await client.chat.completions.create(**asked)).usage
    proven("groq", MODEL, usage.prompt_tokens, usage.completion_tokens)


async def test_async_stream(options, asked, ameet, proven):
    async with groq.AsyncGroq(**options) as client:
        await ameet()
        stream = await client.chat.completions.create(**asked, stream=True)
        usage = [event async for event in stream][-1].x_groq.usage
    proven("groq", MODEL, usage.prompt_tokens, usage.completion_tokens)
