"""Embeddings of OpenAI's client, which cannot be streamed."""

import openai
import pytest

from pytest_llmrel import krun

pytestmark = krun(32, concurrency=32)
MODEL = "text-embedding-3-small"


@pytest.fixture(scope="module")
def options(base_url, retries):
    return {"base_url": base_url, "api_key": "any", "max_retries": retries}


@pytest.fixture(scope="module")
def client(options):
    with openai.OpenAI(**options) as client:
        yield client


def test_sync(client, question, meet, proven):
    meet()
    usage = client.embeddings.create(model=MODEL, input=question).usage
    proven("openai", MODEL, usage.prompt_tokens, 0)


async def test_async(options, question, ameet, proven):
    async with openai.AsyncOpenAI(**options) as client:
        await ameet()
        usage = (await client.embeddings.create(model=MODEL, input=question)).usage
    proven("openai", MODEL, usage.prompt_tokens, 0)
