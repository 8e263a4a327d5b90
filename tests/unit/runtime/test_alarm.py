"""The time limit of runs in the main thread, and the timers of others that must survive it."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from pytest_llmrel.errors import RunTimeout
from pytest_llmrel.runtime import alarm
from pytest_llmrel.runtime.alarm import can_interrupt, time_limit

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no such timer on this system")


@pytest.fixture
def fired() -> Iterator[list[float]]:
    """A handler of somebody else's alarm, which notes when it was called."""
    calls: list[float] = []
    before = signal.signal(signal.SIGALRM, lambda *_: calls.append(time.monotonic()))
    yield calls
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def wait_for(calls: list[float], seconds: float) -> None:
    """Wait until something was called, or for so many seconds."""
    end = time.monotonic() + seconds
    while not calls and time.monotonic() < end:
        time.sleep(0.005)


def test_a_block_within_its_time_is_left_alone() -> None:
    """No exception, no timer left, the handler that was there before."""
    before = signal.getsignal(signal.SIGALRM)
    with time_limit(5):
        pass
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


@pytest.mark.parametrize("busy", [True, False])
def test_a_block_that_takes_longer_is_interrupted(busy: bool) -> None:
    """Whether it computes or sleeps; the message says the limit."""
    began = time.monotonic()

    def work() -> None:
        while time.monotonic() - began < 5:
            if not busy:
                time.sleep(5)

    with pytest.raises(RunTimeout, match=r"longer than 0\.1 s"), time_limit(0.1):
        work()
    assert 0.09 < time.monotonic() - began < 2
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_except_exception_does_not_swallow_it() -> None:
    """A retry loop of the code under test catches everything but signals."""
    with pytest.raises(RunTimeout), time_limit(0.05), suppress(Exception):
        time.sleep(5)


def test_code_that_swallows_it_is_interrupted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """``except BaseException: continue`` does not run for ever."""
    monkeypatch.setattr(alarm, "_AGAIN", 0.05)
    swallowed = []

    def stubborn() -> None:
        while len(swallowed) < 3:
            try:
                time.sleep(5)
            except RunTimeout as error:
                swallowed.append(error)
        raise swallowed[-1]

    with pytest.raises(RunTimeout), time_limit(0.05):
        stubborn()
    assert len(swallowed) == 3


@pytest.mark.usefixtures("fired")
def test_the_block_s_own_exception_goes_through() -> None:
    """And the timer is gone all the same."""
    with pytest.raises(KeyError), time_limit(5):
        raise KeyError
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_somebody_else_s_alarm_still_rings(fired: list[float]) -> None:
    """A timer set outside goes on with the time it had left."""
    began = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    with time_limit(5):
        time.sleep(0.1)
    wait_for(fired, 2)
    assert len(fired) == 1
    assert 0.25 < fired[0] - began < 1


def test_somebody_else_s_alarm_that_was_due_meanwhile_rings_at_once(fired: list[float]) -> None:
    """It is late, not lost."""
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    with time_limit(5):
        time.sleep(0.15)
        assert fired == []
    wait_for(fired, 1)
    assert len(fired) == 1


def test_an_alarm_that_repeats_goes_on_repeating(fired: list[float]) -> None:
    """Its interval is put back, too."""
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    with time_limit(5):
        pass
    assert signal.getitimer(signal.ITIMER_REAL)[1] == pytest.approx(0.05, abs=0.01)
    wait_for(fired, 1)
    assert fired


def test_limits_can_be_nested() -> None:
    """The inner one ends the inner block, the outer one still stands."""

    def inner() -> None:
        with pytest.raises(RunTimeout, match=r"0\.05 s"), time_limit(0.05):
            time.sleep(5)
        time.sleep(5)

    with pytest.raises(RunTimeout, match=r"0\.3 s"), time_limit(0.3):
        inner()


def test_only_the_main_thread_can_be_interrupted() -> None:
    """Python delivers signals nowhere else."""
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(can_interrupt()))
    thread.start()
    thread.join()
    assert (can_interrupt(), found) == (True, [False])


def test_without_such_a_timer_nothing_can_be_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows."""
    monkeypatch.delattr(signal, "setitimer")
    assert not can_interrupt()
