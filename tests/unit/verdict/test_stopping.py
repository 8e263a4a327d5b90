"""When a test may stop, after how many runs, and what is said then."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from scipy.stats import binom

from pytest_llmrel.core.gate import GateMode
from pytest_llmrel.core.model import Decision, Outcome, Status
from pytest_llmrel.verdict.stopping import Stopping, stopping_for

Maker = Callable[..., Any]
P, I, F = Status.PASS, Status.INCONCLUSIVE, Status.FAIL  # noqa: E741
LETTERS = {outcome.value[0]: outcome for outcome in Outcome}


@pytest.fixture
def rule(make_plan: Maker) -> Callable[..., Stopping | None]:
    """Makes the stopping rule of a test."""

    def make(mode: str, k: int, *gates: str, wordings: Any = (), stop: bool = True) -> Stopping | None:
        plan = replace(make_plan(k, *gates, wordings=wordings), mode=GateMode(mode), may_stop=stop)
        return stopping_for(plan, k * len(plan.inputs.variants))

    return make


def follow(stopping: Stopping | None, letters: str) -> tuple[int, list[Decision]]:
    """After how many runs in their order it stops, and the decisions."""
    assert stopping is not None
    for position, letter in enumerate(letters):
        stopping.record(position, LETTERS[letter])
        if stopping.decided:
            return position + 1, list(stopping.decisions.values())
    return len(letters), list(stopping.decisions.values())


# --- whether there is a rule --------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["observed", "evidence", "proof"])
@pytest.mark.parametrize("gate", ["pass_rate >= 0.9", "wrong_rate <= 0.1", "abstention_rate <= 0.1"])
def test_gates_on_rates_of_valid_runs_may_stop(rule: Maker, mode: str, gate: str) -> None:
    """They are decided by counts alone; 40 runs can decide all of them."""
    assert rule(mode, 40, gate) is not None
    assert rule(mode, 40, gate, stop=False) is None


@pytest.mark.parametrize("mode", ["observed", "evidence", "proof"])
@pytest.mark.parametrize(
    "gate",
    ["error_rate <= 0.1", "pass^2 >= 0.5", "pass@2 >= 0.5", "latency_p50 <= 1", "latency_p95 <= 1", "polite >= 0.5",
     "sensitivity <= 0.1", "worst_variant >= 0.5"],
)  # fmt: skip
def test_any_other_gate_needs_all_runs(rule: Maker, mode: str, gate: str) -> None:
    """One of them among gates on rates keeps the whole sample."""
    assert rule(mode, 40, gate, wordings=["a", "b"]) is None
    assert rule(mode, 40, "pass_rate >= 0.9", gate, wordings=["a", "b"]) is None
    assert rule(mode, 40, gate, "pass_rate >= 0.9", wordings=["a", "b"]) is None


@pytest.mark.parametrize("mode", ["observed", "evidence", "proof"])
def test_no_gate_no_stop(rule: Maker, mode: str) -> None:
    """Without a bar the number of passes is the result."""
    assert rule(mode, 40) is None


@pytest.mark.parametrize(
    ("mode", "k", "gate"),
    [
        ("observed", 10, "pass_rate >= 0"),
        ("observed", 10, "wrong_rate <= 1"),
        ("observed", 10, "pass_rate > 1"),
        ("evidence", 1, "pass_rate >= 0.9"),
        ("evidence", 4, "pass_rate >= 0.5"),
        ("proof", 28, "pass_rate >= 0.9"),
        ("proof", 500, "pass_rate >= 1"),
    ],
)
def test_a_gate_with_one_result_only_does_not_stop(rule: Maker, mode: str, k: int, gate: str) -> None:
    """What always passes, or never can, needs no rule, and is judged as the full sample is."""
    assert rule(mode, k, gate) is None


# --- curtailment --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2, 5, 10, 20, 33])
@pytest.mark.parametrize("bar", [0.1, 0.5, 0.8, 0.9, 1.0])
def test_an_observed_gate_stops_when_the_rest_cannot_change_it(rule: Maker, k: int, bar: float) -> None:
    """PASS at the least number of passes that meets the bar of all runs, FAIL at the failure that rules it out."""
    needed = next(x for x in range(k + 1) if x / k >= bar)
    runs, (passed,) = follow(rule("observed", k, f"pass_rate >= {bar}"), "p" * k)
    assert (runs, passed.status, passed.n, passed.events, passed.early) == (
        needed,
        P,
        needed,
        needed,
        needed < k,
    )
    too_many = k - needed + 1
    runs, (failed,) = follow(rule("observed", k, f"pass_rate >= {bar}"), "f" * k)
    assert (runs, failed.status, failed.events) == (too_many, F, 0)


def test_proof_stops_when_it_is_found_or_out_of_reach(rule: Maker) -> None:
    """PASS, FAIL and "cannot be proven" at the counts where scipy's tails of all runs cross 5 %."""
    gate, k = "pass_rate >= 0.9", 60
    needed = next(x for x in range(k + 1) if binom.sf(x - 1, k, 0.9) <= 0.05)
    runs, (decision,) = follow(rule("proof", k, gate), "p" * k)
    assert (runs, decision.status) == (needed, P)
    runs, (decision,) = follow(rule("proof", 29, gate), "p" * 29)
    assert (runs, decision.status, decision.early) == (29, P, False)
    too_few = next(x for x in range(k + 1) if binom.cdf(x, k, 0.9) > 0.05)  # from here on no FAIL
    runs, (decision,) = follow(rule("proof", k, gate), "f" * k)
    assert (runs, decision.status, decision.rate) == (k - too_few + 1, F, 0.0)
    runs, (decision,) = follow(rule("proof", k, gate), "f" * (k - needed + 1) + "p" * k)
    assert (runs, decision.status, decision.rate) == (k - needed + 1 + too_few, I, None)


@pytest.mark.parametrize("letters", ["a", "f"])
def test_abstentions_are_no_passes_and_no_failures(rule: Maker, letters: str) -> None:
    """pass_rate counts them against, wrong_rate does not."""
    assert follow(rule("observed", 10, "pass_rate >= 0.9"), letters * 10)[0] == 2
    runs, (decision,) = follow(rule("observed", 10, "wrong_rate <= 0.1"), letters * 10)
    assert (runs, decision.status) == ((9, P) if letters == "a" else (2, F))
    assert decision.rate == (0.0 if letters == "a" else 1.0)


def test_the_rate_is_that_of_girshick_mosteller_and_savage(rule: Maker) -> None:
    """Stopped on the r-th pass (r-1)/(n-1), on the f-th failure 1-(f-1)/(n-1), with how many counted."""
    _, (decision,) = follow(rule("observed", 20, "pass_rate >= 0.9"), "pfp" + "p" * 17)
    assert (decision.n, decision.events, decision.rate) == (19, 18, pytest.approx(17 / 18))
    _, (decision,) = follow(rule("observed", 20, "pass_rate >= 0.9"), "pfpppfppf")
    assert (decision.n, decision.events, decision.rate) == (9, 6, pytest.approx(1 - 2 / 8))
    _, (decision,) = follow(rule("observed", 20, "wrong_rate <= 0.1"), "pfpppfppf")
    assert (decision.n, decision.events, decision.rate) == (9, 3, pytest.approx(2 / 8))


# --- the truncated sequential test --------------------------------------------------------------------------


def test_evidence_at_a_true_rate_of_one_takes_nine_runs(rule: Maker) -> None:
    """The savings of statistics 3: k=20, p0=.9: 9 runs where all pass, 3 where none does."""
    stopping = rule("evidence", 20, "pass_rate >= 0.9")
    assert stopping is not None
    assert stopping.enough == 9
    runs, (decision,) = follow(stopping, "p" * 20)
    assert (runs, decision.status, decision.rate) == (9, P, 1.0)
    assert "0.9 against 0.7" in decision.method
    runs, (decision,) = follow(rule("evidence", 20, "pass_rate >= 0.9"), "f" * 20)
    assert (runs, decision.status, decision.rate) == (3, F, 0.0)
    runs, (decision,) = follow(rule("evidence", 20, "wrong_rate <= 0.1"), "f" * 20)
    assert (runs, decision.status, decision.rate) == (3, F, 1.0)
    assert "0.1 against 0.3" in decision.method


def test_several_wordings_are_curtailed(rule: Maker) -> None:
    """Their rates may differ, so that a sequential test of one rate does not apply: 16 of 20, not 9."""
    runs, (decision,) = follow(rule("evidence", 10, "pass_rate >= 0.9", wordings=["a", "b"]), "p" * 20)
    assert (runs, decision.status) == (16, P)
    assert binom.cdf(15, 20, 0.9) <= 0.05 < binom.cdf(16, 20, 0.9)
    assert "cannot change this" in decision.method


@pytest.mark.parametrize("k", [501, 5_000])
def test_very_many_runs(rule: Maker, k: int) -> None:
    """Beyond 200 runs evidence is curtailed."""
    runs, (decision,) = follow(rule("evidence", k, "pass_rate >= 0.9"), "p" * k)
    assert (decision.status, runs < k) == (P, True)


# --- errors and skips among the runs ------------------------------------------------------------------------


@pytest.mark.parametrize("void", ["e", "s", "x"])
@pytest.mark.parametrize("mode", ["observed", "evidence", "proof"])
def test_nothing_valid_decides_nothing(rule: Maker, mode: str, void: str) -> None:
    """Forty runs without an answer end without a decision, and all of them are made."""
    stopping = rule(mode, 40, "pass_rate >= 0.9", "wrong_rate <= 0.1")
    assert follow(stopping, void * 40) == (40, [])


@pytest.mark.parametrize("void", ["e", "s", "x"])
def test_the_rule_follows_runs_that_do_not_count(rule: Maker, void: str) -> None:
    """Two skips of ten leave eight, of which a bar of 0.8 needs seven."""
    runs, (decision,) = follow(rule("observed", 10, "pass_rate >= 0.8"), void * 2 + "p" * 8)
    assert (runs, decision.status, decision.n, decision.events) == (9, P, 7, 7)
    runs, (decision,) = follow(rule("observed", 10, "pass_rate >= 0.8"), "pp" + void + "ff" + void + "pppp")
    assert (decision.status, decision.n) == (F, 4)


def test_an_invalid_run_can_be_the_one_that_decides(rule: Maker) -> None:
    """One failure of ten meets 0.9; when a run falls out it is one of nine, which does not any more."""
    runs, (decision,) = follow(rule("observed", 10, "pass_rate >= 0.9"), "pppfs" + "p" * 5)
    assert (runs, decision.status, decision.n) == (5, F, 4)


def test_enough_makes_up_for_runs_that_do_not_count(rule: Maker) -> None:
    """What may be started grows with each run that turned out void or bad, also before its turn."""
    stopping = rule("observed", 10, "pass_rate >= 0.5")
    assert stopping is not None
    assert stopping.enough == 5
    stopping.record(3, Outcome.FAILED)
    assert (stopping.enough, stopping.decided) == (6, False)
    stopping.record(1, Outcome.ERROR)
    assert stopping.enough == 7
    for position in (0, 2, 4, 5):
        stopping.record(position, Outcome.PASSED)
    assert not stopping.decided, "four passes of nine valid runs"
    stopping.record(6, Outcome.PASSED)
    assert stopping.decided


# --- order, and several gates -------------------------------------------------------------------------------


def test_runs_count_in_the_order_of_their_start(rule: Maker) -> None:
    """Quick passes do not decide before the slow run that was started first."""
    stopping = rule("observed", 10, "pass_rate >= 0.5")
    assert stopping is not None
    for position in range(1, 9):
        stopping.record(position, Outcome.PASSED)
    assert not stopping.decided
    stopping.record(0, Outcome.FAILED)
    (decision,) = stopping.decisions.values()
    assert (decision.n, decision.events) == (6, 5)


def test_all_gates_have_to_be_decided(rule: Maker) -> None:
    """The strictest needs longest; each keeps the decision it came to."""
    runs, decisions = follow(rule("observed", 10, "pass_rate >= 0.3", "pass_rate >= 0.9"), "p" * 10)
    assert (runs, [d.n for d in decisions]) == (9, [3, 9])
    runs, decisions = follow(rule("observed", 10, "pass_rate >= 0.3", "wrong_rate <= 0.5"), "f" * 10)
    assert (runs, [(d.status, d.n) for d in decisions]) == (8, [(F, 6), (F, 8)])


def test_one_undecidable_gate_keeps_all_runs(rule: Maker) -> None:
    """A gate that no sample decides is INCONCLUSIVE at the end, with every run made."""
    assert rule("proof", 28, "pass_rate >= 0.9", "pass_rate >= 0.5") is None
