"""Simulated sessions: suites whose true pass rates are known, judged by the calls that a session makes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from pytest_llmrel.core.baseline import Cell, pooled
from pytest_llmrel.core.model import Status
from pytest_llmrel.stats.stratified import Stratum
from pytest_llmrel.verdict.regression import Rule, compare, judge_suite, strata_of

MIXED = (0.98, 0.95, 0.95, 0.9, 0.8, 0.6)
"""Rates of the tests of a mixed suite that do not always pass; four tests of ten do."""

Rates = NDArray[np.float64]
Suite = tuple[Rates, Rates]
"""True pass rates of the tests when their baselines were recorded, and now."""

_remembered = lru_cache(maxsize=1 << 18)(compare)
"""A comparison depends on nothing but its arguments, and simulated suites hold the same ones again and again."""


class Design(NamedTuple):
    """How large a suite is, and how often its tests run."""

    tests: int
    k: int
    baseline: int
    """Baseline runs of each test."""
    further: int
    """Runs of an escalation in the published simulation; a session makes ``Rule.factor * k``."""

    def __str__(self) -> str:
        return f"m{self.tests}-k{self.k}-n{self.baseline}"


DESIGNS = (
    Design(20, 5, 50, 20),
    Design(20, 10, 10, 30),
    Design(20, 10, 50, 30),
    Design(20, 20, 100, 40),
    Design(100, 5, 50, 20),
    Design(100, 10, 10, 30),
    Design(100, 10, 50, 30),
    Design(100, 20, 100, 40),
    Design(500, 5, 50, 20),
    Design(500, 10, 50, 30),
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a session found.

    Attributes:
        drift: the suite as a whole failed.
        single: single tests failed, by the first k runs of all.
        escalated: a test failed on its own, most of them after an escalation.
        calls: further runs, as a share of the planned ones.
    """

    drift: bool
    single: bool
    escalated: bool
    calls: float

    @property
    def red(self) -> bool:
        """Whether anything failed."""
        return self.drift or self.single or self.escalated


class Draw(NamedTuple):
    """The runs of one repetition: strata of the first k runs, and passes of the further ones of every test."""

    strata: Sequence[tuple[Stratum, ...]]
    baseline: Sequence[tuple[Cell, ...]]
    first: Sequence[tuple[Cell, ...]]
    further: Mapping[int, list[int]]


def flat(m: int) -> Rates:
    """All tests at 0.95."""
    return np.full(m, 0.95)


def mixed(m: int) -> Rates:
    """Four tests of ten always pass, the others now and then fail or often."""
    sure = m * 2 // 5
    return np.array([1.0] * sure + [MIXED[i % len(MIXED)] for i in range(m - sure)])


def fallen(before: Rates, tests: int, rate: float) -> Suite:
    """The first tests of a suite fall to a rate."""
    now = before.copy()
    now[:tests] = rate
    return before, now


SCENARIOS: Mapping[str, Callable[[int], Suite]] = {
    "null95": lambda m: fallen(flat(m), 0, 0.0),
    "mixnull": lambda m: fallen(mixed(m), 0, 0.0),
    "one95>70": lambda m: fallen(flat(m), 1, 0.7),
    "one95>50": lambda m: fallen(flat(m), 1, 0.5),
    "one95>20": lambda m: fallen(flat(m), 1, 0.2),
    "mix1>70": lambda m: fallen(mixed(m), 1, 0.7),
    "mix1>50": lambda m: fallen(mixed(m), 1, 0.5),
    "mix1>20": lambda m: fallen(mixed(m), 1, 0.2),
    "ten%95>70": lambda m: fallen(flat(m), m // 10, 0.7),
    "all95>92": lambda m: fallen(flat(m), m, 0.92),
    "all95>90": lambda m: fallen(flat(m), m, 0.90),
}
NULLS = ("null95", "mixnull")


def draws(design: Design, suite: Suite, repetitions: int, seed: str) -> Iterator[Draw]:
    """Suites and their runs, baselines drawn anew for each."""
    rng, (before, now) = np.random.default_rng(crc32(seed.encode())), suite
    lengths = sorted({Rule.factor * design.k, design.further})
    for _ in range(repetitions):
        old, new = rng.binomial(design.baseline, before).tolist(), rng.binomial(design.k, now).tolist()
        baseline = [(Cell("", "", passed, design.baseline),) for passed in old]
        first = [(Cell("", "", passed, design.k),) for passed in new]
        strata = [strata_of(*cells) for cells in zip(baseline, first, strict=True)]
        further = {runs: rng.binomial(runs, now).tolist() for runs in lengths}
        yield Draw(strata, baseline, first, further)


def sessions(design: Design, draw: Draw, alpha: float) -> tuple[Judged, Judged]:
    """A session as ``glue/experiment.py`` and ``glue/session.py`` make it, and as the published simulation does.

    That one makes other further runs, for the ten most suspicious tests only, and none in a suite that is red.
    """
    rule = Rule(alpha, tests=design.tests)
    first = [_remembered(strata, None, rule) for strata in draw.strata]
    suspicious = [i for i, one in enumerate(first) if rule.is_suspicious(one.p)]
    suite = judge_suite({str(i): one.strata for i, one in enumerate(first)}, alpha)
    drift, single = (finding.status is Status.FAIL for finding in suite.findings)
    assert (suite.status is Status.FAIL) is (drift or single)
    worst = [] if drift or single else sorted(suspicious, key=lambda i: first[i].p)[:10]
    ways = ((Rule.factor * design.k, suspicious), (design.further, worst))
    judged = []
    for runs, chosen in ways:
        last = list(first)
        for i in chosen:
            cells = pooled((*draw.first[i], Cell("", "", draw.further[runs][i], runs)))
            last[i] = _remembered(first[i].strata, strata_of(draw.baseline[i], cells), rule)
        failed = any(one.finding.status is Status.FAIL for one in last)
        judged.append(Judged(drift, single, failed, len(chosen) * runs / (design.tests * design.k)))
    return judged[0], judged[1]


def standard_error(rate: float, repetitions: int) -> float:
    """Of a simulated rate."""
    return sqrt(rate * (1 - rate) / repetitions)


def z_of(hits: int, n: int, rate: float, published_n: int) -> float:
    """Distance of two simulated rates in standard errors of both together, if there is one true rate."""
    common = (hits + rate * published_n) / (n + published_n)
    error = standard_error(common, n) * sqrt(1 + n / published_n)
    return (hits / n - rate) / error if error else 0.0
