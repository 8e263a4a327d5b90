"""What a call over HTTP used, whether it asked a model at all, and what is wrong with its answer."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pytest_llmrel.core.call import Exchange, Usage
from pytest_llmrel.wire.damage import fault_in
from pytest_llmrel.wire.documents import document
from pytest_llmrel.wire.events import is_stream, usage_events
from pytest_llmrel.wire.flavours import Api, readings, route_of
from pytest_llmrel.wire.reported import counts_in, is_credible

__all__ = ["damage_of", "is_model_call", "usage_of"]

_OK, _OK_END = 200, 300
_LONGEST_NAME: Final = 256
_HOLDING: Final = ("response", "message", "delta", "result")
"""Members in which some APIs, and the events of some streams, put what others say outright."""
_WITHOUT_OUTPUT: Final = frozenset({Api.EMBEDDINGS, Api.COHERE_EMBED, Api.GEMINI})
"""APIs that have no output, or leave out a count of zero."""


def usage_of(exchange: Exchange) -> Usage | None:
    """Read the tokens of a call from its answer, plain or streamed; whatever the bytes, this raises nothing.

    Known are the APIs of OpenAI, Anthropic, Google, Mistral, Groq, Cohere and whoever is compatible with one
    of them, at any host. Cached tokens are part of the input and reasoning is part of the output, however the
    provider counts them.

    Returns:
        The usage, its units sorted by name, or ``None`` where the answer does not say: no usage, or one that
        is broken off, negative, fractional, larger than 10**12, or in contradiction with itself.
    """
    try:
        return _usage(exchange)
    except Exception:  # noqa: BLE001  bytes of strangers: what cannot be read is unknown
        return None


def is_model_call(method: str, url: str, request: bytes) -> bool:
    """Whether a provider of models would bill this request, whatever it will answer.

    A POST to a path known from the providers' APIs, or one whose JSON body names a ``model``. Never a GET,
    and never one that only counts tokens or moderates.

    Args:
        method: in capitals.
        url: of the request.
        request: its body, ``b""`` where it could not be seen.
    """
    if method != "POST":
        return False
    api = route_of(url).api
    return api is not Api.FREE and (api is not Api.UNKNOWN or bool(_asked_model(request)))


def damage_of(exchange: Exchange, *, is_read: bool = False) -> str:
    """Say what is wrong with an answer to a model call whose status, 2xx, says that nothing is.

    Args:
        exchange: the call.
        is_read: whether :func:`usage_of` has found a usage in it.

    Returns:
        Words for a person, such as ``"the answer is HTML in place of JSON"``, without a word of the answer
        itself; ``""`` if nothing is wrong, or this is no model call.
    """
    if not (
        _OK <= exchange.status < _OK_END and is_model_call(exchange.method, exchange.url, exchange.request)
    ):
        return ""
    return fault_in(route_of(exchange.url).api, exchange.content_type, exchange.body, is_read=is_read)


def _usage(exchange: Exchange) -> Usage | None:
    if is_stream(exchange.content_type, exchange.body):
        answer = _plain_answer(exchange.body)
    else:
        answer = _last_said(document(exchange.body))
    if answer is None:
        return None
    report = _report(answer)
    if report is None or not is_credible(report):
        return None
    route = route_of(exchange.url)
    for api in dict.fromkeys((route.api, _api_by_shape(report))):
        counts = _counts(exchange.url, api, report)
        if counts is not None:
            return _as_usage(_model_of(answer) or _asked_model(exchange.request) or route.model, counts)
    return None


def _plain_answer(body: bytes) -> dict[str, Any] | None:
    """A stream as the answer that would have come in one piece, as far as it speaks of usage.

    Anthropic says at the start what went in and at the end what came out; all others say everything at the
    end, or more with every event.
    """
    later: dict[str, Any] = {}
    for data in usage_events(body):
        said = _last_said(document(data))
        if said is None:
            continue
        kind, report = said.get("type"), _report(said)
        if report is None:
            continue
        if kind == "message_delta":
            later = _given(report["usage"]) | later
        elif kind == "message_start":
            merged = {"model": _model_of(said), "usage": report["usage"] | later}
            return merged if later else None  # the start alone says that one token is out
        else:
            return said
    return {"usage": later} if later else None


def _given(usage: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in usage.items() if value is not None}


def _last_said(said: Any) -> dict[str, Any] | None:
    """One object; of an array, as Gemini streams one, the last element that says what was used."""
    if isinstance(said, list):
        said = next((part for part in reversed(said) if isinstance(part, dict) and _report(part)), None)
    return said if isinstance(said, dict) else None


def _parts(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield answer
    yield from (part for name in _HOLDING if isinstance(part := answer.get(name), dict))


def _report(answer: dict[str, Any]) -> dict[str, Any] | None:
    """The part of an answer that says what was used, in the place where genai-prices looks for it."""
    for part in _parts(answer):
        for name in ("usage", "usageMetadata"):
            if isinstance(found := part.get(name), dict) and found:
                return {name: found}
    for name, inner in (("x_groq", "usage"), ("meta", "billed_units")):
        holder = answer.get(name)
        if isinstance(holder, dict) and isinstance(found := holder.get(inner), dict):
            return {"usage": found} if name == "x_groq" else {"meta": {inner: found}}
    return None


def _api_by_shape(report: dict[str, Any]) -> Api:
    """The API whose usage looks like this, for a gateway with paths of its own."""
    if "usageMetadata" in report:
        return Api.GEMINI
    usage = report.get("usage", {})
    if "prompt_tokens" in usage:
        is_input = "completion_tokens" not in usage and usage.get("total_tokens") == usage["prompt_tokens"]
        return Api.EMBEDDINGS if is_input else Api.CHAT
    if "billed_units" in usage or "tokens" in usage:
        return Api.COHERE
    if "inputTokens" in usage:
        return Api.CONVERSE
    if "cache_read_input_tokens" in usage or "cache_creation_input_tokens" in usage:
        return Api.MESSAGES
    return Api.RESPONSES if "input_tokens" in usage else Api.UNKNOWN


def _counts(url: str, api: Api, report: dict[str, Any]) -> dict[str, int] | None:
    """Every reported value by its name in genai-prices, if they belong together."""
    if api is Api.GEMINI and not _is_whole(report.get("usageMetadata", {})):
        return None
    if api is Api.EMBEDDINGS:
        report = _with_input(report)
    for table in readings(url, api):
        found = counts_in(report, table)
        if found is not None and "input_tokens" in found:
            return found if "output_tokens" in found or api in _WITHOUT_OUTPUT else None
    return None


def _is_whole(usage: Mapping[str, Any]) -> bool:
    """Whether Gemini left out nothing but zeros."""
    parts = [usage.get(f"{name}TokenCount") or 0 for name in ("prompt", "toolUsePrompt", "thoughts")]
    has_output = "candidatesTokenCount" in usage or (usage.get("totalTokenCount") or 0) <= sum(parts)
    return "promptTokenCount" in usage and has_output


def _with_input(report: dict[str, Any]) -> dict[str, Any]:
    """Some providers of embeddings count the total alone, which is the input."""
    usage = report.get("usage", {})
    if "prompt_tokens" in usage or "total_tokens" not in usage:
        return report
    return {"usage": usage | {"prompt_tokens": usage["total_tokens"]}}


def _as_usage(model: str, counts: dict[str, int]) -> Usage | None:
    read, written = counts.get("cache_read_tokens", 0), counts.get("cache_write_tokens", 0)
    reasoning = counts.get("output_reasoning_tokens", 0)
    usage = Usage(
        model,
        counts["input_tokens"],
        counts.get("output_tokens", 0),
        read,
        written,
        reasoning,
        tuple(sorted(counts.items())),
    )
    is_consistent = read + written <= usage.input_tokens and reasoning <= usage.output_tokens
    return usage if is_consistent else None


def _model_of(answer: dict[str, Any]) -> str:
    for part in _parts(answer):
        for name in ("model", "modelVersion"):
            if isinstance(found := part.get(name), str) and 0 < len(found) <= _LONGEST_NAME:
                return found
    return ""


def _asked_model(request: bytes) -> str:
    if b'"model"' not in request:
        return ""
    try:
        asked = document(request)
    except (ValueError, RecursionError):
        return ""
    return _model_of({"model": asked.get("model")}) if isinstance(asked, dict) else ""
