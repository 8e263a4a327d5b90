"""Lets faults happen to requests: in the order of a script, then as seeded draws say.

The draws are none of those of the answers: a request that is refused takes no answer away, and the answers
that are given are those that would be given without faults, in the same order.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from pytest_llmrel.simulator.draws import Draws
from pytest_llmrel.simulator.messages import Reply
from pytest_llmrel.simulator.refusals import overloaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_llmrel.simulator.draws import Draw
    from pytest_llmrel.simulator.faults import Faults
    from pytest_llmrel.simulator.refusals import Refuse

__all__ = ["Mishaps"]

_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n"
    "<body><h1>{title}</h1><hr><address>llmrel-simulator, acting as a proxy</address></body></html>\n"
)
_TITLES = {200: "Please sign in to this network", 502: "502 Bad Gateway"}


class Mishaps:
    """Decides for each request whether it is answered, or what happens to it instead.

    Args:
        faults: what happens how often.
        seed: the seed of the draws; any integer.
    """

    def __init__(self, faults: Faults, seed: int) -> None:
        """Starts the script and every sequence at its beginning."""
        self._faults = faults
        self._script = iter(faults.script)
        self._draws = Draws(seed, "fault")
        self._bounds = tuple(zip(accumulate(faults.rates.values()), faults.rates, strict=True))

    def meet(
        self, model: str, question: str, answer: Callable[[Draw | None], Reply], refuse: Refuse
    ) -> Reply:
        """Returns the reply to a request: its answer, or a fault.

        Args:
            model: the model asked.
            question: the question asked; each pair of the two has a sequence of its own.
            answer: makes the reply, of the given luck, or of its own next luck if given None.
            refuse: words a refusal as the API asked does.
        """
        step = next(self._script, None)
        if step == "ok" or (step is None and not self._bounds):
            return answer(None)
        luck = self._draws.next(model, question)
        kind = step or self._kind(luck)
        return self._happen(kind, luck, answer, refuse) if kind else answer(None)

    def _kind(self, luck: Draw) -> str | None:
        return next((kind for bound, kind in self._bounds if luck.outcome < bound), None)

    def _happen(self, kind: str, luck: Draw, answer: Callable[[Draw | None], Reply], refuse: Refuse) -> Reply:
        if kind == "slow":
            # Its answer is made when the wait is over: a client that has given up by then uses up no luck.
            seconds = self._faults.slow_seconds
            return Reply(200, (), delay=seconds, fault=kind, later=lambda: replace(answer(None), fault=kind))
        if kind.isdigit():
            wait = (("Retry-After", f"{self._faults.retry_after:.10g}"),) if kind == "429" else ()
            return replace(refuse(overloaded(int(kind), wait)), fault=kind)
        if kind == "html":
            page = _PAGE.format(title=_TITLES[self._faults.html_status]).encode("ascii")
            return Reply(self._faults.html_status, (page,), "text/html; charset=utf-8", fault=kind)
        if kind == "reset":
            return Reply(200, (), fault=kind)
        whole = replace(answer(luck), fault=kind)
        return replace(whole, chunks=_garbled(whole.chunks)) if kind == "malformed" else whole


def _garbled(chunks: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """A body, or a stream, that ends in the middle of its JSON, and is complete as far as HTTP can tell."""
    *before, last = chunks[: len(chunks) // 2 + 1]
    half = last[: (max(last.find(b"{"), 0) + len(last) + 1) // 2]
    return (*before, half + b"\n\n" if before else half)
