"""The planted errors, the rules that made them, and the rows of the labelled data set where it is there."""

import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from pytest_llmrel.faithfulness.overlap import TRIPWIRE, Overlap
from pytest_llmrel.faithfulness.scorer import Support

DATA = Path(__file__).parents[2] / "data"
LABELLED = Path(__file__).parents[4] / "shared" / "data" / "faithfulness_dev.jsonl"
"""Beside the repository, and not of it."""


def rules() -> Any:
    """The module that plants errors; it is a program, and in no package."""
    spec = spec_from_file_location("planting", DATA / "planting.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def caught(answer: str, context: str) -> bool:
    """Whether the tripwire goes off: the score is below it, or a claim is unsupported."""
    found = Overlap().score(answer, context)
    wrong = any(claim.support is Support.UNSUPPORTED for claim in found.claims)
    return wrong or (found.score is not None and found.score < TRIPWIRE)


def shares(pairs: Iterator[tuple[str, str, str]]) -> dict[str, float]:
    """Of every kind of ``(kind, answer, context)``, the share that is caught."""
    found: dict[str, list[bool]] = defaultdict(list)
    for kind, answer, context in pairs:
        found[kind].append(caught(answer, context))
    return {kind: sum(hits) / len(hits) for kind, hits in found.items()}


def planted_in(contexts: list[str], seed: int = 7) -> Iterator[tuple[str, str, str]]:
    """Every class of error, planted in every context with room for it, and each answer before that."""
    planting, rng = rules(), random.Random(seed)
    for context in contexts:
        for kind in planting.CLASSES:
            if found := planting.planted(kind, context, rng):
                yield "verbatim", found[0], context
                yield kind, found[1], context


def auroc(positive: list[float], negative: list[float]) -> float:
    """The chance that a positive one is above a negative one (Mann-Whitney); ties count one half."""
    wins = sum((one > other) + 0.5 * (one == other) for one in positive for other in negative)
    return wins / (len(positive) * len(negative))


def by_source(score: Callable[[dict[str, Any]], float]) -> dict[str, float]:
    """AUROC of a score on every source of the labelled data set."""
    found: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for row in rows(LABELLED):
        found[row["source"]][row["label"]].append(score(row))
    return {source: auroc(faithful, other) for source, (other, faithful) in found.items()}
