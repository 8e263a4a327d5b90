"""Refusals as values: what is wrong with a request, in words that each API then gives a shape of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from pytest_llmrel.simulator.messages import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Refusal", "Refuse", "missing_key", "overloaded", "unknown_model"]

_SHOWN_CHARACTERS = 100
_OVERLOADS = {
    429: "Rate limit reached; please slow down and try again later.",
    500: "The server had an error while processing your request; please try again.",
    503: "The service is unavailable at the moment; please try again later.",
    529: "The service is overloaded; please try again later.",
}


class Refusal(Exception):
    """A request that an API refuses.

    Attributes:
        status: the HTTP status to refuse with.
        param: the parameter at fault, if it is one.
        code: OpenAI's word for the problem, if there is one.
        headers: headers that the refusal carries.
    """

    def __init__(
        self,
        status: int,
        message: str,
        param: str | None = None,
        code: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Keeps what the error body is made of."""
        super().__init__(message)
        self.status = status
        self.param = param
        self.code = code
        self.headers = headers


Refuse: TypeAlias = Callable[[Refusal], Reply]
"""Words a refusal in the shape of one API."""


def missing_key(how: str, status: int = 401, headers: tuple[tuple[str, str], ...] = ()) -> Refusal:
    """Returns the refusal of a client that sends no key; ``how`` says how to send one."""
    message = f"You didn't provide an API key: send {how}; any will do."
    return Refusal(status, message, code="invalid_api_key", headers=headers)


def unknown_model(name: str, served: Iterable[str]) -> Refusal:
    """Returns the refusal of a model that nobody has declared."""
    message = (
        f"The model `{name[:_SHOWN_CHARACTERS]}` does not exist; this simulator serves {', '.join(served)}."
    )
    return Refusal(404, message, "model", "model_not_found")


def overloaded(status: int, headers: tuple[tuple[str, str], ...] = ()) -> Refusal:
    """Returns what a provider in trouble says: 429, 500, 503 or 529."""
    return Refusal(status, _OVERLOADS[status], headers=headers)
