"""What reading and linting golden cases costs: ``python tests/benchmarks/bench_golden.py``.

Each figure in a process of its own: peak resident size over that of the imports, less the size of the file. Wants a
quiet machine and takes about a minute.
"""

import argparse
import csv
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROWS = 100_000

READ = """
import json, sys, time
from pathlib import Path
from pydantic import BaseModel
from pytest_llmrel.datasets.read import read_cases

class Faq(BaseModel):
    id: str
    question: str
    expected: str
    wordings: list[str] | str

def peak():  # of this program: ru_maxrss would be that of the process that started it, if it was larger
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))

path, schema = Path(sys.argv[1]), Faq if sys.argv[2] == "schema" else None
with open(path, "rb") as file:
    while file.read(1 << 20):  # the disk is not measured
        pass
before, began = peak(), time.perf_counter()
cases = read_cases(path, schema)
print(json.dumps({"seconds": time.perf_counter() - began, "bytes": peak() - before, "rows": len(cases)}))
"""
LINT = """
import json, sys, time
from pathlib import Path
from pytest_llmrel.datasets.lint import lint
from pytest_llmrel.datasets.read import read_cases

cases = read_cases(Path(sys.argv[1]))
began = time.perf_counter()
found = lint(cases)
print(json.dumps({"seconds": time.perf_counter() - began, "findings": len(found)}))
"""


def python(source: str, *arguments: str) -> Any:
    """What a fresh process prints."""
    command = [sys.executable, "-c", source, *arguments]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def rows_of(count: int) -> list[dict[str, Any]]:
    """Questions of 6 to 14 words out of a vocabulary with Zipf's frequencies; one in a hundred nearly twice."""
    rng = random.Random(1)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(3, 9))) for _ in range(20_000)]
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    questions: list[str] = []
    for number in range(count):
        if number % 100 == 99:
            questions.append(f"{questions[-50]} please")
        else:
            questions.append(" ".join(rng.choices(words, weights, k=rng.randint(6, 14))))
    return [
        {
            "id": f"faq-{number}",
            "question": text,
            "expected": text[::-1],
            "wordings": [text.upper(), f"{text}?"],
        }
        for number, text in enumerate(questions)
    ]


def templates_of(count: int) -> list[dict[str, Any]]:
    """The hard case of near-duplicates: every question is one of ten templates with another name in it."""
    rng = random.Random(2)
    heads = [
        f"what is the {rng.choice(['price', 'size', 'age', 'name'])} of number {n} in" for n in range(10)
    ]
    names = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=9)) for _ in range(count)]
    return [{"question": f"{rng.choice(heads)} {name}", "expected": name} for name in names]


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    """An object a line."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(row)}\n" for row in rows)


def write_json(path: Path, rows: list[dict[str, Any]]) -> None:
    """One list."""
    path.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    """All text."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows([row | {"wordings": " | ".join(row["wordings"])} for row in rows])


def write_toml(path: Path, rows: list[dict[str, Any]]) -> None:
    """Tables; JSON's texts and lists are TOML's."""
    tables = ("".join(f"{name} = {json.dumps(value)}\n" for name, value in row.items()) for row in rows)
    path.write_text("".join(f"[[case]]\n{table}\n" for table in tables), encoding="utf-8")


def write_yaml(path: Path, rows: list[dict[str, Any]]) -> None:
    """In blocks; JSON's texts and lists are YAML's."""
    blocks = ("\n  ".join(f"{name}: {json.dumps(value)}" for name, value in row.items()) for row in rows)
    path.write_text("".join(f"- {block}\n" for block in blocks), encoding="utf-8")


WRITERS: dict[str, Callable[[Path, list[dict[str, Any]]], None]] = {
    "jsonl": write_jsonl,
    "json": write_json,
    "csv": write_csv,
    "toml": write_toml,
    "yaml": write_yaml,
}


def reading(path: Path, schema: str, repeats: int) -> tuple[str, str]:
    """One file, read."""
    found = [python(READ, str(path), schema) for _ in range(repeats)]
    assert all(one["rows"] == ROWS for one in found)
    seconds = statistics.median(one["seconds"] for one in found)
    peak, size = statistics.median(one["bytes"] for one in found), path.stat().st_size
    label = f"{ROWS:,} rows of {path.suffix} ({size / 1e6:.0f} MB) read{', with a schema' * bool(schema)}"
    over = (peak - size) / ROWS
    return label, f"{seconds:.2f} s, {peak / 1e6:.0f} MB, {over:.0f} bytes a row over the file's size"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="per figure")
    parser.add_argument("formats", nargs="*", default=list(WRITERS), help="which (default: all)")
    namespace = parser.parse_args()
    table = []
    with tempfile.TemporaryDirectory() as folder:
        rows = rows_of(ROWS)
        for name in namespace.formats:
            path = Path(folder, f"faq.{name}")
            WRITERS[name](path, rows)
            table.append(reading(path, "", namespace.repeats))
        path = Path(folder, "faq.jsonl")
        write_jsonl(path, rows)
        table.append(reading(path, "schema", namespace.repeats))
        for what, made in (("natural", rows), ("templates", templates_of(ROWS))):
            write_jsonl(path, made)
            found = python(LINT, str(path))
            label = f"{ROWS:,} cases linted, {what}"
            table.append((label, f"{found['seconds']:.1f} s, {found['findings']} findings"))
    sys.stdout.write(
        f"{platform.python_implementation()} {platform.python_version()}, pydantic {version('pydantic')}, "
        f"{os.cpu_count()} cores, {platform.machine()}\n"
    )
    for label, figure in table:
        sys.stdout.write(f"| {label} | {figure} |\n")


if __name__ == "__main__":
    main()
