"""``--llmrel-resume`` after a real ``kill -9``: exactly the missing runs, and the result of all."""

import errno
import os

import pytest
from resume_example import TWO_TESTS, judged, killed, ledger, lines
from wire_example import STYLES, Asking

from pytest_llmrel.ledger.lines import line_of
from pytest_llmrel.simulator import Simulator

IN_FLIGHT = 6
"""Of two tests, whose runs are made side by side."""
IN_ORDER = ("-o", "llmrel_lookahead=off")


def suite(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str = "threads", **ini: str
) -> Asking:
    """Two tests of twelve runs, with three of each in flight."""
    return Asking(pytester, monkeypatch, TWO_TESTS, style=style, **ini)


@pytest.mark.parametrize("style", STYLES[:2])
def test_a_killed_session_is_continued(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """No finished run is made again, only those in flight are; and nobody could tell from the result."""
    asking = suite(pytester, monkeypatch, style)
    with Simulator(latency=0) as model:
        undisturbed = asking.run(model, "-p", "no:cacheprovider")
    with Simulator(latency=0.02) as model:
        killed(asking, model, after=16)
        finished = len(lines(asking.path))
        assert finished >= 16 - IN_FLIGHT
        resumed = asking.run(model, "--llmrel-resume")
        assert model.requests <= 24 + IN_FLIGHT, "none is paid twice but those in flight"
    assert judged(resumed) == judged(undisturbed)
    assert f"resumed: {finished} runs were taken from the ledger" in resumed.out
    assert len(resumed.log()) == 24 - finished, "exactly the missing ones"


def test_killed_again_and_again(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that was resumed is itself resumed; at the end there is nothing left to run."""
    asking = suite(pytester, monkeypatch)
    with Simulator(latency=0) as model:
        undisturbed = asking.run(model, "-p", "no:cacheprovider")
    with Simulator(latency=0.02) as model:
        killed(asking, model, after=6)
        killed(asking, model, "--llmrel-resume", after=14)
        assert len(ledger(asking.path)) == 2
        last = asking.run(model, "--llmrel-resume")
        assert model.requests <= 24 + 2 * IN_FLIGHT
        paid = model.requests
        again = asking.run(model, "--llmrel-resume")
        assert model.requests == paid
    assert judged(last) == judged(again) == judged(undisturbed)
    assert "resumed: 24 runs were taken from the ledger" in again.out


def test_what_has_changed_is_begun_anew(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test in the same file is not; a prompt of the module concerns all of its tests."""
    asking = suite(pytester, monkeypatch)
    with Simulator(latency=0) as model:
        asking.run(model)
        asking.edit({"test_it.py": TWO_TESTS.replace("index / 12", "index / 13")})
        resumed = asking.run(model, "--llmrel-resume")
        assert resumed.log("a") == []
        assert len(resumed.log("b")) == 12
        assert "begun anew, because they have changed: test_it.py::test_b" in resumed.out
        asking.edit({"test_it.py": f"PROMPT = 1\n{TWO_TESTS}"})
        assert len(asking.run(model, "--llmrel-resume").log()) == 24
        asking.edit({"conftest.py": "MODEL = 'another'"})
        assert len(asking.run(model, "--llmrel-resume").log()) == 24
        more = asking.run(model, "--llmrel-resume", "--llmrel-k=13")
        assert more.log("a") == [["12"]], "only the runs that were added"


def test_a_session_of_its_own_begins_anew(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is never resumed is gone with the first run of the next session, and not before."""
    asking = suite(pytester, monkeypatch)
    with Simulator(latency=0) as model:
        asking.run(model)
        (first,) = ledger(asking.path)
        asking.run(model, "--collect-only")
        asking.run(model, "--llmrel-plan")
        asking.run(model, "-k", "nothing")
        assert ledger(asking.path) == [first]
        asking.run(model)
        (second,) = ledger(asking.path)
    assert second != first
    assert len(lines(asking.path)) == 24


def test_runs_that_were_made_ahead_are_not_lost(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With -x the second test never had its turn; the runs that it has made all the same are taken."""
    asking = suite(pytester, monkeypatch)
    asking.edit({"test_it.py": TWO_TESTS.replace("pass_rate=0.5", "pass_rate=0.9")})
    with Simulator(latency=0.02) as model:
        first = asking.run(model, "-x")
        assert list(first.tests) == ["test_it.py::test_a"]
        ahead = len(first.log("b"))
        assert ahead > IN_FLIGHT
        resumed = asking.run(model, "--llmrel-resume")
    assert resumed.log("a") == []
    assert len(resumed.log("b")) <= 12 - ahead + IN_FLIGHT
    assert resumed.counts("test_b") == {"passed": 12}


def test_runs_that_the_budget_ended_are_made(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With more money there are more runs; what was paid before counts."""
    dear = "\n    gpt-4o-mini: input 1000000, output 0"  # 14 dollars a call
    asking = suite(pytester, monkeypatch, "alone", llmrel_prices=dear)
    with Simulator(latency=0) as model:
        first = asking.run(model, "--llmrel-budget=100")
        assert (model.requests, first.test("test_a")["verdict"]) == (8, "INCONCLUSIVE")
        second = asking.run(model, "--llmrel-budget=100", "--llmrel-resume")
        assert (model.requests, second.test("test_a")["runs"]) == (8, 8)
        third = asking.run(model, "--llmrel-budget=139", "--llmrel-resume")
        assert (model.requests, third.test("test_a")["runs"]) == (10, 10)
        last = asking.run(model, "--llmrel-budget=500", "--llmrel-resume")
    assert (model.requests, last.ret) == (24, 0)
    assert last.test("test_a")["cost"]["usd"] == 12 * 14


def test_on_tape_no_run_is_missing(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The track of a run is written with those of the others of its test: without it, it is made again."""
    asking = suite(pytester, monkeypatch)
    with Simulator(latency=0.02) as model:
        killed(asking, model, "--llmrel-tape=record", *IN_ORDER, after=18)
        resumed = asking.run(model, "--llmrel-tape=record", "--llmrel-resume")
        assert resumed.log("a") == []
        assert len(resumed.log("b")) == 12
        assert resumed.ret == 0
    replayed = asking.run("http://127.0.0.1:9/v1", "--llmrel-tape=replay")
    assert (replayed.ret, replayed.counts("test_b")) == (0, {"passed": 12})


def test_no_secret_is_in_the_ledger(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """And failures are of one kind whether the run was made or taken from there."""
    secret = "very secret words of ours"  # noqa: S105  of nobody
    monkeypatch.setenv("OUR_API_KEY", secret)
    tests = f"""
@krun(3)
DEF test_a(llmrel):
    print("{secret}")
    llmrel.output("{secret}")
    assert llmrel.index, "{secret}"
    assert 0, "{secret}"
"""
    asking = Asking(pytester, monkeypatch, tests)
    first = asking.run("http://127.0.0.1:9")
    assert secret not in "".join(file.read_text() for file in ledger(asking.path))
    asking.run("http://127.0.0.1:9", "--llmrel-resume", "--llmrel-k=4")
    more = asking.run("http://127.0.0.1:9", "--llmrel-resume", "--llmrel-k=4")
    assert [group["count"] for group in more.test()["failures"]] == [3, 1]
    assert more.test()["failures"][1]["sample"] == first.test()["failures"][1]["sample"]


def test_workers_read_what_other_workers_wrote(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each writes a file of its own."""
    pytest.importorskip("xdist")
    asking = suite(pytester, monkeypatch)
    with Simulator(latency=0.05) as model:
        killed(asking, model, "-n2", after=10)
        finished = len(lines(asking.path))
        assert len(ledger(asking.path)) == 2
        resumed = asking.run(model, "-n1", "--llmrel-resume")
    assert len(resumed.log()) == 24 - finished
    assert (resumed.ret, resumed.counts("test_b")) == (0, {"passed": 12})
    assert f"resumed: {finished} runs were taken" in resumed.out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "there is no ledger in"),
        (("-p", "no:cacheprovider"), "without pytest's cache (-p no:cacheprovider) there is no ledger"),
        (("--llmrel-hunt=20",), "--llmrel-resume: a hunt leaves nothing to resume"),
    ],
)
def test_nothing_to_resume(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], said: str
) -> None:
    """What was asked for and cannot be had is a mistake, before anything is paid."""
    outcome = suite(pytester, monkeypatch).run("http://127.0.0.1:9", "--llmrel-resume", *args)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    assert said in outcome.out + outcome.err
    assert outcome.log() == []


def test_a_ledger_that_is_not_ours(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that another session is writing, or of another version: refused before anything is run."""
    asking = suite(pytester, monkeypatch)
    with Simulator(latency=0) as model:
        asking.run(model)
        with monkeypatch.context() as patch:
            patch.setattr("pytest_llmrel.ledger.folder.is_held", lambda _: True)
            second = asking.run(model)
        (file,) = ledger(asking.path)
        file.write_bytes(line_of({"ledger": 7}) + file.read_bytes())
        foreign = asking.run(model, "--llmrel-resume")
        assert (second.log(), foreign.log()) == ([], [])
        assert asking.run(model).ret == 0, "without the option it is nobody's business"
    for refused, said in (
        (second, "another pytest session is writing"),
        (foreign, "is a ledger of version 7"),
    ):
        assert refused.ret == pytest.ExitCode.USAGE_ERROR
        assert said in refused.out + refused.err


def test_a_disk_that_fails_at_the_very_end(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When no run follows that would notice: nobody knows what is on it, and that is said."""
    asking = suite(pytester, monkeypatch)
    failing = """
import os, errno, pytest
fsync = os.fsync

def broken(handle): raise OSError(errno.EIO, os.strerror(errno.EIO))

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish():
    os.fsync = broken

def pytest_unconfigure():
    os.fsync = fsync
"""
    asking.edit({"failing.py": failing})
    with Simulator(latency=0) as model:
        outcome = asking.run(model, "-p", "failing")
    assert outcome.outcomes(passed=2).ret == 0
    assert f"the ledger is incomplete: {pytester.path}" in outcome.out
    assert f"{os.strerror(errno.EIO)}; its last runs may be lost" in outcome.out


def test_a_full_disk(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session goes on, says what is not in the ledger, and what is there can be resumed."""
    asking = suite(pytester, monkeypatch)
    full = """
import os, errno
write, runs = os.write, []

def limited(handle, data):
    if data[9:10] == b"[":
        runs.append(1)
        if len(runs) > 5:
            write(handle, data[:30])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return write(handle, data)

def pytest_configure():
    os.write = limited

def pytest_unconfigure():
    os.write = write
"""
    asking.edit({"full.py": full})
    with Simulator(latency=0) as model:
        first = asking.run(model, "-p", "full", *IN_ORDER)
        assert first.outcomes(passed=2).ret == 0
        assert "the ledger is incomplete" in first.out
        assert "No space left on device" in first.out
        assert "the first run that is not in it is one of test_it.py::test_" in first.out
        resumed = asking.run(model, "--llmrel-resume")
    assert len(resumed.log()) == 24 - 5
    assert judged(resumed) == judged(first)
    assert "1 torn line" in resumed.out
