"""Laws of the plan: who wins, what is an upper bound, and that every mistake is a PlanError."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.core.plan import DEFAULTS, RunPlan, Settings, attempts, read_variants, resolve
from pytest_llmrel.errors import PlanError

from .strategies import anything, hostile_text, marks, plans, settings

Mark = dict[str, Any]


def plan_of(said: list[Mark], chosen: Settings) -> RunPlan:
    """The plan of marks, closest first."""
    return resolve([((), mark) for mark in said], chosen, str.isidentifier)


def first(*values: Any) -> Any:
    """The first that is not ``None``."""
    return next(value for value in values if value is not None)


@given(st.lists(marks, max_size=4), settings)
def test_precedence(said: list[Mark], chosen: Settings) -> None:
    """Command line over the closest mark that says it over ini over default, argument by argument."""
    plan = plan_of(said, chosen)
    closest = {name: first(*(mark.get(name) for mark in said), DEFAULTS[name], "") for name in DEFAULTS}
    assert plan.k == first(chosen.k, *(mark.get("k") for mark in said), chosen.ini_k, 10)
    assert plan.timeout == closest["timeout"]
    assert plan.task_minutes == (closest["task_minutes"] or None)
    assert [gate.bar for gate in plan.gates] == ([] if closest["pass_rate"] == "" else [closest["pass_rate"]])


@given(st.lists(marks, max_size=4), settings)
def test_nothing_raises_a_bound(said: list[Mark], chosen: Settings) -> None:
    """The closest mark's concurrency is never exceeded, and lowered by the command line only."""
    plan = plan_of(said, chosen)
    bound = next((mark["concurrency"] for mark in said if mark.get("concurrency") is not None), None)
    if bound is None:
        assert plan.concurrency == first(chosen.concurrency, chosen.ini_concurrency, 8)
    else:
        assert plan.concurrency == min(bound, chosen.concurrency or bound)


@given(st.lists(marks, min_size=1, max_size=4), settings)
def test_a_silent_mark_changes_nothing(said: list[Mark], chosen: Settings) -> None:
    """Nor does one that repeats what is said closer."""
    plan = plan_of(said, chosen)
    assert plan_of([{}, *said], chosen) == plan
    assert plan_of([dict.fromkeys(said[0]), *said], chosen) == plan
    assert plan_of([*said, said[0]], chosen) == plan_of([*said, {}], chosen) or len(said) > 1


@given(
    st.lists(st.dictionaries(st.sampled_from([*DEFAULTS, "typo"]), anything, max_size=4), max_size=2),
    settings,
)
def test_any_arguments_make_a_plan_or_a_plan_error(said: list[Mark], chosen: Settings) -> None:
    """Never another exception; and what comes out can be run."""
    try:
        plan = plan_of(said, chosen)
    except PlanError as error:
        problems = error.problems
    else:
        problems = ("krun is fine",)
        assert plan.k >= 1
        assert plan.concurrency >= 1
        assert 0 < plan.timeout < float("inf")
    assert all(problem.startswith("krun") for problem in problems)


@given(st.lists(st.one_of(hostile_text, st.sampled_from(["a", "b", ""]), st.none()), max_size=6))
def test_any_wordings_make_variants_or_a_plan_error(wordings: list[object]) -> None:
    """As many variants as wordings, in order, one of them primary, keys all different."""
    try:
        variants = read_variants(wordings)
    except PlanError as error:
        problems = error.problems
    else:
        problems = ("none",)
        assert [variant.text for variant in variants] == wordings
        assert [variant.primary for variant in variants] == [True] + [False] * (len(variants) - 1)
        assert len({variant.key for variant in variants}) == len(variants)
    assert all(problems)


@given(plans)
def test_attempts_are_all_runs_once(plan: RunPlan) -> None:
    """Every pair of run and wording, no seed twice, every wording before the next run."""
    todo = attempts(plan, "t.py::test_it")
    addresses = [(attempt.run, attempt.variant.key) for attempt in todo]
    assert len(set(addresses)) == len(addresses) == plan.k * len(plan.inputs.variants)
    assert len({attempt.seed for attempt in todo}) == len(todo)
    assert [run for run, _ in addresses] == sorted(run for run, _ in addresses)
