"""Which experiments are split over xdist's workers, and into what; every worker comes to the same answer."""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import pytest

from pytest_llmrel.core.baseline import Standing
from pytest_llmrel.core.case import Case
from pytest_llmrel.core.model import Attempt
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.glue.book import node_id
from pytest_llmrel.glue.collect import plan_of, settings_of
from pytest_llmrel.glue.experiment import planned_runs
from pytest_llmrel.glue.guards import SessionGuards
from pytest_llmrel.glue.xdist.workers import Link
from pytest_llmrel.verdict.regression import Rule
from pytest_llmrel.verdict.stopping import stopping_for
from pytest_llmrel.wire.session import TapeMode

__all__ = ["ChunkItem", "Part", "SplitTest", "split_items"]

_ROUNDS = 2
"""A test is large if it fills all places of all workers so often."""
_CHUNKS = 2
"""For each worker: so that one that is late does not keep the others waiting."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of several parts of a whole, from 0."""

    number: int
    of: int

    def slice(self, whole: Sequence[Attempt]) -> Sequence[Attempt]:
        """The part of ``whole``; all parts together are the whole, each once."""
        first, last = (len(whole) * place // self.of for place in (self.number, self.number + 1))
        return whole[first:last]


@dataclass(frozen=True, slots=True)
class SplitTest:
    """What the controller has to know of a test that is split, to judge it.

    Attributes:
        nodeid: of the test.
        plan: without the values of its cases.
        standing: of its baseline.
        rule: that it is compared by.
        runs: of each case and wording.
        parts: it is split into.
    """

    nodeid: str
    plan: RunPlan
    standing: Standing
    rule: Rule
    runs: int
    parts: int


class ChunkItem(pytest.Item):
    """Some of the runs of a test, in its place among the items of a worker."""

    def __init__(self, *, test: pytest.Function, part: Part, **more: Any) -> None:
        super().__init__(**more)
        self.test = test
        self.part = part

    def runtest(self) -> None:
        """Never called: it is run by :mod:`pytest_llmrel.glue.xdist.chunk`."""
        raise NotImplementedError

    def reportinfo(self) -> Any:
        """Where the test is."""
        return self.test.reportinfo()


def split_items(config: pytest.Config, items: list[pytest.Item]) -> bool:
    """Put chunks in the place of large tests, in a worker of xdist; whether there are any.

    The controller is told of all tests with ``krun``: of those that are split how to judge them, of the
    others how many runs they have, in case their worker does not live to say so.
    """
    link = Link.of(config)
    if link is None:
        return False
    told: dict[str, Any] = {}
    placed: list[pytest.Item] = []
    for item in items:
        chunks: list[ChunkItem] = []
        if isinstance(item, pytest.Function) and item.get_closest_marker("krun") is not None:
            plan = plan_of(item)
            standing = SessionGuards.of(config).standing(item)
            runs = planned_runs(item, plan, standing)
            parts = _parts(item, plan, standing, runs * len(plan.inputs.tasks))
            chunks = [_chunk(item, Part(number, parts)) for number in range(parts if parts > 1 else 0)]
            told[item.nodeid] = [node_id(item), runs * len(plan.inputs.tasks)]
            told |= {chunk.nodeid: [item.nodeid, 0] for chunk in chunks}
        if chunks:
            rule = SessionGuards.of(config).rule
            test = SplitTest(item.nodeid, _without_values(plan), standing, rule, runs, parts)
            told[item.nodeid] = pickle.dumps(test)
        placed += chunks or [item]
    items[:] = placed
    link.send("tests", told)
    return any(isinstance(item, ChunkItem) for item in items)


def _chunk(item: pytest.Function, part: Part) -> ChunkItem:
    assert item.parent is not None  # noqa: S101  only a session has none
    chunk: ChunkItem = ChunkItem.from_parent(
        item.parent,
        name=f"{item.name}@{part.number + 1}of{part.of}",
        nodeid=f"{item.nodeid}@{part.number + 1}of{part.of}",
        test=item,
        part=part,
    )
    return chunk


def _parts(item: pytest.Function, plan: RunPlan, standing: Standing, total: int) -> int:
    given: Mapping[str, Any] = getattr(item.config, "workerinput", {})
    wanted: str | int = given["llmrel_split"]
    workers: int = given["workercount"]
    if wanted == "off" or _is_whole(item, plan, standing, workers):
        return 1
    if wanted != "auto":
        return ceil(total / int(wanted))
    may_stop = stopping_for(plan, total) is not None and not standing.record
    if standing.compare or may_stop or workers == 1:
        return 1  # where splitting could change what comes out, it has to be asked for
    large = _ROUNDS * workers * settings_of(item.config).most_in_flight
    return 1 if total < large else _CHUNKS * workers


def _is_whole(item: pytest.Function, plan: RunPlan, standing: Standing, workers: int) -> bool:
    """Whether a test cannot be split, however large it is."""
    option = item.config.getoption
    return (
        plan.concurrency < workers  # its own bound would not hold
        or standing.status == "damaged"
        or item.nodeid != node_id(item)  # its group wants to be on one worker
        or item.get_closest_marker("xfail") is not None  # what that means, pytest says where the item is
        or option("llmrel_tape") != TapeMode.OFF  # all runs of a test are in one file
        or option("llmrel_hunt") is not None
    )


def _without_values(plan: RunPlan) -> RunPlan:
    """For a verdict a case needs only its name; its values may be of classes that are not known elsewhere."""
    cases = tuple(Case(case.id, ()) for case in plan.inputs.cases)
    return replace(plan, inputs=replace(plan.inputs, cases=cases))
