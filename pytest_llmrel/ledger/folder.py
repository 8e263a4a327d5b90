"""The folder of a ledger: one file for every process that ran tests, and one session at a time."""

import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from pytest_llmrel.errors import LedgerError
from pytest_llmrel.ledger.journal import Journal
from pytest_llmrel.ledger.lines import VERSION
from pytest_llmrel.ledger.lock import alone_in, is_held

__all__ = ["begin", "forget", "former_files"]

_NAME: Final = re.compile(r"runs-(?P<part>[0-9]{4,})-(?P<session>[0-9a-z]+)-(?P<worker>[0-9A-Za-z_]+)\.jsonl")


def begin(folder: Path, session: str, worker: str) -> tuple[Journal, list[Path]]:
    """Open the file of this process.

    Args:
        folder: made if it does not exist.
        session: letters and digits that all processes of this session share.
        worker: letters, digits and ``_`` that only this one has.

    Returns:
        The file, and those that former sessions have left, the oldest first.

    Raises:
        LedgerError: another session is writing there.
        OSError: nothing can be written there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder):
        former = former_files(folder, session)
        _check_free(folder, former)
        part = 1 + max(map(_part, former), default=0)
        head = {"ledger": VERSION, "pytest_llmrel": version("pytest-llmrel"), "session": session}
        return Journal(folder / f"runs-{part:04}-{session}-{worker}.jsonl", head), former


def former_files(folder: Path, session: str) -> list[Path]:
    """The files of other sessions than this one, the oldest first; none where there is no folder."""
    try:
        names = [match for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]
    except OSError:
        return []
    former = [folder / match[0] for match in names if match["session"] != session]
    return sorted(former, key=lambda path: (_part(path), path.name))


def forget(files: Sequence[Path]) -> None:
    """Remove the files of sessions that nobody is going to resume.

    Raises:
        OSError: one cannot be removed.
    """
    for path in files:
        path.unlink(missing_ok=True)


def _check_free(folder: Path, former: Sequence[Path]) -> None:
    for path in former:
        if is_held(path):
            raise LedgerError(
                f"{folder}: another pytest session is writing its runs there; wait for it or end it, or give "
                "this session a cache folder of its own (-o cache_dir=PATH) or none (-p no:cacheprovider)"
            )


def _part(path: Path) -> int:
    return int(path.name.split("-")[1])
