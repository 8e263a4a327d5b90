"""Text into words: one form for each character, tokens, and what a word is to the scorer."""

import re
import unicodedata
from enum import IntEnum
from functools import lru_cache

from pytest_llmrel.faithfulness.lexicon import (
    CURRENCIES,
    MAGNITUDES,
    MONTHS,
    NEGATORS,
    NUMBER_WORDS,
    STOP_WORDS,
)

__all__ = ["Kind", "kind_and_stem", "normalised", "tokens"]

_LONG_RUN = re.compile(r"([^\w\s\x00-\x7f]{30})[^\w\s\x00-\x7f]+")
_LOOKS = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u02bc\u2032\u00b4`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u300c\u300d\u300e\u300f\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u202a\u202b\u202c\u202d\u202e"),
        "\u2044": "/",
    }
)
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff])"
)
"""Scripts that put no space between words: Thai, Lao, Burmese, Khmer, kana and Han."""
_CLOCK = re.compile(r"\b([ap])\.\s?m\b\.?", re.IGNORECASE)
_TOKEN = re.compile(
    r"\d{4}[-/]\d\d?[-/]\d\d?(?!\d)|\d\d?[-/]\d\d?[-/]\d{4}(?!\d)|(?:(?<!\w)-)?\d+(?:[.,:]\d+)*"
    r"|[^\W\d_]\w*(?:'\w+)*|[$€£¥₹%]|°[cCfF]?"
)
_LONGEST_WORD = 64


class Kind(IntEnum):
    """What a token is to the scorer."""

    EMPTY = 0
    CONTENT = 1
    NEGATOR = 2
    NUMBER = 3
    NUMBER_WORD = 4
    MONTH = 5
    CURRENCY = 6


def normalised(text: str) -> str:
    """Returns the text with one form for each character (NFKC), quotation mark, dash and invisible character.

    More than 30 marks in a row are cut to 30 beforehand (UAX #15, section 13, "Stream-Safe Text Format"):
    sorting longer runs takes time quadratic in them. Characters of scripts without spaces become words of
    their own.
    """
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", _LONG_RUN.sub(r"\1", text.translate(_LOOKS))).translate(_LOOKS)
    return _UNSPACED.sub(r" \1 ", text)


def tokens(text: str) -> list[str]:
    """Returns words, numbers, currency signs and degrees of a normalised text, in its case."""
    if "." in text:
        text = _CLOCK.sub(r"\1m", text)
    return _TOKEN.findall(text)


def kind_and_stem(token: str) -> tuple[Kind, str]:
    """Returns what a token is, and its form without case, possessive and common English endings."""
    return _known(token) if len(token) <= _LONGEST_WORD else (_of_long(token), token.casefold())


def _of_long(token: str) -> Kind:
    return Kind.NUMBER if token[-1].isdecimal() and token.lstrip("-")[0].isdecimal() else Kind.CONTENT


@lru_cache(maxsize=65_536)
def _known(token: str) -> tuple[Kind, str]:
    word = _without_accents(token.casefold().rstrip("_"))
    if word in CURRENCIES:
        return Kind.CURRENCY, CURRENCIES[word]
    if (kind := _closed(word)) is not None:
        return kind, word
    word = word.removesuffix("'s").replace("'", "")
    if word in STOP_WORDS or (len(word) == 1 and word.isascii()) or not word:
        return Kind.EMPTY, word
    return Kind.CONTENT, _without_ending(word)


def _closed(word: str) -> Kind | None:
    """The kind of a number, or of a word of which there are few."""
    if word[0].isdecimal() or (word[0] == "-" and len(word) > 1):
        return Kind.NUMBER
    if word in NEGATORS or word == "cannot" or word.endswith("n't"):
        return Kind.NEGATOR
    if word in NUMBER_WORDS or word in MAGNITUDES:
        return Kind.NUMBER_WORD
    return Kind.MONTH if word in MONTHS else None


def _without_accents(word: str) -> str:
    """Of Latin letters only: in other scripts marks are letters."""
    if word.isascii():
        return word
    bare = "".join(mark for mark in unicodedata.normalize("NFD", word) if not unicodedata.combining(mark))
    return bare if bare.isascii() and bare else word


def _without_ending(word: str) -> str:
    """A light stem: ``policies``, ``policy``; ``returned``, ``returning``, ``returns``, ``return``."""
    if len(word) <= 3 or not word.isascii():  # noqa: PLR2004  # nothing would be left of it
        return word
    if word.endswith("ies"):
        word = word[:-3] + "y"
    elif word.endswith(("ss", "us", "is")):
        pass
    elif word.endswith("s"):
        word = word[:-1]
    for ending in ("ing", "ed", "ly", "er", "or"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:  # noqa: PLR2004
            word = word[: -len(ending)]
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":  # noqa: PLR2004
        word = word[:-1]
    return word.removesuffix("e")
