"""Makes the clients: everything that httpx would do with the arguments, on a transport of lanes."""

import os
import sys
from functools import cache
from ssl import SSLContext
from typing import TYPE_CHECKING, Any, TypeVar, overload
from urllib.request import getproxies

from pytest_llmrel.clients.transports import AsyncLaneTransport, LaneTransport, ProxyChoice

if TYPE_CHECKING:
    import httpx

__all__ = ["async_http_client", "http_client"]

C = TypeVar("C")


@overload
def http_client(**options: Any) -> "httpx.Client": ...
@overload
def http_client(kind: type[C], /, **options: Any) -> C: ...
def http_client(kind: Any = None, /, **options: Any) -> Any:
    """Make a client whose calls cost the same with 512 in flight as with one.

    It is an ordinary client: close it, or use it in a ``with`` statement; any number of threads may share it,
    and SDKs take it as ``http_client=``. A connection carries one call at a time, with ``http2=True``, too.

    Args:
        kind: the class to make: ``httpx.Client``, which is the default, ``httpx2.Client``, or a class derived
            from one of them, such as ``openai.DefaultHttpxClient``.
        **options: what that class takes, but for ``transport``. Without ``limits`` there are as many
            connections as calls in flight, each of use for five seconds after its last call.

    Raises:
        TypeError: ``kind`` is no client of httpx or httpx2, or does not take an option.
    """
    return _made(kind, "Client", LaneTransport, options)


@overload
def async_http_client(**options: Any) -> "httpx.AsyncClient": ...
@overload
def async_http_client(kind: type[C], /, **options: Any) -> C: ...
def async_http_client(kind: Any = None, /, **options: Any) -> Any:
    """Make an asynchronous client, as :func:`http_client` does; like any other it belongs to one event loop.

    Args:
        kind: the class to make: ``httpx.AsyncClient``, which is the default, ``httpx2.AsyncClient``, or a
            class derived from one of them, such as ``openai.DefaultAsyncHttpxClient``.
        **options: as with :func:`http_client`.

    Raises:
        TypeError: ``kind`` is no client of httpx or httpx2, or does not take an option.
    """
    return _made(kind, "AsyncClient", AsyncLaneTransport, options)


def _made(kind: Any, base: str, transport: Any, options: dict[str, Any]) -> Any:
    library = _library(kind, base)
    kind = getattr(library, base) if kind is None else kind
    http2, trust_env = options.get("http2", False), options.get("trust_env", True)
    limits = options.get("limits") or library.Limits()
    of_lanes = {
        "verify": _tls_of(library, options),
        "http1": options.get("http1", True),
        "http2": http2,
    }

    def via(proxy: Any) -> Any:
        return transport(library, limits, {**of_lanes, "proxy": proxy})

    proxy = options.pop("proxy", None)
    proxies = _environment_proxies() if trust_env and proxy is None else {}
    route = via(proxy)
    if proxies:
        route = ProxyChoice(route, {scheme: via(url) for scheme, url in proxies.items()})
    return kind(transport=route, **options)


def _library(kind: Any, base: str) -> Any:
    """The module whose client this is."""
    if kind is None:
        import httpx

        return httpx
    for name in ("httpx", "httpx2"):
        library = sys.modules.get(name)  # whoever has a class of it has imported it
        if library is not None and isinstance(kind, type) and issubclass(kind, getattr(library, base)):
            return library
    raise TypeError(
        f"{kind!r} is no client that can be made here; "
        f"give httpx.{base}, httpx2.{base} or a class derived from one of them"
    )


def _environment_proxies() -> dict[str, str]:
    """What ``HTTP_PROXY``, ``HTTPS_PROXY`` and ``ALL_PROXY`` say, or the system settings."""
    found = getproxies()
    return {
        scheme: found[scheme] if "://" in found[scheme] else f"http://{found[scheme]}"
        for scheme in ("http", "https", "all")
        if found.get(scheme)
    }


def _tls_of(library: Any, options: dict[str, Any]) -> SSLContext:
    """The context of all lanes; making one takes longer than many a call, so that the usual one is shared."""
    verify, cert, trust_env = options.get("verify", True), options.get("cert"), options.get("trust_env", True)
    if verify is not True or cert is not None:
        context: SSLContext = library.create_ssl_context(verify=verify, cert=cert, trust_env=trust_env)
        return context
    named = (os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")) if trust_env else None
    return _usual_tls(library, named, options.get("http2", False))


@cache
def _usual_tls(library: Any, named: object, http2: bool) -> SSLContext:  # noqa: ARG001  httpx sets protocols on it
    context: SSLContext = library.create_ssl_context(trust_env=named is not None)
    return context
