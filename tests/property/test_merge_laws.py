"""Laws of shards: however a suite is split, together they are the suite; and the split is the same everywhere."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from importlib.metadata import version
from io import StringIO
from math import ceil
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llmrel.cli.main import main
from pytest_llmrel.core.shard import balanced
from pytest_llmrel.errors import ShardError
from pytest_llmrel.reports.merging import merge
from pytest_llmrel.reports.result import canonical

from .suites import PROVENANCE, SuiteOfTests, report_of, suites_of_tests, whole

VALUES = (
    None,
    True,
    0,
    -1,
    1,
    10**30,
    1e308,
    -0.5,
    "",
    "x",
    "PASS",
    "\ud800",
    [],
    {},
    [1],
    {"a": 1},
    [[1, 2, 3, 4]],
)
weights = st.dictionaries(st.text(max_size=4), st.integers(1, 1000), max_size=12)


@settings(max_examples=40)
@given(suites_of_tests(), st.integers(1, 4), st.randoms(use_true_random=False))
def test_shards_together_are_the_session(suite: SuiteOfTests, count: int, random) -> None:
    """Any split, merged in any order, is the document of the session to the last digit."""
    place = {name: random.randint(1, count) for name in suite.results}
    reports = [
        report_of(suite, index, count, [name for name in suite.results if place[name] == index])
        for index in range(1, count + 1)
    ]
    random.shuffle(reports)
    assert json.loads(canonical(merge(reports).document)) == whole(suite)


@settings(max_examples=30)
@given(suites_of_tests(), st.data())
def test_a_count_that_was_changed_is_seen(suite: SuiteOfTests, data: st.DataObject) -> None:
    """One run more or less in any cell of any test: the merge names the test and refuses."""
    name = data.draw(st.sampled_from(sorted(suite.results)))
    report = report_of(suite, 1, 1, list(suite.results))
    (test,) = [test for test in report.tests if test["nodeid"] == name]
    cell = data.draw(st.sampled_from(test["counts"]["cells"]))
    kind = data.draw(st.sampled_from([2, 3, 4]))
    cell[kind] += 1 if not cell[kind] else data.draw(st.sampled_from([-1, 1]))
    with pytest.raises(ShardError, match="contradicts its counts"):
        merge([report])


@given(weights, st.integers(1, 9), st.randoms(use_true_random=False))
def test_the_split_is_balanced_and_the_same_everywhere(weights, count: int, random) -> None:
    """Whatever the order of the names; no part takes more than 4/3 of the best that there could be."""
    names = random.sample(sorted(weights), len(weights))
    parts = balanced(weights, count)
    assert balanced({name: weights[name] for name in names}, count) == parts
    assert parts.keys() == weights.keys()
    loads = [sum(weights[name] for name in parts if parts[name] == part) for part in range(1, count + 1)]
    assert sum(loads) == sum(weights.values())
    heaviest = sorted(weights.values(), reverse=True)
    # Lower bounds of the best: the mean, the heaviest, and two that must share a part.
    least = max(
        [
            ceil(sum(heaviest) / count),
            *heaviest[:1],
            *[sum(heaviest[count - 1 : count + 1])][: len(heaviest) > count],
        ]
    )
    assert max(loads) <= least * 3 / 2


@settings(max_examples=25)
@given(suites_of_tests(), st.integers(0, 2**32), st.integers(1, 2))
def test_no_damage_crashes_the_command(suite: SuiteOfTests, seed: int, times: int) -> None:
    """Any value of a report replaced by any other, or left out: merged or refused, and nothing else."""
    random, report = Random(seed), report_of(suite, 1, 1, list(suite.results))
    document = {"schema": 1, "tests": report.tests, "suite": report.suite, "shard": report.shard}
    document["provenance"] = {**PROVENANCE, "pytest_llmrel": version("pytest-llmrel")}
    for _ in range(times):
        place, key = random.choice(list(_places(document)))
        if random.random() < 0.2:
            del place[key]
        else:
            place[key] = random.choice(VALUES)
    with (
        tempfile.TemporaryDirectory() as folder,
        redirect_stdout(StringIO()),
        redirect_stderr(StringIO()) as said,
    ):
        file = Path(folder, "1.json")
        file.write_text(json.dumps(document), encoding="utf-8")
        code = main(["merge", str(file), "--json", str(Path(folder, "all.json"))])
        assert (code == 2) is bool(said.getvalue()) is not Path(folder, "all.json").exists()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in it, with every key."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(item, dict | list):
            yield from _places(item)
