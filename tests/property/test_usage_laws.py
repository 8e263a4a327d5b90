"""Laws of reading usage: never an exception, never more cached than went in, streams say what plain answers say."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.core.call import Exchange, Usage
from pytest_llmrel.wire.price import Price, PriceList
from pytest_llmrel.wire.usage import damage_of, is_model_call, usage_of

from .strategies import hostile_text

PATHS = (
    "/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/messages", "/v2/chat", "/v2/embed",
    "/v1beta/models/gemini-2.5-flash:streamGenerateContent", "/v1/images/generations", "/model/m/converse", "/",
)  # fmt: skip
NAMES = (
    "usage usageMetadata model modelVersion x_groq meta response message delta result type billed_units tokens "
    "prompt_tokens completion_tokens total_tokens input_tokens output_tokens cache_read_input_tokens "
    "prompt_tokens_details cached_tokens promptTokenCount candidatesTokenCount promptTokensDetails tokenCount"
).split()
urls = st.one_of(st.sampled_from(PATHS).map("https://api.openai.com{}".format), hostile_text)
counts = st.integers(0, 10**9)
numbers = st.one_of(
    counts, st.sampled_from([-1, True, "7", 1e300, float("nan"), 10**30, 2.5, None]), st.floats()
)
documents = st.recursive(
    st.one_of(numbers, hostile_text, st.sampled_from(["message_start", "message_delta", "gpt-4o"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=25,
)
usages = st.fixed_dictionaries(
    {"prompt_tokens": counts, "completion_tokens": counts},
    optional={
        "total_tokens": numbers,
        "prompt_tokens_details": st.fixed_dictionaries({"cached_tokens": counts}),
    },
)
chunks = st.lists(
    st.fixed_dictionaries({"choices": st.lists(hostile_text, max_size=2), "usage": st.none()}), max_size=5
)
ends = st.sampled_from(["\n", "\r", "\r\n"])


def as_body(document: Any) -> bytes:
    """JSON as lenient writers write it."""
    return json.dumps(document).encode("utf-8", "surrogatepass")


def as_events(found: list[Any], end: str, indent: int | None) -> bytes:
    """One event each, its data in as many lines as it takes."""
    lines = [[f"data: {line}" for line in json.dumps(part, indent=indent).split("\n")] for part in found]
    return "".join(end.join([*part, "", ""]) for part in lines).encode()


bodies = st.one_of(
    st.binary(max_size=200),
    hostile_text.map(lambda text: text.encode("utf-8", "surrogatepass")),
    documents.map(as_body),
    st.tuples(documents.map(as_body), st.integers(0, 200)).map(lambda pair: pair[0][: pair[1]]),
    st.builds(as_events, st.lists(documents, max_size=4), ends, st.sampled_from([None, 1])),
)
types = st.sampled_from(["application/json", "text/event-stream", "text/html", ""])
exchanges = st.builds(
    Exchange,
    method=st.sampled_from(["POST", "GET"]), url=urls, request=bodies, status=st.integers(100, 599),
    content_type=types, body=bodies,
)  # fmt: skip


def chat(body: bytes, url: str = "http://localhost/v1/chat/completions") -> Exchange:
    """The answer to a chat."""
    return Exchange("POST", url, b"", 200, "", body)


@given(exchanges)
def test_nothing_raises(exchange: Exchange) -> None:
    """Whatever the bytes: usage that holds together or none, yes or no, one line of words."""
    usage, damage = usage_of(exchange), damage_of(exchange)
    assert usage is None or holds_together(usage)
    assert isinstance(is_model_call(exchange.method, exchange.url, exchange.request), bool)
    assert damage.isprintable()


@given(st.sampled_from(PATHS), st.dictionaries(st.sampled_from(NAMES), documents, max_size=5))
def test_usage_holds_together(path: str, answer: dict[str, Any]) -> None:
    """What is said to have been used, if anything is, are counts, and no part is more than the whole."""
    usage = usage_of(chat(as_body(answer), f"https://api.openai.com{path}"))
    assert usage is None or holds_together(usage)


def holds_together(usage: Usage) -> bool:
    """Whole numbers of at least 0, the parts within the whole, the units sorted and the same."""
    units = dict(usage.units)
    return (
        all(type(count) is int and count >= 0 for count in units.values())
        and list(usage.units) == sorted(units.items())
        and (usage.input_tokens, usage.output_tokens)
        == (units["input_tokens"], units.get("output_tokens", 0))
        and usage.cache_read_tokens + usage.cache_write_tokens <= usage.input_tokens
        and usage.reasoning_tokens <= usage.output_tokens
    )


@given(chunks, usages, ends, st.sampled_from([None, 1]), st.integers(0, 3))
def test_a_stream_says_what_the_plain_answer_says(
    before: list[Any], usage: dict[str, Any], end: str, indent: int | None, lost: int
) -> None:
    """However its lines end and its data are broken, with its last blank line or without."""
    answer = {"model": "m", "choices": [], "usage": usage}
    stream = as_events([*before, answer], end, indent)
    stream = stream[: len(stream) - min(lost, 2 * len(end))]
    assert usage_of(chat(stream)) == usage_of(chat(as_body(answer)))


@given(st.lists(usages, min_size=1, max_size=4))
def test_the_last_one_counts(said: list[dict[str, Any]]) -> None:
    """Of servers that count along, whatever they counted before."""
    stream = as_events([{"usage": usage} for usage in said], "\n", None)
    assert usage_of(chat(stream)) == usage_of(chat(as_body({"usage": said[-1]})))


@given(usages, st.data())
def test_half_an_answer_says_nothing(usage: dict[str, Any], data: st.DataObject) -> None:
    """Cut off anywhere, it is no usage, and it is damaged."""
    whole = as_body({"choices": ["é"], "usage": usage})
    half = chat(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert usage_of(half) is None
    assert damage_of(half)


@given(
    st.sampled_from(PATHS),
    types,
    usages,
    hostile_text,
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.booleans(),
)
def test_what_was_read_is_damaged_as_if_it_were_read_again(
    path: str, content_type: str, usage: dict[str, Any], text: str, encoding: str, listed: bool
) -> None:
    """Whatever its text and its encoding, in a list or not: JSON that has told its usage parses."""
    answer: Any = {"text": text, "usage": usage, "usageMetadata": {"promptTokenCount": 1}}
    said = json.dumps([answer] if listed else answer, ensure_ascii=False)
    exchange = Exchange(
        "POST",
        f"https://api.openai.com{path}",
        b"",
        200,
        content_type,
        said.encode(encoding, "surrogatepass"),
    )
    if usage_of(exchange) is not None:
        assert damage_of(exchange, is_read=True) == damage_of(exchange)


prices = st.just(0.0) | st.floats(1e-9, 1e4)


@given(
    st.builds(Price, prices, prices, st.none() | prices, st.none() | prices), counts, counts, counts, counts
)
def test_own_prices_are_a_sum(price: Price, plain: int, read: int, written: int, output: int) -> None:
    """Each token once, nothing below 0, and twice the tokens cost twice as much."""
    costs = PriceList({"*": price})
    once = costs.cost(Usage("m", plain + read + written, output, read, written))
    twice = costs.cost(Usage("m", 2 * (plain + read + written), 2 * output, 2 * read, 2 * written))
    assert once is not None
    assert twice is not None
    assert once >= 0
    assert abs(twice - 2 * once) <= 1e-9 * twice
