"""What is said of a test that stopped early, what it may not be used for, and what else ends a test."""

import json

import numpy  # noqa: F401, ICN001  pytester forgets modules between sessions, and numpy cannot be imported twice
import pytest
from example import PLAIN, example
from stop_example import ENDS, HEAD, run, seen, source

P, I, F = "PASS", "INCONCLUSIVE", "FAIL"  # noqa: E741


# --- what is said -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letters", "mark", "args"),
    [
        ("p" * 20, "pass_rate=0.9, gate='evidence'", []),
        ("p" * 20, "pass_rate=0.9, gate='evidence'", ["-n1"]),
        ("f" * 20, "pass_rate=0.9, gate='evidence', concurrency=1", []),
        ("f" * 20, "pass_rate=0.9, concurrency=1", []),
    ],
)
def test_why_it_stopped_and_what_it_saved(
    pytester: pytest.Pytester, letters: str, mark: str, args: list[str]
) -> None:
    """Reason and saved runs are in the report, in the table and in the totals."""
    outcome = run(pytester, letters, mark, *args)
    test = outcome.test()
    runs = 9 if letters[0] == "p" else 3
    assert test["stopped"] == {"reason": "every gate is decided", "saved": 20 - runs}
    assert f"stopped after {runs} of 20 runs, {20 - runs} saved: every gate is decided" in outcome.out
    assert f"1 test, {runs} runs ({20 - runs} saved)" in outcome.out
    assert test["findings"][0]["explanation"] in outcome.out or test["verdict"] == P


@pytest.mark.parametrize("mode", ["observed", "evidence"])
def test_the_explanation_of_a_failure_says_it_stopped(pytester: pytest.Pytester, mode: str) -> None:
    """Whoever reads why the test failed learns there that 17 of 20 runs were not needed."""
    outcome = run(pytester, "f" * 20, f"pass_rate=0.9, gate={mode!r}, concurrency=1")
    failure = outcome.out.partition("= FAILURES =")[2].partition("= reliability (llmrel) =")[0]
    assert "stopped after 3 of 20 runs, 17 saved" in failure
    assert ("cannot change this" if mode == "observed" else "sequential test of 0.9 against 0.7") in failure


@pytest.mark.parametrize("letters", ["ppppppppfp", "fppppppppp", "fppppppppf", "ppppppppff"])
def test_a_test_that_made_all_runs_did_not_stop(pytester: pytest.Pytester, letters: str) -> None:
    """Decided by the last run: nothing was saved, and nothing is said of a stop."""
    outcome = run(pytester, letters, "pass_rate=0.9, concurrency=1")
    assert outcome.test()["runs"] == 10
    assert outcome.test()["stopped"] is None
    assert "saved" not in outcome.out


def test_metrics_after_an_early_stop(pytester: pytest.Pytester) -> None:
    """pass_rate is the unbiased estimate; pass@k, pass^k and rates without a gate are n/a, with the reason."""
    test = run(pytester, "pfpppfppfppppppppppp", "pass_rate=0.9, concurrency=1").test()
    assert (test["runs"], test["passed"], test["failed"]) == (9, 6, 3)
    metrics = test["metrics"]
    assert metrics["pass_rate"]["point"] == pytest.approx(1 - 2 / 8), (
        "Girshick, Mosteller and Savage, not 6/9"
    )
    assert (metrics["pass_rate"]["low"], metrics["pass_rate"]["n"]) == (None, 9)
    assert "unbiased" in metrics["pass_rate"]["method"]
    for name in ("pass@5", "pass^5", "wrong_rate", "abstention_rate"):
        assert metrics[name]["point"] is None
        assert "stopped early" in metrics[name]["method"]
    assert metrics["error_rate"]["point"] == 0


def test_wordings_after_an_early_stop(pytester: pytest.Pytester) -> None:
    """Sensitivity and the worst wording are n/a, with the reason, like all other metrics of the full sample."""
    text = f"{HEAD}\n@krun(10, pass_rate=0.5)\n@paraphrase('q', 'a', 'b')\ndef test_it(q): pass\n"
    test = example(text).run(pytester).test()
    assert test["stopped"]["saved"]
    assert test["sensitivity"] is None
    for name in ("sensitivity", "worst_variant"):
        assert test["metrics"][name]["point"] is None
        assert "stopped early" in test["metrics"][name]["method"]


@pytest.mark.parametrize("letters", ["fppppppppp", "ppppppppff"])
def test_the_flag_is_kept_where_all_runs_were_made(pytester: pytest.Pytester, letters: str) -> None:
    """Decided by the last run, the finding flags a bar inside the interval as it does with stop="never"."""
    never = run(pytester, letters, "pass_rate=0.9, stop='never', concurrency=1").test()
    (full,) = never["findings"]
    test = run(pytester, letters, "pass_rate=0.9, concurrency=1").test()
    assert test["runs"] == 10
    assert (test["findings"][0]["status"], test["findings"][0]["straddles"]) == (
        full["status"],
        full["straddles"],
    )
    assert full["straddles"]


# --- baselines ----------------------------------------------------------------------------------------------


def test_a_stopped_test_offers_no_batch(pytester: pytest.Pytester) -> None:
    """Its counts are biased and never become a baseline."""
    baseline = run(pytester, "p" * 20, "pass_rate=0.9").test()["baseline"]
    assert baseline["batch"] is None
    assert "stopped early" in baseline["why_not"]


@pytest.mark.parametrize(
    ("letters", "concurrency"), [("p" * 18 + "ff", 20), ("fp" + "f" + "p" * 17, 1), ("ff" + "p" * 18, 1)]
)
def test_a_followed_test_offers_no_batch(pytester: pytest.Pytester, letters: str, concurrency: int) -> None:
    """A test that could have stopped but happened to need all its runs is a selected one: no batch either."""
    test = run(pytester, letters, f"pass_rate=0.9, concurrency={concurrency}").test()
    if test["runs"] == 20:
        assert test["baseline"]["batch"] is None
    assert run(pytester, letters, "pass_rate=0.9, stop='never'").test()["baseline"]["batch"] is not None


def test_a_test_that_records_or_compares_makes_all_runs(pytester: pytest.Pytester) -> None:
    """What enters a baseline, or is compared with one, is a full sample."""
    suite = example(source("p" * 60, "pass_rate=0.5", "").replace("krun(60", "krun(10"))
    first = suite.run(pytester, "--llmrel-baseline=new", "--llmrel-baseline-runs=20")
    assert (first.test()["runs"], first.test()["stopped"]) == (20, None)
    second = suite.run(pytester)
    assert (second.test()["runs"], second.test()["stopped"]) == (10, None)
    off = suite.run(pytester, "--llmrel-baseline=off")
    assert (off.test()["runs"], off.test()["stopped"]["saved"]) == (5, 5)


# --- what else ends a test ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["observed", "evidence"])
def test_a_fatal_answer_before_the_decision(pytester: pytest.Pytester, mode: str) -> None:
    """HTTP 401 ends the test; runs that are missing are missing, not saved, and it is no PASS."""
    test = run(pytester, "ppp!" + "p" * 16, f"pass_rate=0.9, gate={mode!r}, concurrency=1").test()
    assert (test["verdict"], test["runs"], test["unfinished"]) == (I, 4, 16)
    assert (
        "401" in test["stopped"]["reason"]
        or "every further run would end the same way" in test["stopped"]["reason"]
    )
    assert test["stopped"]["saved"] == 0


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_fatal_answer_after_failures(pytester: pytest.Pytester, concurrency: int) -> None:
    """What was shown stays shown: three failures of twenty FAIL, whatever the fourth run says."""
    outcome = run(pytester, "fff!" + "p" * 16, f"pass_rate=0.9, concurrency={concurrency}")
    assert outcome.test()["verdict"] == F


@pytest.mark.parametrize("stop", ["auto", "never"])
def test_nothing_passes_by_a_session_that_was_cut_off(pytester: pytest.Pytester, stop: str) -> None:
    """A 401 that comes before the decision leaves runs missing, although those in flight then pass the gate."""
    before = "time.sleep(0 if llmrel.index == 10 else 0.3)"
    mark = f"pass_rate=0.5, concurrency=11, stop={stop!r}"
    outcome = run(pytester, "p" * 10 + "!" + "p" * 10, mark, before=before)
    test = outcome.test()
    assert (test["verdict"], test["passed"], test["errors"], test["unfinished"]) == (I, 10, 1, 10)
    assert test["stopped"]["saved"] == 0
    assert "every further run would end the same way" in test["stopped"]["reason"]
    assert outcome.ret == 1


@pytest.mark.parametrize(("keyword", "wait"), [("def", "time.sleep"), ("async def", "await asyncio.sleep")])
@pytest.mark.parametrize("concurrency", [2, 8])
def test_timeouts(pytester: pytest.Pytester, keyword: str, wait: str, concurrency: int) -> None:
    """A run that exceeds its time is an error, does not count, and the rule goes on without it."""
    before = f"{wait}(30 if llmrel.index == 1 else 0)"
    mark = f"pass_rate=0.9, gate='evidence', timeout=0.4, concurrency={concurrency}"
    outcome = example(source("p" * 20, mark, before, keyword=keyword)).run(
        pytester, *PLAIN, subprocess=True, timeout=30
    )
    test = outcome.test()
    assert (test["errors"], test["passed"] >= 9, test["unfinished"]) == (1, True, 0)
    assert test["runs"] <= 9 + concurrency
    assert test["findings"][0]["status"] == P
    assert test["findings"][0]["observed"] == "9 of 9"


@pytest.mark.parametrize("letters", ["ppp", "fff"])
def test_ctrl_c_before_the_decision(pytester: pytest.Pytester, letters: str) -> None:
    """An interrupted test keeps its runs; missing ones are not saved, and the verdict is no PASS."""
    before = f"if llmrel.index == {len(letters)}: raise KeyboardInterrupt"
    text = source(letters + "p" * 37, "pass_rate=0.5, concurrency=1", before)
    outcome = example(text).run(pytester, *PLAIN, subprocess=True)
    assert outcome.ret == pytest.ExitCode.INTERRUPTED
    test = outcome.test()
    verdict = I if letters == "ppp" else "FAIL"
    assert (test["runs"], test["unfinished"], test["verdict"]) == (3, 37, verdict)
    assert (test["stopped"]["saved"], test["stopped"]["reason"]) == (0, "interrupted by KeyboardInterrupt")


def test_fixtures_of_the_runs_that_were_made(pytester: pytest.Pytester) -> None:
    """Set up and torn down once for each run, none for those that were saved."""
    text = f"""{HEAD}
@pytest.fixture
def bot(llmrel):
    note("up", llmrel.index)
    yield
    note("down", llmrel.index)

@krun(20, pass_rate=0.9, gate="evidence")
def test_it(bot, llmrel): pass
"""
    outcome = example(text).run(pytester)
    expected = sorted([str(index)] for index in range(9))
    assert sorted(outcome.log("up")) == sorted(outcome.log("down")) == expected


def test_a_raising_tear_down_among_the_runs_made(pytester: pytest.Pytester) -> None:
    """It fails the test, stopped or not."""
    text = f"""{HEAD}
@pytest.fixture
def bot(llmrel):
    yield
    if llmrel.index == 3: raise OSError("cannot close")

@krun(20, pass_rate=0.9, gate="evidence")
def test_it(bot): pass
"""
    test = example(text).run(pytester).test()
    assert (test["verdict"], test["runs"]) == (F, 9)


def test_the_same_with_and_without_workers(pytester: pytest.Pytester) -> None:
    """Several stopped tests over two workers: the same counts, findings and reasons."""
    text = (
        HEAD
        + ENDS
        + "".join(
            f"@krun(20, pass_rate=0.9, gate={mode!r}, concurrency=1)\n"
            f"def test_{mode}_{letters[:3]}(llmrel): end({letters!r}[llmrel.index], llmrel)\n\n"
            for mode in ("observed", "evidence")
            for letters in ("p" * 20, "f" * 20, "pfp" * 6 + "pp")
        )
    )
    kept = ("verdict", "runs", "passed", "failed", "stopped", "findings", "unfinished")
    both = []
    for args in ([], ["-n2"]):
        outcome = example(text).run(pytester, "--tb=no", *args)
        both.append({name: {key: test[key] for key in kept} for name, test in outcome.tests.items()})
    assert json.dumps(both[0], sort_keys=True) == json.dumps(both[1], sort_keys=True)
    assert len(both[0]) == 6


def test_fewer_runs_from_the_command_line(pytester: pytest.Pytester) -> None:
    """The rule is made for the runs that are planned now: with k=10, 5 of 5 under evidence of 0.8."""
    outcome = run(pytester, "p" * 40, "pass_rate=0.8, gate='evidence'", "--llmrel-k=10")
    assert seen(outcome)[0] == P
    assert seen(outcome)[1] < 10
    assert sum(seen(outcome)[1:]) == 10
