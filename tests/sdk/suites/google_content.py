"""Generated content of Google's client; without aiohttp, which its async part would prefer."""

import pytest
from google import genai

from pytest_llmrel import krun

pytestmark = krun(32, concurrency=32)
MODEL = "gemini-2.5-flash"


@pytest.fixture(scope="module")
def options(root_url, retries):
    again = genai.types.HttpRetryOptions(attempts=1 + retries, initial_delay=0.01)
    return {"api_key": "any", "http_options": genai.types.HttpOptions(base_url=root_url, retry_options=again)}


@pytest.fixture(scope="module")
def client(options):
    with genai.Client(**options) as client:
        yield client


@pytest.fixture
def asked(question):
    return {"model": MODEL, "contents": question, "config": {"system_instruction": "Be brief."}}


def test_sync(client, asked, meet, proven):
    meet()
    usage = client.models.generate_content(**asked).usage_metadata
    proven("google", MODEL, usage.prompt_token_count, usage.candidates_token_count)


def test_sync_stream(client, asked, meet, proven):
    meet()
    usage = list(client.models.generate_content_stream(**asked))[-1].usage_metadata
    proven("google", MODEL, usage.prompt_token_count, usage.candidates_token_count)


async def test_async(options, asked, ameet, proven):
    async with genai.Client(**options).aio as client:
        await ameet()
        usage = (await client.models.generate_content(**asked)).usage_metadata
    proven("google", MODEL, usage.prompt_token_count, usage.candidates_token_count)


async def test_async_stream(options, asked, ameet, proven):
    async with genai.Client(**options).aio as client:
        await ameet()
        stream = await client.models.generate_content_stream(**asked)
        usage = [piece async for piece in stream][-1].usage_metadata
    proven("google", MODEL, usage.prompt_token_count, usage.candidates_token_count)
