"""A million runs in one session: memory, seconds per phase, and what a run costs from a thousand runs to a million.

``python tests/benchmarks/bench_million.py``: every figure is that of a whole pytest process of trivial tests in a
folder of its own. The whole takes about fifteen minutes on a quiet machine; ``--runs`` makes it smaller.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

CONFTEST = """
import functools, json, os, resource, sys, time
import pytest
spent = {}

def timed(owner, name, label):
    function = getattr(owner, name)
    @functools.wraps(function)
    def wrapper(*arguments, **named):
        began, busy = time.perf_counter(), time.process_time()
        try:
            return function(*arguments, **named)
        finally:
            figures = time.perf_counter() - began, time.process_time() - busy
            spent.setdefault(label, []).append(figures)
    setattr(owner, name, wrapper)

def pytest_collection_finish(session):
    from pytest_llmrel.glue.experiment import Experiment
    from pytest_llmrel.glue.session import SessionResults
    from pytest_llmrel.glue.stage import Stage
    timed(Stage, "finish", "runs")
    timed(Stage, "summary", "summary")
    timed(Experiment, "result", "judged")
    timed(SessionResults, "judge", "suite")
    timed(SessionResults, "write_json", "JSON written")
    timed(SessionResults, "show", "shown")

def pytest_unconfigure():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    with open(os.environ["BENCH_OUT"], "w") as file:
        json.dump({"spent": spent, "peak": peak, "busy": time.process_time()}, file)
"""
WARM = """
import pytest
from pytest_llmrel import golden, krun

@krun(10, concurrency=1)  # alone: nothing is started ahead, and all is loaded
def test_first(llmrel):
    llmrel.score("quality", 1)
    assert llmrel.index
"""
ONE = """
@krun({runs})
{kind} test_it(llmrel):
    llmrel.score("quality", llmrel.index % 7 / 7)
    assert llmrel.index % 10
"""
CALLS = """
@krun({runs})
{kind} test_it(llmrel):
    llmrel.usage(model="gpt-4o-mini", input_tokens=20, output_tokens=llmrel.index % 100)
"""
MANY = """
@krun({runs}, pass_rate=0.5, stop="never")
@pytest.mark.parametrize("number", range({tests}))
{kind} test_it(number, llmrel):
    llmrel.score("quality", llmrel.index % 7 / 7)
    assert llmrel.index % 10
"""
GOLDEN = """
@krun({runs}, gates=["pass_rate >= 0.5", "pass^5 >= 0.1"])
@golden("cases.jsonl")
{kind} test_it(case, llmrel):
    llmrel.score("quality", llmrel.index % 7 / 7)
    assert llmrel.index % 10
"""
GATED = """
@krun({runs}, pass_rate=0.9)  # decided by the very last run
{kind} test_it(llmrel):
    assert llmrel.index % 10
"""
Row = tuple[str, ...]
HEAD = (
    "session",
    "per run",
    "processor",
    "peak resident",
    "summary",
    "judged and shown",
    "JSON",
    "ledger",
    "whole process, processor",
)
FIRST = 10
"""Runs of the test before the one that is measured."""


def folder_with(root: Path, name: str, source: str, cases: int = 0) -> Path:
    """A folder with one test file, and the dataset it may need."""
    folder = root / name
    folder.mkdir()
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(WARM + source)
    (folder / "pytest.ini").write_text("[pytest]\n")
    lines = [
        json.dumps({"id": f"case-{number}", "question": f"question {number}"}) for number in range(cases)
    ]
    (folder / "cases.jsonl").write_text("\n".join(lines))
    return folder


def session(folder: Path, runs: int) -> Row:
    """One pytest process, checked: a run that is missing in the result would cost nothing."""
    out, document = folder / "bench.json", folder / "result.json"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "pytest", "-q", f"--llmrel-json={document}"]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**environment, "BENCH_OUT": str(out)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode > 1:
        raise SystemExit(done.stdout + done.stderr)
    found, result = json.loads(out.read_text()), json.loads(document.read_text())
    counted = sum(test["runs"] for test in result["tests"])
    if counted != runs + FIRST:
        raise SystemExit(f"{counted} of {runs + FIRST} runs are in the result")
    making = found["spent"]["runs"][1:]  # without the first test
    spent = {label: sum(wall for wall, _ in figures) for label, figures in found["spent"].items()}
    ledger = sum(path.stat().st_size for path in (folder / ".pytest_cache" / "llmrel").rglob("*"))
    shown = spent["judged"] + spent["suite"] + spent["shown"]
    return (
        folder.name,
        f"{sum(wall for wall, _ in making) / runs * 1e6:.0f} us",
        f"{sum(busy for _, busy in making) / runs * 1e6:.0f} us",
        f"{found['peak'] / 1e6:.0f} MB",
        f"{spent['summary']:.2f} s",
        f"{shown:.2f} s",
        f"{spent['JSON written']:.2f} s ({document.stat().st_size / 1e6:.1f} MB)",
        f"{ledger / 1e6:.1f} MB",
        f"{found['busy']:.1f} s",
    )


def sizes(most: int) -> list[int]:
    """A thousand, ten thousand, and so on up to ``most``."""
    found = [1000]
    while found[-1] * 10 <= most:
        found.append(found[-1] * 10)
    return found


def rows(root: Path, most: int, only: str) -> Iterator[Row]:
    """All sessions."""
    shapes = [
        (f"{runs:,} runs of one `{kind}` test", ONE.format(runs=runs, kind=kind), runs, 0)
        for kind in ("def", "async def")
        for runs in sizes(most)
    ]
    root_of = round(most**0.5)
    for kind in ("def", "async def"):
        source = MANY.format(tests=root_of, runs=root_of, kind=kind)
        shapes.append((f"{root_of} `{kind}` tests of {root_of} runs", source, root_of**2, 0))
    shapes.append((f"{most:,} runs with a call each", CALLS.format(runs=most, kind="def"), most, 0))
    shapes.append((f"{most:,} runs of one gated test", GATED.format(runs=most, kind="def"), most, 0))
    for cases in (most // 1000, most // 10):
        source = GOLDEN.format(runs=most // cases, kind="def")
        shapes.append((f"{cases:,} cases of {most // cases} runs", source, most, cases))
    for name, source, runs, cases in shapes:
        if only in name:
            yield session(folder_with(root, name, source, cases), runs)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=1_000_000, help="runs of the largest sessions")
    parser.add_argument("--only", default="", help="sessions whose name contains this")
    options = parser.parse_args()
    import pytest

    sys.stdout.write(f"{time.strftime('%Y-%m-%d')}, CPython {platform.python_version()}, ")
    sys.stdout.write(f"pytest {pytest.__version__}, {os.cpu_count()} cores, {platform.machine()}\n")
    sys.stdout.write(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}\n")
    with tempfile.TemporaryDirectory() as name:
        for row in rows(Path(name), options.runs, options.only):
            sys.stdout.write(f"| {' | '.join(row)} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
