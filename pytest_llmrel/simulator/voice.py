"""How a request to a model is answered, whatever the API: a model found, luck drawn, an answer shaped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from pytest_llmrel.simulator.asking import Asked, Choice, Said
from pytest_llmrel.simulator.draws import Draws
from pytest_llmrel.simulator.events import json_bytes
from pytest_llmrel.simulator.messages import Reply
from pytest_llmrel.simulator.mishaps import Mishaps
from pytest_llmrel.simulator.refusals import Refusal, unknown_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_llmrel.simulator.draws import Draw
    from pytest_llmrel.simulator.faults import Faults
    from pytest_llmrel.simulator.messages import Handler, Request
    from pytest_llmrel.simulator.persona import Model, Persona
    from pytest_llmrel.simulator.refusals import Refuse

__all__ = ["Form", "Voice"]

A = TypeVar("A", bound=Asked)


@dataclass(frozen=True, slots=True)
class Form(Generic[A]):
    """The shapes in which one API gives what a model says.

    Attributes:
        whole: makes the document of a plain reply.
        chunks: makes the pieces of a streamed one.
        refuse: words a refusal.
        id_header: the header, if any, that carries the id of the request.
        stream_type: the content type of a streamed reply.
        any_model: whether a model is served whatever its name.
    """

    whole: Callable[[A, Said], object]
    chunks: Callable[[A, Said], tuple[bytes, ...]]
    refuse: Refuse
    id_header: str = ""
    stream_type: str = "text/event-stream; charset=utf-8"
    any_model: bool = False


class Voice:
    """Says what a persona says, with seeded luck, unless a fault happens.

    Args:
        persona: who answers.
        seed: the seed of answers and faults.
        faults: which faults happen how often.
    """

    def __init__(self, persona: Persona, seed: int, faults: Faults) -> None:
        """Starts every sequence of luck at its beginning."""
        self._persona = persona
        self._draws = Draws(seed)
        self._mishaps = Mishaps(faults, seed)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all models, aliases behind each model's own."""
        return tuple([name for model in self._persona.models for name in (model.name, *model.aliases)])

    def handler(
        self, check: Callable[[Request], None], read: Callable[[Request], A], form: Form[A]
    ) -> Handler:
        """Returns what answers the requests of one path.

        Args:
            check: raises a refusal if the request carries no key.
            read: reads the request, or raises a refusal.
            form: the shape of the answer.
        """

        def handle(request: Request) -> Reply:
            try:
                check(request)
                return self.reply(read(request), form)
            except Refusal as refusal:
                return form.refuse(refusal)

        return handle

    def reply(self, asked: A, form: Form[A]) -> Reply:
        """Returns the reply to what was asked.

        Raises:
            Refusal: there is no such model.
        """
        model = self._find(asked.model, any_model=form.any_model)

        def answer(luck: Draw | None) -> Reply:
            return self._answer(asked, model, form, luck)

        return self._mishaps.meet(asked.model, asked.question, answer, form.refuse)

    def _find(self, name: str, *, any_model: bool) -> Model:
        model = self._persona.model(name)
        if model is not None:
            return model
        if any_model:
            return self._persona.models[0]
        raise unknown_model(name, self.names)

    def _answer(self, asked: A, model: Model, form: Form[A], luck: Draw | None) -> Reply:
        draws = [luck or self._draw(asked, position) for position in range(asked.choices)]
        answers = [self._persona.answer(model, asked.question, draw) for draw in draws]
        said = Said(tuple([Choice.under(asked.max_tokens, answer.text) for answer in answers]), draws[0].name)
        seconds = max([answer.seconds for answer in answers])
        headers = ((form.id_header, f"req_{said.identity}"),) if form.id_header else ()
        if asked.stream:
            return Reply(200, form.chunks(asked, said), form.stream_type, headers, seconds, streamed=True)
        return Reply(200, (json_bytes(form.whole(asked, said)),), headers=headers, delay=seconds)

    def _draw(self, asked: Asked, position: int) -> Draw:
        if asked.seed is None:
            return self._draws.next(asked.model, asked.question)
        return self._draws.seeded(asked.model, asked.question, asked.seed, position)
