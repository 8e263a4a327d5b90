"""Messages of Anthropic's client."""

import anthropic
import pytest

from pytest_llmrel import krun

pytestmark = krun(32, concurrency=32)
MODEL = "claude-haiku-4-5"


@pytest.fixture(scope="module")
def options(root_url, retries):
    return {"base_url": root_url, "api_key": "any", "max_retries": retries}


@pytest.fixture(scope="module")
def client(options):
    with anthropic.Anthropic(**options) as client:
        yield client


@pytest.fixture
def asked(turns):
    return {"model": MODEL, "max_tokens": 99, "system": turns[0]["content"], "messages": turns[1:]}


def test_sync(client, asked, meet, proven):
    meet()
    usage = client.messages.create(**asked).usage
    proven("anthropic", MODEL, usage.input_tokens, usage.output_tokens)


def test_sync_stream(client, asked, meet, proven):
    meet()
    with client.messages.stream(**asked) as stream:
        usage = stream.get_final_message().usage
    proven("anthropic", MODEL, usage.input_tokens, usage.output_tokens)


async def test_async(options, asked, ameet, proven):
    async with anthropic.AsyncAnthropic(**options) as client:
        await ameet()
        usage = (await client.messages.create(**asked)).usage
    proven("anthropic", MODEL, usage.input_tokens, usage.output_tokens)


async def test_async_stream(options, asked, ameet, proven):
    async with anthropic.AsyncAnthropic(**options) as client:
        await ameet()
        async with client.messages.stream(**asked) as stream:
            usage = (await stream.get_final_message()).usage
    proven("anthropic", MODEL, usage.input_tokens, usage.output_tokens)
