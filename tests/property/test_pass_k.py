"""Laws of pass@k and pass^k."""

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.stats.passk import pass_at_k, pass_hat_k

from .strategies import counts

CLOSE = 1e-9


@given(counts, st.data())
def test_complement(pair: tuple[int, int], data: st.DataObject) -> None:
    """At least one pass is the opposite of failures only: pass@k(n, c) = 1 - pass^k(n, n - c)."""
    n, c = pair
    k = data.draw(st.integers(1, n))
    assert isclose(pass_at_k(n, c, k), 1 - pass_hat_k(n, n - c, k), abs_tol=CLOSE)


@given(counts, st.data())
def test_all_is_less_than_one_is_less_than_any(pair: tuple[int, int], data: st.DataObject) -> None:
    """pass^k <= pass@1 = c/n <= pass@k, all within 0..1."""
    n, c = pair
    k = data.draw(st.integers(1, n))
    assert 0 <= pass_hat_k(n, c, k) <= c / n + CLOSE
    assert c / n - CLOSE <= pass_at_k(n, c, k) <= 1
    assert pass_at_k(n, c, 1) == pytest.approx(c / n) == pass_hat_k(n, c, 1)


@given(counts, st.data())
def test_one_more_pass_makes_neither_smaller(pair: tuple[int, int], data: st.DataObject) -> None:
    """Both are monotone in c."""
    n, c = pair
    k = data.draw(st.integers(1, n))
    more = min(c + 1, n)
    assert pass_at_k(n, c, k) <= pass_at_k(n, more, k)
    assert pass_hat_k(n, c, k) <= pass_hat_k(n, more, k)


@given(counts, st.data())
def test_a_larger_k_is_easier_for_any_and_harder_for_all(pair: tuple[int, int], data: st.DataObject) -> None:
    """pass@k grows with k, pass^k shrinks."""
    n, c = pair
    k = data.draw(st.integers(1, n))
    smaller = max(k - 1, 1)
    assert pass_at_k(n, c, smaller) <= pass_at_k(n, c, k) + CLOSE
    assert pass_hat_k(n, c, k) <= pass_hat_k(n, c, smaller) + CLOSE


@given(counts, st.data())
def test_the_ends_are_exact(pair: tuple[int, int], data: st.DataObject) -> None:
    """No pass is 0, passes only is 1, and the product formula agrees in between."""
    n, c = pair
    k = data.draw(st.integers(1, n))
    assert (pass_at_k(n, 0, k), pass_hat_k(n, 0, k)) == (0, 0)
    assert (pass_at_k(n, n, k), pass_hat_k(n, n, k)) == (1, 1)
    product = 1.0
    for i in range(k):
        product *= max(c - i, 0) / (n - i)
    assert pass_hat_k(n, c, k) == pytest.approx(product, rel=CLOSE, abs=1e-300)


@given(counts, st.integers(1, 50))
def test_too_few_runs_are_refused(pair: tuple[int, int], beyond: int) -> None:
    """With n < k there is no estimate, whatever c is."""
    n, c = pair
    for estimator in (pass_at_k, pass_hat_k):
        with pytest.raises(ValueError, match="needs at least"):
            estimator(n, c, n + beyond)
