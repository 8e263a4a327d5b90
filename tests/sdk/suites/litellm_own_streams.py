"""Streams of litellm's own client: read to their last event, and then neither to their end nor closed."""

import litellm
import pytest

from pytest_llmrel import krun

pytestmark = krun(32, concurrency=32)
MODEL = "claude-haiku-4-5"


@pytest.fixture
def asked(root_url, turns):
    return {
        "model": f"anthropic/{MODEL}",
        "api_base": root_url,
        "api_key": "any",
        "max_tokens": 99,
        "messages": turns,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_sync(asked, meet, told):
    meet()
    usage = list(litellm.completion(**asked))[-1].usage
    told("anthropic", MODEL, usage.prompt_tokens, usage.completion_tokens)


async def test_async(asked, ameet, told):
    await ameet()
    usage = [chunk async for chunk in await litellm.acompletion(**asked)][-1].usage
    told("anthropic", MODEL, usage.prompt_tokens, usage.completion_tokens)
