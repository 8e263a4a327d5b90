"""Texts in the small: how many tokens one has, where it is cut, and the words in which it is streamed."""

from __future__ import annotations

import math
import re

__all__ = ["count_tokens", "cut", "words"]

_CHARACTERS_PER_TOKEN = 4
_WORD = re.compile(r"\s*\S+\s*|\s+")


def count_tokens(text: str) -> int:
    """Returns a deterministic estimate: four characters to the token, as English roughly has."""
    return math.ceil(len(text) / _CHARACTERS_PER_TOKEN)


def cut(text: str, limit: int) -> str:
    """Returns as much of the beginning of ``text`` as ``limit`` tokens hold."""
    return text[: limit * _CHARACTERS_PER_TOKEN]


def words(text: str) -> list[str]:
    """Cuts ``text`` into the pieces of a stream, which together are the text, blanks included."""
    return _WORD.findall(text)
