"""What the workers of xdist and their controller tell each other, on a channel that any gateway has.

Concurrency and budget are those of the session: a worker has its share of the runs in flight, and the shares
of those that have finished; what it pays is told to the others at once.
"""

import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any

import pytest

__all__ = ["Desk", "Link", "share_of"]


def share_of(config: pytest.Config, wanted: int) -> int:
    """This process's share of ``wanted`` runs in flight over the session, now; at least 1.

    Args:
        config: of the session.
        wanted: at least 1; all of them where there is only this process.
    """
    link = Link.of(config)
    return wanted if link is None else link.share(wanted)


class Link:
    """The end of a worker; what it hears, it hears in a thread of execnet.

    Attributes:
        dollars: US dollars that the other workers have paid.
        unpriced: what they paid for whose price is unknown, ``""`` if nothing.
    """

    _KEY = pytest.StashKey["Link"]()

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._channel = given["llmrel_channel"]
        self._place: int = given["llmrel_place"]
        self._workers: int = given["workercount"]
        self.dollars = 0.0
        self.unpriced = ""
        self._channel.setcallback(self._hear)
        self.send("hello")

    @classmethod
    def of(cls, config: pytest.Config) -> "Link | None":
        """That of this process, made on first use; ``None`` if it is no worker."""
        found = config.stash.get(cls._KEY, None)
        given: Mapping[str, Any] = getattr(config, "workerinput", {})
        if found is None and "llmrel_channel" in given:
            found = config.stash[cls._KEY] = cls(given)
        return found

    def share(self, wanted: int) -> int:
        """See :func:`share_of`."""
        place, workers = self._place, self._workers
        return max(1, wanted // workers + (place < wanted % workers))

    def tell(self, cost: float | None, what: str) -> None:
        """Tell the others of a payment; see :meth:`pytest_llmrel.wire.budget.Budget.pay`."""
        self.send("paid", cost, what)

    def send(self, *message: Any) -> None:
        """Say something to the controller; nothing if it is not there any more."""
        with suppress(OSError):
            self._channel.send(message)

    def _hear(self, message: tuple[Any, ...]) -> None:
        kind, *told = message
        if kind == "shares":
            self._place, self._workers = told
        elif kind == "paid":
            dollars, unpriced = told
            self.dollars += dollars
            self.unpriced = self.unpriced or unpriced


class Desk:
    """The end of the controller, with all of its workers.

    Attributes:
        news: what workers say of their tests, in the order in which it comes.
        most: workers that there were at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channels: dict[Any, Any] = {}
        self._listening: set[Any] = set()
        self._opened = self._expected = 0
        self._dollars, self._unpriced = 0.0, ""
        self.news: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
        self.most = 0

    def open(self, node: Any) -> None:
        """Give a worker that is about to start its end of a channel."""
        channel = node.gateway.newchannel()
        with self._lock:
            self._opened += 1
            self._channels[node] = channel
            self.most = max(self.most, len(self._channels))
            node.workerinput["llmrel_channel"] = channel
            node.workerinput["llmrel_place"] = len(self._channels) - 1
            self._expected = node.workerinput["workercount"]
        channel.setcallback(partial(self._hear, node))

    def close(self, node: Any) -> None:
        """A worker has ended: its share is that of the others."""
        with self._lock:
            self._listening.discard(node)
            if self._channels.pop(node, None) is not None:
                self._tell_shares()

    def _hear(self, node: Any, message: tuple[Any, ...]) -> None:
        """Called in a thread of execnet, one for each worker."""
        kind, *told = message
        if kind == "hello":
            with self._lock:
                self._listening.add(node)
                self._tell_shares()
                self._send(node, "paid", self._dollars, self._unpriced)
        elif kind == "paid":
            cost, what = told
            dollars, unpriced = (0.0, what) if cost is None else (cost, "")
            with self._lock:
                self._dollars += dollars
                self._unpriced = self._unpriced or unpriced
                for other in self._listening - {node}:
                    self._send(other, "paid", dollars, unpriced)
        else:
            self.news.put((kind, node, *told))

    def _tell_shares(self) -> None:
        # Those that have not been started yet will want theirs, too.
        workers = len(self._channels) + max(0, self._expected - self._opened)
        for place, node in enumerate(self._channels):
            if node in self._listening:
                self._send(node, "shares", place, workers)

    def _send(self, node: Any, *message: Any) -> None:
        with suppress(OSError):  # it has crashed, and xdist is about to find out
            self._channels[node].send(message)
