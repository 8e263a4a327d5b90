"""Responses of OpenAI's client."""

import openai
import pytest

from pytest_llmrel import krun

pytestmark = krun(32, concurrency=32)
MODEL = "gpt-4o-mini"


@pytest.fixture(scope="module")
def options(base_url, retries):
    return {"base_url": base_url, "api_key": "any", "max_retries": retries}


@pytest.fixture(scope="module")
def client(options):
    with openai.OpenAI(**options) as client:
        yield client


@pytest.fixture
def asked(question):
    return {"model": MODEL, "input": question, "instructions": "Be brief."}


def test_sync(client, asked, meet, proven):
    meet()
    usage = client.responses.create(**asked).usage
    proven("openai", MODEL, usage.input_tokens, usage.output_tokens)


def test_sync_stream(client, asked, meet, proven):
    meet()
    usage = list(client.responses.create(**asked, stream=True))[-1].response.usage
    proven("openai", MODEL, usage.input_tokens, usage.output_tokens)


async def test_async(options, asked, ameet, proven):
    async with openai.AsyncOpenAI(**options) as client:
        await ameet()
        usage = (await client.responses.create(**asked)).usage
    proven("openai", MODEL, usage.input_tokens, usage.output_tokens)


async def test_async_stream(options, asked, ameet, proven):
    async with openai.AsyncOpenAI(**options) as client:
        await ameet()
        async with client.responses.stream(**asked) as stream:
            usage = (await stream.get_final_response()).usage
    proven("openai", MODEL, usage.input_tokens, usage.output_tokens)
