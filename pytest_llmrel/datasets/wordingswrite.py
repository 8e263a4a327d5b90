"""Writes paraphrase files in one way only, so that their diffs show what was changed and nothing else."""

import unicodedata
from pathlib import Path
from typing import Final

from pytest_llmrel.core.files import write_atomically
from pytest_llmrel.core.seed import variant_key
from pytest_llmrel.datasets.wordings import Wording, Wordings, comparable, refusal
from pytest_llmrel.datasets.wordingsread import parse_wordings, read_wordings
from pytest_llmrel.errors import WordingsError

__all__ = ["append_wording", "rendered", "write_wordings"]

_HEAD: Final = "# Wordings of one request. Only reviewed ones run.\n"
_HASH_REMARK: Final = "# of the primary wording: when it changes, the wordings must be reviewed again"
_SHORT: Final = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_HIDDEN: Final = frozenset({"Cc", "Cf", "Co", "Zl", "Zp", "Zs"})
"""Unicode categories that nobody sees in a diff, or that change what is seen of others; a space apart."""


def write_wordings(path: Path, wordings: Wordings) -> None:
    """Replace the file, all or nothing, with the hash of the primary wording as it is now.

    Comments at the head of the file and directly above a wording are kept if they were read with it.
    One writer at a time: what somebody else wrote since the file was read is lost.

    Raises:
        WordingsError: it would be no valid paraphrase file, or cannot be written; nothing is changed.
    """
    text = rendered(wordings)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise WordingsError(f"{path}: a wording has halves of characters (surrogates); remove it") from None
    parse_wordings(path, data)
    try:
        write_atomically(path, text)
    except OSError as error:
        raise WordingsError(f"{path}: cannot be written ({error.strerror or error})") from error


def append_wording(path: Path, text: str, origin: str, *, primary: str | None = None) -> bool:
    """Add a wording that nobody has reviewed yet; ``False`` if it is there already.

    Args:
        path: a paraphrase file, begun if there is none.
        text: the wording.
        origin: where it comes from, such as ``hunted (typos)``.
        primary: the primary wording that it belongs to; needed to begin a file, else compared.

    Raises:
        WordingsError: the file cannot be read or written, is stale, has another primary wording, or there
            is none and ``primary`` was not given; or the text can be no wording. Nothing is changed then.
    """
    begins = primary is not None and not path.exists()
    known = Wordings(path, primary or "") if begins else read_wordings(path)
    if primary is not None and primary != known.primary:
        raise WordingsError(
            f"{path}: these are the wordings of {known.primary[:60]!r}, not of {primary[:60]!r}; "
            "name another file"
        )
    if comparable(text) in {comparable(wording.text) for wording in known.wordings}:
        return False
    reason = refusal(text, known)
    if reason:
        raise WordingsError(f"{path}: {text[:60]!r} cannot be added: {reason}")
    write_wordings(path, known.adding(Wording(text, origin)))
    return True


def rendered(wordings: Wordings) -> str:
    """The text of the file."""
    head = _HEAD if wordings.head is None else wordings.head
    tables = "".join(f"\n{_table(wording)}" for wording in wordings.wordings)
    primary = wordings.primary
    return f'{head}primary = {_quoted(primary)}\nhash = "{variant_key(primary)}"  {_HASH_REMARK}\n{tables}'


def _table(wording: Wording) -> str:
    remark = f"{wording.remark}\n" if wording.remark else ""
    return (
        f"{remark}[[wording]]\n"
        f"text = {_quoted(wording.text)}\n"
        f"origin = {_quoted(wording.origin)}\n"
        f"reviewed = {'true' if wording.reviewed else 'false'}\n"
    )


def _quoted(text: str) -> str:
    """A basic string of TOML on one line."""
    return f'"{"".join(map(_spelled, text))}"'


def _spelled(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if character == " " or unicodedata.category(character) not in _HIDDEN:
        return character
    number = ord(character)
    return f"\\u{number:04X}" if number <= 0xFFFF else f"\\U{number:08X}"  # noqa: PLR2004  # TOML: four digits or eight
