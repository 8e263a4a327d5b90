"""``llmrel tape``: what is on the tapes, whether any of it is wrong or secret, and which nobody needs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_llmrel.cli.subcommands import Subcommands, add_collection
from pytest_llmrel.cli.terminal import complain, perform, say
from pytest_llmrel.errors import TapeError

if TYPE_CHECKING:
    import argparse

    from pytest_llmrel.wire.tape import Tape

__all__ = ["add_arguments", "run"]

_REVOKE = "revoke it, delete the tape, name it by the hook pytest_llmrel_redact and record anew"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    command = Subcommands(parser).add
    for name, summary, act in (
        ("list", "list the tapes: runs, calls, models", _list),
        ("lint", "look for damage and for secrets on the tapes; exit code 1 if there is any", _lint),
    ):
        command(name, summary, act).add_argument(
            "folder", metavar="FOLDER", nargs="?", default=".", help="where to look (default: here)"
        )
    prune = command("prune", "remove tapes that no test has", _prune)
    prune.add_argument("--root", metavar="DIR", default=".", help="pytest's rootdir (default: here)")
    add_collection(prune)


def run(namespace: argparse.Namespace) -> int:
    """Runs the command; returns 0 if all is well, 1 if something was found, and 2 if it cannot be done."""
    return perform("tape", namespace)


def _list(namespace: argparse.Namespace) -> int:
    from pytest_llmrel.cli.table import aligned

    rows: list[tuple[str, ...]] = []
    problems: list[str] = []
    for path in _tapes(namespace.folder):
        try:
            rows.append(_row(path, _read(path)))
        except TapeError as error:
            problems += error.problems
    say(*aligned(("tape", "runs", "calls", "bytes", "models"), rows) if rows else ["no tapes"])
    complain(*problems)
    return 1 if problems else 0


def _row(path: Path, tape: Tape) -> tuple[str, ...]:
    calls = [call for track in tape.tracks.values() for call in track.calls]
    models = Counter(call.request.get("body.model", "") for call in calls)
    named = ", ".join(sorted(model for model in models if model))
    return str(path), str(len(tape.tracks)), str(len(calls)), str(path.stat().st_size), named


def _lint(namespace: argparse.Namespace) -> int:
    from pytest_llmrel.wire.redaction import secrets_in

    problems: list[str] = []
    tapes = _tapes(namespace.folder)
    for path in tapes:
        try:
            _read(path)
        except TapeError as error:
            problems += error.problems
        text = path.read_text("utf-8", "replace")
        problems += [
            f"{path}:{found.line}: {found.kind} ({found.preview}); {_REVOKE}" for found in secrets_in(text)
        ]
    complain(*problems)
    say(f"{len(tapes)} tapes, {len(problems) or 'no'} problems")
    return 1 if problems else 0


def _prune(namespace: argparse.Namespace) -> int:
    from pytest_llmrel.cli.collected import unused_tapes

    root = Path(namespace.root)
    unused = unused_tapes(namespace.arguments, root)
    for path in unused:
        if not namespace.dry_run:
            path.unlink(missing_ok=True)
            _remove_empty(path.parent)
        say(f"{'would remove' if namespace.dry_run else 'removed'} {path}")
    if not unused:
        say("no unused tapes")
    return 0


def _remove_empty(folder: Path) -> None:
    for empty in (folder, folder.parent):
        if any(empty.iterdir()):
            return
        empty.rmdir()


def _tapes(folder: str) -> list[Path]:
    from pytest_llmrel.wire.tapeplace import tapes_below

    if not Path(folder).is_dir():
        raise TapeError(f"{folder}: no such folder")
    return tapes_below(Path(folder))


def _read(path: Path) -> Tape:
    from pytest_llmrel.wire.tapefile import read_tape

    tape = read_tape(path)
    if tape is None:
        raise TapeError(f"{path}: it is gone")
    return tape
