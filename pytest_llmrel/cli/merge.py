"""``llmrel merge``: the reports of all shards of a suite as one, judged as a whole."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_llmrel.cli.terminal import complain, say
from pytest_llmrel.errors import LlmrelError, ShardError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from pytest_llmrel.reports.merging import Merged

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the command."""
    parser.add_argument(
        "reports",
        metavar="REPORT",
        nargs="+",
        help="what pytest --llmrel-shard=i/n --llmrel-json=REPORT wrote",
    )
    parser.add_argument("--json", metavar="PATH", help="write the report of all shards together to PATH")


def run(namespace: argparse.Namespace) -> int:
    """Runs the command.

    Returns:
        0 if a single session would have passed, 1 if it would not have, 2 if the reports cannot be merged.
    """
    from importlib.metadata import version

    from pytest_llmrel.baselines.shardfile import read_shard_report
    from pytest_llmrel.reports.merging import merge

    reports = []
    problems: list[str] = []
    with _uncollected():
        for path in namespace.reports:
            try:
                reports.append(read_shard_report(Path(path), version("pytest-llmrel")))
            except ShardError as error:
                problems += error.problems
    try:
        if problems:
            raise ShardError(*problems)
        merged = merge(reports)
        if namespace.json is not None:
            _write(Path(namespace.json), merged)
    except LlmrelError as error:
        complain(*str(error).splitlines(), by="merge")
        return 2
    say(*_lines(merged))
    return int(merged.is_red)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Reading makes millions of objects and no cycles; looking for them takes longer than the reading."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _write(path: Path, merged: Merged) -> None:
    from pytest_llmrel.core.files import write_atomically
    from pytest_llmrel.reports.result import canonical

    try:
        write_atomically(path, canonical(merged.document))
    except OSError as error:
        raise ShardError(f"--json: {path} was not written: {error}") from None


def _lines(merged: Merged) -> Iterator[str]:
    """What a single session would have said."""
    from pytest_llmrel.reports.guards import guard_lines
    from pytest_llmrel.reports.overview import overview
    from pytest_llmrel.reports.safe import clipped
    from pytest_llmrel.reports.spending import spending_lines

    tests = merged.document["tests"]
    yield from (line for line, _ in overview(tests))
    yield from (line for line, _ in guard_lines(tests, merged.suite, merged.unused))
    yield from spending_lines(tests)
    yield from merged.notes
    yield from (f"failed: {clipped(nodeid, 200)}" for nodeid in merged.failed)
