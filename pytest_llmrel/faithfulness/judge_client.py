"""One client for all requests to judges that are under way at the same time; the last of them closes it.

So connections are kept while there is work, nobody has to close anything later, and an asynchronous client
never meets another event loop than its own.
"""

import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx

from pytest_llmrel.clients.client import async_http_client, http_client

__all__ = ["async_judge_client", "judge_client"]

_clients: dict[Any, Any] = {}
"""By event loop; ``None`` for threads."""
_users: Counter[Any] = Counter()
_lock = threading.Lock()


@contextmanager
def judge_client() -> Iterator[httpx.Client]:
    """The client of all threads, in this block."""
    client = _join(None, http_client)
    try:
        yield client
    finally:
        if _is_last(None):
            client.close()


@asynccontextmanager
async def async_judge_client() -> AsyncIterator[httpx.AsyncClient]:
    """The client of all tasks of this event loop, in this block."""
    import asyncio

    loop = asyncio.get_running_loop()
    client = _join(loop, async_http_client)
    try:
        yield client
    finally:
        if _is_last(loop):
            await client.aclose()


def _join(loop: Any, make: Callable[[], Any]) -> Any:
    with _lock:
        if loop not in _clients:
            _clients[loop] = make()
        _users[loop] += 1
        return _clients[loop]


def _is_last(loop: Any) -> bool:
    """Leave; whether the client is nobody's now."""
    with _lock:
        _users[loop] -= 1
        if _users[loop]:
            return False
        del _users[loop], _clients[loop]
        return True
