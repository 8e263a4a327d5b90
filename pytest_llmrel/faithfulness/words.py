"""A sentence into what it says: content words, quantities, dates, links, and where it negates."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from pytest_llmrel.faithfulness.lexicon import NEGATORS, STOP_WORDS

__all__ = ["is_negator", "normalised", "stem", "tokens"]

_LONG_RUN = re.compile(r"([^\w\s\x00-\x7f]{30})[^\w\s\x00-\x7f]+")
_LOOKS = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u02bc\u2032\u00b4`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u300c\u300d\u300e\u300f\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u202a\u202b\u202c\u202d\u202e", None),
        "\u2044": "/",
    }
)
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])"
)
"""Scripts that put no space between words: Thai, Lao, Burmese, Khmer, kana and Han."""
_CLOCK = re.compile(r"\b([ap])\.\s?m\b\.?", re.IGNORECASE)
_TOKEN = re.compile(r"(?<!\w)-\d+(?:[.,:/-]\d+)*|\d+(?:[.,:/-]\d+)*|[^\W\d_]\w*(?:'\w+)*|[$€£¥₹%]|°[cCfF]?\b")


def normalised(text: str) -> str:
    """Returns the text with one form for each character (NFKC), quotation mark, dash and invisible character.

    More than 30 marks in a row are cut to 30 beforehand (UAX #15, section 13, "Stream-Safe Text Format"): sorting
    longer runs takes time quadratic in them.
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
