"""Baselines session by session: what each mode compares, records and leaves alone."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
from baseline_example import Scripted, fails, plain
from example import PLAIN

BOTH = {"a": "p", "b": "p"}


@pytest.fixture
def scripted(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """One test of ten runs without a gate."""
    return Scripted(pytester, monkeypatch, plain("a"))


# --- the first run ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("args", [(), ("-q",), ("-qq",), ("-v",)])
def test_without_a_baseline_it_is_said_loudly(scripted: Scripted, args: tuple[str, ...]) -> None:
    """No error, every run must pass, and "no baseline" with the way to get one, however quiet the session."""
    outcome = scripted.run("p", *args)
    assert outcome.ret == 0
    assert "no baseline: test_it.py::test_a; record with --llmrel-baseline=new" in outcome.out
    assert scripted.run(fails(1, 10)).outcomes(failed=1).ret == 1
    assert not scripted.file().parent.exists(), "check never writes"
    found = outcome.test()["baseline"]
    assert (found["status"], found["entry"], found["n"], found["comparison"]) == (
        "none",
        "test_a",
        None,
        None,
    )
    assert outcome.report["suite"]["compared"] == 0


def test_a_baseline_takes_the_place_of_every_run_must_pass(scripted: Scripted) -> None:
    """9 of 10 passes fail a test without a baseline, and are fine for one that passes nine times of ten."""
    scripted.run(fails(1, 10), "--llmrel-baseline=new").outcomes(passed=1)
    assert scripted.counts() == [(45, 50)]
    outcome = scripted.run(fails(1, 10)).outcomes(passed=1)
    assert (outcome.ret, outcome.test()["verdict"]) == (0, "PASS")
    assert "no baseline" not in outcome.out
    assert "every run must pass" not in outcome.out


# --- check --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", ["p", "f", "ppppppppff", "e", "s"])
def test_check_writes_nothing(scripted: Scripted, script: str) -> None:
    """Green, red, escalated, erring or skipped: bytes, time and folder of the baselines stay."""
    scripted.run("p", "--llmrel-baseline=new")
    file = scripted.file()
    before = file.read_bytes(), file.stat().st_mtime_ns, os.listdir(file.parent)
    scripted.run(script)
    scripted.run(script, "--llmrel-baseline=check", "-q")
    scripted.run(script, "--llmrel-baseline=off")
    scripted.run(script, "--collect-only")
    scripted.run(script, "--llmrel-baseline=new")
    assert (file.read_bytes(), file.stat().st_mtime_ns, os.listdir(file.parent)) == before


def test_off_ignores_everything(scripted: Scripted) -> None:
    """Even a baseline that cannot be read: every run must pass, and nothing is said of baselines."""
    scripted.run("f", "--llmrel-baseline=new")
    scripted.file().write_text("<<<<<<< HEAD\n")
    outcome = scripted.run("p", "--llmrel-baseline=off").outcomes(passed=1)
    assert outcome.test()["baseline"] is None
    assert "baseline" not in outcome.out.replace("--llmrel-baseline=off", "")
    scripted.run(fails(1, 10), "--llmrel-baseline=off").outcomes(failed=1)


def test_early_stopped_counts_never_enter(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate may stop a test that has no baseline: what is counted then is biased, and the report says so."""
    scripted = Scripted(pytester, monkeypatch, plain("a", mark="20, pass_rate=0.5"))
    found = scripted.run("p").test()
    assert found["runs"] < 20
    assert found["baseline"]["batch"] is None
    assert "early" in found["baseline"]["why_not"]
    for mode, batches in [("new", 1), ("update", 2), ("update", 3)]:
        outcome = scripted.run("p", f"--llmrel-baseline={mode}")
        assert (outcome.test()["stopped"], len(scripted.counts())) == (None, batches)
    assert scripted.counts() == [(50, 50), (20, 20), (20, 20)]
    compared = scripted.run("p").test()
    assert (compared["runs"], compared["stopped"]) == (20, None), "compared runs run to full k"


# --- new ----------------------------------------------------------------------------------------------------


def test_new_adds_only_what_is_missing(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that has a baseline is compared with it, the other runs fifty times; the old entry stays as it was."""
    scripted = Scripted(pytester, monkeypatch, plain("a"))
    scripted.run("p", "--llmrel-baseline=new")
    before = scripted.entries()["test_a"]
    scripted.edit({"test_it.py": plain("a", "b")})
    outcome = scripted.run({"a": "f", "b": "pf"}, "--llmrel-baseline=new")
    assert outcome.test("test_a")["verdict"] == "FAIL"
    assert outcome.test("test_b")["verdict"] == "PASS", "no gate of its own: nothing to fail"
    assert "no gate; its 50 runs are recorded as the baseline" in str(outcome.test("test_b")["findings"])
    assert (len(outcome.log("call")), outcome.test("test_b")["runs"]) == (10 + 50, 50)
    assert scripted.entries()["test_a"] == before
    assert scripted.counts("test_b") == [(25, 50)]
    assert outcome.report["suite"]["compared"] == 1
    assert "1 of 1 baselines recorded" in outcome.out


def test_new_judges_by_the_own_gates(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that is missed fails the test, whose runs are recorded all the same: they are what they are."""
    scripted = Scripted(pytester, monkeypatch, plain("a", mark="10, pass_rate=0.9"))
    outcome = scripted.run("pf", "--llmrel-baseline=new").outcomes(failed=1)
    assert "pass_rate is 0.5" in outcome.out
    assert scripted.counts() == [(25, 50)]


@pytest.mark.parametrize(("wanted", "k", "runs"), [("20", 10, 20), ("5", 10, 10), ("1", 3, 3), ("7", 7, 7)])
def test_the_runs_of_a_new_baseline(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, wanted: str, k: int, runs: int
) -> None:
    """--llmrel-baseline-runs says how many, but never fewer than the test itself asks for."""
    scripted = Scripted(pytester, monkeypatch, plain("a", mark=str(k)))
    for mode in ("new", "reset"):
        scripted.run("p", f"--llmrel-baseline={mode}", f"--llmrel-baseline-runs={wanted}")
        assert scripted.counts() == [(runs, runs)]
    assert scripted.run("p", f"--llmrel-baseline-runs={wanted}").test()["runs"] == k


@pytest.mark.parametrize("wanted", ["0", "-1", "many", "1.5", ""])
def test_runs_that_are_no_count(scripted: Scripted, wanted: str) -> None:
    """--llmrel-baseline-runs is a whole number of at least 1, or a usage error."""
    assert scripted.run("p", f"--llmrel-baseline-runs={wanted}").ret == pytest.ExitCode.USAGE_ERROR


def test_runs_are_spread_over_the_wordings(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three wordings get seventeen runs each: at least fifty, and the same number for all."""
    test = (
        '\n@krun(5)\n@paraphrase("q", "one", "two", "three")\ndef test_a(llmrel, q):\n    play(llmrel, "a")\n'
    )
    scripted = Scripted(pytester, monkeypatch, test)
    scripted.run({"a": {"one": "p", "two": "pf", "three": "f"}}, "--llmrel-baseline=new")
    (batch,) = scripted.entries()["test_a"]["batches"]
    assert [(cell["passed"], cell["n"]) for cell in batch["cells"]] == [(17, 17), (9, 17), (0, 17)]
    scripted.run({"a": {"one": "p", "two": "pf", "three": "f"}}, "--llmrel-baseline=update")
    assert scripted.counts() == [(26, 51), (5 + 3, 15)]


def test_errors_and_skips_are_not_in_the_counts(scripted: Scripted) -> None:
    """Only runs that passed, failed or abstained are remembered."""
    scripted.run("ppfaesppppppppppppppppppp" * 2, "--llmrel-baseline=new")
    assert scripted.counts() == [(42, 46)]


def test_a_skipped_test_is_not_recorded(scripted: Scripted) -> None:
    """All runs skip, as a mark would: nothing was wrong, and nothing is recorded."""
    outcome = scripted.run("s", "--llmrel-baseline=new").outcomes(skipped=1)
    assert not scripted.file().exists()
    assert outcome.ret == 0, outcome.out


def test_a_test_without_valid_runs_is_not_recorded(scripted: Scripted) -> None:
    """All runs err: the session is red, says that nothing was recorded, and the file does not appear."""
    for mode in ("new", "update", "reset"):
        outcome = scripted.run("e", f"--llmrel-baseline={mode}")
        assert outcome.ret == 1
        assert "no baseline recorded: no valid run" in outcome.out
        assert not scripted.file().exists()


# --- update and reset ---------------------------------------------------------------------------------------


def test_update_appends_the_first_k_runs(scripted: Scripted) -> None:
    """Green, escalated or red: exactly the first k runs of the session, better or worse."""
    scripted.run("p", "--llmrel-baseline=new")
    first = scripted.entries()["test_a"]["batches"]
    escalated = scripted.run("ppppppppff" + "f" * 30, "--llmrel-baseline=update")
    assert (escalated.ret, len(escalated.log("call"))) == (1, 40)
    assert scripted.run("f", "--llmrel-baseline=update").ret == 1
    assert scripted.run("p", "--llmrel-baseline=update").ret == 0
    assert scripted.counts() == [(50, 50), (8, 10), (0, 10), (10, 10)]
    assert scripted.entries()["test_a"]["batches"][:1] == first, "append-only"
    assert len({batch["id"] for batch in scripted.entries()["test_a"]["batches"]}) == 4
    scripted.run("p", "--llmrel-k=3", "--llmrel-baseline=update")
    assert scripted.counts()[-1] == (3, 3)


def test_update_begins_what_is_missing(scripted: Scripted) -> None:
    """Without an entry it is as good as new."""
    scripted.run("p", "--llmrel-baseline=update").outcomes(passed=1)
    assert scripted.counts() == [(50, 50)]


def test_the_newest_200_runs_are_kept(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole sessions are dropped, the oldest first, as soon as there are more than 200 runs."""
    scripted = Scripted(pytester, monkeypatch, plain("a", mark="60"))
    for session in range(5):
        scripted.run(fails(session, 60), "--llmrel-baseline=update")
        assert sum(n for _, n in scripted.counts()) <= 200
    assert scripted.counts() == [(58, 60), (57, 60), (56, 60)]


def test_reset_begins_anew(scripted: Scripted) -> None:
    """The old runs are gone, the test is not judged by them, and it has fifty new ones."""
    scripted.run("p", "--llmrel-baseline=new")
    scripted.run("p", "--llmrel-baseline=update")
    outcome = scripted.run("ppff", "--llmrel-baseline=reset")
    assert outcome.ret == 0
    assert (outcome.test()["baseline"]["comparison"], outcome.test()["runs"]) == (None, 50)
    assert scripted.counts() == [(26, 50)]


def test_only_the_tests_that_ran_are_changed(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With -k or a node id, update and reset leave the entries of the other tests alone."""
    scripted = Scripted(pytester, monkeypatch, plain("a", "b"))
    scripted.run(BOTH, "--llmrel-baseline=new")
    before = scripted.entries()["test_b"]
    scripted.run(BOTH, "--llmrel-baseline=update", "-k", "test_a")
    scripted.run(BOTH, "--llmrel-baseline=update", "test_it.py::test_a")
    assert scripted.counts("test_a") == [(50, 50), (10, 10), (10, 10)]
    scripted.run(BOTH, "--llmrel-baseline=reset", "test_it.py::test_a")
    assert scripted.counts("test_a") == [(50, 50)]
    assert scripted.entries()["test_b"] == before


@pytest.mark.parametrize("mode", ["update", "reset"])
@pytest.mark.parametrize("value", ["true", "1", "TRUE", "yes", "woodpecker"])
def test_no_build_moves_its_own_bar(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch, value: str, mode: str
) -> None:
    """Where CI is set, update and reset are usage errors that run nothing, unless forced."""
    monkeypatch.setenv("CI", value)
    outcome = scripted.run("p", f"--llmrel-baseline={mode}")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    assert f"--llmrel-baseline={mode} is refused where CI={value}" in outcome.err
    assert "--llmrel-force" in outcome.err
    assert outcome.log("call") == []
    scripted.run("p", f"--llmrel-baseline={mode}", "--llmrel-force").outcomes(passed=1)
    assert scripted.counts() == [(50, 50)]


@pytest.mark.parametrize("value", ["false", "0", "", "False"])
def test_what_is_no_ci(scripted: Scripted, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """CI set to nothing or false is a desk."""
    monkeypatch.setenv("CI", value)
    scripted.run("p", "--llmrel-baseline=reset").outcomes(passed=1)


@pytest.mark.parametrize("mode", ["check", "new", "off"])
def test_what_is_allowed_on_ci(scripted: Scripted, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    """Comparing, and recording what is missing, need no force."""
    monkeypatch.setenv("CI", "true")
    scripted.run("p", f"--llmrel-baseline={mode}").outcomes(passed=1)
    assert scripted.file().exists() is (mode == "new")


# --- sessions that end early --------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["new", "update", "reset"])
def test_a_session_that_stops_records_whole_tests(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """With -x, what has run is recorded and what has not keeps its entry, or has none."""
    scripted = Scripted(pytester, monkeypatch, plain("a", "b", "c", mark="10, pass_rate=0.9"))
    if mode != "new":
        scripted.run({"a": "p", "b": "p", "c": "p"}, "--llmrel-baseline=new")
    before = dict(scripted.entries())
    outcome = scripted.run({"a": "p", "b": "f", "c": "p"}, "-x", f"--llmrel-baseline={mode}")
    assert outcome.ret == 1
    assert scripted.entries().get("test_c") == before.get("test_c")
    assert scripted.counts("test_a")[-1] == ((10, 10) if mode == "update" else (50, 50))
    assert scripted.counts("test_b")[-1] == ((0, 10) if mode == "update" else (0, 50))


@pytest.mark.parametrize("mode", ["new", "update", "reset"])
def test_ctrl_c_records_no_half_test(scripted: Scripted, mode: str) -> None:
    """The test that was interrupted has no new batch, and the session is not green."""
    slow = (
        "\n@krun(10, concurrency=2)\ndef test_z(llmrel):\n    import time\n    time.sleep(5 * llmrel.index)\n"
    )
    scripted.edit({"test_it.py": plain("a") + slow.replace("5 *", "0 *")})
    if mode != "new":
        scripted.run("p", "--llmrel-baseline=new")
    before = dict(scripted.entries())
    scripted.edit({"test_it.py": plain("a") + slow})
    scripted.write("p")
    (scripted.path / "log.txt").unlink(missing_ok=True)
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *PLAIN, f"--llmrel-baseline={mode}", "--llmrel-json=r.json"],
        cwd=scripted.path, stdout=subprocess.PIPE, text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (ignored in background jobs)
    ) as process:  # fmt: skip
        wanted = 10 if mode == "update" else 50
        until = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < until:
            log = scripted.path / "log.txt"
            if log.exists() and len(log.read_text().splitlines()) >= wanted:
                break
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, said
    assert scripted.entries().get("test_z") == before.get("test_z")
    assert scripted.counts("test_a")[-1] == (wanted, wanted)
    tests = {test["nodeid"]: test for test in json.loads((scripted.path / "r.json").read_text())["tests"]}
    assert "runs are missing" in tests["test_it.py::test_z"]["baseline"]["why_not"]
