"""Permutation test of one common pass rate in all groups of runs."""

from collections import Counter
from collections.abc import Sequence
from math import comb, lcm, prod

__all__ = ["homogeneity_p"]

_TABLES = 100_000
"""Up to so many possible tables the test is exact."""
_SLACK = 1e-9
"""Relative: tables that differ less differ by rounding only."""


def homogeneity_p(
    strata: Sequence[Sequence[tuple[int, int]]], *, resamples: int = 9_999, seed: int = 0
) -> float:
    """Chance of a spread like the observed one, or a larger one, if groups do not differ.

    The outcomes of each stratum are dealt out anew to its groups; the statistic is the sum of
    ``n (rate - common rate)^2`` over all groups of all strata. Permutation tests: Fisher 1935, The
    Design of Experiments; with random permutations ``(1 + hits) / (1 + resamples)``, which keeps
    the level: Phipson and Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9, article 39. One stratum of
    few runs is enumerated instead.

    Args:
        strata: the groups of each case, ``(passed, n)`` each; cases are not compared with each
            other.
        resamples: random permutations.
        seed: of the random permutations; the same seed gives the same p.

    Returns:
        A p-value within (0, 1]; 1 where no outcome varies.

    Raises:
        ValueError: no groups, a group without runs, impossible counts, or ``resamples < 1``.
    """
    _check(strata, resamples)
    varying = [groups for groups in strata if 0 < sum(x for x, _ in groups) < sum(n for _, n in groups)]
    if not varying:
        return 1.0
    if len(varying) == 1 and prod(n + 1 for _, n in varying[0]) <= _TABLES:
        return _enumerated(varying[0])
    return _sampled(varying, resamples, seed)


def _enumerated(groups: Sequence[tuple[int, int]]) -> float:
    """Share of all permutations that spread as much, counted group by group in exact integers.

    Given the total, the statistic grows as the sum of ``passed^2 / n``.
    """
    scale = lcm(*(n for _, n in groups))
    total = sum(x for x, _ in groups)
    runs = left = sum(n for _, n in groups)
    ways = Counter({(0, 0): 1})
    for _, n in groups:
        left -= n
        chosen = [comb(n, x) for x in range(n + 1)]
        longer: Counter[tuple[int, int]] = Counter()
        for (passed, squares), count in ways.items():
            lacking = total - passed
            for x in range(max(0, lacking - left), min(n, lacking) + 1):
                longer[passed + x, squares + x * x * scale // n] += count * chosen[x]
        ways = longer
    observed = sum(x * x * scale // n for x, n in groups)
    return sum(count for (_, squares), count in ways.items() if squares >= observed) / comb(runs, total)


def _sampled(strata: Sequence[Sequence[tuple[int, int]]], resamples: int, seed: int) -> float:
    """Estimate of the same share from random permutations, the observed one among them."""
    import numpy as np

    generator = np.random.default_rng(seed)
    observed, statistic = 0.0, np.zeros(resamples)
    for groups in strata:
        passed, sizes = np.array(groups).T
        dealt = generator.multivariate_hypergeometric(sizes, passed.sum(), size=resamples)
        observed += float((passed * passed / sizes).sum())
        statistic += (dealt * dealt / sizes).sum(axis=1)
    hits = int((statistic >= observed * (1 - _SLACK)).sum())
    return (1 + hits) / (1 + resamples)


def _check(strata: Sequence[Sequence[tuple[int, int]]], resamples: int) -> None:
    if not any(strata):
        raise ValueError("without groups there is nothing to compare")
    if resamples < 1:
        raise ValueError(f"{resamples} resamples; it takes at least 1")
    for passed, n in (group for groups in strata for group in groups):
        if n < 1 or not 0 <= passed <= n:
            raise ValueError(f"{passed} passes of {n} runs is impossible")
