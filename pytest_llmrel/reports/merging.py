"""The reports of all shards of a suite as the one report that a single session would have written."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pytest_llmrel.baselines.shardfile import ShardReport
from pytest_llmrel.core.shard import Shard
from pytest_llmrel.errors import ShardError
from pytest_llmrel.reports.guards import compared_strata
from pytest_llmrel.reports.recounted import recounted
from pytest_llmrel.reports.result import Result, session_document, suite_entry
from pytest_llmrel.reports.safe import clipped
from pytest_llmrel.reports.spending import session_totals
from pytest_llmrel.verdict.regression import Rule, Suite, judge_suite

__all__ = ["Merged", "merge"]

_MOST_NAMED: Final = 3
_MOST_NAME: Final = 110
_ONE_COMMIT: Final = "run all shards of one commit with the same arguments"
_SAME: Final = {
    "count": f"the number of shards differs; {_ONE_COMMIT}",
    "selection": "other tests, or other code, data or provenance (model, prompt, dataset, judge) of them; "
    f"{_ONE_COMMIT}",
    "settings": f"other options or baselines; {_ONE_COMMIT}",
    "rule": f"another rule of regression; {_ONE_COMMIT}",
    "tests": f"another number of tests; {_ONE_COMMIT}",
}
"""What must be the same in all shards, and what it means if it is not."""


@dataclass(frozen=True, slots=True)
class Merged:
    """All shards together.

    Attributes:
        document: of schema 1, as a single session would have written it.
        suite: the judgement on all tests, ``None`` if none was compared with a baseline.
        unused: ``(file, entry)`` of the baselines that no test has.
        failed: node ids of the tests that failed in their shards, sorted; of other tests than krun's, too.
        notes: what a reader has to know of how they were run.
    """

    document: Mapping[str, Any]
    suite: Suite | None
    unused: tuple[tuple[str, str], ...]
    failed: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def is_red(self) -> bool:
        """Whether a single session would have failed."""
        return bool(self.failed) or (self.suite is not None and self.suite.status == "FAIL")


def merge(reports: Sequence[ShardReport]) -> Merged:
    """Put shards together, and judge all tests once more, from their counts.

    Args:
        reports: of every shard, in any order; at least one.

    Raises:
        ShardError: they do not belong together, are not complete, or contradict themselves.
    """
    reports = sorted(reports, key=lambda report: (report.shard["index"], report.name))
    if problems := [*_strangers(reports)] or [*_gaps(reports)]:
        raise ShardError(*problems)
    results, alpha = _results(reports), reports[0].shard["rule"]["alpha"]
    compared = compared_strata(results.values())
    suite = judge_suite(compared, alpha) if compared else None
    unused = {(each["file"], each["entry"]): None for one in reports for each in one.suite["unused"]}
    tapes = dict.fromkeys(file for report in reports for file in report.suite["unused_tapes"])
    entry = suite_entry(suite, list(unused), list(tapes)) | session_totals(
        results[name] for name in sorted(results)
    )
    provenance = {name: ", ".join(values) for name, values in _provenance(reports).items()}
    failed = {nodeid for report in reports for nodeid in report.shard["failed"]}
    return Merged(
        session_document(results, provenance, entry),
        suite,
        tuple(unused),
        tuple(sorted(failed)),
        _notes(reports),
    )


def _strangers(reports: Sequence[ShardReport]) -> Iterator[str]:
    """What shows that they are not parts of one whole."""
    first = reports[0]
    for name, said in _SAME.items():
        for other in (report for report in reports if report.shard[name] != first.shard[name]):
            yield f"{other.name}: not a shard of the same suite as {first.name}: {said}"
            return


def _gaps(reports: Sequence[ShardReport]) -> Iterator[str]:
    """What there is twice or not at all: shards, tests in them, results of the tests."""
    count = reports[0].shard["count"]
    given: dict[int, list[str]] = {}
    for report in reports:
        given.setdefault(report.shard["index"], []).append(report.name)
    for index, names in given.items():
        if len(names) > 1:
            yield f"{' and '.join(names)}: all of them are shard {Shard(index, count)}; give one of each"
        if index > count:
            yield f"{names[0]}: there is no shard {Shard(index, count)}"
    if absent := [str(Shard(index, count)) for index in range(1, min(count, 1000) + 1) if index not in given]:
        yield f"shard {_named(absent)} is missing; give the reports of all {count} shards"
    for report in reports:
        yield from _unfinished(report)
    yield from _doubles(reports)


def _unfinished(report: ShardReport) -> Iterator[str]:
    missing = report.shard["missing"]
    lacks = f", {len(missing)} tests were not run ({_named(missing)})" if missing else ""
    if report.shard["interrupted"] or missing:
        yield f"{report.name}: the session was interrupted{lacks}; run this shard again"


def _doubles(reports: Sequence[ShardReport]) -> Iterator[str]:
    assigned = Counter(nodeid for report in reports for nodeid in report.shard["assigned"])
    results = Counter(test["nodeid"] for report in reports for test in report.tests)
    if twice := sorted(name for name, times in (assigned | results).items() if times > 1):
        yield f"{len(twice)} tests are in more than one shard: {_named(twice)}; {_ONE_COMMIT}"
    total = reports[0].shard["tests"]
    if len(assigned) != total and len(reports) == reports[0].shard["count"]:
        yield f"the shards have {len(assigned)} tests together, and the suite {total}; {_ONE_COMMIT}"


def _results(reports: Sequence[ShardReport]) -> dict[str, Result]:
    """The entries by node id, with everything computed again that follows from their counts."""
    results: dict[str, Result] = {}
    problems = []
    for report in reports:
        rule = Rule(report.shard["rule"]["alpha"], report.shard["rule"]["tests"])
        for test in report.tests:
            results[test["nodeid"]], contradictions = recounted(test, rule)
            if contradictions:
                name, said = clipped(test["nodeid"], _MOST_NAME), ", ".join(contradictions)
                problems.append(
                    f"{report.name}: {name}: contradicts its counts: {said}; run this shard again"
                )
    if problems:
        more = len(problems) - _MOST_NAMED
        raise ShardError(*problems[:_MOST_NAMED], *([f"and {more} more such tests"] if more > 0 else []))
    return results


def _provenance(reports: Sequence[ShardReport]) -> dict[str, list[str]]:
    """Name -> its values in all shards."""
    names = sorted({name for report in reports for name in report.provenance})
    return {name: sorted({report.provenance.get(name, "unknown") for report in reports}) for name in names}


def _notes(reports: Sequence[ShardReport]) -> tuple[str, ...]:
    return tuple(
        f"the shards ran with {name} {' and '.join(values)}"
        for name, values in _provenance(reports).items()
        if len(values) > 1
    )


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(clipped(name, _MOST_NAME) for name in names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
