"""Tells faults of the infrastructure from failures of the model, by class and HTTP status; imports no SDK."""

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pytest_llmrel.errors import JudgeError, ResponseTooLarge, ScorerError

__all__ = ["Fault", "infrastructure_fault"]

_SDKS: Final = frozenset(
    "aiohttp anthropic azure boto3 botocore cohere google groq httpcore httpcore2 httpx httpx2 "
    "huggingface_hub litellm mistralai ollama openai replicate requests socket ssl together urllib urllib3 "
    "vertexai websockets".split()
)
"""Top-level packages whose exceptions carry an HTTP status or speak of a connection."""

_CONNECTION: Final = frozenset(
    "APIConnectionError APITimeoutError ClientConnectionError ClientOSError ClientPayloadError ConnectError "
    "ConnectTimeout ConnectTimeoutError ConnectionClosedError ConnectionError EndpointConnectionError "
    "IncompleteRead MaxRetryError NetworkError PoolTimeout ProtocolError ProxyError ReadError ReadTimeout "
    "ReadTimeoutError RemoteProtocolError SSLError ServerDisconnectedError ServerTimeoutError Timeout "
    "TimeoutException TransportError URLError WriteError WriteTimeout gaierror".split()
)
"""Class names, anywhere in the MRO, by which those packages name a broken or slow connection."""

_UNREACHABLE: Final = frozenset(
    {errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETRESET, errno.ENETUNREACH}
)
_TOO_MANY, _SERVER, _SERVER_END = 429, 500, 600
_REQUEST_TIMEOUT: Final = 408
_FATAL: Final = frozenset({401, 403, 404})


@dataclass(frozen=True, slots=True)
class Fault:
    """What the infrastructure did wrong.

    Attributes:
        status: HTTP status, or ``None`` for a broken or slow connection.
        fatal: every further call would fail the same way.
    """

    status: int | None
    fatal: bool


def infrastructure_fault(error: BaseException) -> Fault | None:
    """Recognise an error that is not the model's doing.

    Connections, timeouts, 408, 429 and 5xx are such; 401, 403 and 404 are fatal ones. What an
    exception was explicitly raised from counts too (an application that wraps its client's errors);
    a failed assertion never does.
    """
    for link in _chain(error):
        fault = _fault_of_group(link) if isinstance(link, BaseExceptionGroup) else _own_fault(link)
        if fault is not None:
            return fault
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen and not isinstance(link, AssertionError):
        seen.add(id(link))
        yield link
        link = link.__cause__


def _fault_of_group(group: BaseExceptionGroup[BaseException]) -> Fault | None:
    """Concurrent calls that were all lost are a fault; one wrong answer among them is the model's failure."""
    faults = [infrastructure_fault(part) for part in group.exceptions]
    if None in faults:
        return None
    return next((fault for fault in faults if fault and fault.fatal), faults[0])


def _own_fault(error: BaseException) -> Fault | None:
    if isinstance(error, JudgeError):
        return Fault(None, fatal=True)
    if isinstance(error, ConnectionError | TimeoutError | ResponseTooLarge | ScorerError):
        return Fault(None, fatal=False)
    if isinstance(error, OSError) and error.errno in _UNREACHABLE:
        return Fault(None, fatal=False)
    names = {kind.__name__ for kind in type(error).__mro__ if _is_sdk(kind)}
    if not names:
        return None
    status = _status(error)
    if status is not None:
        return _by_status(status)
    return Fault(None, fatal=False) if names & _CONNECTION else None


def _is_sdk(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in _SDKS


def _by_status(status: int) -> Fault | None:
    if status in _FATAL:
        return Fault(status, fatal=True)
    if status in {_REQUEST_TIMEOUT, _TOO_MANY} or _SERVER <= status < _SERVER_END:
        return Fault(status, fatal=False)
    return None


def _status(error: BaseException) -> int | None:
    """HTTP status under the names that the SDKs give it."""
    response = _attribute(error, "response")
    candidates = [_attribute(error, name) for name in ("status_code", "status", "code", "http_status")]
    candidates += [_attribute(response, name) for name in ("status_code", "status")]
    if isinstance(response, dict):  # botocore
        metadata = response.get("ResponseMetadata")
        candidates.append(metadata.get("HTTPStatusCode") if isinstance(metadata, dict) else None)
    numbers = (int(value) for value in candidates if isinstance(value, int) and value is not True)
    return next(numbers, None)


def _attribute(owner: object, name: str) -> object:
    # Some SDKs have properties that raise where there was no response.
    try:
        return getattr(owner, name, None)
    except Exception:  # noqa: BLE001  whatever it is, the status is unknown
        return None
