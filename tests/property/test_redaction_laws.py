"""Laws of redaction: what is known never comes out, what is innocent stays, and twice is as good as once."""

import base64
import json
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.wire.redaction import REDACTED, Redactor, secrets_in

from .strategies import hostile_text

secret = st.text(min_size=12, max_size=40).filter(
    lambda text: text.isprintable() and not text.isspace() and "redacted" not in text
)
data = st.recursive(
    hostile_text | st.integers() | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile_text, inner, max_size=3),
    max_leaves=8,
)


@given(secret, hostile_text, hostile_text)
def test_what_was_learned_never_comes_out(known: str, before: str, after: str) -> None:
    """In no way of writing it."""
    redactor = Redactor(more=[known])
    encoded = base64.b64encode(known.encode()).decode().rstrip("=")
    for way in (known, quote(known, safe=""), json.dumps(known)[1:-1], encoded):
        assert way not in redactor.clean(f"{before}{way}{after}")


@given(hostile_text, secret)
def test_twice_is_as_good_as_once(text: str, known: str) -> None:
    """Cleaning what is clean changes nothing."""
    redactor = Redactor(more=[known])
    once = redactor.clean(text)
    assert redactor.clean(once) == once


@given(hostile_text)
def test_the_linter_finds_nothing_in_what_is_clean(text: str) -> None:
    """They look for the same."""
    assert secrets_in(Redactor().clean(f"api_key={text} token: {text}")) == []


@given(data)
def test_data_keeps_its_shape(value: object) -> None:
    """The same types at the same places, as long as no two keys become one."""

    def shape(node: object) -> object:
        if isinstance(node, dict):
            return [shape(item) for item in node.values()]
        return [shape(item) for item in node] if isinstance(node, list) else type(node)

    assert shape(Redactor().clean_data(value)) == shape(value)


@given(st.text(st.characters(categories=["Lu", "Ll", "Zs"]), max_size=200))
def test_words_stay(text: str) -> None:
    """Letters and blanks are no secret, and the very same object comes back."""
    assert Redactor().clean(text) is text


def test_the_mark_is_no_secret() -> None:
    """Wherever it is put."""
    for text in ("api_key: {}", "Bearer {}", "https://a:{}@b", '{{"token": "{}"}}'):
        assert secrets_in(text.format(REDACTED)) == []
