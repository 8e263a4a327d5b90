"""What calls cost: against prices computed by hand, and whose price counts."""

import json
import subprocess
import sys
import warnings
from decimal import Decimal
from typing import Any

import pytest

from pytest_llmrel.core.call import Usage
from pytest_llmrel.errors import PlanError
from pytest_llmrel.wire.price import Price, PriceList, read_prices
from pytest_llmrel.wire.usage import usage_of

from . import answers
from .answers import exchange

MINI = Usage("gpt-4o-mini", 1000, 100)
MINI_COST = pytest.approx((1000 * 0.15 + 100 * 0.60) / 1e6)
ELSEWHERE = "http://127.0.0.1:8080/v1/chat/completions"


def listed(provider: str, model: str, key: str) -> Decimal:
    """Dollars per million tokens as genai-prices' own data say, below any threshold."""
    from genai_prices.data import providers

    found = next(each for each in providers if each.id == provider).find_model(model)
    price = vars(found.prices)[key]
    return getattr(price, "base", price)


BY_HAND: list[tuple[str, Any, str, str, dict[str, int]]] = [
    (answers.OPENAI, answers.CHAT, "openai", "gpt-4o-mini", {"input_mtok": 1200 - 1024, "cache_read_mtok": 1024, "output_mtok": 31}),
    (answers.RESPONSES, answers.RESPONSE, "openai", "gpt-5-mini", {"input_mtok": 328 - 256, "cache_read_mtok": 256, "output_mtok": 52}),
    (answers.ANTHROPIC, answers.MESSAGE, "anthropic", "claude-sonnet-4-5", {"input_mtok": 25, "cache_write_mtok": 100, "cache_read_mtok": 1000, "output_mtok": 15}),
    (answers.GEMINI, answers.CONTENT, "google", "gemini-2.5-flash", {"input_mtok": 11 - 6, "cache_read_mtok": 6, "output_mtok": 322}),
    (answers.COHERE, answers.COHERE_CHAT | {"model": "command-a-03-2025"}, "cohere", "command-a", {"input_mtok": 5, "output_mtok": 20}),
    (answers.EMBEDDINGS, answers.EMBEDDING, "openai", "text-embedding-3-small", {"input_mtok": 8}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "answer", "provider", "model", "tokens"), BY_HAND, ids=lambda value: str(value)[:20]
)
def test_prices_computed_by_hand(
    url: str, answer: Any, provider: str, model: str, tokens: dict[str, int]
) -> None:
    """Cached tokens at their own price, reasoning as output, each token once; at the provider and anywhere else."""
    usage = usage_of(exchange(url, answer))
    assert usage is not None
    expected = sum(count * listed(provider, model, key) for key, count in tokens.items()) / 10**6
    assert expected > 0
    assert PriceList().cost(usage, url) == pytest.approx(float(expected))
    assert PriceList().cost(usage, ELSEWHERE) == pytest.approx(float(expected))


def test_a_cache_of_an_hour_costs_more() -> None:
    """What Anthropic reports apart is priced apart."""
    counted = answers.MESSAGE_USAGE | {
        "cache_creation": {"ephemeral_5m_input_tokens": 40, "ephemeral_1h_input_tokens": 60}
    }
    usage = usage_of(exchange(answers.ANTHROPIC, answers.MESSAGE | {"usage": counted}))
    assert usage is not None
    expected = (25 * 3 + 1000 * 0.3 + 40 * 3.75 + 60 * 6 + 15 * 15) / 1e6
    assert PriceList().cost(usage) == pytest.approx(expected)


def test_usage_by_hand_is_priced_without_units() -> None:
    """``llmrel.usage`` knows no names of genai-prices; units beside it are added to it, not put in its place."""
    usage = Usage("gpt-4o-mini", 1200, 31, cache_read_tokens=1024, reasoning_tokens=7)
    expected = (176 * 0.15 + 1024 * 0.075 + 31 * 0.60) / 1e6
    assert PriceList().cost(usage) == pytest.approx(expected)
    searched = Usage("gpt-4o-mini", 1200, 31, 1024, units=(("web_searches", 2),))
    assert PriceList().cost(searched) == pytest.approx(expected + 2 * 10 / 1000)


@pytest.mark.parametrize(
    ("model", "url", "known"),
    [
        ("gpt-4o-mini", "", True),
        ("gpt-4o-mini", ELSEWHERE, True),
        ("gpt-4o-mini", answers.OPENAI, True),
        ("gpt-4o-mini", "https://acme.openai.azure.com/openai/deployments/x/chat/completions", True),
        ("GPT-4o-mini", "https://[", True),
        ("openai/gpt-4o-mini", ELSEWHERE, True),
        ("anthropic/claude-sonnet-4-5", ELSEWHERE, True),
        ("models/gemini-2.5-flash", answers.GEMINI, True),
        ("gpt-4o-mini", answers.ANTHROPIC, False),
        ("openai/gpt-4o-mini", answers.OPENAI, False),
        ("ours-7b", ELSEWHERE, False),
        ("ours/ours-7b", ELSEWHERE, False),
        ("llama3:8b", ELSEWHERE, False),
        ("qwen2.5-coder", ELSEWHERE, False),
        ("text-embedding-3-small", ELSEWHERE, True),
        ("", ELSEWHERE, False),
        ("", answers.OPENAI, False),
    ],
)
def test_whose_price_it_is(model: str, url: str, known: bool) -> None:
    """The provider's whose host was asked, and at any other host that of the model's maker; unknown is not 0."""
    for tokens in (0, 1000):
        cost = PriceList().cost(Usage(model, tokens, 0), url)
        assert (cost is not None) is known
        assert not known or (cost == 0) is (tokens == 0)


@pytest.mark.parametrize(
    ("usage", "url", "expected"),
    [
        (Usage("whisper-1", 1000, 10), answers.OPENAI, None),
        (Usage("text-embedding-3-small", 1000, 10), answers.OPENAI, None),
        (Usage("gpt-4o", 1000, 10), "https://api.githubcopilot.com/chat/completions", None),
        (Usage("gpt-4o-mini", 10, 10, cache_read_tokens=1000), answers.OPENAI, None),
        (Usage("gpt-4o-mini", -10, 10), answers.OPENAI, None),
        (Usage("deepseek/deepseek-r1:free", 10, 10), "https://openrouter.ai/api/v1/chat/completions", 0.0),
    ],
)
def test_a_price_for_something_else_is_none_for_this(usage: Usage, url: str, expected: float | None) -> None:
    """Minutes, no price for output, a subscription, contradictions: unknown. Free is only what is called so."""
    assert PriceList().cost(usage, url) == expected


def test_units_that_genai_prices_does_not_know() -> None:
    """Are passed over without a warning: warnings may be errors in the user's session."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert PriceList().cost(Usage("gpt-4o-mini", 1000, 100, units=(("stars", 5),))) == MINI_COST


def test_own_prices() -> None:
    """The exact name, then the name without a date, then the longest prefix; before genai-prices."""
    own = {"gpt-*": Price(1, 0), "gpt-4o-*": Price(2, 0), "gpt-4o-mini": Price(3, 0), "*": Price(9, 0)}
    prices = PriceList(own)
    costs = {
        model: prices.cost(Usage(model, 1_000_000, 5), answers.OPENAI)
        for model in (
            "gpt-4o-mini",
            "gpt-4o-mini-2024-07-18",
            "gpt-4o-mini@20240718",
            "gpt-4o-mini-audio",
            "gpt-5",
            "x",
        )
    }
    assert list(costs.values()) == [3, 3, 3, 2, 1, 9]
    assert PriceList({"ours": Price(1, 1)}).cost(MINI) == MINI_COST


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (Price(1, 10), 1000 + 100 * 10),
        (Price(1, 10, cache_read=0.1), 1000 - 200 + 200 * 0.1 + 100 * 10),
        (Price(1, 10, cache_write=2), 1000 + 300 + 100 * 10),
        (Price(1, 10, 0, 0), 500 + 100 * 10),
        (Price(0, 0), 0),
    ],
)
def test_own_prices_of_cached_tokens(price: Price, expected: float) -> None:
    """What is cached costs as much as the rest where nothing else is said; a contradiction is unknown."""
    prices = PriceList({"ours": price})
    assert prices.cost(Usage("ours", 1000, 100, 200, 300)) == pytest.approx(expected / 1e6)
    assert prices.cost(Usage("ours", 100, 100, 200, 300)) is None


def test_the_hook_comes_first() -> None:
    """Then the own price, then that of genai-prices; it is asked every time."""
    answered = iter([Decimal("0.5"), 0, 0.25, None, None])
    asked: list[tuple[str, Usage]] = []

    def ask(model: str, usage: Usage) -> Any:
        asked.append((model, usage))
        return next(answered)

    prices = PriceList({"gpt-4o-mini": Price(7, 0)}, ask)
    assert [prices.cost(MINI) for _ in range(4)] == [0.5, 0.0, 0.25, 0.007]
    assert PriceList(ask=ask).cost(MINI) == MINI_COST
    assert asked == [("gpt-4o-mini", MINI)] * 5


@pytest.mark.parametrize(
    "answer",
    [
        Decimal("-0.01"),
        Decimal("NaN"),
        Decimal("sNaN"),
        float("inf"),
        Decimal("1e999"),
        10**400,
        "0.5",
        True,
        object(),
    ],
)
def test_a_hook_that_answers_nonsense(answer: Any) -> None:
    """It is named, with its answer and the model."""
    with pytest.raises(ValueError, match=r"pytest_llmrel_price answered .* for the model 'gpt-4o-mini'"):
        PriceList(ask=lambda model, usage: answer).cost(MINI)


def test_an_exception_of_the_hook_is_the_user_s() -> None:
    """It is not taken for an unknown price."""

    def ask(model: str, usage: Usage) -> Decimal:
        raise KeyError(model)

    with pytest.raises(KeyError):
        PriceList(ask=ask).cost(MINI)


def test_nothing_is_fetched() -> None:
    """Neither usage nor price opens a socket or starts a thread."""
    code = (
        "import sys, threading; events = []; sys.addaudithook(lambda event, args: events.append(event));"
        "from pytest_llmrel.core.call import Exchange; from pytest_llmrel.wire.usage import usage_of;"
        "from pytest_llmrel.wire.price import PriceList;"
        f"call = Exchange('POST', {answers.OPENAI!r}, b'', 200, 'application/json', {json.dumps(answers.CHAT).encode()!r});"
        "cost = PriceList().cost(usage_of(call), call.url); assert cost > 0 and threading.active_count() == 1;"
        "assert 'import' in events and not [event for event in events if event.startswith('socket.')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_reading_prices() -> None:
    """One model a line; names with colons and stars; order, spaces, comments and empty lines do not matter."""
    lines = [
        "gpt-4o-mini: input 0.15, output 0.60, cache_read 0.075",
        "  llama3:8b :output 0,input  0 ",
        "",
        "# ours",
        "ours-*: input 1, output 2e0, cache_read 0.1, cache_write 1.25",
    ]
    assert read_prices(lines) == {
        "gpt-4o-mini": Price(0.15, 0.60, 0.075),
        "llama3:8b": Price(0.0, 0.0),
        "ours-*": Price(1.0, 2.0, 0.1, 1.25),
    }
    assert read_prices([]) == {}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("gpt-4o-mini input 0.15", "names no model"), (": input 1, output 1", "names no model"),
        ("m: input 1", "says nothing of output"), ("m: cache_read 1", "says nothing of input and output"),
        ("m: input 1, output x", "output is 'x'"), ("m: input -1, output 1", "input is '-1'"),
        ("m: input nan, output 1", "input is 'nan'"), ("m: input 1, output 1e999", "output is '1e999'"),
        ("m: input 0,15, output 1", "'15' is none of"), ("m: input 1, output 1,", "'' is none of"),
        ("m: Input 1, output 1", "'Input' is none of"), ("m: input 1, input 2, output 1", "input is there twice"),
        ("m: input, output 1", "input is ''"), ("g*t: input 1, output 1", "a * within"), ("m:", "is none of"),
    ],
)  # fmt: skip
def test_a_line_with_a_mistake(line: str, words: str) -> None:
    """Its number, what stands there, what is wrong, and what to do."""
    with pytest.raises(PlanError) as caught:
        read_prices(["ok: input 1, output 1", line])
    assert words in str(caught.value)
    assert f"ini key llmrel_prices, line 2 ({line!r}): " in str(caught.value)


def test_all_mistakes_at_once() -> None:
    """Also several of one line, and a model that has two prices."""
    with pytest.raises(PlanError) as caught:
        read_prices(["m: input 1, output 1", "m: input 2, output 2", "n: input x, oops 1", "nothing"])
    assert [problem.partition(" (")[0] for problem in caught.value.problems] == [
        f"ini key llmrel_prices, line {line}" for line in (2, 3, 3, 4)
    ]
