"""What pytest finds by collecting, in a process of its own: entries and tapes that no test has any more."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_llmrel.errors import BaselineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_llmrel.baselines.report import EntryAddress

__all__ = ["unused_entries", "unused_tapes"]

_NOTHING_COLLECTED = 5
"""pytest's exit code when it found no test, which is no mistake where all have been removed."""


def unused_entries(arguments: Sequence[str]) -> list[EntryAddress]:
    """Entries of baselines that no test has.

    Raises:
        BaselineError: collecting failed.
    """
    from pytest_llmrel.baselines.report import read_unused

    with _collected(arguments) as report:
        return read_unused(report)


def unused_tapes(arguments: Sequence[str], root: Path) -> list[Path]:
    """Tapes that no test has, below ``root``.

    Raises:
        BaselineError: collecting failed, or the root is another one.
    """
    from pytest_llmrel.baselines.report import read_unused_tapes

    with _collected(arguments) as report:
        found = [root / file for file in read_unused_tapes(report)]
    if absent := [str(path) for path in found if not path.is_file()]:
        raise BaselineError(f"{absent[0]}: no such tape; is --root right? Nothing was removed")
    return found


@contextmanager
def _collected(arguments: Sequence[str]) -> Iterator[Path]:
    """The report of a session that only collects."""
    from pytest_llmrel.reports.safe import printable

    with tempfile.TemporaryDirectory(prefix="llmrel-") as folder:
        report = Path(folder, "collected.json")
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--llmrel-json", str(report)]
        ended = subprocess.run(  # noqa: S603 - the user's own arguments, and no shell
            [*command, *arguments], capture_output=True, check=False, text=True, errors="replace"
        )
        if ended.returncode not in {0, _NOTHING_COLLECTED}:
            for line in (*ended.stdout.splitlines(), *ended.stderr.splitlines()):
                sys.stdout.write(f"{printable(line)}\n")
            raise BaselineError(f"collecting failed (exit code {ended.returncode}); nothing was removed")
        if not report.exists():
            raise BaselineError(
                "no krun test was collected, or the plugin is switched off; nothing was removed"
            )
        yield report
