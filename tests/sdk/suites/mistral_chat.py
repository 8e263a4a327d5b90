"""Chat of Mistral's client."""

import pytest
from mistralai.client import Mistral
from mistralai.client.utils import BackoffStrategy, RetryConfig

from pytest_llmrel import krun

pytestmark = krun(32, concurrency=32)
MODEL = "mistral-small-latest"


@pytest.fixture(scope="module")
def options(root_url, retries):
    again = RetryConfig("backoff", BackoffStrategy(10, 20, 1.5, 5000), retry_connection_errors=False)
    return {"server_url": root_url, "api_key": "any", "retry_config": again if retries else None}


@pytest.fixture(scope="module")
def client(options):
    with Mistral(**options) as client:
        yield client


@pytest.fixture
def asked(turns):
    return {"model": MODEL, "messages": turns}


def test_sync(client, asked, meet, proven):
    meet()
    usage = client.chat.complete(**asked).usage
    proven("mistral", MODEL, usage.prompt_tokens, usage.completion_tokens)


def test_sync_stream(client, asked, meet, proven):
    meet()
    with client.chat.stream(**asked) as stream:
        usage = list(stream)[-1].data.usage
    proven("mistral", MODEL, usage.prompt_tokens, usage.completion_tokens)


async def test_async(options, asked, ameet, proven):
    async with Mistral(**options) as client:
        await ameet()
        usage = (await client.chat.complete_async(**asked)).usage
    proven("mistral", MODEL, usage.prompt_tokens, usage.completion_tokens)


async def test_async_stream(options, asked, ameet, proven):
    async with Mistral(**options) as client:
        await ameet()
        async with await client.chat.stream_async(**asked) as stream:
            usage = [event async for event in stream][-1].data.usage
    proven("mistral", MODEL, usage.prompt_tokens, usage.completion_tokens)
