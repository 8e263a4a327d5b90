"""What a call cost in US dollars: asked of the user first, then of the ini file, then of genai-prices."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from pytest_llmrel.core.call import Usage
from pytest_llmrel.errors import PlanError
from pytest_llmrel.wire.flavours import provider_at
from pytest_llmrel.wire.listed import ListedPrices

__all__ = ["Price", "PriceList", "read_prices"]

_MILLION: Final = 1_000_000
_DATE: Final = re.compile(r"[-@](?:\d{4}-\d{2}-\d{2}|\d{8})$")
_KEYS: Final = ("input", "output", "cache_read", "cache_write")
_REMEDY: Final = (
    "write it as 'gpt-4o-mini: input 0.15, output 0.60, cache_read 0.075', in US dollars per million tokens"
)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens, each at least 0.

    Attributes:
        input: tokens of the input.
        output: tokens of the output, reasoning included.
        cache_read: tokens of the input that were read from a cache; ``None`` if they cost what others do.
        cache_write: tokens of the input that were written to a cache; ``None`` if they cost what others do.
    """

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None

    def of(self, usage: Usage) -> float | None:
        """US dollars, ``None`` if more is said to be cached than went in."""
        read, written = usage.cache_read_tokens, usage.cache_write_tokens
        plain = usage.input_tokens - read - written
        if min(plain, read, written, usage.output_tokens) < 0:
            return None
        at_read = self.input if self.cache_read is None else self.cache_read
        at_write = self.input if self.cache_write is None else self.cache_write
        into = plain * self.input + read * at_read + written * at_write
        return (into + usage.output_tokens * self.output) / _MILLION


_NO_PRICES: Final[Mapping[str, Price]] = MappingProxyType({})


class PriceList:
    """Prices of all models; thread-safe, and without any network.

    Args:
        own: model -> price. A name that ends in ``*`` is a prefix, of which the longest counts. One without a
            date is also that of the dated versions: ``gpt-4o-mini`` that of ``gpt-4o-mini-2024-07-18``.
        ask: the user's hook: model and usage -> US dollars, or ``None`` where others are to be asked.
    """

    def __init__(
        self,
        own: Mapping[str, Price] = _NO_PRICES,
        ask: Callable[[str, Usage], Decimal | None] | None = None,
    ) -> None:
        self._own = dict(own)
        self._prefixes = sorted((name[:-1] for name in own if name.endswith("*")), key=len, reverse=True)
        self._ask = ask
        self._price_of = lru_cache(maxsize=1024)(self._look_up)
        self._listed = ListedPrices()

    def cost(self, usage: Usage, url: str = "") -> float | None:
        """US dollars of one call: what the hook says, else the own price, else that of genai-prices.

        Args:
            usage: of the call.
            url: that was asked; it decides whose price it is where the host is a known provider's. At any
                other, such as a proxy or a simulator, a model has the price of the provider that made it.

        Returns:
            At least 0, or ``None`` where the price of the model, or of what was used of it, is unknown.

        Raises:
            ValueError: the hook's answer is no finite number of at least 0.
        """
        if self._ask is not None:
            answer = self._ask(usage.model, usage)
            if answer is not None:
                return _checked(answer, usage.model)
        price = self._price_of(usage.model) if self._own else None
        if price is not None:
            return price.of(usage)
        return self._listed.cost(usage, provider_at(url) if url else None)

    def _look_up(self, model: str) -> Price | None:
        found = self._own.get(model) or self._own.get(_DATE.sub("", model))
        if found is not None:
            return found
        prefix = next((prefix for prefix in self._prefixes if model.startswith(prefix)), None)
        return None if prefix is None else self._own[f"{prefix}*"]


def read_prices(lines: Iterable[str]) -> Mapping[str, Price]:
    """Read the ini key ``llmrel_prices``, one line per model: ``gpt-4o-mini: input 0.15, output 0.60``.

    Args:
        lines: in US dollars per million tokens; ``cache_read`` and ``cache_write`` may be left out. Lines
            that are empty or begin with ``#`` say nothing.

    Raises:
        PlanError: all mistakes at once, each with its line and what to do.
    """
    prices: dict[str, Price] = {}
    problems: list[str] = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        model, numbers, faults = _read_line(text)
        if model in prices:
            faults.append(f"{model!r} has a price already; keep one of them")
        problems += [f"ini key llmrel_prices, line {number} ({text!r}): {fault}" for fault in faults]
        if not faults:
            prices[model] = Price(**numbers)
    if problems:
        raise PlanError(*problems)
    return prices


def _read_line(text: str) -> tuple[str, dict[str, float], list[str]]:
    # Names have colons, too: "llama3:8b", "anthropic.claude-v2:1".
    model, colon, said = (part.strip() for part in text.rpartition(":"))
    if not colon or not model:
        return "", {}, [f"it names no model; {_REMEDY}"]
    numbers: dict[str, float] = {}
    faults = [f"{model!r} has a * within; only the last character may be one"] if "*" in model[:-1] else []
    for part in said.split(","):
        faults += _read_part(part, numbers)
    if not faults and (missing := [key for key in _KEYS[:2] if key not in numbers]):
        faults.append(f"it says nothing of {' and '.join(missing)}; {_REMEDY}")
    return model, numbers, faults


def _read_part(part: str, numbers: dict[str, float]) -> Iterator[str]:
    """Take one price; what is wrong with it."""
    key, _, text = part.strip().partition(" ")
    if key not in _KEYS:
        yield f"{key!r} is none of {', '.join(_KEYS)}; {_REMEDY}"
        return
    if key in numbers:
        yield f"{key} is there twice; keep one of them"
        return
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    numbers[key] = value
    if not (math.isfinite(value) and value >= 0):
        yield f"{key} is {text.strip()!r}; it must be a number of at least 0, such as 0.15"


def _checked(answer: Any, model: str) -> float:
    try:
        value = math.nan if isinstance(answer, bool | str) else float(answer)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(
            f"the hook pytest_llmrel_price answered {answer!r} for the model {model!r}; it must answer "
            "US dollars of at least 0, as a Decimal, or None where it does not know"
        )
    return value
