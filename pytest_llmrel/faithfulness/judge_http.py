"""Asks a judge over HTTP: one chat completion, from a thread or a task, bounded in size and time.

Requests that are under way at the same time share a client (``judge_client``).
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import httpx

from pytest_llmrel.core.run import judging
from pytest_llmrel.errors import ScorerError
from pytest_llmrel.faithfulness.judge_client import async_judge_client, judge_client

__all__ = ["MOST_BYTES", "Asking", "ask", "ask_async"]

MOST_BYTES: Final = 2_000_000
"""Of a reply; what is longer is not read to its end."""
_MOST_SHOWN: Final = 300
_KNOWN: Final = frozenset({401, 403, 404, 408, 429})
"""Refusals that everybody knows for faults of the infrastructure, as all from 500 on."""
_SERVER: Final = 500


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom to ask, and how.

    Attributes:
        url: of the chat completions.
        key: sent as bearer token, ``""`` for none; it is in no representation of this.
        timeout: seconds until a reply begins, and from there to its last byte.
    """

    url: str
    timeout: float
    key: str

    def __repr__(self) -> str:
        return f"<asking {self.url}>"

    def masked(self, text: str) -> str:
        """A text of the host's, which may repeat the key."""
        return text.replace(self.key, "***") if self.key else text

    def request(self, model: str, messages: list[dict[str, str]]) -> dict[str, Any]:
        """The arguments of a streamed request: the stream is what lets us stop reading."""
        body = {"model": model, "temperature": 0, "messages": messages}
        # Not a dict: whose representation, in a traceback with locals, would show the key.
        headers = httpx.Headers({"Content-Type": "application/json", "Accept-Encoding": "identity"})
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        # Escaped, so that a lone surrogate, which model output may hold, can be sent at all.
        content = json.dumps(body).encode()
        return {
            "method": "POST",
            "url": self.url,
            "content": content,
            "headers": headers,
            "timeout": self.timeout,
        }


def ask(asking: Asking, model: str, messages: list[dict[str, str]]) -> bytes | None:
    """The body of the reply; ``None`` for one of more than 2 MB.

    Raises:
        httpx.HTTPError: no reply, or a status that tells of the infrastructure; a note has the host's words.
        ScorerError: it refuses the request for what it is, as with 400, or its reply cannot be decoded.
    """
    with (
        _judging(),
        judge_client() as client,
        client.stream(**asking.request(model, messages)) as response,
    ):
        intake = _Intake(response, asking, monotonic() + asking.timeout)
        whole = intake.take_all(response.iter_bytes())
    return intake.body(whole=whole)


async def ask_async(asking: Asking, model: str, messages: list[dict[str, str]]) -> bytes | None:
    """The same for a task.

    Raises:
        httpx.HTTPError, ScorerError: as with :func:`ask`.
    """
    with _judging():
        async with (
            async_judge_client() as client,
            client.stream(**asking.request(model, messages)) as response,
        ):
            intake = _Intake(response, asking, monotonic() + asking.timeout)
            whole = await intake.take_all_async(response.aiter_bytes())
    return intake.body(whole=whole)


class _Intake:
    """Takes a body in, as long as it is neither too long nor too late."""

    def __init__(self, response: httpx.Response, asking: Asking, limit: float) -> None:
        self._response = response
        self._asking = asking
        self._limit = limit
        self._taken = bytearray()

    def take_all(self, chunks: Iterator[bytes]) -> bool:
        """Whether the body came to its end."""
        return all(self._take(chunk) for chunk in chunks)

    async def take_all_async(self, chunks: AsyncIterator[bytes]) -> bool:
        """Whether the body came to its end."""
        async for chunk in chunks:
            if not self._take(chunk):
                return False
        return True

    def body(self, *, whole: bool) -> bytes | None:
        """What was taken in, ``None`` if that is not the whole body.

        Raises:
            httpx.HTTPStatusError: the status tells of the infrastructure.
            ScorerError: any other that is not 2xx.
        """
        try:
            self._response.raise_for_status()
        except httpx.HTTPStatusError as error:
            said = self._asking.masked(self._taken.decode("utf-8", "replace"))
            status = self._response.status_code
            if status not in _KNOWN and status < _SERVER:
                # A request that is too long, or of a kind the host does not know: the model that is tested
                # has no part in it.
                reason = f"{status} {self._response.reason_phrase}".strip()
                raise ScorerError(
                    f"the judge's host refused the request ({reason}): {said[:_MOST_SHOWN]!r}"
                ) from error
            error.add_note(f"the judge's host said: {said[:_MOST_SHOWN]!r}")
            raise
        return bytes(self._taken) if whole else None

    def _take(self, chunk: bytes) -> bool:
        # The timeout of httpx is for each read: a host that drips would never meet it. Ours begins with the
        # reply: the time in which a busy host was left alone is no fault of it.
        if monotonic() > self._limit:
            raise httpx.ReadTimeout("the judge took too long to reply", request=self._response.request)
        self._taken += chunk
        return len(self._taken) <= MOST_BYTES


@contextmanager
def _judging() -> Iterator[None]:
    """In this block calls are counted as those of a judge, and a reply that is garbled is its fault."""
    token = judging.set(True)
    try:
        yield
    except httpx.DecodingError as error:
        raise ScorerError(f"the judge's reply cannot be decoded: {error}") from error
    finally:
        judging.reset(token)
