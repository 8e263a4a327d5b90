"""What judging costs once the runs are made: ``python tests/benchmarks/bench_judgement.py``.

Medians of several repetitions in one process; what needs a process of its own (memory, the first call) gets one.
Wants a quiet machine and takes about one minute.
"""

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pytest_llmrel.baselines.place import baseline_path
from pytest_llmrel.baselines.store import Change, read_baselines, record
from pytest_llmrel.core.baseline import Batch, Cell, ScoreSummary
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Attempt, Outcome, Sample, Variant
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.stats import binomial, fisher, power
from pytest_llmrel.stats.homogeneity import homogeneity_p
from pytest_llmrel.stats.stratified import Stratum
from pytest_llmrel.verdict.decide import decide
from pytest_llmrel.verdict.regression import Rule, compare, judge_suite, strata_of
from pytest_llmrel.verdict.summary import Aggregate

ALPHA = 0.01
TESTS = 500
K = 10
BASELINE = 50
WORDINGS = [(12 + 5 * number % 9, 20) for number in range(20)]

MILLION = """
import json, random, sys, time
from pytest_llmrel.core.model import Attempt, Evidence, Failure, FailureKey, Outcome, Sample, Variant
from pytest_llmrel.core.score import Score
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.verdict.summary import Aggregate

CHUNK, CHUNKS = 10_000, 100
rng, variant, n = random.Random(1), Variant(), CHUNK * CHUNKS
evidence = Evidence(Attempt("", variant, 0, 0), "wrong")
failure = Failure(FailureKey(Outcome.FAILED, "AssertionError", "test_it.py:7", "wrong"), lambda: evidence)

def peak():  # of this program: ru_maxrss would be that of the process that started it, if it was larger
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))

def sample(run):
    scores = (Score("quality", rng.random()),) if sys.argv[1] == "scores" else ()
    good = rng.random() < 0.9
    outcome, why = (Outcome.PASSED, None) if good else (Outcome.FAILED, failure)
    return Sample(Attempt("", variant, run, run), outcome, rng.expovariate(1.0), scores, why)

def samples(first):  # runs end nearly in the order in which they began
    made = [sample(run) for run in range(first, first + CHUNK)]
    for place in range(0, CHUNK, 8):
        rng.shuffle(eight := made[place : place + 8])
        made[place : place + 8] = eight
    return made

plan = RunPlan(n, Inputs((variant,)), (), 8, 60.0)
aggregate, before, seconds = Aggregate(plan, n), peak(), 0.0
for chunk in range(CHUNKS):  # making the samples is not measured, and never more than one chunk of them is there
    made = samples(chunk * CHUNK)
    began = time.perf_counter()
    for one in made:
        aggregate.record(one)
    seconds += time.perf_counter() - began
began = time.perf_counter()
summary = aggregate.summary()
ended = time.perf_counter()
assert summary.valid == n and sum(group.count for group in summary.groups) == summary.counts[Outcome.FAILED]
print(json.dumps({"record": seconds, "summary": ended - began, "before": before, "peak": peak()}))
"""
COLD = """
import time
import numpy, numpy.random
from pytest_llmrel.stats.homogeneity import homogeneity_p
groups = {groups!r}
began = time.perf_counter()
homogeneity_p([groups])
print(time.perf_counter() - began)
"""


def python(source: str, *arguments: str) -> Any:
    """What a fresh process prints."""
    command = [sys.executable, "-c", source, *arguments]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def median_of(repeats: int, work: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    """Median seconds of several calls."""
    seconds = []
    for _ in range(repeats):
        before()
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def forget() -> None:
    """Empty what the package remembers between calls, so that each repetition starts like a new session."""
    for module in (binomial, fisher, power):
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def runs_of(tests: int) -> list[list[Sample]]:
    """The samples of every test, made beforehand: what makes them is not the judgement."""
    rng = random.Random(1)
    return [
        [
            Sample(
                Attempt("", Variant(), run, run),
                Outcome.PASSED if rng.random() < 0.9 else Outcome.FAILED,
                1.0,
            )
            for run in range(K)
        ]
        for _ in range(tests)
    ]


def judge_all(samples: list[list[Sample]], baselines: Sequence[tuple[Cell, ...]]) -> None:
    """Everything between the runs and the verdicts of a session, as the glue calls it."""
    plan, rule = RunPlan(K, Inputs(), (), 8, 60.0), Rule(ALPHA, len(samples))
    compared = {}
    for number, (runs, baseline) in enumerate(zip(samples, baselines, strict=True)):
        aggregate = Aggregate(plan, K)
        for sample in runs:
            aggregate.record(sample)
        summary = aggregate.summary()
        comparison = compare(strata_of(baseline, summary.cells), None, rule)
        decide(plan, summary, 0.1, [comparison.finding])
        compared[str(number)] = comparison.strata
    judge_suite(compared, ALPHA)


def judgement(repeats: int) -> list[tuple[str, str]]:
    """A session of 500 tests: all of it, and the suite alone."""
    rng, samples = random.Random(2), runs_of(TESTS)
    alike = [(Cell("", "", rng.randint(40, BASELINE), BASELINE),) for _ in range(TESTS)]
    mixed = [(Cell("", "", rng.randint(0, n), n),) for n in (rng.randint(20, 200) for _ in range(TESTS))]
    sizes = [(50 + number // 3, 5 + number % 3 * 5) for number in range(TESTS)]
    different = {
        str(number): [Stratum(rng.randint(n0 * 7 // 10, n0), n0, rng.randint(n1 * 7 // 10, n1), n1)]
        for number, (n0, n1) in enumerate(sizes)
    }
    all_alike = median_of(repeats, lambda: judge_all(samples, alike), forget)
    all_mixed = median_of(repeats, lambda: judge_all(samples, mixed), forget)
    suite = median_of(repeats, lambda: judge_suite(different, ALPHA), forget)
    worse = {name: [one._replace(x1=one.n1 // 10) for one in strata] for name, strata in different.items()}
    fallen = median_of(repeats, lambda: judge_suite(worse, ALPHA), forget)
    what = f"{TESTS} tests of {K} runs judged: recorded, summarised, compared, decided, and the suite"
    return [
        (f"{what}; baselines of {BASELINE} runs", f"{all_alike:.3f} s"),
        ("the same, baselines of 20 to 200 runs, pass rates of 0 to 1", f"{all_mixed:.3f} s"),
        (f"`judge_suite` alone, {TESTS} tests, no two with the same margins", f"{1e3 * suite:.0f} ms"),
        ("the same, every one of them fallen to a tenth", f"{1e3 * fallen:.0f} ms"),
    ]


def aggregation(repeats: int) -> list[tuple[str, str]]:
    """A million runs of one test, each figure in a fresh process."""
    rows = []
    for kind in ("scores", "none"):
        found = [python(MILLION, kind) for _ in range(repeats)]
        middle = {name: statistics.median(one[name] for one in found) for name in found[0]}
        label = f"a million runs aggregated, {'one score each' if kind == 'scores' else 'without scores'}"
        rows.append((label, f"{middle['record'] + middle['summary']:.2f} s"))
        rows.append((f"{label}: recording, summary", f"{middle['record']:.2f} s, {middle['summary']:.2f} s"))
        rows.append((f"{label}: peak resident size", f"{middle['peak'] / 1e6:.0f} MB"))
        rows.append((f"{label}: of it before the first run", f"{middle['before'] / 1e6:.0f} MB"))
    return rows


def permutation(repeats: int) -> list[tuple[str, str]]:
    """The permutation test of a test with twenty wordings."""
    cold = statistics.median(python(COLD.format(groups=WORDINGS)) for _ in range(repeats))
    warm = median_of(4 * repeats, lambda: homogeneity_p([WORDINGS]))
    label = "permutation test, 20 wordings x 20 runs"
    return [
        (f"{label}, first call of a process, numpy imported", f"{1e3 * cold:.1f} ms"),
        (f"{label}, further calls", f"{1e3 * warm:.1f} ms"),
    ]


def changes(number: int) -> list[Change]:
    """What a session adds to a baseline file of 500 entries."""
    batch = Batch(
        f"{number:016x}",
        "2026-11-23T09:30:00Z",
        version("pytest-llmrel"),
        (Cell("", "", 9, 10),),
        {"quality": ScoreSummary(10, 0.75, 0.1)},
    )
    return [Change(f"test_it[{test}]", "00c0ffee00c0ffee", {"model": "m"}, batch) for test in range(TESTS)]


def baseline_file(repeats: int) -> list[tuple[str, str]]:
    """A file of 500 entries with five batches each."""
    with tempfile.TemporaryDirectory() as name:
        path = baseline_path(Path(name) / "test_it.py")
        for number in range(5):
            record(path, changes(number))
        read = median_of(repeats, lambda: read_baselines(path))
        copy, former = path.read_bytes(), changes(5)

        def restore() -> None:
            path.write_bytes(copy)

        written = median_of(repeats, lambda: record(path, former), restore)
        size = len(copy) / 1e3
    label = f"baseline file, {TESTS} entries of 5 batches ({size:.0f} kB)"
    return [
        (f"{label}, read", f"{1e3 * read:.0f} ms"),
        (f"{label}, a batch recorded for every test (read, changed, written)", f"{1e3 * written:.0f} ms"),
    ]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7, help="per figure")
    repeats = parser.parse_args().repeats
    import numpy as np

    rows = [*judgement(repeats), *aggregation(repeats), *permutation(repeats), *baseline_file(repeats)]
    sys.stdout.write(
        f"{platform.python_implementation()} {platform.python_version()}, numpy {np.__version__}, "
        f"pydantic {version('pydantic')}, {os.cpu_count()} cores, {platform.machine()}\n"
    )
    for label, figure in rows:
        sys.stdout.write(f"| {label} | {figure} |\n")


if __name__ == "__main__":
    main()
