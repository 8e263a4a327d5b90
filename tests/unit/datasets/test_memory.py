"""A hundred thousand rows need little more memory than their file is large."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROWS = 100_000
READ = """
import sys, tracemalloc
from pathlib import Path
from pytest_llmrel.datasets.read import read_cases

tracemalloc.start()
cases = read_cases(Path(sys.argv[1]))
print(len(cases), tracemalloc.get_traced_memory()[1])
"""


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_less_than_a_kilobyte_a_row(suffix: str, tmp_path: Path) -> None:
    """At the peak of the reading, over the size of the file; everything that Python allocates is counted."""
    path = tmp_path / f"a.{suffix}"
    with path.open("w", encoding="utf-8") as file:
        if suffix == "csv":
            file.write("question,expected,topic\n")
            file.writelines(f"How much is number {n}?,{n} EUR,prices\n" for n in range(ROWS))
        else:
            file.writelines(
                json.dumps(
                    {"question": f"How much is number {n}?", "expected": f"{n} EUR", "tags": ["prices", "x"]}
                )
                + "\n"
                for n in range(ROWS)
            )
    run = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True)
    rows, peak = map(int, run.stdout.split())
    assert rows == ROWS
    assert (peak - path.stat().st_size) / ROWS < 1000
