"""Chat of Cohere's client, second version."""

import cohere
import pytest

from pytest_llmrel import krun

pytestmark = krun(32, concurrency=32)
MODEL = "command-r-08-2024"


@pytest.fixture(scope="module")
def options(root_url, retries):
    return {"base_url": root_url, "api_key": "any", "max_retries": retries}


@pytest.fixture(scope="module")
def client(options):
    with cohere.ClientV2(**options) as client:
        yield client


@pytest.fixture
def asked(turns):
    return {"model": MODEL, "messages": turns}


@pytest.fixture
def billed(proven):
    def compare(usage):
        units = usage.billed_units
        proven("cohere", "command-r-08-2024", int(units.input_tokens), int(units.output_tokens))

    return compare


def test_sync(client, asked, meet, billed):
    meet()
    billed(client.chat(**asked).usage)


def test_sync_stream(client, asked, meet, billed):
    meet()
    billed(list(client.chat_stream(**asked))[-1].delta.usage)


async def test_async(options, asked, ameet, billed):
    async with cohere.AsyncClientV2(**options) as client:
        await ameet()
        billed((await client.chat(**asked)).usage)


async def test_async_stream(options, asked, ameet, billed):
    async with cohere.AsyncClientV2(**options) as client:
        await ameet()
        billed([event async for event in client.chat_stream(**asked)][-1].delta.usage)
