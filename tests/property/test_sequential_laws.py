"""Laws of stopping rules: the verdict of curtailment, monotone chances, and estimates that are right on average."""

from fractions import Fraction
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.stats.sequential import Boundaries, StoppingRule, critical_value, curtailed, truncated_sprt

fixed_tests = st.integers(1, 9).flatmap(lambda length: st.tuples(st.just(length), st.integers(0, length - 1)))
rates = st.fractions(0, 1, max_denominator=20)


@st.composite
def stopping_rules(draw: st.DrawFn) -> StoppingRule:
    """Curtailed tests, sequential tests, and boundaries that nobody would choose."""
    if draw(st.booleans()):
        return curtailed(*draw(fixed_tests))
    if draw(st.booleans()):
        length, p0 = draw(st.integers(5, 12)), draw(st.sampled_from([0.7, 0.8, 0.9]))
        assert critical_value(length, p0) is not None
        return truncated_sprt(length, p0, draw(st.sampled_from([0.1, 0.3, 0.6])))
    length = draw(st.integers(1, 9))
    pass_at, fail_at = [None], [None]
    for n in range(1, length):
        fail = draw(st.integers(-1, n))
        least = draw(st.integers(fail + 1, n + 1))
        fail_at.append(fail if fail >= 0 else None)
        pass_at.append(least if least <= n else None)
    c = draw(st.integers(0, length - 1))
    return Boundaries(length, (*pass_at, c + 1), (*fail_at, c))


def stop(rule: StoppingRule, runs: tuple[int, ...]) -> tuple[int, int]:
    """Where a sequence of runs stops."""
    x = 0
    for n in range(rule.length + 1):
        if rule.decision(n, x) is not None:
            return n, x
        x += runs[n]
    raise AssertionError


@given(fixed_tests)
def test_curtailment_never_changes_the_verdict(test: tuple[int, int]) -> None:
    """On every path: the verdict is that of all runs, and one run earlier it was still open."""
    length, c = test
    rule = curtailed(length, c)
    for runs in product((0, 1), repeat=length):
        n, x = stop(rule, runs)
        assert rule.decision(n, x) == (sum(runs) > c)
        before = x - runs[n - 1]
        assert before + (length - n + 1) > c >= before


@given(stopping_rules(), rates)
def test_the_characteristics_are_those_of_all_paths(rule: StoppingRule, p: Fraction) -> None:
    """Chance of FAIL and expected runs, summed over every path."""
    p_fail = expected = Fraction(0)
    for runs in product((0, 1), repeat=rule.length):
        chance = p ** sum(runs) * (1 - p) ** (rule.length - sum(runs))
        n, x = stop(rule, runs)
        p_fail += chance * (not rule.decision(n, x))
        expected += chance * n
    computed = rule.operating_characteristics(float(p))
    assert abs(computed[0] - float(p_fail)) < 1e-12
    assert abs(computed[1] - float(expected)) < 1e-10


@given(stopping_rules(), rates, rates)
def test_a_higher_rate_fails_less(rule: StoppingRule, p: Fraction, q: Fraction) -> None:
    """P(FAIL) never rises with the true rate; at rates 0 and 1 one path decides."""
    low, high = sorted((float(p), float(q)))
    assert rule.operating_characteristics(high)[0] <= rule.operating_characteristics(low)[0] + 1e-12


@given(stopping_rules(), rates)
def test_the_estimate_is_unbiased(rule: StoppingRule, p: Fraction) -> None:
    """Over every path, weighted by its chance, the mean estimate is the true rate, in exact fractions."""
    mean = Fraction(0)
    for runs in product((0, 1), repeat=rule.length):
        chance = p ** sum(runs) * (1 - p) ** (rule.length - sum(runs))
        # Fewer than a thousand paths lead anywhere here, so this gives back the very fraction.
        mean += chance * Fraction(rule.unbiased_rate(*stop(rule, runs))).limit_denominator(10_000)
    assert mean == p


@given(stopping_rules(), st.integers(0, 12))
def test_no_pass_is_earlier_than_the_earliest(rule: StoppingRule, failed: int) -> None:
    """No state with so many failures means PASS before, and the one found does, unless none can."""
    earliest = rule.earliest_pass(failed)
    assert 1 <= earliest <= rule.length
    for n in range(failed, earliest):
        assert not rule.decision(n, n - failed)
    if earliest < rule.length:
        assert rule.decision(earliest, earliest - failed) is True


@given(st.integers(1, 60), st.floats(0.01, 0.99), st.floats(0.01, 0.5))
def test_a_critical_value_keeps_its_level(length: int, p0: float, alpha: float) -> None:
    """The fixed test FAILs at p0 within the level; with one pass more it would not."""
    c = critical_value(length, p0, alpha)
    if c is not None:
        assert curtailed(length, c).operating_characteristics(p0)[0] <= alpha + 1e-9
    more = 0 if c is None else c + 1
    if more < length:
        assert curtailed(length, more).operating_characteristics(p0)[0] > alpha - 1e-9
