"""What carries facts is recognised, what does not is left to the perturbations, and nothing takes long."""
# ruff: noqa: RUF001  characters that look like others are what is tested

from collections.abc import Callable

import pytest

from pytest_llmrel.perturb.protected import protected_spans


def protected(text: str) -> list[str]:
    """The protected parts, as text."""
    return [text[start:end] for start, end in protected_spans(text)]


@pytest.mark.parametrize(
    "fact",
    [
        *(
            "5",
            "3.14",
            "1,000",
            "-7",
            "50%",
            "$4.50",
            "€ 5",
            "5 EUR",
            "30 days",
            "5kg",
            "2 km",
            "thirty days",
            "3rd",
        ),
        *("12:30", "5 p.m.", "2024-01-05", "01/05/2024", "March 5, 2024", "5 january 2024", "Jan 5"),
        *(
            "bob@x.example",
            "https://x.example/a?b=(1)",
            "www.x.example",
            "C:\\temp\\a.txt",
            "/etc/hosts",
            "@bob",
            "#42",
        ),
        *(
            "NASA",
            "iPhone",
            "JavaScript",
            "order_id",
            "SKU-12",
            "foo.bar",
            "{name}",
            "<b>",
            "C++",
            "x=1",
            "U.S.",
        ),
        *('"in full"', "“as is”", "„Zitat“", "«mot»", "‘so’", "'so it is'", "`code`", "「引用」"),
        *(
            "Amazon",
            "Amazon Prime",
            "New York",
            "O'Brien's",
            "Dr. Smith",
            "J. Doe",
            "World War I",
            "e.g.",
            "Ångström",
        ),
    ],
)
def test_facts_are_protected(fact: str) -> None:
    """Numbers, dates, addresses, identifiers, quotations and names, whole, inside a sentence."""
    assert fact in protected(f"we ask about {fact} for now")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "How long do I have to return an item?",
            "I'm sure that I've seen it. But can I?",
            "don't, won't; naïve",
            "",
        ),
        *(
            "  ",
            "?!",
            "well-known things",
            "It's ok... Then what? So!",
            "First.\n\nSecond",
            "the dogs' tails' ends",
        ),
        *("an unclosed “ mark", 'an unclosed " mark', "日本語です。", "(Really) yes. [Sure]. *Well*"),
    ],
)
def test_plain_words_are_not(text: str) -> None:
    """Sentence starts, the English I, contractions, hyphens, other scripts, quotes that never close."""
    assert protected(text) == []


def test_a_name_is_known_where_a_sentence_begins_if_it_stands_inside_another() -> None:
    """A capital there says nothing by itself."""
    assert protected("Amazon ships. Does it, Amazon?") == ["Amazon", "Amazon"]
    assert protected("Amazon ships.") == []


def test_abbreviations_end_no_sentence() -> None:
    """So the name behind is one inside a sentence."""
    assert protected("ask dr. Smith") == ["dr. Smith"]
    assert protected("ask about it. Smith knows") == []


def test_quotations_hide_what_is_inside() -> None:
    """One span, its marks included; a sentence within it is not looked at."""
    assert protected('say "How are you? Fine." to them') == ['"How are you? Fine."']


@pytest.mark.parametrize(
    "text",
    ["a", ".", "' ", "“", "a.b ", "Aa Bb ", "1 ", "1 s ", "\n", "(", "A", '"a', "March 5, ", "é", "@", "a'"],
)
def test_long_texts_take_time_in_proportion(
    text: str, busy_seconds: Callable[[Callable[[], object]], float]
) -> None:
    """Whatever is repeated: 200,000 characters in less than five seconds; they take a third of one."""
    long = text * (200_000 // len(text))
    assert busy_seconds(lambda: protected_spans(long)) < 5
