"""When two texts count as the same, and when they do not."""

import pytest

from pytest_llmrel.datasets.wording import key_of, texts_in, words_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How long?", "how  long"),
        ("“How long”, he asked…", "how long he asked"),
        ("Straße", "STRASSE"),
        ("ﬁve\u00a0items", "five items"),
        ("don’t", "Don't!"),  # noqa: RUF001
        ("返品できますか。", "返品できますか"),
    ],
)
def test_what_makes_no_difference(one: str, other: str) -> None:
    """Case, spaces, punctuation around words, compatibility forms."""
    assert key_of(one) == key_of(other) != ""


@pytest.mark.parametrize(
    ("one", "other"), [("C++", "C#"), ("-5", "5"), ("1.5", "15"), ("a b", "ab"), ("50%", "50")]
)
def test_what_does(one: str, other: str) -> None:
    """Signs, marks within a number, spaces between words."""
    assert key_of(one) != key_of(other)


@pytest.mark.parametrize("nothing", ["", " \n", "?!", None, [], {}, ["", {"a": None}]])
def test_nothing_has_no_key(nothing: object) -> None:
    """So that two empty fields are not the same question."""
    assert key_of(nothing) == ""


def test_texts_within_a_value() -> None:
    """A question may be a list of messages."""
    messages = [{"role": "user", "content": ["Hi", 3]}, None, True]
    assert list(texts_in(messages)) == ["user", "Hi", "3", "True"]
    assert key_of(messages) == "user hi 3 true"


def test_keys_are_never_long() -> None:
    """A field of megabytes is not kept twice; different ones stay different."""
    one, other = "word " * 10**5, "word " * 10**5 + "x"
    assert len(key_of(one)) == 32
    assert key_of(one) == key_of(one.upper()) != key_of(other)


def test_characters_count_as_words_where_there_are_no_spaces() -> None:
    """Otherwise a whole sentence would be one word, and never be nearly another."""
    assert words_of("返品OK 三日") == ["返", "品", "ok", "三", "日"]
