"""Which handler answers which request: the routing table, and the refusal of what is not in it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pytest_llmrel.simulator.refusals import Refusal
from pytest_llmrel.simulator.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_llmrel.simulator.messages import Handler, Reply, Request, WireError
    from pytest_llmrel.simulator.refusals import Refuse

__all__ = ["Application"]

_log = logging.getLogger("pytest_llmrel.simulator")


class Application:
    """Answers whole requests from a table of handlers; never raises.

    Args:
        routes: handlers by path and method; a key ``:verb`` stands for every path that ends so.
        shapes: how refusals that no handler words itself are worded, by the beginning of the path; the first
            that fits, so the last should be for ``""``.

    Attributes:
        tally: what has been answered so far.
    """

    def __init__(
        self, routes: Mapping[str, Mapping[str, Handler]], shapes: tuple[tuple[str, Refuse], ...]
    ) -> None:
        """Keeps both, and starts counting."""
        self._routes = routes
        self._shapes = shapes
        self.tally = Tally()

    def answer(self, request: Request) -> Reply:
        """Finds the handler of a request and returns its reply, or the reason why there is none."""
        methods = self._routes.get(request.path) or self._routes.get(_verb(request.path))
        if methods is None:
            return self._refuse(request, Refusal(404, f"Invalid URL ({request.method} {request.path[:200]})"))
        handler = methods.get(request.method)
        if handler is None:
            return self._refuse_method(request, methods)
        return self.guarded(lambda: handler(request), request)

    def guarded(self, make: Callable[[], Reply], request: Request) -> Reply:
        """Returns the reply that is made, or one that says why it could not be."""
        try:
            return make()
        except Exception as error:  # noqa: BLE001
            # Whatever a request contains, the others must still be served.
            _log.exception("the simulator failed to answer %s %s", request.method, request.path)
            message = f"The simulator failed ({type(error).__name__}); please report it."
            return self._refuse(request, Refusal(500, message))

    def refuse_wire(self, error: WireError) -> Reply:
        """Returns the refusal of what is not even a request."""
        return self._shapes[-1][1](Refusal(error.status, str(error)))

    def _refuse(self, request: Request, refusal: Refusal) -> Reply:
        return next(refuse for prefix, refuse in self._shapes if request.path.startswith(prefix))(refusal)

    def _refuse_method(self, request: Request, methods: Mapping[str, Handler]) -> Reply:
        allowed = ", ".join(sorted(methods))
        message = f"Not allowed to {request.method[:40]} on {request.path[:200]}. (HINT: use {allowed}.)"
        return self._refuse(request, Refusal(405, message, headers=(("Allow", allowed),)))


def _verb(path: str) -> str:
    """The end of a path such as ``/v1beta/models/NAME:verb``, from its last colon."""
    return path[path.rfind(":") :] if ":" in path else ""
