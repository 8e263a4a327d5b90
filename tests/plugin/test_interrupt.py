"""Ctrl-C: a real SIGINT to a real process stops it within a second and keeps what was finished."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from example import Example

HEAD = """
import asyncio, signal, threading, time
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

@pytest.fixture
async def client():
    yield 1
    note("closed")

@krun(2)
def test_before(): pass

"""
CONFTEST = """
import time, threading
import pytest
from witness import note

@pytest.hookimpl(tryfirst=True)
def pytest_keyboard_interrupt():
    note("stopped", time.time())

def pytest_unconfigure():
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.main_thread():
            note("blocks", thread.name)
"""
ONLY_OURS = {
    **os.environ,
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_PLUGINS": "pytest_llmrel.plugin,xdist.plugin",
}
"""Environment of a process that starts quickly: other plugins take a second."""
PATIENCE = 30.0
"""Seconds to wait for what must happen; only the reaction to the signal is held against the clock."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A session that got a SIGINT.

    Attributes:
        ret: exit status of the process.
        out: what it printed.
        reaction: seconds from the signal to the end of the test loop.
        log: what it noted, as lists of words.
        report: the JSON document, or ``None``.
    """

    ret: int
    out: str
    reaction: float
    log: list[list[str]]
    report: dict[str, Any] | None


def interrupt(path: Path, source: str, ready: Callable[[list[str]], bool], *args: str) -> Interrupted:
    """Start pytest on ``source``, send SIGINT as soon as its log is ``ready``, and wait for its end."""
    Example({"test_it.py": source, "conftest.py": CONFTEST}).write(path)
    log, report = path / "log.txt", path / "report.json"
    command = [sys.executable, "-m", "pytest", f"--llmrel-json={report}", "-p", "no:cacheprovider", *args]
    process = subprocess.Popen(
        command, cwd=path, env=ONLY_OURS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        give_up = time.monotonic() + PATIENCE
        while not (log.exists() and ready(log.read_text().splitlines())):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < give_up
            time.sleep(0.02)
        time.sleep(0.2)  # what was noted last is on its way to the main loop
        sent = time.time()
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    words = [line.split() for line in log.read_text().splitlines()]
    stopped = [float(line[1]) for line in words if line[0] == "stopped"]
    document = json.loads(report.read_text()) if report.exists() else None
    reaction = min(stopped, default=float("inf")) - sent
    return Interrupted(
        process.returncode, f"{out}\n[reacted after {reaction:.2f} s]", reaction, words, document
    )


def hung(finished: int) -> Callable[[list[str]], bool]:
    """Ready when so many runs have finished and another one hangs."""
    return lambda lines: lines.count("finished") >= finished and "hangs" in lines


BODIES = {
    "def": ("def", "", "", "threading.Event().wait(FOREVER)"),
    "def busy": ("def", "", "", "while True: time.sleep(0.01)"),
    "def with a fixture": ("def", ", tmp_path", "", "time.sleep(FOREVER)"),
    "def one at a time": ("def", "", ", concurrency=1", "time.sleep(FOREVER)"),
    "def one at a time, waiting": ("def", "", ", concurrency=1", "threading.Event().wait(FOREVER)"),
    "async": ("async def", "", "", "await asyncio.sleep(FOREVER)"),
    "async deaf": ("async def", "", "", "await deaf()"),
    "async blocking": ("async def", "", "", "time.sleep(FOREVER)"),
    "async with a fixture": ("async def", ", client", "", "await asyncio.sleep(FOREVER)"),
    "async one at a time": ("async def", "", ", concurrency=1", "await asyncio.sleep(FOREVER)"),
    "async one at a time, deaf": ("async def", "", ", concurrency=1", "await deaf()"),
    "async one at a time, blocking": ("async def", "", ", concurrency=1", "time.sleep(FOREVER)"),
    "async one at a time with a fixture": (
        "async def",
        ", client",
        ", concurrency=1",
        "await asyncio.sleep(FOREVER)",
    ),
}
"""Keyword, further argument, argument of krun, and how the fourth run hangs."""


@pytest.mark.parametrize(("keyword", "argument", "mark", "hang"), BODIES.values(), ids=BODIES)
def test_ctrl_c(pytester: pytest.Pytester, keyword: str, argument: str, mark: str, hang: str) -> None:
    """Within a second all runs stop; the table shows what finished; nothing keeps the process alive."""
    source = f"""{HEAD}
@krun(40{mark})
{keyword} test_it(llmrel{argument}):
    if llmrel.index < 3:
        note("finished")
        return
    note("hangs")
    {hang}

def test_after(): note("after")
"""
    seen = interrupt(pytester.path, source, hung(3))
    assert seen.ret == pytest.ExitCode.INTERRUPTED, seen.out
    assert seen.reaction < 1.0
    assert "KeyboardInterrupt" in seen.out
    assert "INTERNALERROR" not in seen.out
    assert "Exception ignored" not in seen.out
    assert "never retrieved" not in seen.out
    assert ["after"] not in seen.log
    assert [line for line in seen.log if line[0] == "blocks"] == []
    assert seen.report is not None
    before, test = sorted(seen.report["tests"], key=lambda test: test["nodeid"])
    assert (before["nodeid"], before["verdict"]) == ("test_it.py::test_before", "PASS")
    assert (test["runs"], test["passed"], test["unfinished"]) == (3, 3, 37)
    assert test["verdict"] == "INCONCLUSIVE"
    assert "test_it.py::test_it" in seen.out.partition("reliability (llmrel)")[2]
    assert "37 of 40 runs are missing: interrupted by KeyboardInterrupt" in seen.out


def test_failures_that_were_seen_before_ctrl_c(pytester: pytest.Pytester) -> None:
    """Wrong answers that came in before the interruption are a FAIL in the table, not forgotten."""
    source = f"""{HEAD}
@krun(20)
def test_it(llmrel):
    if llmrel.index < 3:
        note("finished")
        assert llmrel.index == 0, "wrong"
        return
    note("hangs")
    time.sleep(FOREVER)
"""
    seen = interrupt(pytester.path, source, hung(3))
    assert seen.ret == pytest.ExitCode.INTERRUPTED
    assert seen.report is not None
    (test,) = (test for test in seen.report["tests"] if test["nodeid"].endswith("test_it"))
    assert (test["passed"], test["failed"], test["verdict"]) == (1, 2, "FAIL")


def test_ctrl_c_during_a_slow_fixture(pytester: pytest.Pytester) -> None:
    """Set-ups and tear-downs are interrupted like bodies."""
    source = f"""{HEAD}
@pytest.fixture
def bot(llmrel):
    note("hangs" if llmrel.index > 2 else "finished")
    if llmrel.index > 2:
        time.sleep(FOREVER)

@krun(20)
def test_it(bot): pass
"""
    seen = interrupt(pytester.path, source, hung(3))
    assert (seen.ret, seen.reaction < 1.0) == (pytest.ExitCode.INTERRUPTED, True), seen.out


@pytest.mark.parametrize("mark", ["", ", concurrency=1"])
def test_ctrl_c_between_runs(pytester: pytest.Pytester, mark: str) -> None:
    """A test of many quick runs is interrupted just as well; no run is counted twice or lost."""
    source = (
        f"{HEAD}\n@krun(200_000{mark})\ndef test_it(llmrel):\n    if llmrel.index == 2000: note('hangs')\n"
    )
    seen = interrupt(pytester.path, source, lambda lines: "hangs" in lines)
    assert (seen.ret, seen.reaction < 1.0) == (pytest.ExitCode.INTERRUPTED, True), seen.out
    assert seen.report is not None
    (test,) = (test for test in seen.report["tests"] if test["nodeid"].endswith("test_it"))
    assert test["passed"] == test["runs"] > 2000
    assert test["runs"] + test["unfinished"] == 200_000


def test_ctrl_c_under_xdist(pytester: pytest.Pytester) -> None:
    """Workers with hung runs do not survive, and the session ends as interrupted."""
    source = f"""{HEAD}
@krun(4)
def test_it():
    note("hangs")
    threading.Event().wait(FOREVER)
"""
    seen = interrupt(pytester.path, source, lambda lines: lines.count("hangs") == 4, "-n2")
    assert seen.ret == pytest.ExitCode.INTERRUPTED, seen.out
    assert seen.reaction < 1.0
    assert "INTERNALERROR" not in seen.out


def test_a_keyboard_interrupt_of_a_run(pytester: pytest.Pytester) -> None:
    """A run that raises KeyboardInterrupt itself ends the session, as it would without krun."""
    for argument in ("", ", client"):
        source = f"""{HEAD}
@krun(4)
async def test_it(llmrel{argument}):
    note("ready")
    if llmrel.index == 1:
        raise KeyboardInterrupt
"""
        Example({"test_it.py": source, "conftest.py": CONFTEST}).write(pytester.path)
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
            cwd=pytester.path, env=ONLY_OURS, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert ended.returncode == pytest.ExitCode.INTERRUPTED, ended.stdout
        assert "INTERNALERROR" not in ended.stdout
