"""Shortens texts so that no word is halved: half a key is none that anybody would recognise and redact."""

import re
from typing import Final

__all__ = ["cut"]

_WORD: Final = re.compile(r"[\w+/=.~-]", re.ASCII)
_LONGEST_KEY: Final = 4096


def cut(text: str, most: int) -> str:
    """At most ``most`` characters of the beginning, without a word of which only a part would be left.

    Words are made of what keys are made of: ASCII letters, digits and ``_+/=.~-``. A text that begins with a
    word that is too long is empty then; one of more than 4096 characters is no key, and halved.
    """
    if len(text) <= most:
        return text
    end, least = most, max(0, most - _LONGEST_KEY)
    if _WORD.match(text, end):
        while end > least and _WORD.match(text, end - 1):
            end -= 1
    return text[:most] if end and end == least else text[:end]
