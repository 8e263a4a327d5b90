"""Keys: any will do, but a client that forgets to send one must hear of it here, not in production."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from pytest_llmrel.simulator.refusals import missing_key

if TYPE_CHECKING:
    from pytest_llmrel.simulator.messages import Request

__all__ = ["check_bearer", "check_google_key", "check_x_api_key"]

_SCHEME = "bearer "
_CHALLENGE = (("WWW-Authenticate", "Bearer"),)
_BEARER = "the header 'Authorization: Bearer KEY'"


def check_bearer(request: Request) -> None:
    """Refuses a request without a bearer token, as OpenAI and Cohere do."""
    if not _has_bearer(request):
        raise missing_key(_BEARER, headers=_CHALLENGE)


def check_x_api_key(request: Request) -> None:
    """Refuses a request with neither ``x-api-key`` nor a bearer token, as Anthropic does."""
    if not (request.headers.get("x-api-key") or _has_bearer(request)):
        raise missing_key(f"the header 'x-api-key: KEY' or {_BEARER}")


def check_google_key(request: Request) -> None:
    """Refuses a request with neither ``x-goog-api-key`` nor ``?key=`` nor a bearer token, as Google does."""
    if request.headers.get("x-goog-api-key") or _has_bearer(request) or parse_qs(request.query).get("key"):
        return
    raise missing_key("the header 'x-goog-api-key: KEY' or the query '?key=KEY'", status=403)


def _has_bearer(request: Request) -> bool:
    # The value has no blanks at its ends, so behind the scheme there is a key.
    return request.headers.get("authorization", "").lower().startswith(_SCHEME)
