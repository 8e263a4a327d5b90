"""Which API a URL belongs to, and as whose answers genai-prices can read what it says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from genai_prices.types import UsageExtractor

__all__ = ["Api", "Route", "provider_at", "readings", "route_of"]


class Api(StrEnum):
    """An API by the shape of its answers, whoever serves it."""

    CHAT = "chat"
    """OpenAI's chat and text completions, and everybody who is compatible."""
    RESPONSES = "responses"
    """OpenAI's responses."""
    EMBEDDINGS = "embeddings"
    """OpenAI's embeddings, and everybody who is compatible."""
    IMAGES = "images"
    """OpenAI's images."""
    MESSAGES = "messages"
    """Anthropic's messages, those on Google's and Amazon's clouds included."""
    GEMINI = "gemini"
    """Google's content generation, as one answer and as a stream."""
    COHERE = "cohere"
    """Cohere's chat, version 2."""
    COHERE_EMBED = "cohere embed"
    """Cohere's embeddings."""
    CONVERSE = "converse"
    """Amazon Bedrock's conversation, as one answer."""
    BILLED = "billed"
    """Another one that is known to ask a model: speech, rerankers, Ollama's own."""
    FREE = "free"
    """One that is known to cost nothing although it names a model: counting tokens, moderation."""
    UNKNOWN = "unknown"
    """Any other path."""


@dataclass(frozen=True, slots=True)
class Route:
    """What a URL says.

    Attributes:
        api: that answers there.
        model: that the path names, or ``""``.
    """

    api: Api
    model: str


_PATHS: Final = tuple(
    (re.compile(pattern), api)
    for pattern, api in (
        (r"(?:/count_tokens|/input_tokens|/(?:de)?tokenize|/moderations|/batches|:countTokens)$", Api.FREE),
        (r"/completions$", Api.CHAT),
        # A survey has responses, too, and a forum messages: only where an API would have them.
        (r"(?:^|/v\d\w*|/openai|/ai|/serving-endpoints)/responses(?:/compact)?$", Api.RESPONSES),
        (r"/v1/messages$|/publishers/anthropic/.+:(?:stream)?[rR]awPredict$", Api.MESSAGES),
        (r"/model/[^/]*anthropic[^/]*/invoke$", Api.MESSAGES),
        (r"/embeddings$", Api.EMBEDDINGS),
        (r":(?:g|streamG)enerateContent$", Api.GEMINI),
        (r"/v2/chat$", Api.COHERE),
        (r"/v[12]/embed$", Api.COHERE_EMBED),
        (r"/model/[^/]+/converse$", Api.CONVERSE),
        (r"/images/(?:generations|edits|variations)$", Api.IMAGES),
        (r"/audio/(?:speech|transcriptions|translations)$", Api.BILLED),
        (r"/model/[^/]+/(?:invoke|invoke-with-response-stream|converse-stream)$", Api.BILLED),
        (r"/api/(?:chat|generate|embed)$|/v[12]/rerank$|/v1/(?:chat|ocr)$", Api.BILLED),
        (r"/models/[^/]+:\w+$", Api.BILLED),
    )
)
_MODEL: Final = re.compile(
    r"/models/(?P<m>[^/:]+):|/(?:model|deployments)/(?P<d>[^/]+)/|/ai/run/(?P<c>@?[\w.-]+/[\w./-]+)$"
)
_AT_HOST: Final = {
    Api.CHAT: ("chat", "default"),
    Api.RESPONSES: ("responses",),
    Api.EMBEDDINGS: ("embeddings",),
}
"""API -> the names under which genai-prices may have a provider's own dialect of it."""
_BY_PATH: Final = {
    Api.CHAT: (("openai", "chat"),),
    Api.RESPONSES: (("openai", "responses"),),
    Api.EMBEDDINGS: (("openai", "embeddings"),),
    Api.IMAGES: (("openai", "images"),),
    Api.MESSAGES: (("anthropic", "default"),),
    Api.GEMINI: (("google", "default"),),
    Api.COHERE: (("cohere", "default"), ("cohere", "tokens")),
    Api.COHERE_EMBED: (("cohere", "embeddings"),),
    Api.CONVERSE: (("aws", "default"),),
}
"""API -> provider and flavour of genai-prices that read it, wherever it is served."""


@lru_cache(maxsize=1024)
def route_of(url: str) -> Route:
    """The API and the model of a URL, which may be malformed."""
    try:
        path = urlsplit(url).path.rstrip("/")
    except ValueError:
        return Route(Api.UNKNOWN, "")
    api = next((api for pattern, api in _PATHS if pattern.search(path)), Api.UNKNOWN)
    named = _MODEL.search(path)
    return Route(api, unquote(named[named.lastgroup or 0]) if named else "")


@lru_cache(maxsize=1024)
def provider_at(url: str) -> str | None:
    """The provider that genai-prices knows at a URL by its name there, ``None`` for any other host."""
    from genai_prices.data_snapshot import get_snapshot

    try:
        parts = urlsplit(url)
        place = f"{parts.scheme}://{parts.hostname}{parts.path}"
    except ValueError:
        return None
    # Its own look-up keeps every URL that it was ever asked for.
    found = (provider.id for provider in get_snapshot().providers if re.match(provider.api_pattern, place))
    return next(found, None)


@lru_cache(maxsize=1024)
def readings(url: str, api: Api) -> tuple["UsageExtractor", ...]:
    """Tables of genai-prices by which to read an answer, in the order of preference."""
    anywhere = [table for provider, flavour in _BY_PATH.get(api, ()) for table in _tables(provider, flavour)]
    provider = provider_at(url) if api in _AT_HOST else None
    at_host = [table for flavour in _AT_HOST.get(api, ()) for table in _tables(provider, flavour)]
    return (*at_host, *anywhere)


def _tables(provider: str | None, flavour: str) -> Iterator["UsageExtractor"]:
    """The one of that name, if there is one."""
    from genai_prices.data_snapshot import get_snapshot

    for known in get_snapshot().providers:
        if known.id == provider:
            yield from (table for table in known.extractors or () if table.api_flavor == flavour)
