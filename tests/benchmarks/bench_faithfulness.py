"""What context overlap tells apart, what it catches, and how fast: ``python tests/benchmarks/bench_faithfulness.py``.

    python tests/benchmarks/bench_faithfulness.py [--labelled PATH] [--seconds 5]

AUROC on the labelled data set (where it is there, beside the repository) next to that of plain bigram containment; the
share of planted errors that is caught, on the published set and on the contexts of the labelled data; and answers a
second on one core, of about 300 characters with contexts of about 1500, with contexts that come again (as runs of a
case do) and with contexts that are always new. Takes about 20 seconds.
"""

import argparse
import itertools
import json
import platform
import random
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from statistics import fmean
from typing import Any

from pytest_llmrel.faithfulness.overlap import TRIPWIRE, Overlap
from pytest_llmrel.faithfulness.scorer import Support

ROOT = Path(__file__).resolve().parents[2]
PLANTED = ROOT / "tests" / "data" / "planted_errors.jsonl"
LABELLED = ROOT.parent / "shared" / "data" / "faithfulness_dev.jsonl"
Row = dict[str, Any]


def say(*cells: object) -> None:
    """One line of a table."""
    sys.stdout.write("".join(f"{cell!s:<16}" for cell in cells).rstrip() + "\n")


def rows(path: Path) -> list[Row]:
    """The rows of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def rules() -> Any:
    """The program that plants errors, as a module."""
    spec = spec_from_file_location("planting", PLANTED.with_name("planting.py"))
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def overlap(row: Row) -> float:
    """The score; one half where there is none."""
    score = Overlap().score(row["answer"], row["context"]).score
    return 0.5 if score is None else score


def bigrams(row: Row) -> float:
    """The floor: the share of the answer's pairs of words that the context has."""
    answer, context = (re.findall(r"\w+", row[key].lower()) for key in ("answer", "context"))
    known = set(itertools.pairwise(context))
    pairs = list(itertools.pairwise(answer))
    return fmean(pair in known for pair in pairs) if pairs else 0.0


def auroc(data: list[Row], score: Callable[[Row], float]) -> float:
    """The chance that a faithful answer scores above another; ties count one half."""
    scores: dict[int, list[float]] = defaultdict(list)
    for row in data:
        scores[row["label"]].append(score(row))
    wins = sum((one > other) + 0.5 * (one == other) for one in scores[1] for other in scores[0])
    return wins / (len(scores[1]) * len(scores[0]))


def tell_apart(data: list[Row]) -> None:
    """AUROC per source and their mean; what falls below the tripwire; then the mean without each source."""
    by_source: dict[str, list[Row]] = defaultdict(list)
    for row in data:
        by_source[row["source"]].append(row)
    say("AUROC", "answers", "overlap", "bigrams", "-length")
    scores = (overlap, bigrams, lambda row: -len(row["answer"]))
    table = {source: [auroc(group, score) for score in scores] for source, group in by_source.items()}
    for source, cells in table.items():
        say(source, len(by_source[source]), *(f"{cell:.3f}" for cell in cells))
    say("macro", len(data), *(f"{fmean(column):.3f}" for column in zip(*table.values(), strict=True)))
    for label, kind in ((0, "unfaithful"), (1, "faithful")):
        found = [
            Overlap().score(row["answer"], row["context"]).score for row in data if row["label"] == label
        ]
        below = [score is not None and score < TRIPWIRE for score in found]
        say(f"< {TRIPWIRE}", kind, f"{sum(below)} of {len(below)}", f"{fmean(below):.3f}")
    without = {
        left_out: fmean(row[0] for source, row in table.items() if source != left_out) for left_out in table
    }
    say("macro without", *(f"{source} {value:.3f}  " for source, value in without.items()))


def planted(contexts: Iterable[str], seed: int = 7) -> Iterator[tuple[str, str, str]]:
    """Every class of error in every context with room for it, and each answer before that."""
    planting, rng = rules(), random.Random(seed)
    for context in contexts:
        for kind in planting.CLASSES:
            if found := planting.planted(kind, context, rng):
                yield "verbatim", found[0], context
                yield kind, found[1], context


def catch(title: str, items: Iterable[tuple[str, str, str]]) -> None:
    """The share of each kind that is caught: below the tripwire, or with an unsupported claim."""
    hits: dict[str, list[bool]] = defaultdict(list)
    for kind, answer, context in items:
        found = Overlap().score(answer, context)
        below = found.score is not None and found.score < TRIPWIRE
        hits[kind].append(below or any(claim.support is Support.UNSUPPORTED for claim in found.claims))
    say(title)
    for kind, caught in hits.items():
        say(f"  {kind}", f"{sum(caught)} of {len(caught)}", f"{fmean(caught):.3f}")


def speed(seconds: float) -> None:
    """Answers a second, of one core."""
    rng, contexts = random.Random(3), [row["context"] for row in rows(PLANTED)]
    long = [" ".join(rng.sample(contexts, 3))[:1500] for _ in range(2000)]
    pairs = [(context[start : start + 300], context) for context in long for start in [rng.randrange(1000)]]
    for title, chosen in (("contexts again", pairs[:50]), ("contexts new", pairs)):
        count, began, scorer = 0, time.process_time(), Overlap()
        while time.process_time() - began < seconds:
            scorer.score(*chosen[count % len(chosen)])
            count += 1
        say(title, f"{count / (time.process_time() - began):.0f} answers a second")


def main() -> None:
    """Prints the three tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--labelled", type=Path, default=LABELLED, help="labelled answers, JSONL")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long to measure each speed")
    options = parser.parse_args()
    say(f"CPython {platform.python_version()}, {platform.machine()}")
    items = rows(PLANTED)
    catch("caught, published set", ((item["kind"], item["answer"], item["context"]) for item in items))
    if options.labelled.exists():
        data = rows(options.labelled)
        catch("caught, labelled contexts", planted(row["context"] for row in data))
        tell_apart(data)
    speed(options.seconds)


if __name__ == "__main__":
    main()
