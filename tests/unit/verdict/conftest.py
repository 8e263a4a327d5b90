"""Makers of finished runs, failures and plans, so that a test says only what it is about."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from pytest_llmrel.core.gate import parse_gate
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Attempt, Evidence, Failure, FailureKey, Outcome, Sample, Variant
from pytest_llmrel.core.plan import RunPlan, read_variants
from pytest_llmrel.core.score import Score
from pytest_llmrel.verdict.summary import Aggregate


@pytest.fixture
def make_failure() -> Callable[..., Failure]:
    """Makes a failure of a kind, described as the run with the given number."""

    def make(kind: str = "boom", run: int = 0, outcome: Outcome = Outcome.FAILED, text: str = "") -> Failure:
        evidence = Evidence(Attempt("", Variant(), run, run), text or kind)
        return Failure(FailureKey(outcome, "ValueError", "t.py:1", kind), lambda: evidence)

    return make


@pytest.fixture
def make_plan() -> Callable[..., RunPlan]:
    """Makes a plan of k runs with gates and wordings."""

    def make(k: int = 10, *gates: str, wordings: Iterable[str] = ()) -> RunPlan:
        variants = read_variants(list(wordings)) if wordings else (Variant(),)
        parsed = tuple(parse_gate(gate, str.isidentifier) for gate in gates)
        return RunPlan(k, Inputs(variants, "q" if wordings else None), parsed, 8, 60.0)

    return make


@pytest.fixture
def aggregated() -> Callable[..., Any]:
    """Summarises runs given as letters: p(assed) f(ailed) a(bstained) s(kipped) x(failed) e(rror)."""
    outcomes = {outcome.value[0]: outcome for outcome in Outcome}

    def summarise(plan: RunPlan, *letters: str, scores: Any = None, planned: int | None = None) -> Any:
        aggregate = Aggregate(plan, planned if planned is not None else sum(map(len, letters)))
        for variant, word in zip(plan.inputs.variants, letters, strict=False):
            for run, letter in enumerate(word):
                recorded = (Score("mark", scores[run]),) if scores else ()
                attempt = Attempt("", variant, run, run)
                aggregate.record(Sample(attempt, outcomes[letter], run / 10, recorded))
        return aggregate.summary()

    return summarise
