"""OpenAI's API over a persona: which paths there are, who may use them, and what they reply.

``temperature`` has no effect, 0 included: a simulated model is as random as its persona says. A request
with a ``seed`` is answered the same way each time; without one, each repetition has its own luck. Groq and
Mistral serve chat completions too, each in a dialect of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_llmrel.simulator.embeddings import EMBEDDINGS, read_embeddings
from pytest_llmrel.simulator.events import json_bytes
from pytest_llmrel.simulator.groq import GROQ
from pytest_llmrel.simulator.keys import check_bearer
from pytest_llmrel.simulator.messages import Handler, Reply, Request
from pytest_llmrel.simulator.mistral import MISTRAL, is_mistral
from pytest_llmrel.simulator.openai_chat import CHAT, read_chat
from pytest_llmrel.simulator.openai_errors import refuse
from pytest_llmrel.simulator.refusals import Refusal
from pytest_llmrel.simulator.responses import RESPONSES, read_responses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_llmrel.simulator.openai_chat import ChatRequest
    from pytest_llmrel.simulator.voice import Form, Voice

__all__ = ["OpenAIApi"]

_GROQ = "/openai/v1"


class OpenAIApi:
    """Answers the requests of OpenAI's clients, and of those that speak like them."""

    def __init__(self, voice: Voice) -> None:
        """Takes who answers."""
        self._voice = voice

    def routes(self) -> Mapping[str, Mapping[str, Handler]]:
        """Returns the handlers by path and method."""
        handler = self._voice.handler
        below: dict[str, Mapping[str, Handler]] = {
            "/chat/completions": {"POST": self.chat},
            "/models": {"GET": self.list_models},
            "/responses": {"POST": handler(check_bearer, read_responses, RESPONSES)},
            "/embeddings": {"POST": handler(check_bearer, read_embeddings, EMBEDDINGS)},
        }
        return {prefix + path: methods for prefix in ("/v1", _GROQ) for path, methods in below.items()}

    def list_models(self, request: Request) -> Reply:
        """Replies with the models of the persona, aliases included."""
        try:
            check_bearer(request)
        except Refusal as refusal:
            return refuse(refusal)
        owned = {"object": "model", "created": 0, "owned_by": "pytest_llmrel"}
        models = [{"id": name} | owned for name in self._voice.names]
        return Reply(200, (json_bytes({"object": "list", "data": models}),))

    def chat(self, request: Request) -> Reply:
        """Replies to a chat completions request, streamed or not."""
        form = _dialect(request, "")
        try:
            check_bearer(request)
            chat = read_chat(request.body)
            form = _dialect(request, chat.model)
            return self._voice.reply(chat, form)
        except Refusal as refusal:
            return form.refuse(refusal)


def _dialect(request: Request, model: str) -> Form[ChatRequest]:
    if request.path.startswith(_GROQ):
        return GROQ
    return MISTRAL if is_mistral(request.headers.get("user-agent", ""), model) else CHAT
