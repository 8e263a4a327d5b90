"""Runs that can change nothing are left out: how many, and never so that the verdict is another."""

from itertools import permutations

import pytest
from example import PLAIN, example
from scipy.stats import binom  # here, for pytester forgets modules, and numpy cannot be imported twice
from stop_example import ENDS, HEAD, LENIENT, run, seen, source

PROVEN = {k: next(x for x in range(k + 1) if binom.sf(x - 1, k, 0.9) <= 0.05) for k in (40, 60)}
"""The fewest passes of k runs that prove a rate of 0.9."""
P, I, F = "PASS", "INCONCLUSIVE", "FAIL"  # noqa: E741


# --- how many runs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("concurrency", [1, 8, 32])
@pytest.mark.parametrize("keyword", ["def", "async def"])
@pytest.mark.parametrize("args", [[], ["-n1"]], ids=["alone", "worker"])
def test_evidence_of_a_perfect_model_takes_nine_runs(
    pytester: pytest.Pytester, concurrency: int, keyword: str, args: list[str]
) -> None:
    """At true rate 1, k=20, evidence of pass_rate >= .9: 9 runs, however many may be in flight."""
    mark = f"pass_rate=0.9, gate='evidence', concurrency={concurrency}"
    outcome = example(source("p" * 20, mark, keyword=keyword)).run(pytester, *PLAIN, *args)
    assert seen(outcome) == (P, 9, 11)


@pytest.mark.parametrize(
    ("letters", "mark", "expected"),
    [
        ("f" * 20, "pass_rate=0.9, gate='evidence'", (F, 3, 17)),
        ("f" * 20, "gates=['wrong_rate <= 0.1'], gate='evidence'", (F, 3, 17)),
        ("a" * 20, "gates=['abstention_rate <= 0.1'], gate='evidence'", (F, 3, 17)),
        ("p" * 20, "gates=['wrong_rate <= 0.1'], gate='evidence'", (P, 9, 11)),
        ("p" * 20, "pass_rate=0.9", (P, 18, 2)),
        ("f" * 20, "pass_rate=0.9", (F, 3, 17)),
        ("p" * 40, "pass_rate=0.9, gate='proof'", (P, PROVEN[40], 40 - PROVEN[40])),
        ("p" * 60, "pass_rate=0.9, gate='proof'", (P, PROVEN[60], 60 - PROVEN[60])),
        ("p" * 10, "pass_rate=0.8, stop='never'", (P, 10, 0)),
        ("p" * 10, "", (P, 10, 0)),
        ("f" * 10, "", (F, 10, 0)),
        ("p" * 10, "pass_rate=0", (P, 10, 0)),
        ("p", "pass_rate=1", (P, 1, 0)),
    ],
)
def test_one_after_the_other(
    pytester: pytest.Pytester, letters: str, mark: str, expected: tuple[str, int, int]
) -> None:
    """With one run in flight the stop is exact: the first run after which nothing can change."""
    assert seen(run(pytester, letters, f"{mark or 'gates=()'}, concurrency=1")) == expected


@pytest.mark.parametrize("concurrency", [2, 8, 32])
def test_a_failing_model_stops_early_too(pytester: pytest.Pytester, concurrency: int) -> None:
    """Under evidence five failures of 100 are enough; only those that were in flight meanwhile run as well."""
    verdict, runs, saved = seen(
        run(
            pytester,
            "f" * 100,
            f"pass_rate=0.9, gate='evidence', concurrency={concurrency}",
            before="time.sleep(0.05)",
        )
    )
    assert (verdict, runs + saved) == (F, 100)
    assert runs <= 5 + 2 * concurrency


@pytest.mark.parametrize("mode", ["observed", "evidence", "proof"])
@pytest.mark.parametrize(
    "gate", ["polite >= 0.1", "latency_p95 <= 60", "pass^2 >= 0.1", "pass@2 >= 0.1", "error_rate <= 0.5"]
)
def test_other_gates_need_every_run(pytester: pytest.Pytester, mode: str, gate: str) -> None:
    """One gate on a score, a time, pass^K or errors, and all runs are made, although the other is decided."""
    mark = f"gates=['pass_rate >= 0.1', {gate!r}], gate={mode!r}"
    test = run(pytester, "p" * 30, mark, *LENIENT, before="llmrel.score('polite', 1)").test()
    assert (test["runs"], test["stopped"]) == (30, None)


@pytest.mark.parametrize("gate", ["sensitivity <= 0.5", "worst_variant >= 0.1"])
def test_gates_between_wordings_need_every_run(pytester: pytest.Pytester, gate: str) -> None:
    """What differs between wordings is known from all runs only."""
    text = f"{HEAD}\n@krun(5, pass_rate=0.1, gates=[{gate!r}])\n@paraphrase('q', 'a', 'b')\ndef test_it(q): pass\n"
    test = example(text).run(pytester).test()
    assert (test["runs"], test["stopped"], test["verdict"]) == (10, None, P)


def test_all_gates_have_to_be_decided(pytester: pytest.Pytester) -> None:
    """Two gates: it ends with the later of the two, and both are told."""
    test = run(pytester, "p" * 20, "gates=['pass_rate >= 0.3', 'wrong_rate <= 0.2'], concurrency=1").test()
    assert (test["runs"], test["stopped"]["saved"]) == (16, 4)
    assert [(f["metric"], f["observed"], f["status"]) for f in test["findings"]] == [
        ("pass_rate", "6 of 6", P), ("wrong_rate", "0 of 16", P),
    ]  # fmt: skip


def test_wordings_take_turns(pytester: pytest.Pytester) -> None:
    """A stop after an early look has seen every wording as often, give or take one."""
    text = f"{HEAD}\n@krun(10, pass_rate=0.5, concurrency=1)\n@paraphrase('q', 'a', 'b', 'c')\ndef test_it(q): pass\n"
    test = example(text).run(pytester).test()
    assert (test["runs"], test["stopped"]["saved"]) == (15, 15)
    assert [tally["n"] for tally in test["variants"]] == [5, 5, 5]


# --- the verdict is that of all runs ------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["observed", "proof"])
@pytest.mark.parametrize(
    "letters", ["p" * 12, "pppppppppppf", "fppppppppppp", "fpfpfpfpfpfp", "ffpppppppppp", "ppppppppppff", "apsapsapsaps",
                "ssssppppppff", "f" * 12]
)  # fmt: skip
def test_the_verdict_is_that_of_all_runs(pytester: pytest.Pytester, mode: str, letters: str) -> None:
    """The same outcomes with stop="auto" and "never", at several bars at once in one session."""
    text = HEAD + ENDS
    for bar in (1, 5, 7, 8, 9, 10):
        for stop in ("auto", "never"):
            text += (
                f"@krun({len(letters)}, pass_rate={bar / 10}, gate={mode!r}, stop={stop!r}, concurrency=3)\n"
                f"def test_{stop}_{bar}(llmrel): end({letters!r}[llmrel.index], llmrel)\n\n"
            )
    outcome = example(text).run(pytester, "--tb=no", *LENIENT)
    for bar in (1, 5, 7, 8, 9, 10):
        early, full = (outcome.test(f"test_{stop}_{bar}") for stop in ("auto", "never"))
        assert (early["verdict"], early["findings"][0]["status"]) == (
            full["verdict"],
            full["findings"][0]["status"],
        )
        assert early["runs"] <= full["runs"] == len(letters)


@pytest.mark.parametrize(
    "letters", ["e" + "p" * 19, "ep" + "p" * 18, "pe" + "p" * 18, "epppeppppppppppppppp"]
)
def test_a_few_errors_do_not_become_many_by_stopping(pytester: pytest.Pytester, letters: str) -> None:
    """One or two errors of twenty are put up with; stopping must not make them too large a share of fewer runs."""
    full = run(pytester, letters, "pass_rate=0.3, stop='never', concurrency=1").test()
    assert full["verdict"] == P
    assert run(pytester, letters, "pass_rate=0.3, concurrency=1").test()["verdict"] == P


def test_too_many_errors_stay_inconclusive(pytester: pytest.Pytester) -> None:
    """A model that is unreachable half of the time does not pass by what came through."""
    assert run(pytester, "ep" * 10, "pass_rate=0.3, concurrency=1").test()["verdict"] == I
    assert run(pytester, "ep" * 10, "pass_rate=0.9, gate='evidence', concurrency=1").test()["verdict"] == I


@pytest.mark.parametrize("mode", ["observed", "evidence", "proof"])
@pytest.mark.parametrize("letter", ["e", "s"])
def test_nothing_but_invalid_runs(pytester: pytest.Pytester, mode: str, letter: str) -> None:
    """No stop, no decision, no division by zero: INCONCLUSIVE after all runs."""
    test = run(pytester, letter * 40, f"pass_rate=0.9, gate={mode!r}", "--tb=no").test()
    assert (test["verdict"], test["runs"], test["stopped"]) == (I, 40, None)


def test_skips_shorten_the_rule(pytester: pytest.Pytester) -> None:
    """Eight valid runs of ten need seven passes at a bar of 0.8."""
    assert seen(run(pytester, "sspppppppf", "pass_rate=0.8, concurrency=1")) == (P, 9, 1)


# --- which run is slow does not matter ----------------------------------------------------------------------


@pytest.mark.parametrize("keyword", ["def", "async def"])
@pytest.mark.parametrize("slow", range(6))
def test_the_decision_does_not_depend_on_which_run_is_slow(
    pytester: pytest.Pytester, keyword: str, slow: int
) -> None:
    """Run 2 fails; whichever run takes its time, the gate is decided by the same first runs."""
    wait = "time.sleep" if keyword == "def" else "await asyncio.sleep"
    before = f"{wait}(0.3 if llmrel.index == {slow} else 0)"
    outcome = example(source("ppfppppppp", "pass_rate=0.5, concurrency=10", before, keyword=keyword)).run(
        pytester, *PLAIN
    )
    (finding,) = outcome.test()["findings"]
    assert (finding["observed"], finding["status"]) == ("5 of 6", P)
    assert [str(slow)] in [line[:1] for line in outcome.log("run")], "the slow run was counted, not dropped"


def test_a_slow_failure_is_not_outrun(pytester: pytest.Pytester) -> None:
    """Slow runs fail more: three slow failures decide, although quick passes ended first and would do as many."""
    before = "time.sleep(0.4 + 0.2 * llmrel.index if llmrel.index < 3 else 0)"  # one after the other
    outcome = run(pytester, "fff" + "p" * 17, "pass_rate=0.9, concurrency=20", before=before)
    test = outcome.test()
    assert (test["verdict"], test["failed"], test["passed"]) == (F, 3, 17)
    assert test["metrics"]["pass_rate"]["point"] == 0.85, (
        "all runs were made: the full sample, not the first three"
    )


def test_slow_failures_that_end_together_decide(pytester: pytest.Pytester) -> None:
    """Runs that were held back may have started by the time all three are known, or not: the verdict is the same."""
    before = "time.sleep(0.4 if llmrel.index < 3 else 0)"
    test = run(pytester, "fff" + "p" * 17, "pass_rate=0.9, concurrency=20", before=before).test()
    assert (test["verdict"], test["failed"]) == (F, 3)
    assert 15 <= test["passed"] <= 17


def test_any_order_of_ends(pytester: pytest.Pytester) -> None:
    """Four runs that end in each of the 24 orders: one observed value."""
    tests = ""
    for number, order in enumerate(permutations(range(4))):
        tests += (
            f"@krun(4, pass_rate=0.5, concurrency=4)\nasync def test_{number}(llmrel):\n"
            f"    await asyncio.sleep({order}[llmrel.index] / 100)\n    end('pfpf'[llmrel.index], llmrel)\n\n"
        )
    outcome = example(HEAD + ENDS + tests).run(pytester, *PLAIN, "--tb=no")
    assert {test["findings"][0]["observed"] for test in outcome.tests.values()} == {"2 of 3"}
    assert len(outcome.tests) == 24
