"""Reports that are merged, and those that are not: which file, what is wrong, what to do."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pytest_llmrel.baselines.shardfile import ShardReport
from pytest_llmrel.core.baseline import BaselineEntry, Batch, Cell, Standing
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Outcome, Sample
from pytest_llmrel.core.plan import RunPlan, attempts, read_variants
from pytest_llmrel.errors import ShardError
from pytest_llmrel.reports.comparison import baseline_entry
from pytest_llmrel.reports.merging import merge
from pytest_llmrel.reports.result import Result, canonical, result_entry, session_document, suite_entry
from pytest_llmrel.verdict.decide import decide
from pytest_llmrel.verdict.regression import Rule, compare, strata_of
from pytest_llmrel.verdict.summary import Aggregate

RULE = Rule(0.01, 4)
NAMES = ("t.py::test_a", "t.py::test_b", "t.py::test_c", "t.py::test_d")
PROVENANCE = {"pytest": "9.2.0", "pytest_llmrel": "0.1.0", "python": "3.11.7"}


def result(name: str, outcomes: str = "pppppppppp") -> Result:
    """A test of two wordings with five runs each, and fifty passes of fifty for both in its baseline."""
    kinds = {"p": Outcome.PASSED, "f": Outcome.FAILED, "a": Outcome.ABSTAINED, "e": Outcome.ERROR}
    plan = RunPlan(5, Inputs(read_variants(["one", "two"]), "q"), (), 8, 60.0)
    aggregate = Aggregate(plan, 10)
    for attempt, letter in zip(attempts(plan, name), outcomes, strict=True):
        aggregate.record(Sample(attempt, kinds[letter], 0.5))
    summary = aggregate.summary()
    before = tuple(Cell("", variant.key, 50, 50) for variant in plan.inputs.variants)
    comparison = compare(strata_of(before, summary.cells), None, RULE)
    entry = BaselineEntry("0" * 16, {}, (Batch("0" * 16, "2026-11-23T09:30:00Z", "0.1.0", before),))
    standing = Standing("comparable", "f", name, entry=entry)
    verdict = decide(plan, summary, 0.1, [comparison.finding])
    return result_entry(name, summary, verdict, baseline=baseline_entry(standing, comparison, summary, None))


def report(index: int, count: int, results: Mapping[str, Result], **other: Any) -> ShardReport:
    """That of one shard, read from its file."""
    provenance = other.pop("provenance", PROVENANCE)
    shard = {
        "index": index, "count": count, "selection": "a" * 16, "settings": "b" * 16, "tests": 4,
        "assigned": sorted(results), "missing": [], "failed": [], "interrupted": False,
        "rule": {"alpha": RULE.alpha, "tests": RULE.tests}, **other,
    }  # fmt: skip
    suite = suite_entry(None, [("__baselines__/t.json", "test_gone")], ["__tapes__/t/x.jsonl"])
    read = json.loads(canonical(session_document(results, provenance, suite, shard)))
    return ShardReport(f"{index}.json", read["shard"], read["tests"], read["suite"], read["provenance"])


@pytest.fixture
def make() -> Callable[..., ShardReport]:
    """The report of one of two shards with two tests each; keywords change what it says of itself."""

    def made(index: int, outcomes: str = "pppppppppp", **other: Any) -> ShardReport:
        names = NAMES[2 * index - 2 : 2 * index]
        return report(index, other.pop("count", 2), {name: result(name, outcomes) for name in names}, **other)

    return made


def refusal(*reports: ShardReport) -> str:
    """Why they are not merged."""
    with pytest.raises(ShardError) as raised:
        merge(reports)
    return str(raised.value)


def test_the_suite_is_judged_as_a_whole(make: Callable[..., ShardReport]) -> None:
    """No test fails alone, all of them together do."""
    merged = merge([make(2, "pppppppppf"), make(1, "pppppppppf")])
    assert [test["nodeid"] for test in merged.document["tests"]] == list(NAMES)
    assert {test["verdict"] for test in merged.document["tests"]} == {"PASS"}
    suite = merged.document["suite"]
    assert (suite["compared"], suite["verdict"], merged.is_red, merged.failed) == (4, "FAIL", True, ())
    assert suite["findings"][0]["explanation"].startswith(
        "the suite as a whole is worse than its baselines: 36 of 40"
    )
    assert "shard" not in merged.document
    assert not merge([make(1), make(2)]).is_red


def test_what_every_shard_says_is_said_once(make: Callable[..., ShardReport]) -> None:
    """Unused baselines and tapes, which every shard sees."""
    merged = merge([make(1), make(2)])
    assert merged.unused == (("__baselines__/t.json", "test_gone"),)
    assert merged.document["suite"]["unused_tapes"] == ["__tapes__/t/x.jsonl"]


def test_other_versions_of_python_are_a_note(make: Callable[..., ShardReport]) -> None:
    """And both are in the provenance."""
    merged = merge([make(1), make(2, provenance={**PROVENANCE, "python": "3.12.1"})])
    assert merged.notes == ("the shards ran with python 3.11.7 and 3.12.1",)
    assert merged.document["provenance"]["python"] == "3.11.7, 3.12.1"


def test_a_test_that_failed_in_its_shard_is_red(make: Callable[..., ShardReport]) -> None:
    """Whatever it is: a session would have failed for it."""
    merged = merge([make(1, failed=["t.py::plain"]), make(2)])
    assert (merged.is_red, merged.failed) == (True, ("t.py::plain",))


def test_shards_that_are_missing_or_there_twice(make: Callable[..., ShardReport]) -> None:
    """Named by number and by file."""
    assert refusal(make(1)) == "shard 2/2 is missing; give the reports of all 2 shards"
    twice = refusal(make(1), make(2), make(1))
    assert "1.json and 1.json: all of them are shard 1/2; give one of each" in twice
    assert "4 tests" not in twice.partition("\n")[0]
    many = refusal(make(1, count=99999), make(2, count=99999))
    assert many.startswith("shard 3/99999, 4/99999, 5/99999 and 995 more is missing")
    assert "there is no shard 2/1" in refusal(make(1, count=1), make(2, count=1))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"count": 3}, "the number of shards differs"),
        ({"selection": "c" * 16}, "other tests, or other code, data or provenance"),
        ({"settings": "c" * 16}, "other options or baselines"),
        ({"rule": {"alpha": 0.05, "tests": 4}}, "another rule of regression"),
        ({"tests": 5}, "another number of tests"),
    ],
)
def test_shards_of_different_suites(
    make: Callable[..., ShardReport], other: dict[str, Any], said: str
) -> None:
    """The first thing that differs, in which file, and what to do."""
    told = refusal(make(1), make(2, **other))
    assert told.startswith("2.json: not a shard of the same suite as 1.json: ")
    assert said in told
    assert told.endswith("run all shards of one commit with the same arguments")


def test_shards_that_are_not_complete(make: Callable[..., ShardReport]) -> None:
    """Interrupted, or with tests that were not run."""
    assert refusal(make(1, interrupted=True), make(2)) == (
        "1.json: the session was interrupted; run this shard again"
    )
    assert "1 tests were not run (t.py::test_b)" in refusal(make(1, missing=["t.py::test_b"]), make(2))
    assert "the shards have 3 tests together, and the suite 4" in refusal(
        make(1, assigned=["t.py::test_a"]), make(2)
    )


def test_a_test_in_two_shards(make: Callable[..., ShardReport]) -> None:
    """Counted twice it would be as if it had run twice."""
    both = report(2, 2, {NAMES[1]: result(NAMES[1]), NAMES[2]: result(NAMES[2])})
    assert "1 tests are in more than one shard: t.py::test_b" in refusal(make(1), both)


def _change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(test: dict[str, Any]) -> None:
        *way, last = path.split("/")
        place: Any = test
        for name in way:
            place = place[int(name)] if isinstance(place, list) else place[name]
        if isinstance(place, list):
            place[int(last)] = value
        else:
            place[last] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("passed", 9, "passed"),
        ("runs", 11, "runs"),
        ("errors", 1, "runs"),
        ("verdict", "FAIL", "verdict"),
        ("metrics/pass_rate/low", 0.9, "metric pass_rate"),
        ("metrics/pass_rate/point", None, "metric pass_rate"),
        ("metrics/pass^5/point", 1.0, "metric pass^5"),
        ("metrics/error_rate/n", 11, "metric error_rate"),
        ("metrics/latency_p95/point", 0.7, "metric latency_p95"),
        ("latency_buckets/runs", {}, "latency buckets"),
        ("variants/0/passed", 4, "variants"),
        ("cases", [{"id": "x", "passed": 1, "n": 1}], "cases"),
        ("sensitivity", None, "sensitivity"),
        ("sensitivity/p", 0.5, "sensitivity"),
        ("baseline/comparison/p", 0.5, "p-value of the comparison"),
        ("baseline/comparison/strata/0", [50, 50, 5, 5], "strata of the comparison"),
        ("baseline/comparison/strata/0", [51, 50, 5, 5], "strata of the comparison"),
        ("baseline/comparison/status", "FAIL", "finding of the comparison"),
        ("baseline/comparison/pooled", [[50, 50, 20, 20]], "baseline"),
        ("counts/cells/0/1", "ffffffff", "a wording of its counts is none of its variants"),
        ("counts/injected_errors", 1, "more injected errors than errors"),
    ],
)
def test_numbers_that_contradict_the_counts(
    make: Callable[..., ShardReport], path: str, value: Any, said: str
) -> None:
    """The file, the test and the number."""
    one = report(1, 2, {name: result(name, "fpppfppppp") for name in NAMES[:2]})
    _change(path, value)(one.tests[1])
    told = refusal(one, make(2))
    assert told.startswith("1.json: t.py::test_b: contradicts its counts: ")
    assert said in told.partition("contradicts its counts: ")[2]


def test_many_contradictions_are_not_all_told(make: Callable[..., ShardReport]) -> None:
    """Three, and how many more."""
    reports = [make(1), make(2)]
    for each in reports:
        for test in each.tests:
            test["passed"] -= 1
    lines = refusal(*reports).splitlines()
    assert (len(lines), lines[-1]) == (4, "and 1 more such tests")
