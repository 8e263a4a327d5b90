"""The shape of OpenAI's errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_llmrel.simulator.events import json_bytes
from pytest_llmrel.simulator.messages import Reply

if TYPE_CHECKING:
    from pytest_llmrel.simulator.refusals import Refusal

__all__ = ["error_of", "refuse"]

_CODES = {404: "unknown_url", 405: "method_not_supported", 429: "rate_limit_exceeded"}
_RATE_LIMITED, _SERVER_FAULT = 429, 500


def refuse(refusal: Refusal) -> Reply:
    """Returns an error reply in OpenAI's shape."""
    return Reply(refusal.status, (json_bytes({"error": error_of(refusal)}),), headers=refusal.headers)


def error_of(refusal: Refusal) -> dict[str, str | None]:
    """Returns the members of the error itself."""
    status = refusal.status
    kind = "server_error" if status >= _SERVER_FAULT else "invalid_request_error"
    return {
        "message": str(refusal),
        "type": "requests" if status == _RATE_LIMITED else kind,
        "param": refusal.param,
        "code": refusal.code or _CODES.get(status),
    }
