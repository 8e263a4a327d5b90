"""Which handler answers which request: the routing table, its refusals, and the count of answers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_llmrel.simulator.messages import Handler, Reply, Request

__all__ = ["Application", "Refuse"]

_log = logging.getLogger("pytest_llmrel.simulator")


class Refuse(Protocol):
    """Words a refusal in the shape of one API."""

    def __call__(self, status: int, message: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
        """Returns the reply that refuses with this HTTP status and message."""


class Application:
    """Answers whole requests from a table of handlers; never raises.

    Attributes:
        answered: the number of requests answered so far, with whatever status.
    """

    def __init__(self, routes: Mapping[str, Mapping[str, Handler]], refuse: Refuse) -> None:
        """Takes handlers by path and method, and the shape of refusals that no handler words itself."""
        self._routes = routes
        self.refuse = refuse
        self.answered = 0

    def answer(self, request: Request) -> Reply:
        """Finds the handler of a request and returns its reply, or the reason why there is none."""
        methods = self._routes.get(request.path)
        if methods is None:
            return self.refuse(404, f"Invalid URL ({request.method} {request.path[:200]})")
        handler = methods.get(request.method)
        if handler is None:
            return self._refuse_method(request, methods)
        try:
            return handler(request)
        except Exception as error:  # noqa: BLE001
            # Whatever a request contains, the others must still be served.
            _log.exception("the simulator failed to answer %s %s", request.method, request.path)
            return self.refuse(500, f"The simulator failed ({type(error).__name__}); please report it.")

    def _refuse_method(self, request: Request, methods: Mapping[str, Handler]) -> Reply:
        allowed = ", ".join(sorted(methods))
        message = f"Not allowed to {request.method[:40]} on {request.path}. (HINT: use {allowed}.)"
        return self.refuse(405, message, headers=(("Allow", allowed),))
