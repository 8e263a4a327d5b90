"""Whole suites of made-up results, as documents of one session and of its shards."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st

from pytest_llmrel.baselines.shardfile import ShardReport
from pytest_llmrel.core.baseline import BaselineEntry, Batch, Cell, Standing, pooled
from pytest_llmrel.core.case import Case
from pytest_llmrel.core.fault import FaultPlan, Recovery
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Attempt, Outcome, Sample, Summary
from pytest_llmrel.core.plan import RunPlan, attempts, read_variants
from pytest_llmrel.reports.comparison import baseline_entry
from pytest_llmrel.reports.guards import compared_strata
from pytest_llmrel.reports.result import Result, canonical, result_entry, session_document, suite_entry
from pytest_llmrel.reports.spending import session_totals
from pytest_llmrel.verdict.decide import decide
from pytest_llmrel.verdict.regression import Rule, compare, judge_suite, strata_of
from pytest_llmrel.verdict.summary import Aggregate

__all__ = ["PROVENANCE", "SuiteOfTests", "report_of", "suites_of_tests", "whole"]

PROVENANCE = {"pytest": "9.2.0", "pytest_llmrel": "0.1.0", "python": "3.11.7"}
_OUTCOMES = tuple(Outcome)


@dataclass(frozen=True, slots=True)
class SuiteOfTests:
    """Results by node id, and the rule that they were judged by."""

    results: Mapping[str, Result]
    rule: Rule


def _sample(attempt: Attempt, random: Random, plan: RunPlan, good: float) -> Sample:
    passes = random.random() < good
    outcome = Outcome.PASSED if passes else random.choice(_OUTCOMES)
    recovery = random.choice([None, *Recovery]) if plan.faults else None
    return Sample(attempt, outcome, random.expovariate(1.0), recovery=recovery)


def _summary(plan: RunPlan, random: Random, good: float, runs: range) -> Summary:
    todo = list(attempts(plan, "t", runs))
    aggregate = Aggregate(plan, len(todo))
    random.shuffle(todo)
    for attempt in todo:
        aggregate.record(_sample(attempt, random, plan, good))
    return aggregate.summary()


def _plan(random: Random) -> RunPlan:
    wordings = read_variants(random.sample(["one", "two", "three"], random.randint(1, 3)))
    argname = "q" if len(wordings) > 1 else None
    cases = tuple(Case(f"case {number}", ()) for number in range(random.choice([0, 0, 1, 3, 12])))
    inputs = Inputs(wordings if argname else Inputs().variants, argname, cases, "case" if cases else None)
    faults = random.choice([None, FaultPlan(("429",))])
    return RunPlan(random.randint(1, 6), inputs, (), 8, 60.0, faults=faults)


def _result(nodeid: str, random: Random, rule: Rule) -> Result:
    plan, good = _plan(random), random.choice([0.0, 0.5, 0.9, 1.0])
    summary = _summary(plan, random, good, range(plan.k))
    before = tuple(
        Cell(case, variant.key, random.randint(30, 50), 50)
        for case, variant in plan.inputs.tasks
        if random.random() < 0.9
    )
    strata, escalation, comparison = strata_of(before, summary.cells), None, None
    if strata and random.random() < 0.8:
        comparison = compare(strata, None, rule)
        if rule.is_suspicious(comparison.p):
            escalation = _summary(plan, random, good, range(plan.k, 4 * plan.k))
            cells = pooled((*summary.cells, *escalation.cells))
            comparison = compare(strata, strata_of(before, cells), rule)
    entry = BaselineEntry("0" * 16, {}, (Batch("0" * 16, "2026-11-23T09:30:00Z", "0.1.0", before),))
    standing = Standing("comparable" if before else "none", "f", nodeid, entry=entry if before else None)
    found = [comparison.finding] if comparison else []
    verdict = decide(plan, summary, 0.1, found, escalation)
    baseline = baseline_entry(standing, comparison, summary, escalation)
    return result_entry(nodeid, summary, verdict, baseline=baseline, escalation=escalation)


@st.composite
def suites_of_tests(draw: st.DrawFn) -> SuiteOfTests:
    """Tests with and without wordings, cases, faults and baselines, good and bad ones."""
    # A seed and no generator of Hypothesis's own, to which every single run would be a decision.
    random, names = (
        Random(draw(st.integers(0, 2**32))),
        draw(st.sets(st.text("abc"), min_size=1, max_size=6)),
    )
    rule = Rule(draw(st.sampled_from([0.01, 0.3])), len(names))
    return SuiteOfTests({name: _result(name, random, rule) for name in sorted(names)}, rule)


def whole(suite: SuiteOfTests) -> dict[str, Any]:
    """The document of one session, read from its file."""
    compared = compared_strata(suite.results.values())
    judged = judge_suite(compared, suite.rule.alpha) if compared else None
    entry = suite_entry(judged) | session_totals(suite.results.values())
    return dict(json.loads(canonical(session_document(suite.results, PROVENANCE, entry))))


def report_of(suite: SuiteOfTests, index: int, count: int, names: Sequence[str], **other: Any) -> ShardReport:
    """The report of one shard, read from its file; ``other`` replaces what it says of itself."""
    shard = {
        "index": index, "count": count, "selection": "a" * 16, "settings": "b" * 16, "tests": len(suite.results),
        "assigned": sorted(names), "missing": [], "failed": [], "interrupted": False,
        "rule": {"alpha": suite.rule.alpha, "tests": suite.rule.tests}, **other,
    }  # fmt: skip
    results = {name: suite.results[name] for name in names}
    text = canonical(session_document(results, PROVENANCE, suite_entry(None), shard))
    read = json.loads(text)
    return ShardReport(f"{index}.json", read["shard"], read["tests"], read["suite"], read["provenance"])
