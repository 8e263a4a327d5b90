"""Texts as they are compared: without case, punctuation around words, and what else makes no difference."""

import re
import unicodedata
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, Final

__all__ = ["key_of", "texts_in", "words_of"]

_AROUND: Final = ".,;:!?…\"'`()[]{}¿¡«»„“”‚‘’‹›。、"  # noqa: RUF001 - typographic marks are meant
_LONG: Final = 200
_SCRIPT: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD: Final = re.compile(f"[{_SCRIPT}]|[^{_SCRIPT}]+")
"""Japanese and Chinese are written without spaces: each of their characters counts as a word."""


def words_of(text: str) -> list[str]:
    """The words of a text: compatibility forms (NFKC), case and punctuation around words make no difference.

    Marks within words, and signs such as ``+``, ``-``, ``#`` and ``%``, do: "C++" is not "C#", nor "-5" "5".
    """
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")  # noqa: RUF001
    stripped = (word.strip(_AROUND) for word in plain.split())
    return [part for word in stripped if word for part in _WORD.findall(word)]


def texts_in(value: Any) -> Iterator[str]:
    """All texts in a value, such as a list of messages; numbers and the like as they are written."""
    if isinstance(value, dict):
        for part in value.values():
            yield from texts_in(part)
    elif isinstance(value, list | tuple | set):
        for part in value:
            yield from texts_in(part)
    elif value is not None:
        yield value if isinstance(value, str) else str(value)


def key_of(value: Any) -> str:
    """The same for values whose texts have the same words; ``""`` for one without words, and never long."""
    joined = " ".join(word for text in texts_in(value) for word in words_of(text))
    if len(joined) <= _LONG:
        return joined
    return blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
