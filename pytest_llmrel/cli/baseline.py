"""``llmrel baseline``: shows, compares, accepts and cleans up what is remembered of tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_llmrel.baselines.place import FOLDER
from pytest_llmrel.cli.subcommands import Subcommands, add_collection
from pytest_llmrel.cli.table import aligned
from pytest_llmrel.cli.terminal import complain, perform, say
from pytest_llmrel.errors import BaselineError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from pytest_llmrel.core.baseline import BaselineEntry

__all__ = ["add_arguments", "run"]

_NOT_OURS = frozenset({"node_modules", "site-packages", "__pycache__"})
_HEADER = ("test", "passed", "rate", "cases", "wordings", "sessions", "newest", "provenance")
_MOST_NAME, _MOST_PROVENANCE = 100, 80


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the commands below the command."""
    command = Subcommands(parser).add
    show = command("show", "list what is remembered of each test", _show)
    show.add_argument("paths", metavar="PATH", nargs="*", default=["."], help="where to look (default: here)")
    for name, summary, act in (
        ("diff", "compare a report with the baselines", _diff),
        ("accept", "record the counts of a report, whatever they are", _accept),
    ):
        child = command(name, summary, act)
        child.add_argument("report", metavar="REPORT", help="what pytest --llmrel-json=REPORT wrote")
        _add_root(child)
    prune = command("prune", "remove entries that no test has", _prune)
    _add_root(prune)
    add_collection(prune)


def run(namespace: argparse.Namespace) -> int:
    """Runs the command; returns 0 if done, 1 if only in part, and 2 if something cannot be read."""
    return perform("baseline", namespace)


def _add_root(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--root", metavar="DIR", default=".", help="pytest's rootdir in that session (default: here)"
    )


def _diff(namespace: argparse.Namespace) -> int:
    from pytest_llmrel.cli.baseline_report import compare

    done = compare(Path(namespace.report), Path(namespace.root))
    say(*done.lines)
    complain(*done.problems, by="baseline")
    return done.code


def _accept(namespace: argparse.Namespace) -> int:
    from pytest_llmrel.cli.baseline_report import accept

    done = accept(Path(namespace.report), Path(namespace.root))
    say(*done.lines)
    complain(*done.problems, by="baseline")
    return done.code


def _show(namespace: argparse.Namespace) -> int:
    from pytest_llmrel.baselines.store import read_baselines

    rows: list[tuple[str, ...]] = []
    problems: list[str] = []
    for path in sorted({path for place in namespace.paths for path in _files(Path(place))}):
        try:
            found = read_baselines(path)
        except BaselineError as error:
            problems += error.problems
            continue
        rows += [_row(path, name, entry) for name, entry in sorted(found.entries.items())]
        problems += found.problems.values()
    if rows:
        say(*aligned(_HEADER, rows))
    elif not problems:
        say("no baselines here; record some with: pytest --llmrel-baseline=new")
    complain(*problems, by="baseline")
    return 2 if problems else 0


def _files(place: Path) -> Iterator[Path]:
    """The baseline files at a place and below it; not those of installed packages."""
    if place.is_file():
        yield place
    elif not place.is_dir():
        raise BaselineError(f"{place}: no such file or folder")
    elif place.resolve().name == FOLDER:
        yield from place.glob("*.json")
    for folder, below, _ in os.walk(place):
        if FOLDER in below:
            yield from Path(folder, FOLDER).glob("*.json")
        below[:] = [name for name in below if name != FOLDER and not _is_foreign(Path(folder, name))]


def _is_foreign(folder: Path) -> bool:
    return folder.name.startswith(".") or folder.name in _NOT_OURS or (folder / "pyvenv.cfg").exists()


def _row(path: Path, name: str, entry: BaselineEntry) -> tuple[str, ...]:
    from pytest_llmrel.reports.safe import clipped

    module = path.parent.parent / f"{path.stem}.py"
    cases, wordings = (len({getattr(cell, kind) for cell in entry.cells}) for kind in ("case", "variant"))
    provenance = ", ".join(f"{key}={value}" for key, value in sorted(entry.provenance.items()))
    return (
        clipped(f"{module.as_posix()}::{name}", _MOST_NAME),
        f"{entry.passed}/{entry.n}",
        f"{100 * entry.passed / entry.n:.1f} %",
        str(cases) if cases > 1 else "",
        str(wordings) if wordings > 1 else "",
        str(len(entry.batches)),
        max(batch.recorded for batch in entry.batches)[:10],
        clipped(provenance, _MOST_PROVENANCE),
    )


def _prune(namespace: argparse.Namespace) -> int:
    from pytest_llmrel.baselines.report import inside
    from pytest_llmrel.baselines.store import prune
    from pytest_llmrel.cli.collected import unused_entries

    unused: dict[str, set[str]] = {}
    for address in unused_entries(namespace.arguments):
        unused.setdefault(address.file, set()).add(address.entry)
    if not unused:
        say("no unused entries")
    files = {file: inside(Path(namespace.root), file) for file in sorted(unused)}
    if namespace.dry_run:
        say(*(f"would remove {_at(file, name)}" for file in files for name in sorted(unused[file])))
        return 0
    absent: list[str] = []
    for file, path in files.items():
        removed = prune(path, unused[file])
        say(*(f"removed {_at(file, name)}" for name in removed))
        absent += [_at(file, name) for name in sorted(unused[file].difference(removed))]
    complain(*(f"{place}: no such entry; is --root right?" for place in absent), by="baseline")
    return 1 if absent else 0


def _at(file: str, name: str) -> str:
    from pytest_llmrel.reports.safe import clipped

    return clipped(f"{file}: {name}", _MOST_NAME)
