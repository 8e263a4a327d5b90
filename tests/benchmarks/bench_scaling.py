"""How more workers of xdist shorten a session; ``python tests/benchmarks/bench_scaling.py``.

The simulator is a process of its own, and so is every session. Wants a quiet machine and takes about three
minutes. What is measured is the time from the first call to the last one, since starting eight interpreters takes
as long as it takes; the whole process stands beside it.
"""

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SERVER = """
import json, sys
from pytest_llmrel.simulator import Simulator
with Simulator(latency=float(sys.argv[1])) as simulator:
    print(simulator.base_url, flush=True)
    sys.stdin.read()
    print(json.dumps({"served": simulator.served, "peak": simulator.peak}), flush=True)
"""
MODEL = """
import os, time
from pytest_llmrel import http_client

client = http_client()

def ask():
    began = time.monotonic()
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "How long?"}]}
    client.post(os.environ["MODEL_URL"] + "/chat/completions", json=body,
                headers={"Authorization": "Bearer any"}).raise_for_status()
    with open(f"calls-{os.getpid()}.txt", "a") as file:
        file.write(f"{began} {time.monotonic()}\\n")
"""
SUITES = {
    "tests that make one run at a time": """
import pytest
from model import ask
from pytest_llmrel import krun

@pytest.mark.parametrize("number", range(64))
@krun(4, concurrency=1)
def test_it(number):
    ask()
""",
    "tests that fill their places, 16 in flight": """
import pytest
from model import ask
from pytest_llmrel import krun

@pytest.mark.parametrize("number", range(32))
@krun(16, stop="never", pass_rate=0.5)
def test_it(number):
    ask()
""",
}
"""The first is bounded by what its tests allow, the second by the concurrency of the session."""
ARGUMENTS = {"tests that fill their places, 16 in flight": ["--llmrel-concurrency=16"]}
OURS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_llmrel.plugin,xdist.plugin"}


@contextlib.contextmanager
def server(latency: float) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where a simulator is, and what it has served, once it has ended."""
    command = [sys.executable, "-c", SERVER, str(latency)]
    said: dict[str, Any] = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), said
        said.update(json.loads(process.communicate()[0]))


def session(suite: str, workers: int, latency: float) -> tuple[float, float, int]:
    """Seconds from first to last call, those of the whole process, and most calls in flight."""
    with tempfile.TemporaryDirectory() as name, server(latency) as (url, said):
        folder = Path(name)
        (folder / "model.py").write_text(MODEL)
        (folder / "test_it.py").write_text(SUITES[suite])
        (folder / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
        began = time.perf_counter()
        command = [sys.executable, "-m", "pytest", "-q", "-n", str(workers), *ARGUMENTS.get(suite, [])]
        done = subprocess.run(
            [*command, "--dist=worksteal"],
            cwd=folder,
            env={**os.environ, **OURS, "MODEL_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )
        whole = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        lines = [
            line.split() for file in folder.glob("calls-*.txt") for line in file.read_text().splitlines()
        ]
        span = max(float(end) for _, end in lines) - min(float(begin) for begin, _ in lines)
    return span, whole, said["peak"]


def main() -> None:
    """Measure and print a table for each suite."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=1, help="sessions per figure; the median is shown")
    parser.add_argument("--latency", type=float, default=0.25, help="seconds per call")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8])
    options = parser.parse_args()
    import pytest

    write = sys.stdout.write
    write(f"{platform.python_implementation()} {platform.python_version()}, pytest {pytest.__version__}, ")
    write(f"{os.cpu_count()} cores, {platform.machine()}\n")
    for suite in SUITES:
        write(f"\n{suite}\n| workers | first to last call | of linear | most in flight | whole process |\n")
        alone = 0.0
        for workers in options.workers:
            runs = [session(suite, workers, options.latency) for _ in range(options.repeats)]
            span, whole = (statistics.median(run[place] for run in runs) for place in (0, 1))
            alone = alone or span * workers
            share, peak = alone / span / workers, max(run[2] for run in runs)
            write(f"| {workers} | {span:.2f} s | {share:.0%} | {peak} | {whole:.2f} s |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
