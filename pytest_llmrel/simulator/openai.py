"""OpenAI's API over a persona: which paths there are, who may use them, and what they reply.

``temperature`` has no effect, 0 included: a simulated model is as random as its persona says. A request
with a ``seed`` is answered the same way each time; without one, each repetition has its own luck.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_llmrel.simulator.messages import Handler, Reply, Request
from pytest_llmrel.simulator.openai_chat import (
    ChatError,
    ChatRequest,
    Choice,
    completion,
    completion_events,
    read_chat,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_llmrel.simulator.draws import Draw, Draws
    from pytest_llmrel.simulator.persona import Model, Persona

__all__ = ["OpenAIApi", "refuse"]

_SCHEME = "bearer "
_SHOWN_CHARACTERS = 100
_CODES = {404: "unknown_url", 405: "method_not_supported"}
_SERVER_FAULT = 500


def refuse(
    status: int,
    message: str,
    *,
    param: str | None = None,
    code: str | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> Reply:
    """Returns an error reply in OpenAI's shape."""
    kind = "server_error" if status >= _SERVER_FAULT else "invalid_request_error"
    error = {"message": message, "type": kind, "param": param, "code": code or _CODES.get(status)}
    return Reply(status, (json.dumps({"error": error}).encode("ascii"),), headers=headers)


class OpenAIApi:
    """Answers the requests of OpenAI's clients with what a persona says."""

    def __init__(self, persona: Persona, draws: Draws) -> None:
        """Takes who answers, and the luck of the answers."""
        self._persona = persona
        self._draws = draws

    def routes(self) -> Mapping[str, Mapping[str, Handler]]:
        """Returns the handlers by path and method."""
        return {
            "/v1/chat/completions": {"POST": _authorized(self.chat)},
            "/v1/models": {"GET": _authorized(self.list_models)},
        }

    def list_models(self, request: Request) -> Reply:
        """Replies with the models of the persona."""
        del request
        owned = {"object": "model", "created": 0, "owned_by": "pytest_llmrel"}
        models = [{"id": model.name} | owned for model in self._persona.models]
        return Reply(200, (json.dumps({"object": "list", "data": models}).encode("ascii"),))

    def chat(self, request: Request) -> Reply:
        """Replies to a chat completions request, streamed or not."""
        try:
            chat = read_chat(request.body)
            return self._complete(chat, self._find_model(chat.model))
        except ChatError as error:
            return refuse(error.status, str(error), param=error.param, code=error.code)

    def _find_model(self, name: str) -> Model:
        model = self._persona.model(name)
        if model is None:
            served = ", ".join(model.name for model in self._persona.models)
            shown = name[:_SHOWN_CHARACTERS]
            message = f"The model `{shown}` does not exist; this simulator serves {served}."
            raise ChatError(404, message, "model", "model_not_found")
        return model

    def _complete(self, chat: ChatRequest, model: Model) -> Reply:
        draws = [self._draw(chat, position) for position in range(chat.choices)]
        answers = [self._persona.answer(model, chat.question, draw) for draw in draws]
        choices = tuple([Choice.cut(answer.text, chat.max_tokens) for answer in answers])
        seconds = max(answer.seconds for answer in answers)
        identity = draws[0].name
        headers = (("x-request-id", f"req_{identity}"),)
        if chat.stream:
            events = completion_events(chat, choices, identity)
            return Reply(200, events, "text/event-stream; charset=utf-8", headers, seconds, streamed=True)
        return Reply(200, (completion(chat, choices, identity),), headers=headers, delay=seconds)

    def _draw(self, chat: ChatRequest, position: int) -> Draw:
        if chat.seed is None:
            return self._draws.next(chat.model, chat.question)
        return self._draws.seeded(chat.model, chat.question, chat.seed, position)


def _authorized(handler: Handler) -> Handler:
    """Any key will do, but a client that forgets to send one must hear of it here, not in production."""

    def check(request: Request) -> Reply:
        # The value has no blanks at its ends, so behind the scheme there is a key.
        if request.headers.get("authorization", "").lower().startswith(_SCHEME):
            return handler(request)
        message = "You didn't provide an API key: send the header 'Authorization: Bearer KEY'; any will do."
        return refuse(401, message, code="invalid_api_key", headers=(("WWW-Authenticate", "Bearer"),))

    return check
