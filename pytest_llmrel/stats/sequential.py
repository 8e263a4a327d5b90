"""Rules that stop repeated pass/fail runs as early as the verdict allows, and what they then say."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from math import log

from pytest_llmrel.stats.binomial import binomial_cdf

__all__ = ["Boundaries", "StoppingRule", "alternative_rate", "critical_value", "curtailed", "truncated_sprt"]

_STEP = 0.05
"""Distance of the rates among which `alternative_rate` looks."""
_STRICTER = 0.9
"""Factor on the level put into Wald's bounds, until the level that comes out is kept."""
_SLACK = 1e-9
"""Relative: levels that differ less differ by rounding only."""


@dataclass(frozen=True, slots=True)
class StoppingRule(ABC):
    """When to stop, after ``n`` runs with ``x`` passes, and whether that is PASS or FAIL."""

    length: int
    """Runs after which everything is decided, N."""

    def decision(self, n: int, x: int) -> bool | None:
        """What ``x`` passes in the first ``n`` runs mean.

        Returns:
            True for PASS, False for FAIL, None to go on.

        Raises:
            ValueError: ``n`` outside ``0..length`` or ``x`` outside ``0..n``.
        """
        if not 0 <= x <= n <= self.length:
            raise ValueError(f"{x} passes of {n} runs is impossible where {self.length} runs are the most")
        return self._decision(n, x)

    @abstractmethod
    def _decision(self, n: int, x: int) -> bool | None:
        """The same for counts that are possible."""

    def operating_characteristics(self, p: float) -> tuple[float, float]:
        """Exact chance of FAIL, and expected number of runs, at the true pass rate ``p``.

        Returns:
            ``(p_fail, expected_n)``: a probability and a number from 1 to ``length``.

        Raises:
            ValueError: ``p`` outside 0..1.
        """
        if not 0 <= p <= 1:
            raise ValueError(f"{p} is no pass rate")
        p_fail = expected = 0.0
        for n, reached in self._walk(0, 0, p, 1 - p):
            for x, chance in reached.items():
                verdict = self.decision(n, x)
                if verdict is not None:
                    expected += n * chance
                    p_fail += chance * (not verdict)
        return min(p_fail, 1.0), expected

    def unbiased_rate(self, n: int, x: int) -> float:
        """Unbiased estimate of the true pass rate after a stop with ``x`` passes in ``n`` runs.

        The share of the paths to this end that begin with a pass: Girshick, Mosteller and Savage
        1946, Ann. Math. Stat. 17, 13-23. The share ``x / n`` itself is biased by early stopping.

        Returns:
            A pass rate within 0..1.

        Raises:
            ValueError: the rule does not stop there, or never gets there.
        """
        if self.decision(n, x) is None:
            raise ValueError(f"the rule does not stop at {x} passes of {n} runs")
        paths = self._paths(0, 0, n, x)
        if not paths:
            raise ValueError(f"the rule stops before {x} passes of {n} runs")
        return self._paths(1, 1, n, x) / paths

    def earliest_pass(self, n_failed: int) -> int:
        """Fewest runs that can mean PASS when exactly ``n_failed`` of them fail.

        Returns:
            1 to ``length``; ``length`` also where so many failures cannot pass.

        Raises:
            ValueError: ``n_failed < 0``.
        """
        if n_failed < 0:
            raise ValueError(f"{n_failed} failures are impossible")
        return self._earliest_pass(n_failed)

    def _earliest_pass(self, n_failed: int) -> int:
        possible = (n for n in range(n_failed, self.length + 1) if self.decision(n, n - n_failed))
        return next(possible, self.length)

    def _paths(self, n: int, x: int, last_n: int, last_x: int) -> int:
        """Ways from one state to another that stop nowhere in between."""
        for reached_n, reached in self._walk(n, x, 1, 1):
            if reached_n == last_n:
                return int(reached.get(last_x, 0))
        return 0

    def _walk(self, n: int, x: int, up: float, down: float) -> Iterator[tuple[int, dict[int, float]]]:
        """From one state on, for each n the weights with which each x is reached; integers stay exact."""
        reached: dict[int, float] = {x: 1}
        while reached:
            yield n, reached
            following: dict[int, float] = {}
            for passes, weight in reached.items():
                if self.decision(n, passes) is None:
                    following[passes] = following.get(passes, 0) + weight * down
                    following[passes + 1] = following.get(passes + 1, 0) + weight * up
            n, reached = n + 1, following


@dataclass(frozen=True, slots=True)
class Boundaries(StoppingRule):
    """A rule as a table of its boundaries.

    Raises:
        ValueError: boundaries that are not one for each n from 0 to ``length``, that overlap, that
            decide without a run, or that leave something undecided at the end.
    """

    pass_at: tuple[int | None, ...]
    """For each n from 0 to N the fewest passes that mean PASS; None where there is no such count."""
    fail_at: tuple[int | None, ...]
    """For each n from 0 to N the most passes that mean FAIL; None where there is no such count."""

    def __post_init__(self) -> None:
        """Refuse boundaries that contradict each other."""
        if not self.length + 1 == len(self.pass_at) == len(self.fail_at) > 1:
            raise ValueError(f"{self.length} runs need {self.length + 1} boundaries of each kind")
        pairs = list(zip(self.pass_at, self.fail_at, strict=True))
        if any(p is not None and f is not None and p <= f for p, f in pairs):
            raise ValueError("the boundaries overlap")
        if self.decision(0, 0) is not None:
            raise ValueError("nothing can be decided without a run")
        if any(self.decision(self.length, x) is None for x in range(self.length + 1)):
            raise ValueError(f"not everything is decided after {self.length} runs")

    def _decision(self, n: int, x: int) -> bool | None:
        least, most = self.pass_at[n], self.fail_at[n]
        if least is not None and x >= least:
            return True
        return False if most is not None and x <= most else None


@dataclass(frozen=True, slots=True)
class _Curtailed(StoppingRule):
    """A fixed test that is stopped once it is certain; its boundaries need no table, however many runs."""

    c: int
    """Most passes of ``length`` that mean FAIL."""

    def _decision(self, n: int, x: int) -> bool | None:
        if x > self.c:
            return True
        return False if n - x >= self.length - self.c else None

    def _earliest_pass(self, n_failed: int) -> int:
        return min(n_failed + self.c + 1, self.length)


def curtailed(length: int, c: int) -> StoppingRule:
    """The fixed test "FAIL with at most ``c`` passes of ``length``", stopped once that is certain.

    Its verdict is always that of all runs. Curtailment: Dodge and Romig 1929, Bell Syst. Tech. J. 8,
    613-631.

    Raises:
        ValueError: ``c`` outside ``0..length - 1``: such a test has one verdict only.
    """
    if not 0 <= c < length:
        raise ValueError(f"at most {c} passes of {length} is always or never so")
    return _Curtailed(length, c)


def critical_value(length: int, p0: float, alpha: float = 0.05) -> int | None:
    """Most passes of ``length`` that show, at level ``alpha``, a true rate below ``p0``.

    The largest c with ``P(X <= c) <= alpha`` for ``X ~ Binomial(length, p0)``.

    Returns:
        0 to ``length - 1``, or None where not even no pass at all shows it.

    Raises:
        ValueError: ``length < 1``, ``p0`` outside 0..1, or ``alpha`` outside (0, 1).
    """
    if not 0 < alpha < 1:
        raise ValueError(f"{alpha} is no level of a test")
    if length < 1:
        raise ValueError(f"a test of {length} runs is impossible")
    most = None
    for c in range(length):
        if binomial_cdf(c, length, p0) > alpha * (1 + _SLACK):
            break
        most = c
    return most


def truncated_sprt(
    length: int, p0: float, p1: float, *, alpha: float = 0.05, beta: float = 0.1
) -> StoppingRule:
    """Sequential test that FAILs on evidence of a rate below ``p0``, cut off after ``length`` runs.

    Wald 1945, Ann. Math. Stat. 16, 117-186. At the end it FAILs with at most `critical_value`
    passes. Cutting off breaks Wald's guarantee; therefore the level is computed exactly, and the
    bound for FAIL drawn back until the level is kept. Without any early FAIL it always is.

    Args:
        length: most runs, N.
        p0: rate that must hardly ever FAIL.
        p1: lower rate that is to FAIL.
        alpha: greatest chance of FAIL at ``p0``, guaranteed for all rates from ``p0`` on.
        beta: wanted chance of PASS at ``p1``; what is reached also depends on ``length``.

    Raises:
        ValueError: not ``0 < p1 < p0 < 1``, not ``0 < alpha < 1 - beta < 1``, or so few runs that
            not even no pass at all shows a rate below ``p0``.
    """
    if not 0 < p1 < p0 < 1:
        raise ValueError(f"rates {p0} and {p1}: it takes 0 < p1 < p0 < 1")
    if not 0 < alpha < 1 - beta < 1:
        raise ValueError(f"errors {alpha} and {beta} are no levels of a test")
    c = critical_value(length, p0, alpha)
    if c is None:
        raise ValueError(f"{length} runs cannot show a rate below {p0} at level {alpha}")
    wald = alpha
    while True:
        rule = _wald(length, c, p0, p1, wald, beta)
        if rule.operating_characteristics(p0)[0] <= alpha * (1 + _SLACK):
            return rule
        wald *= _STRICTER


def alternative_rate(length: int, p0: float, *, alpha: float = 0.05, power: float = 0.75) -> float | None:
    """Highest rate, in steps of 0.05 below ``p0``, that the full-length test FAILs often enough.

    Returns:
        A rate within (0, ``p0``) that FAILs with a chance of at least ``power``; None where none does.

    Raises:
        ValueError: as `critical_value`.
    """
    c = critical_value(length, p0, alpha)
    steps = (round(p0 - step * _STEP, 10) for step in range(1, int(1 / _STEP)))
    caught = (p1 for p1 in steps if c is not None and p1 > 0 and binomial_cdf(c, length, p1) >= power)
    return next(caught, None)


def _wald(length: int, c: int, p0: float, p1: float, alpha: float, beta: float) -> StoppingRule:
    """Wald's two lines, with the fixed test at the end."""
    gain, loss = log(p1 / p0), log((1 - p1) / (1 - p0))
    pass_line, fail_line = log(beta / (1 - alpha)), log((1 - beta) / alpha)
    pass_at: list[int | None] = []
    fail_at: list[int | None] = []
    for n in range(length):
        evidence = [x * gain + (n - x) * loss for x in range(n + 1)]
        pass_at.append(min((x for x in range(n + 1) if evidence[x] <= pass_line), default=None))
        fail_at.append(max((x for x in range(n + 1) if evidence[x] >= fail_line), default=None))
    return Boundaries(length, (*pass_at, c + 1), (*fail_at, c))
