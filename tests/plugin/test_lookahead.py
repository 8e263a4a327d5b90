"""Runs of several tests in flight: who meets whom, on what loop, with whose output, and how it ends."""

import json
from typing import Any

import pytest
from example import PLAIN, Example, example
from lookahead_example import HEAD


def test_runs_of_several_tests_meet(pytester: pytest.Pytester) -> None:
    """Four tests of two runs each, eight in flight: all eight meet, and each test has only its own."""
    outcome = example(f"""{HEAD}
@pytest.mark.parametrize("n", range(4))
@krun(2)
def test_it(n):
    print("I am", n)
    assert together(8)
    assert n != 2
""").run(pytester)
    outcome.outcomes(passed=3, failed=1)
    (failure,) = outcome.test("test_it[2]")["failures"]
    assert failure["count"] == 2
    assert failure["sample"]["captured"] == {"stdout": "I am 2\n"}
    assert "I am 0" not in outcome.out
    assert list(outcome.tests) == [f"test_it.py::test_it[{n}]" for n in range(4)]


def test_coroutines_meet_on_one_loop(pytester: pytest.Pytester) -> None:
    """An asynchronous client of a session fixture belongs to one loop, and works for all tests of a session."""
    outcome = example(f"""{HEAD}
loops = set()

@pytest.fixture(scope="session")
def met():
    return asyncio.Event()  # bound to the loop that waits for it first

@pytest.mark.parametrize("n", range(4))
@krun(2)
async def test_it(n, met):
    global at_once
    at_once += 1
    if at_once == 8:
        met.set()
    await asyncio.wait_for(met.wait(), 10)
    loops.add(asyncio.get_running_loop())
    assert len(loops) == 1

def test_plain(): pass

@krun(2)
async def test_later(met):
    await met.wait()
    assert loops == {{asyncio.get_running_loop()}}
""").run(pytester, *PLAIN)
    outcome.outcomes(passed=6)


def test_no_more_in_flight_than_the_session_may(pytester: pytest.Pytester) -> None:
    """The limit is one for all tests, and not reached by one of them alone."""
    outcome = example(f"""{HEAD}
@pytest.mark.parametrize("n", range(6))
@krun(2)
def test_it(n):
    with counted(0.02): pass

def test_most():
    assert most == 3
""").run(pytester, "--llmrel-concurrency=3")
    outcome.outcomes(passed=7)


def test_the_time_of_a_test_is_that_of_its_runs(pytester: pytest.Pytester) -> None:
    """Not how long pytest was busy with it: they were over before it was its turn."""
    conftest = """
import json
def pytest_runtest_logreport(report):
    if report.when == "call":
        with open("times.txt", "a") as file:
            file.write(json.dumps([report.nodeid, report.duration, report.stop - report.start]) + "\\n")
"""
    suite = example(f"""{HEAD}
@krun(2)
def test_slow(): time.sleep(0.4)

@krun(2)
def test_ahead(): time.sleep(0.2)
""").with_files({"conftest.py": conftest})
    outcome = suite.run(pytester, "--junitxml=junit.xml").outcomes(passed=2)
    lines = [json.loads(line) for line in (outcome.path / "times.txt").read_text().splitlines()]
    assert [nodeid.partition("::")[2] for nodeid, *_ in lines] == ["test_slow", "test_ahead"]
    (_, slow, span), (_, ahead, _) = lines
    assert 0.2 <= ahead < slow >= 0.4
    assert span == pytest.approx(slow)


def test_the_first_failure_ends_what_was_started_ahead(pytester: pytest.Pytester) -> None:
    """With -x the next tests are no part of the session, and nobody waits for their runs."""
    outcome = example(f"""{HEAD}
@krun(2)
def test_fails(llmrel):
    assert together(4)
    time.sleep(0.2)
    assert 0

@krun(2)
def test_ahead():
    assert together(4)

@krun(2)
def test_hangs():
    time.sleep(30)
""").run(pytester, "-x", subprocess=True, timeout=20)
    outcome.outcomes(failed=1)
    assert list(outcome.tests) == ["test_it.py::test_fails"]
    assert "2 runs of tests that were started ahead were given up" in outcome.out


def test_output_between_the_phases_of_a_test_is_that_of_its_run(pytester: pytest.Pytester) -> None:
    """While pytest tears down and sets up, runs of the next test go on printing."""
    conftest = """
import time
def pytest_runtest_logreport(report): time.sleep(0.05)
"""
    suite = example(f"""{HEAD}
@krun(2)
def test_a(): pass

@krun(2)
def test_b():
    for _ in range(60):
        print("x", end="")
        print("y", end="", file=sys.stderr)
        time.sleep(0.005)
    assert 0
""").with_files({"conftest.py": conftest})
    outcome = suite.run(pytester, "--llmrel-concurrency=4", subprocess=True)
    (failure,) = outcome.test("test_b")["failures"]
    assert failure["sample"]["captured"] == {"stdout": "x" * 60, "stderr": "y" * 60}
    assert "xxx" not in outcome.out.partition("= FAILURES =")[0]
    assert "yyy" not in outcome.err


def test_a_run_that_blocks_the_loop_takes_no_other_test_with_it(pytester: pytest.Pytester) -> None:
    """What was started ahead on the same loop is made anew, on another one."""
    outcome = example(f"""{HEAD}
release = threading.Event()

@krun(2, timeout=0.3)
async def test_blocks(llmrel):
    if llmrel.index == 0:
        await asyncio.sleep(0.1)
        release.wait(20)

@krun(3, timeout=5)
async def test_victim():
    await asyncio.sleep(0.2)

def test_end(): release.set()
""").run(pytester, *PLAIN)
    assert outcome.counts("test_victim") == {"passed": 3}
    assert outcome.counts("test_blocks")["errors"] >= 1


def test_what_a_test_leaves_on_the_loop_ends_with_it(pytester: pytest.Pytester) -> None:
    """Its own tasks are cancelled, those of tests that go on are not."""
    outcome = example(f"""{HEAD}
async def stray(name):
    try:
        await asyncio.sleep(1000)
    except asyncio.CancelledError:
        note("cancelled", name)
        raise

@krun(1)
async def test_a():
    asyncio.create_task(stray("a"))
    await asyncio.sleep(0.05)

@krun(1)
async def test_b():
    mine = asyncio.create_task(stray("b"))
    await asyncio.sleep(0.3)
    assert not mine.done()
    note("done", "b")
""").run(pytester, *PLAIN)
    outcome.outcomes(passed=2)
    assert outcome.log() == [["cancelled", "a"], ["done", "b"], ["cancelled", "b"]]


def test_the_next_test_only_where_a_plugin_hands_them_out(pytester: pytest.Pytester) -> None:
    """Under xdist a worker knows no more than one test in advance."""
    outcome = example(f"""{HEAD}
@pytest.mark.parametrize("n", range(6))
@krun(2)
def test_it(n):
    with counted(0.05): pass
    note(most)
""").run(pytester, "-n1", "--llmrel-concurrency=8", subprocess=True)
    outcome.outcomes(passed=6)
    assert max(int(line[0]) for line in outcome.log()) == 4


def same(document: Any) -> Any:
    """A result without what is different in every session: times, addresses in tracebacks."""
    if isinstance(document, dict):
        return {key: same(value) for key, value in document.items() if not _is_of_the_moment(key)}
    return [same(value) for value in document] if isinstance(document, list) else document


def _is_of_the_moment(key: str) -> bool:
    return "latency" in key or key in {"id", "recorded", "sample"}


SUITE = Example(
    {
        "test_it.py": f"""{HEAD}
import random

@pytest.fixture
def rng(llmrel): return random.Random(llmrel.seed)

@pytest.mark.parametrize("rate", [0.2, 0.6, 0.9, 1.0])
@krun(12, pass_rate=0.5, stop="never")
def test_rate(rng, rate, llmrel):
    llmrel.score("draw", rng.random())
    time.sleep(rng.random() / 100)
    assert rng.random() < rate

@krun(10, gates=["pass_rate >= 0.8", "draw >= 0.2"], stop="never")
@paraphrase("text", "one", "two", "three")
async def test_wordings(rng, text, llmrel):
    llmrel.score("draw", rng.random())
    await asyncio.sleep(rng.random() / 100)
    if text == "three" and rng.random() < 0.3: raise ConnectionError("lost")
    assert rng.random() < 0.9
"""
    }
)


def test_the_same_verdicts_and_counts_as_in_order(pytester: pytest.Pytester) -> None:
    """Looking ahead changes when runs happen, and nothing else."""
    reports = [
        SUITE.with_ini(llmrel_lookahead=how).run(pytester, *PLAIN).report["tests"]  # type: ignore[index]
        for how in ("auto", "off")
    ]
    for one, other in zip(*map(same, reports), strict=True):
        assert one == other
