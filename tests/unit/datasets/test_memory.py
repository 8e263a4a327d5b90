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


def row_of(number: int) -> dict[str, object]:
    """One row; the first has a character that makes all of a text wide that it is in."""
    more = " \U0001f600" * (number == 0)
    return {
        "question": f"How much is number {number}?{more}",
        "expected": f"{number} EUR",
        "tags": ["prices", "x"],
    }


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv"])
def test_less_than_a_kilobyte_a_row(suffix: str, tmp_path: Path) -> None:
    """At the peak of the reading, over the size of the file; everything that Python allocates is counted."""
    rows = [row_of(number) for number in range(ROWS)]
    contents = {
        "jsonl": lambda: "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows),
        "json": lambda: json.dumps(rows, ensure_ascii=False),
        "csv": lambda: (
            "question,expected\n" + "".join(f"{row['question']},{row['expected']}\n" for row in rows)
        ),
    }
    path = tmp_path / f"a.{suffix}"
    path.write_text(contents[suffix](), encoding="utf-8")
    run = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True)
    count, peak = map(int, run.stdout.split())
    assert count == ROWS
    assert (peak - path.stat().st_size) / ROWS < 1000
