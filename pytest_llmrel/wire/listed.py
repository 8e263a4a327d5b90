"""What a call cost by the list of genai-prices, which is asked once for what a token of a model costs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Final

from pytest_llmrel.core.call import Usage

__all__ = ["ListedPrices"]

_FREE: Final = ":free"
_MAKERS: Final = ("litellm", "openai", "google", "mistral", "cohere", "voyageai")
"""Who is asked for a model that genai-prices assigns to nobody; the first one reads ``openai/gpt-4o``."""
_WHOLE: Final = frozenset({"input_tokens", "output_tokens"})
_PARTS: Final = frozenset({"cache_read_tokens", "cache_write_tokens", "output_reasoning_tokens"})
_MANY, _FEW = 10**6, 10**3
"""Tokens of a call, and of a part of it, that exist only to ask for their price."""


class ListedPrices:
    """Costs by the data that genai-prices brings along; thread-safe.

    genai-prices takes some 80 us for a call, as long as all of the rest that is done to it. Most prices
    are so much for each token, so that a model's price of a token, asked once, is enough.
    """

    def __init__(self) -> None:
        self._rates_of = lru_cache(maxsize=1024)(_rates_of)
        self._calculated = lru_cache(maxsize=4096)(_calculated_cost)

    def cost(self, usage: Usage, provider: str | None) -> float | None:
        """US dollars of one call, ``None`` where genai-prices has no price for all of it.

        Args:
            usage: of the call.
            provider: whose price it is, as genai-prices calls it; ``None`` for that of the model's maker.
        """
        try:
            units = _units(usage)
            rates = self._rates_of(usage.model, provider, tuple(units)) if _is_consistent(usage) else None
            return self._calculated(usage, provider) if rates is None else rates.cost(units)
        except Exception:  # noqa: BLE001  whatever is wrong with a foreign price list, the price is unknown
            return None


@dataclass(frozen=True, slots=True)
class _Rates:
    """A price that is so much for each token, however many there are.

    Attributes:
        dollars: by name of the unit.
        unpriced: units that the list has no price for.
    """

    dollars: Mapping[str, Decimal]
    unpriced: frozenset[str]

    def cost(self, units: Mapping[str, int]) -> float | None:
        if any(units[name] for name in self.unpriced):
            return None
        return _as_dollars(sum((self.dollars[name] * count for name, count in units.items()), Decimal()))


def _rates_of(model: str, provider: str | None, names: tuple[str, ...]) -> _Rates | None:
    """What one more of each unit costs, ``None`` if that depends on how many there are."""
    if not set(names) <= _WHOLE | _PARTS:
        return None
    call = {name: _MANY if name in _WHOLE else _FEW for name in names}
    found = _price_of(call, model, provider)
    if found is None:
        return None
    priced = _priced_ways(found.model_price)
    if not priced or not all(isinstance(price, Decimal) for price in _prices_in(found.model_price).values()):
        return None
    dollars = {}
    for name in names:
        one_more = _price_of(call | {name: call[name] + 1}, model, provider)
        dollars[name] = one_more.total_price - found.total_price
    if sum(dollars[name] * count for name, count in call.items()) != found.total_price:
        return None
    return _Rates(dollars, frozenset(way for way in _WHOLE & set(names) if way not in priced))


def _calculated_cost(usage: Usage, provider: str | None) -> float | None:
    """By genai-prices itself.

    Raises:
        Exception: of any kind, where it does not know.
    """
    found = _price_of(_units(usage), usage.model, provider)
    if found is None or not _is_complete(found.model.id, found.model_price, usage):
        return None
    return _as_dollars(found.total_price)


def _price_of(units: Mapping[str, int], model: str, provider: str | None) -> Any:
    """The calculation of genai-prices for who sells the model, ``None`` if it knows nobody who does."""
    reported, name = _Reported(**units), model.removeprefix("models/")
    sellers = (None, *_MAKERS) if provider is None else (provider,)
    return next((price for seller in sellers if (price := _sold_by(seller, reported, name))), None)


def _sold_by(provider: str | None, reported: "_Reported", model: str) -> Any:
    from genai_prices import calc_price

    try:
        return calc_price(reported, model, provider_id=provider)
    except LookupError:
        return None


class _Reported(SimpleNamespace):
    """Usage as genai-prices takes it; of what was not reported it is told so, as its older versions need."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


def _units(usage: Usage) -> dict[str, int]:
    named = {
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "output_reasoning_tokens": usage.reasoning_tokens,
    }
    whole = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    return whole | {name: count for name, count in named.items() if count} | dict(usage.units)


def _is_consistent(usage: Usage) -> bool:
    """Whether no part is more than the whole: genai-prices is to say what it makes of such a usage."""
    into = usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens
    out = usage.output_tokens - usage.reasoning_tokens
    parts = (usage.cache_read_tokens, usage.cache_write_tokens, usage.reasoning_tokens)
    return min(into, out, *parts) >= 0


def _is_complete(model: str, price: object, usage: Usage) -> bool:
    """Whether the list has a price for what was used: where it has none, genai-prices would count 0."""
    priced = _priced_ways(price)
    if not _prices_in(price):
        return model.endswith(_FREE)
    used = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    return all(not count or way in priced for way, count in used.items())


def _prices_in(price: object) -> dict[str, object]:
    return {key: value for key, value in vars(price).items() if value is not None and not key.startswith("_")}


def _priced_ways(price: object) -> set[str]:
    """Of input and output those that have any price."""
    return {way for way in _WHOLE if any(key.startswith(way[: -len("_tokens")]) for key in _prices_in(price))}


def _as_dollars(total: Decimal) -> float | None:
    dollars = float(total)
    return dollars if math.isfinite(dollars) and dollars >= 0 else None
