"""Marks, command line and ini file become one plan, or one list of all mistakes."""

from typing import Any

import pytest

from pytest_llmrel.core.gate import Gate, GateMode
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Attempt, Variant
from pytest_llmrel.core.plan import DEFAULTS, RunPlan, Settings, attempts, read_variants, resolve
from pytest_llmrel.core.seed import run_seed, variant_key
from pytest_llmrel.errors import PlanError


def plan(*marks: Any, settings: Settings | None = None, scores: str = "", **more: Any) -> RunPlan:
    """The plan of marks, closest first; each a dict of arguments or a tuple of positional ones."""
    pairs = [(mark, {}) if isinstance(mark, tuple) else ((), mark) for mark in marks]
    return resolve(pairs, settings or Settings(), scores.split().__contains__, **more)


def problems(*marks: Any, **more: Any) -> tuple[str, ...]:
    """The mistakes in the marks."""
    with pytest.raises(PlanError) as caught:
        plan(*marks, **more)
    return caught.value.problems


def test_a_bare_mark_has_the_documented_defaults() -> None:
    """``@krun()`` means ten runs, eight in flight, sixty seconds each, no gate; gates compare and may stop."""
    assert plan({}) == RunPlan(
        k=10,
        inputs=Inputs((Variant(),), None),
        gates=(),
        concurrency=8,
        timeout=60.0,
        task_minutes=None,
        mode=GateMode.OBSERVED,
        may_stop=True,
    )


def test_the_defaults_are_those_of_the_design() -> None:
    """Names, order and values of the arguments are fixed."""
    assert list(DEFAULTS.items()) == [
        ("k", 10), ("pass_rate", None), ("gates", ()), ("gate", "observed"), ("stop", "auto"),
        ("concurrency", 8), ("timeout", 60.0), ("task_minutes", None),
    ]  # fmt: skip


def test_everything_a_mark_says_is_in_the_plan() -> None:
    """Numbers become what the plan promises: a timeout is a float."""
    wordings = read_variants(["a", "b"])
    made = plan(
        {
            "k": 3,
            "gates": ["pass^3 >= 0.5"],
            "concurrency": 2,
            "timeout": 5,
            "task_minutes": 1.5,
            "stop": "never",
        },
        inputs=Inputs(wordings, "q"),
    )
    assert made == RunPlan(3, Inputs(wordings, "q"), (Gate("pass^3", ">=", 0.5),), 2, 5.0, 1.5)
    assert type(made.timeout) is float


@pytest.mark.parametrize(
    ("command_line", "mark", "ini", "k"),
    [
        (7, 5, 3, 7),
        (None, 5, 3, 5),
        (None, None, 3, 3),
        (None, None, None, 10),
        (7, None, 3, 7),
        (7, 5, None, 7),
    ],
)
def test_precedence_of_k(command_line: int | None, mark: int | None, ini: int | None, k: int) -> None:
    """Command line over mark over ini over default."""
    assert plan({"k": mark}, settings=Settings(k=command_line, ini_k=ini)).k == k


@pytest.mark.parametrize(
    ("command_line", "mark", "ini", "concurrency"),
    [
        (32, 4, 16, 4),
        (2, 4, 16, 2),
        (None, 4, 16, 4),
        (None, 32, 16, 32),
        (None, 32, None, 32),
        (16, 32, None, 16),
        (None, None, 16, 16),
        (32, None, 16, 32),
        (None, None, None, 8),
        (None, 1, None, 1),
    ],
)
def test_nothing_raises_the_concurrency_of_a_mark(
    command_line: int | None, mark: int | None, ini: int | None, concurrency: int
) -> None:
    """The precedence is that of k, but a mark's concurrency is an upper bound for the command line."""
    settings = Settings(concurrency=command_line, ini_concurrency=ini)
    assert plan({"concurrency": mark}, settings=settings).concurrency == concurrency


def test_the_closest_mark_wins_argument_by_argument() -> None:
    """A function's mark keeps from its class and module what it does not say itself."""
    made = plan((5,), {"k": 7, "timeout": 9}, {"timeout": 1, "pass_rate": 0.5, "concurrency": 3})
    assert (made.k, made.timeout, made.gates, made.concurrency) == (5, 9, (Gate("pass_rate", ">=", 0.5),), 3)


def test_none_is_silence() -> None:
    """An argument given as ``None`` is taken from farther out."""
    made = plan({"k": None, "timeout": None}, {"k": 4})
    assert (made.k, made.timeout) == (4, 60.0)


def test_empty_gates_of_a_close_mark_remove_those_farther_out() -> None:
    """``gates=[]`` is something said, not silence."""
    assert plan({"gates": []}, {"gates": ["pass_rate >= 0.5"]}).gates == ()


def test_pass_rate_is_short_for_a_gate() -> None:
    """It stands first, and the same gate said twice counts once."""
    made = plan({"pass_rate": 1, "gates": ["latency_p95 <= 2", "pass_rate >= 1.0"]})
    assert made.gates == (Gate("pass_rate", ">=", 1.0), Gate("latency_p95", "<=", 2.0))


def test_a_pass_rate_of_zero_is_a_gate() -> None:
    """Zero is a bar (everything passes it), not the absence of one."""
    assert plan({"pass_rate": 0}).gates == (Gate("pass_rate", ">=", 0.0),)


def test_a_score_that_the_test_records_can_be_gated() -> None:
    """One that it does not record is a mistake."""
    assert plan({"gates": ["politeness >= 0.7"]}, scores="politeness").gates[0].metric == "politeness"
    (problem,) = problems({"gates": ["politeness >= 0.7"]})
    assert "unknown metric 'politeness'" in problem


@pytest.mark.parametrize(
    ("mark", "word"),
    [
        ({"k": 0}, "k=0"),
        ({"k": -1}, "k=-1"),
        ({"k": 2.0}, "k=2.0"),
        ({"k": "3"}, "k='3'"),
        ({"k": True}, "k=True"),
        ({"concurrency": 0}, "concurrency=0"),
        ({"concurrency": 1.5}, "concurrency=1.5"),
        ({"timeout": 0}, "timeout=0"),
        ({"timeout": -1}, "timeout=-1"),
        ({"timeout": "1"}, "timeout='1'"),
        ({"timeout": True}, "timeout=True"),
        ({"timeout": float("nan")}, "timeout=nan"),
        ({"timeout": float("inf")}, "timeout=inf"),
        ({"timeout": 10**400}, "timeout="),
        ({"task_minutes": 0}, "task_minutes=0"),
        ({"pass_rate": 1.1}, "pass_rate=1.1"),
        ({"pass_rate": -0.1}, "pass_rate=-0.1"),
        ({"pass_rate": 90}, "pass_rate=90"),
        ({"pass_rate": 10**400}, "pass_rate="),
        ({"pass_rate": float("nan")}, "pass_rate=nan"),
        ({"pass_rate": "0.9"}, "pass_rate='0.9'"),
        ({"pass_rate": True}, "pass_rate=True"),
        ({"gates": "pass_rate >= 0.9"}, "list"),
        ({"gates": 5}, "list"),
        ({"gates": {"pass_rate >= 0.9"}}, "list"),
        ({"gates": [None]}, "None"),
        ({"gate": "strict"}, "gate='strict'"),
        ({"gate": ["observed"]}, "gate=['observed']"),
        ({"stop": "early"}, "stop='early'"),
        ({"stop": ["auto"]}, "stop=['auto']"),
        ({"kk": 3}, "'kk'"),
        ((3, 4), "positional"),
    ],
)
def test_a_mistake_is_named_with_its_value(mark: Any, word: str) -> None:
    """One mistake makes one sentence that says ``krun``, the argument and the value."""
    (problem,) = problems(mark)
    assert word in problem
    assert problem.startswith("krun")


def test_k_twice_is_a_mistake() -> None:
    """By position and by name at once, nobody knows which was meant."""
    with pytest.raises(PlanError, match="twice"):
        resolve([((3,), {"k": 4})], Settings(), bool)


def test_all_mistakes_are_reported_at_once() -> None:
    """Of all arguments, all gates and all marks."""
    said = problems(
        {"k": 0, "timeout": 0, "gates": ["pass_rat >= 0.9", "pass_rate >= 9", "nonsense"]},
        {"concurrency": 0, "colour": "red"},
    )
    words = ("k=0", "timeout=0", "'pass_rat'", "within 0..1", "'nonsense'", "concurrency=0", "'colour'")
    assert len(said) == len(words)
    assert all(sum(word in problem for problem in said) == 1 for word in words)


def test_a_mistake_in_an_overridden_argument_is_reported_too() -> None:
    """The mark of a class is wrong even where the mark of its method says something else."""
    assert any("k=0" in problem for problem in problems({"k": 5}, {"k": 0}))


@pytest.mark.parametrize("metric", ["pass^5", "pass@5"])
def test_a_gate_out_of_reach_is_a_mistake(metric: str) -> None:
    """With three runs pass^5 can never be known; with five it can."""
    (problem,) = problems({"k": 3, "gates": [f"{metric} >= 0.5"]})
    assert metric in problem
    assert "at least 5 runs" in problem
    assert plan({"k": 5, "gates": [f"{metric} >= 0.5"]}).k == 5


def test_a_gate_out_of_reach_of_the_ini_file_is_a_mistake() -> None:
    """Wherever k comes from, unless it is the command line."""
    assert problems({"gates": ["pass^5 >= 0.5"]}, settings=Settings(ini_k=3))


def test_a_quick_look_makes_no_gate_a_mistake() -> None:
    """``--llmrel-k=1`` leaves the marks right: the gate is undecided instead."""
    made = plan({"k": 5, "gates": ["pass^5 >= 0.5"]}, settings=Settings(k=1))
    assert (made.k, made.gates[0].k) == (1, 5)


def test_wordings_become_variants() -> None:
    """The first is primary; keys stand for the text, not for its place."""
    first, second = read_variants(["How long?", "whats ur policy??"])
    assert first == Variant(variant_key("How long?"), "How long?", primary=True)
    assert second == Variant(variant_key("whats ur policy??"), "whats ur policy??", primary=False)
    assert {v.key for v in read_variants(["whats ur policy??", "How long?"])} == {first.key, second.key}


@pytest.mark.parametrize(
    ("wordings", "word"),
    [
        ([], "at least one"),
        (["a", ""], "wording 2 is empty"),
        ([" \t\n"], "wording 1 is empty"),
        (["a", 5], "wording 2 is 5"),
        ([None], "wording 1 is None"),
        (["a", "b", "a"], "wording 3 ('a') is a duplicate"),
    ],
)
def test_a_wrong_wording_is_named_with_its_place(wordings: list[object], word: str) -> None:
    """So that it is found in a list of fifty."""
    with pytest.raises(PlanError) as caught:
        read_variants(wordings)
    (problem,) = caught.value.problems
    assert word in problem
    assert problem.startswith("paraphrase")


def test_all_wrong_wordings_are_reported_at_once() -> None:
    """One look mends them all."""
    with pytest.raises(PlanError) as caught:
        read_variants(["a", "", "a", 1])
    assert len(caught.value.problems) == 3


def test_attempts_go_run_by_run_over_the_wordings() -> None:
    """An early look sees every wording; each attempt knows its seed."""
    made = plan({"k": 2}, inputs=Inputs(read_variants(["a", "b"]), "q"))
    todo = attempts(made, "test_x.py::test_it")
    assert [(attempt.run, attempt.variant.text) for attempt in todo] == [
        (0, "a"),
        (0, "b"),
        (1, "a"),
        (1, "b"),
    ]
    assert all(
        attempt == Attempt("", attempt.variant, attempt.run, seed)
        for attempt in todo
        for seed in [run_seed("test_x.py::test_it", "", attempt.variant.key, attempt.run)]
    )
    assert len({attempt.seed for attempt in todo}) == 4


def test_a_seed_does_not_depend_on_k() -> None:
    """More runs leave those that were there as they were."""
    few, many = (attempts(plan({"k": k}), "n") for k in (2, 5))
    assert many[:2] == list(few)


@pytest.mark.parametrize("mode", ["observed", "evidence", "proof"])
def test_the_gate_mode_is_in_the_plan(mode: str) -> None:
    """As written, from the closest mark that names one."""
    assert plan({"gate": mode}).mode is GateMode(mode)
    assert plan({"k": 3}, {"gate": mode}).mode is GateMode(mode)
    assert plan({"gate": mode}, {"gate": "proof"}).mode is GateMode(mode)
    assert plan({"gate": None}, {"gate": mode}).mode is GateMode(mode)


@pytest.mark.parametrize("wrong", ["Proof", "", "strict", 1, True, ["proof"], "observed "])
def test_a_wrong_gate_mode(wrong: object) -> None:
    """The three that there are stand in the message."""
    (problem,) = problems({"gate": wrong})
    assert problem == f"krun: gate={wrong!r}; it must be 'observed', 'evidence' or 'proof'"


def test_whether_runs_may_be_left_out() -> None:
    """By default they may; ``stop="never"`` keeps all, and the closest mark wins."""
    assert plan({}).may_stop
    assert plan({"stop": "auto"}, {"stop": "never"}).may_stop
    assert not plan({"k": 2}, {"stop": "never"}).may_stop


@pytest.mark.parametrize("gate", ["sensitivity <= 0.1", "worst_variant >= 0.5"])
def test_gates_between_wordings_need_two_of_them(gate: str) -> None:
    """And two runs of each, unless the command line asks for fewer, which makes them inconclusive."""
    wordings = read_variants(["a", "b"])
    (problem,) = problems({"gates": [gate]})
    assert problem == f"krun: gate '{gate}' compares wordings; give the test at least two with paraphrase"
    assert problems({"gates": [gate]}, inputs=Inputs(wordings[:1])) == (problem,)
    (problem,) = problems({"k": 1, "gates": [gate]}, inputs=Inputs(wordings, "q"))
    assert problem == f"krun: gate '{gate}' needs at least 2 runs per wording, but k is 1"
    quick = Settings(k=1)
    assert plan({"k": 5, "gates": [gate]}, settings=quick, inputs=Inputs(wordings, "q")).k == 1
    assert plan({"k": 2, "gates": [gate]}, inputs=Inputs(wordings, "q")).gates


def test_nothing_proves_a_sensitivity() -> None:
    """Proof is refused, evidence is not; the worst wording can be proven."""
    wordings = read_variants(["a", "b"])
    (problem,) = problems({"gates": ["sensitivity <= 0.1"], "gate": "proof"}, inputs=Inputs(wordings))
    assert "nothing can prove a sensitivity" in problem
    assert plan({"gates": ["sensitivity <= 0.1"], "gate": "evidence"}, inputs=Inputs(wordings)).gates
    assert plan({"gates": ["worst_variant >= 0.1"], "gate": "proof"}, inputs=Inputs(wordings)).gates


def test_further_attempts_are_new_ones() -> None:
    """Runs k to 4k share no number and no seed with the first k."""
    made = plan({"k": 3}, inputs=Inputs(read_variants(["a", "b"]), "q"))
    first, further = attempts(made, "n"), attempts(made, "n", range(3, 12))
    assert len(further) == 18
    assert not {attempt.seed for attempt in first} & {attempt.seed for attempt in further}
    assert {attempt.run for attempt in further} == set(range(3, 12))
