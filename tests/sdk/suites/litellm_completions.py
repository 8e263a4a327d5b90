"""Completions of litellm: by the SDK of OpenAI, and by its own client, whose async part has a transport of aiohttp."""

import litellm
import pytest

from pytest_llmrel import krun

pytestmark = krun(32, concurrency=32)
STREAMED = {"stream": True, "stream_options": {"include_usage": True}}


@pytest.fixture
def asked(base_url, retries, turns):
    return {
        "model": "openai/gpt-4o-mini",
        "api_base": base_url,
        "api_key": "any",
        "num_retries": retries,
        "messages": turns,
    }


@pytest.fixture
def asked_of_claude(root_url, retries, turns):
    return {
        "model": "anthropic/claude-haiku-4-5",
        "api_base": root_url,
        "api_key": "any",
        "num_retries": retries,
        "max_tokens": 99,
        "messages": turns,
    }


@pytest.fixture
def openai(proven):
    return lambda usage: proven("openai", "gpt-4o-mini", usage.prompt_tokens, usage.completion_tokens)


@pytest.fixture
def claude(proven):
    return lambda usage: proven("anthropic", "claude-haiku-4-5", usage.prompt_tokens, usage.completion_tokens)


def test_sync(asked, meet, openai):
    meet()
    openai(litellm.completion(**asked).usage)


def test_sync_stream(asked, meet, openai):
    meet()
    openai(list(litellm.completion(**asked, **STREAMED))[-1].usage)


async def test_async(asked, ameet, openai):
    await ameet()
    openai((await litellm.acompletion(**asked)).usage)


async def test_async_stream(asked, ameet, openai):
    await ameet()
    stream = await litellm.acompletion(**asked, **STREAMED)
    openai([chunk async for chunk in stream][-1].usage)


def test_claude_sync(asked_of_claude, meet, claude):
    meet()
    claude(litellm.completion(**asked_of_claude).usage)


async def test_claude_async(asked_of_claude, ameet, claude):
    await ameet()
    claude((await litellm.acompletion(**asked_of_claude)).usage)
