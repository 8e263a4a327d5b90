"""A report beside the baselines: what ``llmrel baseline diff`` shows and ``accept`` records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_llmrel.baselines.provenance import difference
from pytest_llmrel.baselines.report import ReportedBaseline, ReportedTest, inside, read_report
from pytest_llmrel.baselines.store import Baselines, Change, read_baselines, record
from pytest_llmrel.cli.table import aligned
from pytest_llmrel.errors import BaselineError
from pytest_llmrel.reports.safe import clipped
from pytest_llmrel.stats.fisher import fisher_worse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pytest_llmrel.core.baseline import BaselineEntry, Batch

__all__ = ["Done", "accept", "compare"]

_HEADER = ("test", "baseline", "report", "points", "p (worse)", "remark")
_MOST_NAME, _MOST_REMARK = 100, 200


@dataclass(frozen=True, slots=True)
class Done:
    """What a command says, what it complains of, and its exit code."""

    lines: Sequence[str]
    problems: Sequence[str]
    code: int


def compare(report: Path, root: Path) -> Done:
    """Each test of a report against its baseline.

    Raises:
        BaselineError: the report or a whole baseline file cannot be used.
    """
    tests = read_report(report)
    files = _files(tests, root)
    rows = [_compared(test, files) for test in tests] + [*_only_remembered(tests, files)]
    problems = _problems(files)
    return Done(
        aligned(_HEADER, rows) if rows else ["no tests in this report"], problems, 2 if problems else 0
    )


def accept(report: Path, root: Path) -> Done:
    """Records the counts of a report; what they cannot be compared with, they replace.

    Raises:
        BaselineError: the report or anything in the baseline files cannot be used; nothing was recorded.
    """
    tests = read_report(report)
    before = _files(tests, root)
    if problems := _problems(before):
        raise BaselineError(*problems)
    undone: list[str] = []
    for file in before:
        here = [test.baseline for test in tests if test.baseline and test.baseline.file == file]
        undone += record(inside(root, file), [*_changes(here, before[file])])
    after = _files(tests, root)
    lines = [f"{clipped(test.nodeid, _MOST_NAME)}: {_accepted(test, before, after)}" for test in tests]
    complete = tests and all(_is_recorded(test.baseline, after) for test in tests)
    return Done(lines or ["no tests in this report"], undone, 0 if complete else 1)


def _files(tests: Sequence[ReportedTest], root: Path) -> Mapping[str, Baselines]:
    """The baseline files that the tests of a report have, by their name in it."""
    names = sorted({test.baseline.file for test in tests if test.baseline})
    found: dict[str, Baselines] = {}
    problems: list[str] = []
    for name in names:
        try:
            found[name] = read_baselines(inside(root, name))
        except BaselineError as error:
            problems += error.problems
    if problems:
        raise BaselineError(*problems)
    return found


def _problems(files: Mapping[str, Baselines]) -> list[str]:
    return [problem for file in files.values() for problem in file.problems.values()]


def _remembered(told: ReportedBaseline, file: Baselines) -> BaselineEntry | None:
    """The entry of a test, be it under its former name."""
    former = None if told.former is None else file.entries.get(told.former)
    return file.entries.get(told.entry, former)


def _compared(test: ReportedTest, files: Mapping[str, Baselines]) -> tuple[str, ...]:
    told = test.baseline
    name = clipped(test.nodeid, _MOST_NAME)
    if told is None:
        return (name, "", "", "", "", "run without a baseline")
    entry = _remembered(told, files[told.file])
    batch = told.batch
    old = "" if entry is None else _rate(entry.passed, entry.n)
    new = "" if batch is None else _rate(_passed(batch), batch.n)
    numbers = ("", "")
    if (
        entry is not None
        and batch is not None
        and batch.n
        and not difference(entry.provenance, told.provenance)
    ):
        numbers = _numbers(entry, batch)
    return (name, old, new, *numbers, clipped("; ".join(_remarks(told, files[told.file])), _MOST_REMARK))


def _numbers(entry: BaselineEntry, batch: Batch) -> tuple[str, str]:
    passed = _passed(batch)
    points = 100 * (passed / batch.n - entry.passed / entry.n)
    return f"{points:+.1f}", f"{fisher_worse(entry.passed, entry.n, passed, batch.n):.2g}"


def _remarks(told: ReportedBaseline, file: Baselines) -> Iterator[str]:
    entry = _remembered(told, file)
    if told.entry in file.problems:
        yield "damaged, see below"
    elif entry is None:
        yield "new"
    elif told.entry not in file.entries:
        yield f"renamed from {told.former}"
    if entry is not None and (differs := difference(entry.provenance, told.provenance)):
        yield f"not comparable ({differs})"
    if told.batch is None:
        yield f"no counts ({told.why_not or 'no reason given'})"


def _only_remembered(
    tests: Sequence[ReportedTest], files: Mapping[str, Baselines]
) -> Iterator[tuple[str, ...]]:
    for file, baselines in files.items():
        told = [test.baseline for test in tests if test.baseline and test.baseline.file == file]
        known = {name for baseline in told for name in (baseline.entry, baseline.former)}
        for name in sorted(baselines.entries.keys() - known):
            entry = baselines.entries[name]
            shown = clipped(f"{file}: {name}", _MOST_NAME)
            yield (shown, _rate(entry.passed, entry.n), "", "", "", "only in the baseline")


def _changes(told: Sequence[ReportedBaseline], file: Baselines) -> Iterator[Change]:
    for one in told:
        if one.batch is not None:
            yield Change(one.entry, one.content, one.provenance, one.batch, _replaced(one, file), one.former)


def _replaced(told: ReportedBaseline, file: Baselines) -> frozenset[str]:
    """The batches that the counts cannot be compared with."""
    entries = [file.entries[name] for name in (told.entry, told.former or told.entry) if name in file.entries]
    return frozenset(
        batch.id
        for entry in entries
        if difference(entry.provenance, told.provenance)
        for batch in entry.batches
    )


def _accepted(test: ReportedTest, before: Mapping[str, Baselines], after: Mapping[str, Baselines]) -> str:
    told = test.baseline
    if told is None or told.batch is None:
        reason = clipped(told.why_not, _MOST_REMARK) if told else "run without a baseline"
        return f"not recorded: {reason or 'no reason given'}"
    if not _is_recorded(told, after):
        return "not recorded, see below"
    if _is_recorded(told, before):
        return "already recorded"
    old = _remembered(told, before[told.file])
    counts = _rate(_passed(told.batch), told.batch.n)
    if old is None:
        return f"begun with {counts}"
    if differs := difference(old.provenance, told.provenance):
        return f"replaced by {counts}: {clipped(differs, _MOST_REMARK)}"
    new = after[told.file].entries[told.entry]
    return f"{counts} added, now {_rate(new.passed, new.n)}"


def _is_recorded(told: ReportedBaseline | None, files: Mapping[str, Baselines]) -> bool:
    if told is None or told.batch is None:
        return False
    entry = files[told.file].entries.get(told.entry)
    return entry is not None and told.batch.id in {batch.id for batch in entry.batches}


def _passed(batch: Batch) -> int:
    return sum(cell.passed for cell in batch.cells)


def _rate(passed: int, n: int) -> str:
    return f"{passed}/{n} ({100 * passed / n:.1f} %)" if n else "0/0"
