"""Laws of redaction: what is known never comes out, what is innocent stays, and twice is as good as once."""

import base64
import json
from collections.abc import Sequence
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.wire.redaction import REDACTED, Redactor, secrets_in
from pytest_llmrel.wire.secretformats import spans_in

from .strategies import hostile_text

secret = st.one_of(
    st.text(min_size=12, max_size=40),
    st.text(st.sampled_from("ab1\"'\\/+ %&<é\ud800[]d"), min_size=12, max_size=16),
    st.just(f"{REDACTED}{REDACTED}d"),
).filter(lambda text: len(text.strip()) >= 12)
_PIECES = """sk- sk-proj- AKIA AI za gh p_ eyJ . - _ Bearer basic api_key token password SECRET_KEY ?key sig : = , " ' \\
\\n \\" \\\\ :// user @ host BEGIN PRIVATE KEY ----- hooks .slack.com /services/ twilio SK [redacted] redacted [ ] x-api-key
a8f5f167f44f 0123456789abcdef aB3dE6gH9jK2mN5pQ8sT1vW4yZ7 ABCDEFGH12345678 correcthorsebattery ${VAR} <key> ... \u0130 é \u017f \u212a"""
likely = st.lists(st.sampled_from([*_PIECES.split(), " ", "\n", "\x1b[31m"]) | hostile_text, max_size=14).map(
    "".join
)
"""Texts put together from the parts of secrets, so that many have one, or something close to it."""
data = st.recursive(
    likely | st.integers() | st.none() | st.booleans() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(likely, inner, max_size=3),
    max_leaves=8,
)


def ways(known: str) -> list[str]:
    """How it may be written."""
    encoded = known.encode("utf-8", "surrogatepass")
    return [
        known,
        quote(encoded, safe=""),
        quote_plus(encoded),
        json.dumps(known)[1:-1],
        json.dumps(known, ensure_ascii=False)[1:-1],
        base64.b64encode(encoded).decode().rstrip("="),
        base64.urlsafe_b64encode(encoded).decode().rstrip("="),
    ]


@given(st.lists(secret, min_size=1, max_size=3), likely, likely)
def test_what_was_learned_never_comes_out(known: list[str], before: str, after: str) -> None:
    """In no way of writing it, whatever stands beside it, and however secrets overlap."""
    known = [text.strip() for text in known]
    redactor = Redactor(more=known)
    every = [way for text in known for way in ways(text)]
    for way in every:
        clean = redactor.clean(f"{before}{way}{after}{way[:5]}{way}")
        assert [way for way in every if way in clean] == []


@given(st.lists(secret, min_size=60, max_size=70), st.integers(0, 59), likely)
def test_among_many_each_is_found(known: list[str], which: int, before: str) -> None:
    """Where there are too many to look for one by one, too."""
    text = known[which].strip()
    assert text not in Redactor(more=known).clean(f"{before}{text}{before}")


@given(likely, st.lists(secret, max_size=2))
def test_twice_is_as_good_as_once(text: str, known: list[str]) -> None:
    """Cleaning what is clean gives the very same object."""
    redactor = Redactor(more=known)
    once = redactor.clean(text)
    assert redactor.clean(once) is once


@given(likely, st.lists(secret, max_size=2))
def test_the_linter_finds_nothing_in_what_is_clean(text: str, known: list[str]) -> None:
    """They look for the same."""
    assert secrets_in(Redactor(more=known).clean(text)) == []


@given(likely)
def test_what_is_found_is_what_is_taken_out(text: str) -> None:
    """A text without a finding is the same object; spans are in order, apart, and within the text."""
    spans = spans_in(text)
    assert (Redactor().clean(text) is text) == (spans == [])
    ends = [0, *(place for span in spans for place in (span.start, span.end)), len(text)]
    assert ends == sorted(ends)
    assert all(span.start < span.end for span in spans)


@given(data, st.lists(secret, max_size=2))
def test_data_keeps_its_shape(value: object, known: list[str]) -> None:
    """The same types at the same places, no key lost; clean data is the very same object."""

    def shape(node: object) -> object:
        if isinstance(node, dict):
            return [shape(item) for item in node.values()]
        return [shape(item) for item in node] if isinstance(node, list) else type(node)

    redactor = Redactor(more=known)
    clean = redactor.clean_data(value)
    assert shape(clean) == shape(value)
    assert redactor.clean_data(clean) is clean


@given(likely | st.binary(max_size=60).map(lambda data: data.decode("utf-8", "surrogateescape")), secret)
def test_bytes_are_cleaned_as_text_is(text: str, known: str) -> None:
    """Whatever bytes there are; those that are no secret stay as they are."""
    redactor = Redactor(more=[known])
    encoded = text.encode("utf-8", "surrogatepass")
    clean = redactor.clean_bytes(encoded)
    assert redactor.clean_bytes(clean) is clean
    assert (clean is encoded) == (
        redactor.clean(encoded.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        == encoded
    )


@given(likely, likely)
def test_any_url_can_be_cleaned(before: str, after: str) -> None:
    """Even one that is none; the value of a secret parameter is gone, however short."""
    clean = Redactor().clean_url(f"http://me:pw@h/{before}?api_key=qQq#{after}")
    assert "api_key=qQq" not in clean
    assert "me:pw@" not in clean
    assert secrets_in(clean) == []


@given(st.text(st.characters(categories=["Lu", "Ll", "Zs"]), max_size=200))
def test_words_stay(text: str) -> None:
    """Letters and blanks are no secret, and the very same object comes back."""
    assert Redactor().clean(text) is text


@given(
    st.uuids()
    | st.binary(min_size=20, max_size=32).map(bytes.hex)
    | st.binary(min_size=48, max_size=300).map(base64.b64encode)
)
def test_ids_and_digests_stay(value: object) -> None:
    """What is random without being secret: UUIDs, hashes of commits and files, images."""
    text = value.decode() if isinstance(value, bytes) else str(value)
    for said in (
        text,
        f"id {text}",
        json.dumps({"id": text, "sha256": text}),
        f"data:image/png;base64,{text}",
    ):
        assert Redactor().clean(said) is said


@pytest.mark.parametrize(
    "texts", [("api_key: {}", "Bearer {}", "https://a:{}@b", '{{"token": "{}"}}', "Basic {}", "?key={}")]
)
def test_the_mark_is_no_secret(texts: Sequence[str]) -> None:
    """Wherever it is put."""
    for text in texts:
        assert secrets_in(text.format(REDACTED)) == []
