"""The hunt finds what is planted and nothing else, spends no call too many, and claims nothing without evidence."""

import random
from collections import Counter

import pytest

from pytest_llmrel.errors import PerturbationError
from pytest_llmrel.perturb.edits import apply_edits
from pytest_llmrel.perturb.hunt import LEAST_BUDGET, Hunt
from pytest_llmrel.perturb.registry import PERTURBATIONS, with_own

from .hunting import PLANTED, QUESTION, hunted, is_smallest

SENSITIVITIES = [name for name in PLANTED if name != "nothing"]


@pytest.mark.parametrize("broken", [0.0, 0.2])
@pytest.mark.parametrize("usual", [1.0, 0.95])
@pytest.mark.parametrize("name", SENSITIVITIES)
def test_what_is_planted_is_found_and_shrunk(name: str, usual: float, broken: float) -> None:
    """Within 120 calls, in at least nine of ten seeds, down to the edit that matters and no other."""
    good = sum(is_smallest(hunted(seed, PLANTED[name], usual, broken), PLANTED[name]) for seed in range(100))
    assert good >= 90


@pytest.mark.parametrize("usual", [1.0, 0.95, 0.9, 0.8, 0.5])
def test_where_nothing_is_planted_nothing_is_found(usual: float) -> None:
    """In at least 95 of 100 seeds, whatever the pass rate."""
    assert sum(hunted(seed, PLANTED["nothing"], usual, 0).broken is None for seed in range(100)) >= 95


def test_a_single_edit_is_what_is_left() -> None:
    """One typo, one courtesy, one capital: the rest of the perturbation is gone."""
    for name in SENSITIVITIES[1:]:
        broken = hunted(3, PLANTED[name], 1, 0).broken
        assert broken is not None
        assert len(broken.edits) == 1
        assert apply_edits(QUESTION, broken.edits) == broken.wording


def test_the_result_has_evidence_and_figures() -> None:
    """Counts of both wordings with intervals that are apart, and an e-value beyond the bar of 60 wordings."""
    result = hunted(1, PLANTED["a typo in one word"], 1, 0)
    assert result.broken is not None
    assert result.primary == QUESTION
    assert result.counts.n >= 20
    assert result.broken.counts.n >= 10
    assert result.counts.interval is not None
    assert result.broken.counts.interval is not None
    assert result.broken.counts.interval[1] < result.counts.interval[0]
    assert result.broken.evidence >= 60 / 0.05
    assert (result.counts.rate, result.broken.counts.rate, result.remark) == (1, 0, "")


@pytest.mark.parametrize("budget", [LEAST_BUDGET, 21, 33, 64, 120, 121])
@pytest.mark.parametrize("name", PLANTED)
def test_the_budget_is_kept_to_the_call(name: str, budget: int) -> None:
    """Whatever happens; `hunted` counts what it was asked for. Nothing found ends at the very budget."""
    for seed in range(10):
        result = hunted(seed, PLANTED[name], 0.9, 0.1, budget=budget)
        if result.broken is None and budget < 100:
            assert result.calls == budget


def test_runs_of_several_calls_fit_in() -> None:
    """Three calls per run: the first run tells, then never more are asked for than fit."""
    hunt, calls = Hunt(QUESTION, seed=1, budget=100), 0
    while asked := hunt.next():
        calls += 3 * asked[1]
        hunt.tell(asked[0], asked[1], asked[1], calls=3 * asked[1])
    assert 98 <= calls <= 100
    assert hunt.result().calls == calls


def test_the_smallest_budget_can_find_something() -> None:
    """Else the limit would be a trap."""
    results = [hunted(seed, PLANTED["a small first letter"], 1, 0, budget=LEAST_BUDGET) for seed in range(10)]
    assert any(result.broken for result in results)
    with pytest.raises(PerturbationError, match=f"at least {LEAST_BUDGET}"):
        Hunt(QUESTION, seed=1, budget=LEAST_BUDGET - 1)


def test_errors_of_the_infrastructure_are_no_failures() -> None:
    """Runs that do not count cost calls and say nothing: no break, and an end."""
    hunt, rng = Hunt(QUESTION, seed=1, budget=60), random.Random(1)
    while asked := hunt.next():
        valid = sum(rng.random() < 0.5 for _ in range(asked[1]))
        hunt.tell(asked[0], valid, valid)
    assert hunt.result().broken is None
    hunt = Hunt(QUESTION, seed=1, budget=60)
    while asked := hunt.next():
        hunt.tell(asked[0], 0, 0, calls=0)
    result = hunt.result()
    assert (result.broken, result.calls, result.counts.n) == (None, 21, 0)
    assert result.remark == "21 runs in a row could not be judged", "and the rest of the calls is saved"


@pytest.mark.parametrize("budget", [LEAST_BUDGET, 30, 60, 120])
def test_that_there_is_none_is_said_only_after_a_search(budget: int) -> None:
    """With every perturbation tried once there is no remark; where calls did not suffice, there is one."""
    result = hunted(3, PLANTED["nothing"], 1, 0, budget=budget)
    assert result.broken is None
    assert result.wordings >= 10 or result.remark.startswith("the hunt ended before every perturbation")
    assert bool(result.remark) == (budget == LEAST_BUDGET)


def test_calls_that_end_on_a_suspicion() -> None:
    """A wording that failed whenever it was run is not passed over because the calls are spent."""
    hunt = Hunt(QUESTION, seed=1, budget=60)
    while asked := hunt.next():
        wording, runs = asked
        if wording == QUESTION:
            hunt.tell(wording, runs, runs)
        elif hunt.result().wordings == 15:
            hunt.tell(wording, 0, runs)
            break
        else:
            hunt.tell(wording, runs, runs)
    result = hunt.result()
    assert result.broken is None
    assert "was suspected" in result.remark
    assert "passed 0 of 1 times" in result.remark


@pytest.mark.parametrize("usual", [1.0, 0.95, 0.8])
def test_nothing_planted_is_rarely_left_open(usual: float) -> None:
    """Bad luck at the very end is told in at most 1 of 20 hunts; the others say that there is nothing."""
    results = [hunted(seed, PLANTED["nothing"], usual, 0) for seed in range(40)]
    assert sum(bool(result.remark) for result in results) <= 2


def test_a_primary_wording_that_never_passes_ends_the_hunt() -> None:
    """Nothing can be lower, so nothing is spent on it."""
    result = hunted(1, lambda _: True, 0, 0)
    assert result.broken is None
    assert "never passed" in result.remark
    assert result.calls == 20


@pytest.mark.parametrize("primary", ["", "   "])
def test_a_wording_without_edits_costs_nothing(primary: str) -> None:
    """There is nothing to try."""
    hunt = Hunt(primary, seed=1, budget=50)
    assert hunt.next() is None
    assert "no perturbation" in hunt.result().remark
    assert hunt.result().calls == 0


def test_nothing_is_found_before_anything_is_told() -> None:
    """A result can be asked for at any time: an interrupted hunt has one."""
    hunt = Hunt(QUESTION, seed=1, budget=50)
    assert hunt.result().broken is None
    assert hunt.next() == (QUESTION, 1)
    assert hunt.next() == (QUESTION, 1)
    assert hunt.result().counts.n == 0


def test_the_same_seed_asks_the_same() -> None:
    """So that a hunt can be replayed from a tape; another seed tries other edits."""

    def asked(seed: int) -> list[tuple[str, int]]:
        hunt, questions = Hunt(QUESTION, seed=seed, budget=80), []
        while question := hunt.next():
            questions.append(question)
            hunt.tell(question[0], question[1], question[1])
        return questions

    assert asked(4) == asked(4)
    assert asked(4) != asked(5)


def test_a_wording_is_looked_at_once_and_remembered() -> None:
    """Its counts add up: no wording is asked for by two names, or again after it was settled."""
    hunt, asked_for = Hunt(QUESTION, seed=2, budget=120), Counter[str]()
    planted = PLANTED["a trailing courtesy"]
    while asked := hunt.next():
        asked_for[asked[0]] += asked[1]
        hunt.tell(asked[0], 0 if planted(asked[0]) else asked[1], asked[1])
    result = hunt.result()
    assert result.broken is not None
    assert asked_for[result.broken.wording] == result.broken.counts.n
    assert asked_for[QUESTION] == result.counts.n
    assert len(asked_for) == result.wordings + 1


def test_a_break_that_later_runs_deny_is_not_reported() -> None:
    """Three failures by chance, then passes only: the hunt goes on, and says nothing of it."""
    hunt, failures = Hunt(QUESTION, seed=1, budget=120), Counter[str]()
    first = ""
    while asked := hunt.next():
        wording, runs = asked
        first = first or (wording if wording != QUESTION else "")
        fails = min(runs, 4 - failures[wording]) if wording == first else 0
        failures[wording] += fails
        hunt.tell(wording, runs - fails, runs)
    assert failures[first] == 4
    result = hunt.result()
    assert result.broken is None or result.broken.wording != first


def test_an_unfinished_shrinking_is_not_called_shrunk() -> None:
    """A budget that ends on the way leaves what was shown, and says that fewer edits may do."""
    results = [hunted(seed, PLANTED["a typo in one word"], 1, 0, budget=24) for seed in range(20)]
    unfinished = [result for result in results if result.broken and len(result.broken.edits) > 1]
    assert unfinished
    assert not any(result.shrunk for result in unfinished)


def test_parts_that_may_not_be_looked_at_leave_the_shrinking_open() -> None:
    """If no share of the level is left for them, nobody knows whether fewer edits would do."""
    known = with_own({"lower": lambda text, rng: text.lower()})
    hunt = Hunt(QUESTION, seed=1, budget=120, known={"lower": known["lower"]})
    while asked := hunt.next():
        hunt.tell(asked[0], 0 if asked[0] == QUESTION.lower() else asked[1], asked[1])
        if hunt.result().wordings:
            hunt._observed._most = hunt.result().wordings
    result = hunt.result()
    assert result.broken is not None
    assert len(result.broken.edits) == 2
    assert (result.shrunk, result.wordings) == (False, 1)


def test_own_perturbations_are_hunted_with() -> None:
    """And shrunk like ours: of two changed words the one that matters is left."""
    known = with_own({"slang": lambda text, rng: text.replace("have", "got").replace("return", "bring back")})
    own = {"slang": known["slang"]}
    result = hunted(1, lambda wording: "bring back" in wording, 1, 0, known=own)
    assert result.broken is not None
    assert [(edit.old, edit.new) for edit in result.broken.edits] == [("return", "bring back")]
    assert result.shrunk


def test_a_wave_can_be_run_at_the_same_time() -> None:
    """All ten wordings are open at once; told in any order, the hunt goes on when the last one is."""
    hunt = Hunt(QUESTION, seed=1, budget=100)
    while hunt.open() and hunt.open()[0][0] == QUESTION:
        ((wording, runs),) = hunt.open()
        hunt.tell(wording, runs, runs)
    wave = hunt.open()
    assert len(wave) == len(PERTURBATIONS)
    for wording, runs in reversed(wave[1:]):
        hunt.tell(wording, runs, runs)
        assert hunt.next() == wave[0]
    hunt.tell(wave[0][0], 1, 1)
    assert not set(hunt.open()) & set(wave)


def test_what_is_open_fits_into_the_budget_together() -> None:
    """Also in the middle of a wave."""
    for budget in range(LEAST_BUDGET, 40):
        hunt, calls = Hunt(QUESTION, seed=1, budget=budget), 0
        while wave := hunt.open():
            calls += sum(runs for _, runs in wave)
            assert calls <= budget
            for wording, runs in wave:
                hunt.tell(wording, runs, runs)
        assert hunt.result().calls == calls == budget


@pytest.mark.parametrize(
    ("wording", "passed", "n"), [("another", 1, 1), (QUESTION, 2, 1), (QUESTION, -1, 1), (QUESTION, 0, 2)]
)
def test_what_was_not_asked_for_is_refused(wording: str, passed: int, n: int) -> None:
    """Other wordings, more runs, impossible counts: they would spoil the guarantee."""
    hunt = Hunt(QUESTION, seed=1, budget=50)
    hunt.next()
    with pytest.raises(ValueError, match="asked for"):
        hunt.tell(wording, passed, n)
    hunt.tell(QUESTION, 1, 1)
    with pytest.raises(ValueError, match="asked for"):
        hunt.tell(QUESTION, 1, 1)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, float("nan")])
def test_an_impossible_level_is_refused(alpha: float) -> None:
    """It must be a chance, and neither never nor always."""
    with pytest.raises(ValueError, match="alpha"):
        Hunt(QUESTION, seed=1, budget=50, alpha=alpha)


def test_every_perturbation_is_tried_alone_first() -> None:
    """The first wave after the primary wording: ten wordings, one run each."""
    hunt, wordings = Hunt(QUESTION, seed=1, budget=100), []
    while (asked := hunt.next()) and len(wordings) < len(PERTURBATIONS):
        if asked[0] != QUESTION:
            wordings.append(asked)
        hunt.tell(asked[0], asked[1], asked[1])
    assert len({wording for wording, _ in wordings}) == len(PERTURBATIONS)
    assert {runs for _, runs in wordings} == {1}
