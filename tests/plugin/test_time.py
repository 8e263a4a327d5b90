"""Nothing hangs: time limits in threads, tasks and the main thread, and an exit that nobody blocks."""

from time import monotonic

import pytest
from example import Example, Outcome, example

pytestmark = pytest.mark.usefixtures("only_ours")

HEAD = """
import asyncio, signal, sys, threading, time
import pytest
from pytest_llmrel import krun
from witness import note

FOREVER = 3600

async def deaf():
    while True:
        try:
            await asyncio.sleep(FOREVER)
        except asyncio.CancelledError:
            pass

"""
WATCH = """
import threading
from witness import note

def pytest_unconfigure():
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.main_thread():
            note("blocks", thread.name)
"""
LONGEST = 30
"""Seconds within which any session here must be over, on a loaded machine; each would hang for an hour."""


@pytest.fixture
def only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions that start quickly: other plugins take a second."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "pytest_llmrel.plugin,xdist.plugin")


def in_a_process(pytester: pytest.Pytester, suite: Example, *args: str) -> Outcome:
    """Run ``suite`` in an interpreter of its own, which must end and have no thread left that blocks it."""
    began = monotonic()
    outcome = suite.with_files({"conftest.py": WATCH}).run(pytester, *args, subprocess=True, timeout=LONGEST)
    assert monotonic() - began < LONGEST
    assert outcome.log("blocks") == []
    return outcome


def test_a_hung_coroutine_is_cancelled(pytester: pytest.Pytester) -> None:
    """It may clean up and becomes an error that shows where it waited; the others are not touched."""
    outcome = example(f"""{HEAD}
@krun(4, timeout=0.5)
async def test_it(llmrel):
    try:
        if llmrel.index == 1:
            await asyncio.sleep(FOREVER)
    finally:
        note("ended", llmrel.index)
""").run(pytester)
    assert outcome.counts() == {"passed": 3, "errors": 1}
    assert sorted(outcome.log("ended")) == [["0"], ["1"], ["2"], ["3"]]
    (group,) = outcome.test()["failures"]
    assert group["sample"]["message"] == "the run took longer than 0.5 s"
    assert group["location"].startswith("test_it.py:")
    assert "await asyncio.sleep(FOREVER)" in group["sample"]["traceback"]


@pytest.mark.parametrize("concurrency", [1, 8])
def test_fixtures_of_a_cancelled_run_are_torn_down(pytester: pytest.Pytester, concurrency: int) -> None:
    """Async and sync fixtures of a run that took too long are released like those of any other."""
    outcome = example(f"""{HEAD}
@pytest.fixture
async def client():
    yield 1
    note("client closed")

@pytest.fixture
def file():
    yield 1
    note("file closed")

@krun(3, timeout=0.5, concurrency={concurrency})
async def test_it(client, file, llmrel):
    if llmrel.index == 1:
        await asyncio.sleep(FOREVER)
""").run(pytester)
    assert outcome.counts() == {"passed": 2, "errors": 1}
    assert sorted(outcome.log()) == [["client", "closed"]] * 3 + [["file", "closed"]] * 3


DEAF = "await deaf()"
HUNG = {
    "thread": ("def", "threading.Event().wait(FOREVER)"),
    "busy_thread": ("def", "while True: time.sleep(0.01)"),
    "coroutine": ("async def", "await asyncio.sleep(FOREVER)"),
    "deaf_coroutine": ("async def", DEAF),
    "own_loop": ("def", "asyncio.run(asyncio.sleep(FOREVER))"),
}
"""Keyword and last statement of a test that never ends."""


def test_every_run_hangs(pytester: pytest.Pytester) -> None:
    """All runs hang, more than there is room for: each is an error with its place; the session ends."""
    tests = "".join(
        f"@krun(5, timeout=0.3, concurrency={5 if hang == DEAF else 3})\n"
        f"{keyword} test_{name}():\n    {hang}\n\n"
        for name, (keyword, hang) in HUNG.items()
    )
    outcome = in_a_process(pytester, example(f"{HEAD}\n{tests}\ndef test_after(): pass\n"))
    outcome.outcomes(failed=len(HUNG), passed=1)
    for name in HUNG:
        test = outcome.test(f"::test_{name}")
        assert (outcome.counts(f"::test_{name}"), test["verdict"]) == ({"errors": 5}, "INCONCLUSIVE")
        (group,) = test["failures"]
        assert "longer than 0.3 s" in group["sample"]["message"]
        assert group["location"].startswith("test_it.py:"), name


def test_a_hung_fixture(pytester: pytest.Pytester) -> None:
    """A fixture that hangs, in set-up or tear-down, never makes its run pass and hangs nothing else."""
    source = HEAD
    names = []
    for keyword, wait in (
        ("def", "threading.Event().wait(FOREVER)"),
        ("async def", "await asyncio.sleep(FOREVER)"),
    ):
        for phase, before, after in (("set_up", "pass", "yield"), ("tear_down", "yield", "pass")):
            names.append(f"{phase}_{keyword.replace(' ', '_')}")
            source += f"""
@pytest.fixture
{keyword} {names[-1]}(llmrel):
    {before}
    if llmrel.index == 1:
        {wait}
    {after}

@krun(3, timeout=0.5)
{keyword} test_{names[-1]}({names[-1]}): pass
"""
    outcome = in_a_process(pytester, example(f"{source}\ndef test_after(): pass\n"))
    outcome.outcomes(failed=4, passed=1)
    assert all(outcome.test(f"::test_{name}")["verdict"] != "PASS" for name in names)
    assert outcome.out.count("1 run ended in an error: RunTimeout") == 4


def test_a_run_that_blocks_the_loop(pytester: pytest.Pytester) -> None:
    """A synchronous call in a coroutine stops the loop for all: the item ends and names the place."""
    suite = example(f"""{HEAD}
@krun(12, timeout=0.3)
async def test_it(llmrel):
    if llmrel.index == 2:
        time.sleep(FOREVER)

def test_after(): pass

@krun(3)
async def test_next(): pass
""")
    outcome = in_a_process(pytester, suite)
    outcome.outcomes(failed=1, passed=2)
    test = outcome.test("test_it")
    assert test["verdict"] == "INCONCLUSIVE"
    assert test["passed"] + test["errors"] + test["unfinished"] == 12
    assert "blocks the event loop" in outcome.out
    assert "time.sleep(FOREVER)" in outcome.out


INLINE = {
    "sleep": ("def", "time.sleep(FOREVER)"),
    "wait": ("def", "threading.Event().wait(FOREVER)"),
    "busy": ("def", "while True: pass"),
    "await": ("async def", "await asyncio.sleep(FOREVER)"),
    "blocking": ("async def", "time.sleep(FOREVER)"),
}


def test_one_at_a_time(pytester: pytest.Pytester) -> None:
    """With ``concurrency=1`` runs are interrupted in the main thread, blocking calls as well."""
    tests = "".join(
        f"""
@krun(3, timeout=0.4, concurrency=1)
{keyword} test_{name}(llmrel):
    assert threading.current_thread() is threading.main_thread()
    if llmrel.index == 1:
        {hang}
"""
        for name, (keyword, hang) in INLINE.items()
    )
    outcome = in_a_process(pytester, example(f"{HEAD}\n{tests}\ndef test_after(): pass\n"))
    outcome.outcomes(failed=len(INLINE), passed=1)
    for name in INLINE:
        assert outcome.counts(f"::test_{name}") == {"passed": 2, "errors": 1}
        (group,) = outcome.test(f"::test_{name}")["failures"]
        assert group["location"].startswith("test_it.py:")


SWALLOWING = """
@krun(2, timeout=0.3, concurrency={concurrency})
{keyword} test_{name}(llmrel):
    for attempt in range(2):
        try:
            {wait}
        except BaseException:
            note("swallowed")
"""


def test_an_interruption_that_is_swallowed(pytester: pytest.Pytester) -> None:
    """A run that catches its interruption, as bad retry loops do, and outlives its limit is never a pass."""
    sync = {"keyword": "def", "wait": "time.sleep(0.6)"}
    asynchronous = {"keyword": "async def", "wait": "await asyncio.sleep(0.6)"}
    tests = [
        SWALLOWING.format(name="one_by_one", concurrency=1, **sync),
        SWALLOWING.format(name="async_one_by_one", concurrency=1, **asynchronous),
        SWALLOWING.format(name="tasks", concurrency=8, **asynchronous),
    ]
    outcome = in_a_process(pytester, example("\n".join((HEAD, *tests))))
    assert outcome.log("swallowed") != []
    for name in ("::test_one_by_one", "::test_async_one_by_one", "::test_tasks"):
        assert (outcome.counts(name), outcome.test(name)["verdict"]) == ({"errors": 2}, "INCONCLUSIVE"), name


def test_a_retry_loop_does_not_swallow_the_limit(pytester: pytest.Pytester) -> None:
    """``except Exception`` of a retry loop lets the interruption through, sync and async."""
    outcome = example(f"""{HEAD}
@krun(2, timeout=0.3, concurrency=1)
def test_sync():
    while True:
        try:
            time.sleep(FOREVER)
        except Exception:
            note("swallowed")

@krun(2, timeout=0.3)
async def test_async():
    while True:
        try:
            await asyncio.sleep(FOREVER)
        except Exception:
            note("swallowed")
""").run(pytester)
    assert outcome.counts("test_sync") == outcome.counts("test_async") == {"errors": 2}
    assert outcome.log("swallowed") == []


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize(
    ("keyword", "wait"), [("def", "time.sleep(0.15)"), ("async def", "await asyncio.sleep(0.15)")]
)
def test_the_limit_is_that_of_a_run(
    pytester: pytest.Pytester, keyword: str, wait: str, concurrency: int
) -> None:
    """Runs that are quick on their own may take longer than the limit all together."""
    outcome = example(f"""{HEAD}
@krun({8 * concurrency}, timeout=1, concurrency={concurrency})
{keyword} test_it():
    {wait}
""").run(pytester)
    assert outcome.counts() == {"passed": 8 * concurrency}


def test_a_timer_of_the_test_suite_survives(pytester: pytest.Pytester) -> None:
    """A SIGALRM timer that someone else has set (a session-wide watchdog) is still set afterwards."""
    outcome = example(f"""{HEAD}
def watchdog(*_): note("alarm")

@pytest.fixture(scope="module")
def alarm():
    before = signal.signal(signal.SIGALRM, watchdog)
    signal.setitimer(signal.ITIMER_REAL, 500)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)

@krun(3, concurrency=1)
def test_it(alarm): pass

def test_after(alarm):
    assert signal.getsignal(signal.SIGALRM) is watchdog
    assert 400 < signal.getitimer(signal.ITIMER_REAL)[0] <= 500
""").run(pytester)
    outcome.outcomes(passed=2)


def test_what_a_left_behind_run_prints_later(pytester: pytest.Pytester) -> None:
    """Output of an abandoned run never shows up with a later krun test, nor is it counted twice."""
    outcome = example(f"""{HEAD}
release, done = threading.Event(), threading.Event()

@krun(2, timeout=0.4)
def test_hung(llmrel):
    if llmrel.index == 1:
        release.wait(20)
        print("from beyond")
        done.set()

@krun(2)
def test_next():
    release.set()
    done.wait(20)
    print("mine")
    assert 0
""").run(pytester, "-o", "llmrel_lookahead=off")
    assert outcome.counts("test_hung") == {"passed": 1, "errors": 1}
    (group,) = outcome.test("test_next")["failures"]
    assert group["sample"]["captured"] == {"stdout": "mine\n"}
    assert "from beyond" not in outcome.out


def test_a_timed_out_run_under_xdist(pytester: pytest.Pytester) -> None:
    """Workers with abandoned threads end as well, and their results arrive."""
    suite = example(f"""{HEAD}
@krun(3, timeout=0.3)
def test_it(): threading.Event().wait(FOREVER)

def test_after(): pass
""")
    outcome = in_a_process(pytester, suite, "-n2")
    outcome.outcomes(failed=1, passed=1)
    assert outcome.counts() == {"errors": 3}
