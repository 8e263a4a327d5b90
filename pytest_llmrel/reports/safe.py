"""Makes untrusted text fit for a terminal: model output may carry escape sequences and be endless."""

import unicodedata

__all__ = ["clipped", "printable"]

_KEPT = frozenset("\n\t")
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories that can move the cursor, reverse the text or hide it."""


def printable(text: str) -> str:
    """The same text with every control and formatting character spelled out, as in a Python literal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in _KEPT or unicodedata.category(c) not in _UNSAFE else _spelled(c) for c in text)


def clipped(text: str, most: int) -> str:
    """At most ``most`` characters on one line, printable."""
    head = text[: most * 4]
    line = " ".join(printable(head).split())
    complete = len(head) == len(text) and len(line) <= most
    return line if complete else line[: most - 1] + "…"


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
