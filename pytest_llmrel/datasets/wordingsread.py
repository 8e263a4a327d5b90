"""Reads a paraphrase file with suspicion, and reports every mistake in it at once."""

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pytest_llmrel.core.seed import variant_key
from pytest_llmrel.datasets.wordings import Wording, Wordings, comparable
from pytest_llmrel.datasets.wordingslines import Places, places_in
from pytest_llmrel.errors import WordingsError

__all__ = ["parse_wordings", "read_wordings"]

_MOST_BYTES: Final = 4 * 1024 * 1024
_MOST_SHOWN: Final = 60
_MOST_PROBLEMS: Final = 100
_TOP: Final = ("primary", "hash", "wording")
_KEYS: Final = ("text", "origin", "reviewed")
_POSITION: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_CONFLICT: Final = re.compile(r"^(?:<{7} |>{7} |\|{7} |={7}$)", re.MULTILINE)


def read_wordings(path: Path, *, for_review: bool = False) -> Wordings:
    """The wordings in a paraphrase file; those that run are its ``reviewed`` ones.

    Args:
        path: a TOML file of at most 4 MiB.
        for_review: a stale or missing hash is no mistake; then no wording counts as reviewed.

    Raises:
        WordingsError: it cannot be read, or has mistakes; all of them are named, with file and line.
    """
    return parse_wordings(path, _bytes_of(path), for_review=for_review)


def parse_wordings(path: Path, data: bytes, *, for_review: bool = False) -> Wordings:
    """The same from the bytes of the file.

    Raises:
        WordingsError: they have mistakes; all of them are named, with file and line.
    """
    text = _text(path, data)
    document = _document(path, text)
    places = places_in(text)
    problems: list[str] = []
    tables = _tables(path, document, places, problems)
    wordings = tuple(_wording(path, *table, problems) for table in tables)
    primary = _primary(path, document, places, problems)
    _check_alike(path, primary, wordings, places.keys.get("primary", 0), problems)
    stale = _stale(path, document, primary, places, problems)
    if stale is not None and not for_review:
        problems.append(_stale_problem(path, stale, places))
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        rest = [f"{path}: {more} more mistakes"] if more > 0 else []
        raise WordingsError(*problems[:_MOST_PROBLEMS], *rest)
    if stale is not None:
        wordings = tuple(replace(wording, reviewed=False) for wording in wordings)
    return Wordings(path, primary, wordings, stale, places.head)


def _bytes_of(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise WordingsError(f"{path}: not a regular file; name a paraphrase file")
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise WordingsError(
            f"{path}: no such file; begin one with 'llmrel paraphrase generate FILE --model M --primary TEXT'"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise WordingsError(f"{path}: cannot be read ({reason}); check path and permissions") from error
    if len(data) > _MOST_BYTES:
        raise WordingsError(f"{path}: larger than {_MOST_BYTES // 2**20} MiB; is it a paraphrase file?")
    return data


def _text(path: Path, data: bytes) -> str:
    try:
        # Editors on Windows begin a file with a byte order mark, which TOML does not know.
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise WordingsError(
            f"{path}:{line}: not UTF-8 (byte {error.start}); save the file as UTF-8"
        ) from None


def _document(path: Path, text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        said = "nested too deeply" if isinstance(error, RecursionError) else str(error)
    conflict = _CONFLICT.search(text)
    if conflict:
        line = text.count("\n", 0, conflict.start()) + 1
        raise WordingsError(f"{path}:{line}: the marker of a merge conflict; resolve it")
    found = _POSITION.search(said)
    what = said[: found.start()] if found else said
    line = text.rstrip("\n").count("\n") + 1
    place = f"{path}:{line}: "
    if found and found[1]:
        place = f"{path}:{found[1]}: column {found[2]}: "
    raise WordingsError(f"{place}no valid TOML ({what[:200]}); correct it")


def _tables(
    path: Path, document: Mapping[str, Any], places: Places, problems: list[str]
) -> list[tuple[Mapping[str, Any], int, str]]:
    """Every table of a wording with its line and the remark above it."""
    problems += [
        f"{_at(path, places.keys.get(key, 0))}: unknown key {_shown(key)}{_meant(key, _TOP)}"
        for key in document
        if key not in _TOP
    ]
    tables = document.get("wording", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        line = next(iter(places.tables), places.keys.get("wording", 0))
        problems.append(f"{_at(path, line)}: 'wording' must be tables; write [[wording]] above each of them")
        return []
    if len(places.tables) != len(tables):  # written in another way, such as in one line
        return [(table, places.keys.get("wording", 0), "") for table in tables]
    return list(zip(tables, places.tables, places.remarks, strict=True))


def _wording(path: Path, table: Mapping[str, Any], line: int, remark: str, problems: list[str]) -> Wording:
    place = _at(path, line)
    problems += [
        f"{place}: unknown key {_shown(key)} of a wording{_meant(key, _KEYS)}"
        for key in table
        if key not in _KEYS
    ]
    text = _string(place, table, "text", problems)
    origin = _string(place, {"origin": "written"} | dict(table), "origin", problems)
    reviewed = table.get("reviewed", False)
    if not isinstance(reviewed, bool):
        problems.append(f"{place}: 'reviewed' must be true or false, and is {_shown(reviewed)}")
    return Wording(text, origin, reviewed is True, line, remark)


def _primary(path: Path, document: Mapping[str, Any], places: Places, problems: list[str]) -> str:
    return _string(_at(path, places.keys.get("primary", 1)), document, "primary", problems)


def _string(place: str, table: Mapping[str, Any], key: str, problems: list[str]) -> str:
    if key not in table:
        problems.append(f"{place}: '{key}' is missing; write {key} = \"...\"")
        return ""
    value = table[key]
    if not isinstance(value, str):
        problems.append(f"{place}: '{key}' must be text in quotes, and is {_shown(value)}")
        return ""
    if not value.strip():
        problems.append(f"{place}: '{key}' is empty; fill it in or remove it")
    return value


def _check_alike(
    path: Path, primary: str, wordings: Sequence[Wording], primary_line: int, problems: list[str]
) -> None:
    seen = {comparable(primary): f"the primary wording{_of_line(primary_line)}"}
    for wording in wordings:
        if not wording.text.strip():
            continue
        same = comparable(wording.text)
        if same in seen:
            problems.append(f"{_at(path, wording.line)}: the same text as {seen[same]}; remove one of them")
        else:
            seen[same] = f"the wording{_of_line(wording.line)}"


def _stale(
    path: Path, document: Mapping[str, Any], primary: str, places: Places, problems: list[str]
) -> str | None:
    written = document.get("hash", "")
    if not isinstance(written, str):
        place = _at(path, places.keys.get("hash", 0))
        problems.append(f"{place}: 'hash' must be text in quotes, and is {_shown(written)}")
        return None
    return None if not primary.strip() or written == variant_key(primary) else written


def _stale_problem(path: Path, stale: str, places: Places) -> str:
    why = (
        "the primary wording was changed after its wordings were reviewed; review them again"
        if stale
        else "there is no hash of the primary wording, so its wordings were never reviewed; review them"
    )
    line = places.keys.get("hash", places.keys.get("primary", 0))
    return f"{_at(path, line)}: {why} with 'llmrel paraphrase review {path}'"


def _at(path: Path, line: int) -> str:
    return f"{path}:{line}" if line else str(path)


def _of_line(line: int) -> str:
    return f" of line {line}" if line else " above"


def _meant(key: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(key[:_MOST_SHOWN], known, 1)
    return f"; did you mean '{close[0]}'?" if close else f"; remove it (there are {', '.join(known)})"


def _shown(value: object) -> str:
    """A value from the file, short and without anything that moves the cursor."""
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    # Cut before it is spelled out: a number of a million digits, or a text of as many, takes its time.
    short = value[:_MOST_SHOWN] if isinstance(value, str) else value
    try:
        text = ascii(short)
    except ValueError:
        return "a very large number"
    cut = len(text) > _MOST_SHOWN or (isinstance(value, str) and len(value) > _MOST_SHOWN)
    return f"{text[: _MOST_SHOWN - 1]}…" if cut else text
