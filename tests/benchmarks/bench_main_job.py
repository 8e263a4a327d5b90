"""What the plugin costs: per session, per run, per item and in memory; ``python tests/benchmarks/bench_main_job.py``.

Every figure is that of a whole pytest process in a folder of its own; compared processes take turns, so that
both see the same machine. Wants a quiet machine and takes about four minutes.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONFTEST = """
import json, os, resource, time
import pytest
seconds, busy = {}, {}
def pytest_runtest_logreport(report):
    if report.when == "call":
        seconds[report.nodeid.partition("::")[2]] = report.duration
@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    began = time.process_time()
    try:
        return (yield)
    finally:
        busy[item.name] = time.process_time() - began
def pytest_unconfigure():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    with open(os.environ["BENCH_OUT"], "w") as file:
        json.dump({"seconds": seconds, "busy": busy, "peak": peak}, file)
"""
RUNS = """
import asyncio, time
import pytest
from pytest_llmrel import krun

K = 5000

@pytest.fixture
def resource():
    yield object()

@krun(K)
def test_def(): pass

@krun(K)
async def test_async(): pass

@krun(K, concurrency=1)
def test_main_thread(): pass

@krun(K)
def test_def_with_fixtures(resource, tmp_path): pass

@krun(K)
async def test_async_with_fixtures(resource, tmp_path): pass
"""
OVERLAP = """
import asyncio, time
from pytest_llmrel import krun

@krun(32, concurrency=32)
def test_def(): time.sleep(0.2)

@krun(32, concurrency=32)
async def test_async(): await asyncio.sleep(0.2)
"""
MEMORY = """
from pytest_llmrel import krun

@krun({k})
def test_it(llmrel):
    llmrel.score("quality", 0.5)
"""
UNRELATED = "import pytest\n@pytest.mark.parametrize('n', range(100))\ndef test_it(n): pass\n"


def pytest_process(folder: Path, *arguments: str) -> tuple[float, dict]:
    """Wall seconds of one pytest process, and what its conftest noted."""
    out = folder / "bench.json"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    began = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "BENCH_OUT": str(out)},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return seconds, json.loads(out.read_text())


def folder_with(root: Path, name: str, source: str) -> Path:
    """A folder with one test file."""
    folder = root / name
    folder.mkdir()
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(source)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


def medians(folder: Path, repeats: int, kind: str = "seconds") -> dict[str, float]:
    """Median over several processes of how long each test's call took, or kept the processor ``busy``."""
    # Each test for itself: what is run ahead of a test would be counted as its forerunner's.
    runs = [pytest_process(folder, "-o", "llmrel_lookahead=off")[1][kind] for _ in range(repeats)]
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def session_cost(root: Path, pairs: int) -> list[tuple[str, str]]:
    """What an unrelated session pays, in processor time: of the fastest of each kind, and of the middle of the pairs.

    On a shared machine the fastest say most: nothing makes a process faster than it is.
    """
    folder = folder_with(root, "unrelated", UNRELATED)
    seconds: tuple[list[float], list[float]] = ([], [])
    for pair in range(pairs + 1):
        for kind, arguments in enumerate([(), ("-p", "no:llmrel")]):
            before = processor_seconds()
            pytest_process(folder, *arguments)
            if pair:  # the first pair compiles
                seconds[kind].append(processor_seconds() - before)
    fastest = 1e3 * (min(seconds[0]) - min(seconds[1]))
    differences = [1e3 * (one - other) for one, other in zip(*seconds, strict=True)]
    low, middle, high = statistics.quantiles(differences, n=4)
    label = "unrelated session of 100 tests, against -p no:llmrel, processor time"
    return [
        (f"{label}, fastest of {pairs} each", f"{fastest:.1f} ms"),
        (f"{label}, median of {pairs} pairs", f"{middle:.1f} ms (quartiles {low:.1f} to {high:.1f})"),
    ]


def processor_seconds() -> float:
    """User and system seconds of all processes that ended so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_cost(root: Path, repeats: int) -> list[tuple[str, str]]:
    """What a run pays that does nothing, by the clock and in processor time."""
    folder, rows = folder_with(root, "runs", RUNS), []
    for kind, label in (("seconds", "per run"), ("busy", "per run, processor time")):
        for test, seconds in medians(folder, repeats, kind).items():
            rows.append((f"k=5000, {test}, {label}", f"{seconds / 5000 * 1e6:.0f} us"))
    return rows


def overlap(root: Path, repeats: int) -> list[tuple[str, str]]:
    """Whether runs that wait do so at the same time."""
    found = medians(folder_with(root, "overlap", OVERLAP), repeats).items()
    return [(f"k=32, 32 in flight, 200 ms, {test}, the item", f"{seconds:.3f} s") for test, seconds in found]


def memory_per_run(root: Path) -> str:
    """Growth of the peak resident size from 1000 to 101,000 runs of one test."""
    few, many = 1_000, 101_000
    peaks = []
    for k in (few, many):
        folder = folder_with(root, f"memory{k}", MEMORY.format(k=k))
        peaks.append(pytest_process(folder)[1]["peak"])
    return f"{(peaks[1] - peaks[0]) / (many - few):.0f} bytes"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=100, help="of processes for the session's cost")
    parser.add_argument("--repeats", type=int, default=5, help="processes per figure otherwise")
    parser.add_argument("--only", choices=["session", "runs", "overlap", "memory"], help="one part of it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        parts = {
            "session": lambda: session_cost(root, options.pairs),
            "runs": lambda: run_cost(root, options.repeats),
            "overlap": lambda: overlap(root, options.repeats),
            "memory": lambda: [("memory per run kept", memory_per_run(root))],
        }
        rows = [row for part, find in parts.items() if options.only in {None, part} for row in find()]
    import pytest

    sys.stdout.write(
        f"{platform.python_implementation()} {platform.python_version()}, pytest {pytest.__version__}, "
    )
    sys.stdout.write(f"{os.cpu_count()} cores, {platform.machine()}\n")
    for label, figure in rows:
        sys.stdout.write(f"| {label} | {figure} |\n")


if __name__ == "__main__":
    main()
