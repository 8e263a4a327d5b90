"""Costs by the list of genai-prices: the same as it calculates itself, though it is asked once per model."""

import random
import threading
from decimal import Decimal
from typing import Any

import genai_prices
import pytest
from genai_prices.data import providers

from pytest_llmrel.core.call import Usage
from pytest_llmrel.wire.listed import ListedPrices

MINI = Usage("gpt-4o-mini", 1000, 100)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What genai-prices was asked for, as it is asked."""
    calls: list[object] = []
    real: Any = genai_prices.calc_price
    monkeypatch.setattr("genai_prices.calc_price", lambda *a, **k: calls.append(a[0]) or real(*a, **k))
    return calls


def calculated(usage: Usage, provider: str) -> Decimal | None:
    """By genai-prices itself, of its own kind of usage."""
    counts = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "output_reasoning_tokens": usage.reasoning_tokens,
    }
    mine = genai_prices.Usage(**{name: count for name, count in counts.items() if count})
    try:
        return genai_prices.calc_price(mine, usage.model, provider_id=provider).total_price
    except Exception:  # whatever it is, there is no price
        return None


def some_usage(draw: random.Random, model: str) -> Usage:
    """Of any size, across the thresholds of tiers, with some of it cached or thought."""
    into, out = draw.randrange(400_000), draw.randrange(100_000)
    read, thought = (draw.choice([0, draw.randrange(whole + 1)]) for whole in (into // 2, out))
    written = draw.choice([0, into - read])
    return Usage(model, into, out, read, written, thought)


def test_all_models_cost_what_genai_prices_calculates() -> None:
    """Each one it has, with tiers and without, in usages of every kind."""
    draw, prices, known, models = random.Random(7), ListedPrices(), 0, 0
    for provider in providers:
        for model in provider.models:
            models += 1
            for _ in range(2):
                usage = some_usage(draw, model.id)
                cost, expected = prices.cost(usage, provider.id), calculated(usage, provider.id)
                # Where the list has no price for all of it we say unknown, and it says nothing.
                assert cost is None or cost == float(expected), (provider.id, usage)
                known += cost is not None
    assert known > models, "most have a price"


def test_a_model_is_asked_for_once(asked: list[object]) -> None:
    """However many calls there are, each with another usage, and whichever thread asks; unknown ones, too."""
    prices, costs = ListedPrices(), dict[int, float | None]()

    def ask(first: int) -> None:
        for count in range(first, first + 100):
            costs[count] = prices.cost(Usage("gpt-4o-mini", count, 0), None)

    ask(0)
    asks = [threading.Thread(target=ask, args=(100 * number,)) for number in range(1, 8)]
    for thread in asks:
        thread.start()
    for thread in asks:
        thread.join()
    assert len(asked) < 10
    assert costs == {count: pytest.approx(count * 0.15e-6) for count in range(800)}
    asked.clear()
    assert [prices.cost(Usage("ours", 1, 1), None) for _ in range(5)] == [None] * 5
    assert len({id(usage) for usage in asked}) <= 2


def test_a_price_with_tiers_is_that_of_the_tier() -> None:
    """No price of a token is taken for that of all tokens; equal usages are calculated once."""
    tiered = genai_prices.calc_price(genai_prices.Usage(input_tokens=1), "gemini-2.5-pro").model_price
    assert isinstance(tiered.input_mtok, genai_prices.types.TieredPrices)
    few, many = (ListedPrices().cost(Usage("gemini-2.5-pro", count, 0), None) for count in (1000, 1_000_000))
    assert few == pytest.approx(1000 * float(tiered.input_mtok.base) / 1e6)
    assert many > 1000 * few * 1.5


def test_equal_usages_of_a_tiered_model_are_calculated_once(asked: list[object]) -> None:
    """What cannot be asked per token is remembered."""
    prices = ListedPrices()
    first = prices.cost(Usage("gemini-2.5-pro", 1000, 10), None)
    asked.clear()
    assert [prices.cost(Usage("gemini-2.5-pro", 1000, 10), None) for _ in range(5)] == [first] * 5
    assert not asked
    prices.cost(Usage("gemini-2.5-pro", 1001, 10), None)
    assert len(asked) == 1


def test_contradictions_are_left_to_genai_prices() -> None:
    """More cached than there was, or less than nothing: it refuses them, and so there is no price."""
    for usage in (Usage("gpt-4o-mini", 10, 1, 11), Usage("gpt-4o-mini", -1, 1), Usage("gpt-4o-mini", 10, -1)):
        assert ListedPrices().cost(usage, None) is None


def test_a_list_that_breaks_is_an_unknown_price(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it raises."""

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("genai_prices.calc_price", broken)
    assert ListedPrices().cost(MINI, None) is None
