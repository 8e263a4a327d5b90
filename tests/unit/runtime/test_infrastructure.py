"""Which exceptions are the infrastructure's doing, by class and HTTP status, for SDKs that are not installed."""

import errno
import socket
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_llmrel.runtime.infrastructure import Fault, infrastructure_fault

NO_FAULT = None
PASSING = Fault(None, fatal=False)


def sdk_error(
    module: str, name: str = "APIStatusError", base: type = Exception, **attributes: Any
) -> BaseException:
    """An exception as that SDK would raise it."""
    error: BaseException = type(name, (base,), {"__module__": module})("said the SDK")
    vars(error).update(attributes)
    return error


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError(), ConnectionResetError(), BrokenPipeError(), ConnectionRefusedError(),
        TimeoutError(), socket.gaierror(-2, "Name or service not known"),
        OSError(errno.EHOSTUNREACH, "No route to host"), OSError(errno.ENETUNREACH, "Network is unreachable"),
    ],
)  # fmt: skip
def test_the_standard_library_s_own(error: BaseException) -> None:
    """Connections and time-outs are faults, and may pass."""
    assert infrastructure_fault(error) == PASSING


@pytest.mark.parametrize(
    "error",
    [
        ValueError(), KeyError("code"), AssertionError(), OSError(2, "No such file"), FileNotFoundError(),
        PermissionError(), RuntimeError("429 Too Many Requests"), KeyboardInterrupt(), StopIteration(),
    ],
)  # fmt: skip
def test_everything_else_is_the_code_under_test(error: BaseException) -> None:
    """A JSON that cannot be read, a file that is not there, a text that mentions 429."""
    assert infrastructure_fault(error) is NO_FAULT


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529, 599])
@pytest.mark.parametrize(
    "module", ["openai", "anthropic._exceptions", "groq", "litellm.exceptions", "httpx._exceptions"]
)
def test_a_status_that_may_pass(module: str, status: int) -> None:
    """Too many requests, time-outs and the server's own errors; every SDK alike."""
    assert infrastructure_fault(sdk_error(module, status_code=status)) == Fault(status, fatal=False)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_status_that_will_not_pass(status: int) -> None:
    """A wrong key, a forbidden or unknown model: every further call would end alike."""
    assert infrastructure_fault(sdk_error("openai", status_code=status)) == Fault(status, fatal=True)


@pytest.mark.parametrize("status", [200, 301, 400, 409, 413, 418, 422, 600])
def test_a_status_that_is_the_caller_s_fault(status: int) -> None:
    """A request that the server refused as it was is a bug of the code under test."""
    assert infrastructure_fault(sdk_error("openai", status_code=status)) is NO_FAULT


@pytest.mark.parametrize(
    "attributes",
    [
        {"status_code": 503}, {"status": 503}, {"code": 503}, {"http_status": 503},
        {"response": SimpleNamespace(status_code=503)}, {"response": SimpleNamespace(status=503)},
        {"response": {"ResponseMetadata": {"HTTPStatusCode": 503}}},
        {"status_code": None, "response": SimpleNamespace(status_code=503)},
        {"code": "server_error", "status_code": 503},
    ],
)  # fmt: skip
def test_the_status_is_found_under_all_its_names(attributes: dict[str, Any]) -> None:
    """On the error or on its response, as aiohttp, botocore, google, httpx and openai have it."""
    assert infrastructure_fault(sdk_error("botocore.exceptions", **attributes)) == Fault(503, fatal=False)


@pytest.mark.parametrize(
    "attributes",
    [{}, {"status_code": None}, {"status_code": "503"}, {"code": True}, {"response": None}, {"response": {}}],
)  # fmt: skip
def test_without_a_status_the_class_decides(attributes: dict[str, Any]) -> None:
    """A broken connection has none; any other error of the SDK is none of the infrastructure."""
    assert infrastructure_fault(sdk_error("openai", "APIConnectionError", **attributes)) == PASSING
    assert infrastructure_fault(sdk_error("openai", "LengthFinishReasonError", **attributes)) is NO_FAULT


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("httpx", "ConnectError"), ("httpx", "ReadTimeout"), ("httpx2", "PoolTimeout"), ("httpcore", "ReadError"),
        ("requests.exceptions", "ConnectionError"), ("requests.exceptions", "Timeout"),
        ("urllib3.exceptions", "MaxRetryError"), ("aiohttp.client_exceptions", "ServerDisconnectedError"),
        ("botocore.exceptions", "EndpointConnectionError"), ("anthropic", "APITimeoutError"),
        ("urllib.error", "URLError"),
    ],
)  # fmt: skip
def test_connections_by_the_names_of_the_sdks(module: str, name: str) -> None:
    """The class itself, or one that is derived from it elsewhere."""
    assert infrastructure_fault(sdk_error(module, name)) == PASSING
    assert infrastructure_fault(sdk_error("shop", "ShopError", type(sdk_error(module, name)))) == PASSING


@pytest.mark.parametrize("name", ["ConnectError", "APIConnectionError", "Timeout", "APIStatusError"])
def test_the_same_names_elsewhere_mean_nothing(name: str) -> None:
    """An application may call its own errors so, and give them a status."""
    assert infrastructure_fault(sdk_error("shop.errors", name, status_code=503)) is NO_FAULT
    assert infrastructure_fault(sdk_error("openaix", name, status_code=503)) is NO_FAULT


def test_an_error_that_was_wrapped_is_recognised() -> None:
    """``raise BotError from error``: what it was explicitly raised from counts, however deep."""
    inner: BaseException = sdk_error("openai", status_code=401)
    for depth in range(3):
        outer = RuntimeError(f"level {depth}")
        outer.__cause__ = inner
        inner = outer
    assert infrastructure_fault(inner) == Fault(401, fatal=True)


def test_the_nearest_fault_counts() -> None:
    """A 503 raised from a connection error is a 503."""
    error = sdk_error("openai", status_code=503)
    error.__cause__ = ConnectionError()
    assert infrastructure_fault(error) == Fault(503, fatal=False)


def test_what_was_handled_before_does_not_count() -> None:
    """An error raised while a connection error was handled is the code's own."""
    error = ValueError("no answer")
    error.__context__ = ConnectionError()
    assert infrastructure_fault(error) is NO_FAULT
    error.__suppress_context__ = True
    assert infrastructure_fault(error) is NO_FAULT


def test_a_failed_assertion_never_is() -> None:
    """Not even if it was raised from a connection error."""
    error = AssertionError()
    error.__cause__ = ConnectionError()
    assert infrastructure_fault(error) is NO_FAULT


def test_a_group_of_one_is_its_member() -> None:
    """A task group wraps the only error that there is."""
    assert infrastructure_fault(ExceptionGroup("g", [ExceptionGroup("h", [TimeoutError()])])) == PASSING


def test_a_group_is_a_fault_if_all_of_it_is() -> None:
    """One wrong answer among the lost calls is the model's failure; a fatal one makes all of it fatal."""
    fatal = sdk_error("openai", status_code=403)
    assert isinstance(fatal, Exception)
    assert infrastructure_fault(ExceptionGroup("g", [TimeoutError(), AssertionError()])) is NO_FAULT
    assert infrastructure_fault(ExceptionGroup("g", [TimeoutError(), ConnectionError()])) == PASSING
    assert infrastructure_fault(ExceptionGroup("g", [TimeoutError(), fatal])) == Fault(403, fatal=True)


def test_a_circle_of_causes_ends() -> None:
    """Exceptions may be chained into a ring."""
    one, two = ValueError(), KeyError()
    one.__cause__, two.__cause__ = two, one
    assert infrastructure_fault(one) is NO_FAULT


def test_a_response_that_raises_when_asked_is_no_status() -> None:
    """The exception is somebody else's code."""

    class Odd(Exception):
        __module__ = "openai"

        @property
        def status_code(self) -> int:
            raise RuntimeError("there was no response")

    assert infrastructure_fault(Odd()) is NO_FAULT


def test_the_real_httpx() -> None:
    """The classes of the installed library, not of a sketch of it."""
    httpx = pytest.importorskip("httpx")
    request = httpx.Request("GET", "http://x")
    assert infrastructure_fault(httpx.ConnectError("x", request=request)) == PASSING
    assert infrastructure_fault(httpx.ReadTimeout("x", request=request)) == PASSING
    for status, fault in ((401, Fault(401, fatal=True)), (500, Fault(500, fatal=False)), (422, None)):
        with pytest.raises(httpx.HTTPStatusError) as caught:
            httpx.Response(status, request=request).raise_for_status()
        assert infrastructure_fault(caught.value) == fault
    assert infrastructure_fault(httpx.InvalidURL("x")) is NO_FAULT


def test_the_real_openai() -> None:
    """Where the SDK is installed, its own classes."""
    openai = pytest.importorskip("openai")
    error = openai.APIConnectionError(request=None)
    assert infrastructure_fault(error) == PASSING
