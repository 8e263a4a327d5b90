"""Groq's dialect of chat completions: OpenAI's, and the usage in ``x_groq`` of a stream's last chunk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_llmrel.simulator.events import DONE, event
from pytest_llmrel.simulator.openai_chat import CHAT, chat_documents, chat_usage

if TYPE_CHECKING:
    from pytest_llmrel.simulator.asking import Said
    from pytest_llmrel.simulator.openai_chat import ChatRequest

__all__ = ["GROQ"]


def _events(chat: ChatRequest, said: Said) -> tuple[bytes, ...]:
    first, *between, last = chat_documents(chat, said)
    usage = chat_usage(chat, said)
    identity = {"id": f"req_{said.identity}"}
    documents = [first | {"x_groq": identity}, *between, last | {"x_groq": identity | {"usage": usage}}]
    if chat.include_usage:
        documents.append(first | {"choices": [], "usage": usage})
    return (*map(event, documents), DONE)


GROQ = replace(CHAT, chunks=_events)
