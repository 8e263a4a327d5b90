"""Measures how often the hunt finds what is planted, what it costs, and how often it cries wolf; run it by hand.

    python tests/benchmarks/bench_hunt.py [--seeds 200] [--budget 120]

The model is a coin with two pass rates; no call is made. "Smallest" counts the hunts whose result breaks, and of
whose edits none can be left out. The last rows plant nothing: whatever is found there is a false alarm, of which
there must be at most 5 in 100.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "perturb"))

from hunting import PLANTED, hunted, is_smallest  # type: ignore[import-not-found]


def main() -> None:
    """Hunts, and writes a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=200, help="hunts per row")
    parser.add_argument("--budget", type=int, default=120, help="calls per hunt")
    options = parser.parse_args()
    began = time.perf_counter()
    sys.stdout.write("planted               usual broken   found smallest   mean calls\n")
    rows = [(name, usual, broken) for name in PLANTED for usual in (1.0, 0.95) for broken in (0.0, 0.2, 0.5)]
    rows = [row for row in rows if row[0] != "nothing"]
    rows += [("nothing", usual, 0.0) for usual in (1.0, 0.95, 0.9, 0.8, 0.5)]
    for name, usual, broken in rows:
        sys.stdout.write(row(name, PLANTED[name], usual, broken, options))
    hunts = len(rows) * options.seeds
    sys.stdout.write(f"{(time.perf_counter() - began) / hunts * 1000:.2f} ms per hunt, {hunts} hunts\n")


def row(
    name: str, planted: Callable[[str], bool], usual: float, broken: float, options: argparse.Namespace
) -> str:
    """The figures of one sensitivity at two pass rates."""
    results = [hunted(seed, planted, usual, broken, budget=options.budget) for seed in range(options.seeds)]
    found = statistics.fmean(result.broken is not None for result in results)
    smallest = statistics.fmean(is_smallest(result, planted) for result in results)
    calls = statistics.fmean(result.calls for result in results)
    rates = f"{usual:5.2f} {'' if name == 'nothing' else f'{broken:.2f}':>6}"
    return f"{name:21} {rates} {found:7.1%} {smallest:8.1%} {calls:12.1f}\n"


if __name__ == "__main__":
    main()
