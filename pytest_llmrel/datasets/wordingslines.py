"""Where things stand in a paraphrase file: the parser of the standard library gives values without lines."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["Places", "places_in"]

_TOKEN: Final = re.compile(
    r"""
      ^[ \t]*\[{1,2}[ \t]*(?P<table>wording|"wording"|'wording')[ \t]*\]{1,2}
    | ^[ \t]*(?P<quote>["']?)(?P<key>[A-Za-z0-9_-]+)(?P=quote)[ \t]*=
    | ^[ \t]*(?P<remark>\#[^\n]*)
    | (?P<aside>\#[^\n]*)
    | \"{3} (?: [^"\\]++ | \\. | "{1,2}(?!") )*+ "{3,5}
    | '{3} (?: [^']++ | '{1,2}(?!') )*+ '{3,5}
    | " (?: [^"\\\n]++ | \\. )*+ "
    | ' [^'\n]*+ '
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
"""What may look like something else, or hide it: tables, keys, comments, and the four kinds of strings."""


@dataclass(frozen=True, slots=True)
class Places:
    """Lines of a paraphrase file, counted from 1.

    Attributes:
        keys: of the keys above the first table.
        tables: of the ``[[wording]]`` tables, in order.
        remarks: the comment lines between each of these tables and what stands before it.
        head: everything above the first key.
    """

    keys: Mapping[str, int]
    tables: tuple[int, ...]
    remarks: tuple[str, ...]
    head: str


def places_in(text: str) -> Places:
    """Finds them in a valid TOML document whose lines end in a line feed alone."""
    keys: dict[str, int] = {}
    tables: dict[int, str] = {}
    comments: list[str] = []
    line, last, head = 1, 0, None
    for token in _TOKEN.finditer(text):
        if token["remark"] or token["aside"]:
            comments += [token["remark"]] if token["remark"] else []
            continue
        line, last = line + text.count("\n", last, token.start()), token.start()
        head = last if head is None else head
        if token["table"]:
            tables[line] = "\n".join(comments)
        elif token["key"] and not tables:
            keys.setdefault(token["key"], line)
        comments.clear()
    return Places(keys, tuple(tables), tuple(tables.values()), text[: head or 0])
