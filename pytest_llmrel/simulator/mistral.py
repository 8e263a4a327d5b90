"""Mistral's dialect of chat completions: always the usage in a stream's last chunk, and flat errors.

It shares OpenAI's path. A request is Mistral's if its ``User-Agent`` or its model has ``mistral`` in it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_llmrel.simulator.events import DONE, event, json_bytes
from pytest_llmrel.simulator.messages import Reply
from pytest_llmrel.simulator.openai_chat import CHAT, chat_documents, chat_usage
from pytest_llmrel.simulator.openai_errors import error_of

if TYPE_CHECKING:
    from pytest_llmrel.simulator.asking import Said
    from pytest_llmrel.simulator.openai_chat import ChatRequest
    from pytest_llmrel.simulator.refusals import Refusal

__all__ = ["MISTRAL", "is_mistral"]

_WORD = "mistral"


def is_mistral(user_agent: str, model: str) -> bool:
    """Whether a request to the path that both serve is meant for Mistral."""
    return _WORD in user_agent.lower() or _WORD in model.lower()


def _events(chat: ChatRequest, said: Said) -> tuple[bytes, ...]:
    *before, last = chat_documents(chat, said)
    return (*map(event, before), event(last | {"usage": chat_usage(chat, said)}), DONE)


def _refuse(refusal: Refusal) -> Reply:
    document = {"object": "error"} | error_of(refusal) | {"raw_status_code": refusal.status}
    return Reply(refusal.status, (json_bytes(document),), headers=refusal.headers)


MISTRAL = replace(CHAT, chunks=_events, refuse=_refuse)
