"""Agents of pydantic-ai, on two of its models: its sync methods run an event loop in the thread of the run."""

import anthropic
import openai
import pytest
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from pytest_llmrel import krun

pytestmark = krun(32, concurrency=32)


@pytest.fixture
def agent(base_url, retries):
    client = openai.AsyncOpenAI(base_url=base_url, api_key="any", max_retries=retries)
    return Agent(OpenAIChatModel("gpt-4o-mini", provider=OpenAIProvider(openai_client=client)))


@pytest.fixture
def other_agent(root_url, retries):
    client = anthropic.AsyncAnthropic(base_url=root_url, api_key="any", max_retries=retries)
    return Agent(AnthropicModel("claude-haiku-4-5", provider=AnthropicProvider(anthropic_client=client)))


def test_sync(agent, question, meet, proven):
    meet()
    usage = agent.run_sync(question).usage
    proven("openai", "gpt-4o-mini", usage.input_tokens, usage.output_tokens)


async def test_async(agent, question, ameet, proven):
    await ameet()
    usage = (await agent.run(question)).usage
    proven("openai", "gpt-4o-mini", usage.input_tokens, usage.output_tokens)


async def test_async_stream(agent, question, ameet, proven):
    await ameet()
    async with agent.run_stream(question) as stream:
        await stream.get_output()
    proven("openai", "gpt-4o-mini", stream.usage.input_tokens, stream.usage.output_tokens)


async def test_async_anthropic(other_agent, question, ameet, proven):
    await ameet()
    usage = (await other_agent.run(question)).usage
    proven("anthropic", "claude-haiku-4-5", usage.input_tokens, usage.output_tokens)


async def test_async_anthropic_stream(other_agent, question, ameet, proven):
    await ameet()
    async with other_agent.run_stream(question) as stream:
        await stream.get_output()
    proven("anthropic", "claude-haiku-4-5", stream.usage.input_tokens, stream.usage.output_tokens)
