"""The counts of what was served, kept by the server's thread and read by others."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_llmrel.simulator.messages import Reply

__all__ = ["Tally"]

_FIRST_ERROR = 400


class Tally:
    """Counts requests from the moment they have been read until their answer is written.

    Attributes:
        peak: the most requests that were being answered at the same time.
    """

    def __init__(self) -> None:
        """Starts at zero."""
        self.peak = 0
        self._active = 0
        self._served: dict[str, int] = {}

    def begin(self) -> None:
        """Counts a request that is now being answered."""
        self._active += 1
        self.peak = max(self.peak, self._active)

    def end(self, reply: Reply) -> None:
        """Counts its reply, by the fault that it is, else as ``ok`` or, if it refuses, as ``refused``."""
        self._active -= 1
        kind = reply.fault or ("ok" if reply.status < _FIRST_ERROR else "refused")
        self._served[kind] = self._served.get(kind, 0) + 1

    def abandon(self) -> None:
        """Forgets a request whose client is gone before its answer."""
        self._active -= 1

    @property
    def served(self) -> Counter[str]:
        """A copy of the counts; one step of the interpreter, so any thread may ask."""
        return Counter(self._served.copy())
