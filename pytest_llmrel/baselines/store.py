"""Baseline files beside the test modules: read with suspicion, changed under a lock, written atomically."""

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from pytest_llmrel.baselines.document import canonical, is_text, parse, shown
from pytest_llmrel.baselines.lock import locked
from pytest_llmrel.baselines.provenance import difference
from pytest_llmrel.baselines.schema import SCHEMA, EntryRecord, entry_data, sentences
from pytest_llmrel.core.baseline import WINDOW, BaselineEntry, Batch
from pytest_llmrel.core.files import write_atomically
from pytest_llmrel.errors import BaselineError

__all__ = ["Baselines", "Change", "prune", "read_baselines", "record"]

_RESTORE_ENTRY: Final = "restore it from version control, or remove the entry"
_RESTORE_FILE: Final = "restore it from version control, or delete it and record anew"


@dataclass(frozen=True, slots=True)
class Baselines:
    """What a baseline file holds.

    Attributes:
        entries: by name of the test within its module.
        problems: name -> what is wrong with that entry; it is not among ``entries``.
    """

    entries: Mapping[str, BaselineEntry] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """What one session does to one entry.

    Attributes:
        name: of the entry.
        content: hash of what the test does now.
        provenance: under which the batch was run.
        batch: to be appended.
        replaces: ids of batches that are removed; a reset names those it has seen.
        former: name of the entry that becomes this one, of a renamed test.
    """

    name: str
    content: str
    provenance: Mapping[str, str]
    batch: Batch
    replaces: frozenset[str] = frozenset()
    former: str | None = None


def read_baselines(path: Path) -> Baselines:
    """What a file holds; nothing, if there is none.

    Raises:
        BaselineError: the file as a whole cannot be used.
    """
    entries: dict[str, BaselineEntry] = {}
    problems: dict[str, str] = {}
    for name, data in _tests(path).items():
        try:
            entries[name] = _entry(name, data)
        except ValueError as error:
            problems[name] = f"{_about(path, name)}: {error}; {_RESTORE_ENTRY}"
    return Baselines(entries, problems)


def record(path: Path, changes: Sequence[Change]) -> list[str]:
    """Applies the changes to the file as it is now, each all or nothing.

    Returns:
        A sentence for each change that was not made: why, and what to do.

    Raises:
        BaselineError: the file or an entry of it is damaged, or it cannot be written; it is as it was.
    """
    undone: list[str] = []
    with _lock(path):
        before = _sound(path).entries
        entries = dict(before)
        for change in changes:
            try:
                _apply(entries, change)
            except ValueError as error:
                undone.append(f"{_about(path, change.name)}: not recorded: {error}")
        if entries != before:
            _write(path, entries)
    return undone


def prune(path: Path, names: Iterable[str]) -> list[str]:
    """Removes entries; the file when nothing is left of it, and then its folder.

    Returns:
        The names of those that were there, sorted.

    Raises:
        BaselineError: the file or another entry of it is damaged, or it cannot be written; it is as it was.
    """
    wanted = frozenset(names)
    with _lock(path):
        before = _sound(path, despite=wanted)
        removed = sorted(wanted & (before.entries.keys() | before.problems.keys()))
        if removed:
            _write(path, {name: entry for name, entry in before.entries.items() if name not in wanted})
    return removed


def _tests(path: Path) -> Mapping[str, Any]:
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for, for ever
            raise BaselineError(f"{path}: not a regular file; move it away")
        document = parse(path.read_bytes(), _RESTORE_FILE)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BaselineError(
            f"{path}: cannot be read ({error.strerror or error}); check its permissions"
        ) from error
    except ValueError as error:
        raise BaselineError(f"{path}: {error}") from None
    return _checked(path, document)


def _checked(path: Path, document: Any) -> Mapping[str, Any]:
    schema = document.get("schema") if isinstance(document, dict) else None
    if type(schema) is int and schema > SCHEMA:
        raise BaselineError(
            f"{path}: written by a newer pytest_llmrel (schema {shown(schema)}, this one knows {SCHEMA}); "
            "upgrade pytest_llmrel"
        )
    is_ours = type(schema) is int and schema == SCHEMA and document.keys() == {"schema", "tests"}
    if not is_ours or not isinstance(document["tests"], dict):
        raise BaselineError(
            f'{path}: not a baseline file: {{"schema": {SCHEMA}, "tests": {{...}}}} and no other key; '
            f"{_RESTORE_FILE}"
        )
    tests: Mapping[str, Any] = document["tests"]
    return tests


def _entry(name: str, data: Any) -> BaselineEntry:
    """The entry that the data stand for; ``ValueError`` with all that is wrong."""
    if not is_text(name):
        raise ValueError("its name holds halves of characters")
    try:
        entry = EntryRecord.model_validate(data).value()
    except ValidationError as error:
        raise ValueError("; ".join(sentences(error))) from None
    empty = [str(number) for number, batch in enumerate(entry.batches, 1) if not batch.n]
    if empty:
        raise ValueError(f"batch {', '.join(empty)}: no runs")
    return entry


def _about(path: Path, name: str) -> str:
    return f"{path}: entry {shown(name)}"


def _lock(path: Path) -> contextlib.AbstractContextManager[None]:
    # Not the folder of the file, which goes with the last file in it while others wait for the lock.
    # And not Path.resolve(), which raises at links in a circle, in some versions of Python.
    return locked(Path(os.path.realpath(path)).parent.parent)


def _sound(path: Path, despite: frozenset[str] = frozenset()) -> Baselines:
    """What a file holds, of which nothing would be lost by writing it again, except what is named."""
    found = read_baselines(path)
    if damaged := [problem for name, problem in found.problems.items() if name not in despite]:
        raise BaselineError(*damaged)
    return found


def _write(path: Path, entries: Mapping[str, BaselineEntry]) -> None:
    tests = {name: entry_data(entry) for name, entry in entries.items()}
    try:
        if tests:
            write_atomically(path, canonical({"schema": SCHEMA, "tests": tests}))
            return
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it holds something else
            path.parent.rmdir()
    except OSError as error:
        raise BaselineError(
            f"{path}: cannot be written ({error.strerror or error}); nothing was recorded"
        ) from error


def _apply(entries: dict[str, BaselineEntry], change: Change) -> None:
    """Makes one change; ``ValueError`` if it cannot be made."""
    if not change.batch.n:
        raise ValueError("no run of this session counts")
    kept: list[Batch] = []
    for name in dict.fromkeys((change.former, change.name)):
        entry = None if name is None else entries.get(name)
        remaining = [batch for batch in entry.batches if batch.id not in change.replaces] if entry else []
        if entry and remaining and (differs := difference(entry.provenance, change.provenance)):
            raise ValueError(f"not comparable: {differs}; start anew with --llmrel-baseline=reset")
        kept += remaining
    batches = {batch.id: batch for batch in kept}
    batches.setdefault(change.batch.id, change.batch)
    entry = BaselineEntry(change.content, dict(change.provenance), _windowed([*batches.values()]))
    _entry(change.name, entry_data(entry))
    if change.former is not None:
        entries.pop(change.former, None)
    entries[change.name] = entry


def _windowed(batches: Sequence[Batch]) -> tuple[Batch, ...]:
    """Without the oldest ones that are more than the window holds; the newest is always kept."""
    total, first = sum(batch.n for batch in batches), 0
    while total > WINDOW and first < len(batches) - 1:
        total -= batches[first].n
        first += 1
    return tuple(batches[first:])
