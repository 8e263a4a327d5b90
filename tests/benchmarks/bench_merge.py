"""What merging the reports of shards costs: ``python tests/benchmarks/bench_merge.py``.

1,000,000 runs in four shards, as few large tests and as many smaller ones, all of them compared with baselines.
Times the command as a process of its own. Takes some minutes, most of which it makes up the runs.
"""

import json
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from pytest_llmrel.core.baseline import BaselineEntry, Batch, Cell, Standing
from pytest_llmrel.core.case import Case
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Outcome, Sample
from pytest_llmrel.core.plan import RunPlan, attempts
from pytest_llmrel.reports.comparison import baseline_entry
from pytest_llmrel.reports.result import Result, canonical, result_entry, session_document, suite_entry
from pytest_llmrel.reports.spending import session_totals
from pytest_llmrel.verdict.decide import decide
from pytest_llmrel.verdict.regression import Rule, compare, strata_of
from pytest_llmrel.verdict.summary import Aggregate

SHARDS = 4
SHAPES = ((100, 1000), (1000, 100), (10_000, 10))
"""Tests, and cases of each; ten runs of every case."""
K = 10
RNG = random.Random(1)


def make(name: str, cases: int, rule: Rule) -> Result:
    """A test that passes nine times in ten, like its baseline."""
    rows = tuple(Case(f"case-{number}", ()) for number in range(cases))
    plan = RunPlan(K, Inputs(cases=rows, case_argname="case" if rows else None), (), 8, 60.0)
    todo = attempts(plan, name)
    aggregate = Aggregate(plan, len(todo))
    for attempt in todo:
        outcome = Outcome.PASSED if RNG.random() < 0.9 else Outcome.FAILED
        aggregate.record(Sample(attempt, outcome, RNG.expovariate(2.0)))
    summary = aggregate.summary()
    before = tuple(Cell(case, variant.key, RNG.randint(40, 50), 50) for case, variant in plan.inputs.tasks)
    comparison = compare(strata_of(before, summary.cells), None, rule)
    entry = BaselineEntry("0" * 16, {}, (Batch("0" * 16, "2026-11-23T09:30:00Z", "0.1.0", before),))
    standing = Standing("comparable", "f", name, entry=entry, compare=True)
    verdict = decide(plan, summary, 0.1, [comparison.finding])
    return result_entry(name, summary, verdict, baseline=baseline_entry(standing, comparison, summary, None))


def write(folder: Path, tests: int, cases: int) -> list[str]:
    """The reports of all shards."""
    rule = Rule(0.01, tests)
    names = [f"tests/test_many.py::test_{number:06}" for number in range(tests)]
    files = []
    for index in range(1, SHARDS + 1):
        own = names[index - 1 :: SHARDS]
        results = {name: make(name, cases, rule) for name in own}
        shard = {
            "index": index, "count": SHARDS, "selection": "a" * 16, "settings": "b" * 16, "tests": tests,
            "assigned": own, "missing": [], "failed": [], "interrupted": False,
            "rule": {"alpha": rule.alpha, "tests": tests},
        }  # fmt: skip
        provenance = {
            "pytest": "9",
            "pytest_llmrel": version("pytest-llmrel"),
            "python": platform.python_version(),
        }
        suite = suite_entry(None) | session_totals(results.values())
        path = folder / f"{index}.json"
        path.write_text(canonical(session_document(results, provenance, suite, shard)), encoding="utf-8")
        files.append(str(path))
    return files


def main() -> None:
    """Print a line for every shape."""
    for tests, cases in SHAPES:
        with tempfile.TemporaryDirectory() as folder:
            files = write(Path(folder), tests, cases)
            size = sum(Path(file).stat().st_size for file in files) / 1e6
            command = [
                sys.executable,
                "-m",
                "pytest_llmrel.cli",
                "merge",
                *files,
                "--json",
                f"{folder}/all.json",
            ]
            before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            took = time.perf_counter() - began
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        line = {
            "runs": tests * max(cases, 1) * K, "tests": tests, "cases": cases, "megabytes": round(size, 1),
            "seconds": round(took, 2), "cpu_seconds": round(cpu, 2), "peak_mib_so_far": round(after.ru_maxrss / 1024), "exit": done.returncode,
            "said": (done.stderr or done.stdout).splitlines()[-1][:120],
        }  # fmt: skip
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
