"""What may be spent: to the cent, by many threads, and why no more of it may."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.errors import BudgetSpent
from pytest_llmrel.wire.budget import Budget


@given(st.lists(st.integers(0, 10_000), max_size=30), st.integers(1, 100_000))
def test_it_is_spent_exactly_when_it_is_reached(cents: list[int], limit: int) -> None:
    """Before each payment it says whether what was paid so far has reached it; sums of eighths are exact."""
    budget, paid = Budget(limit / 8), 0
    for cost in cents:
        assert bool(budget.reason) == (paid >= limit)
        budget.pay(cost / 8, "m")
        paid += cost
    assert budget.spent == paid / 8
    assert (budget.reason == "") == (paid < limit)


def test_nothing_may_be_spent_of_nothing() -> None:
    """A budget of zero dollars lets no call pass, not even the first."""
    with pytest.raises(BudgetSpent, match=r"the budget of \$0 is spent"):
        Budget(0.0).check()


def test_an_unknown_price_ends_it_for_good() -> None:
    """The first unknown model is named, with the remedy; known prices are counted on, and do not hide it."""
    budget = Budget(5.0)
    budget.pay(None, "intern-7b")
    budget.pay(None, "other")
    budget.pay(9.0, "m")
    assert budget.spent == 9.0
    for _ in range(2):
        with pytest.raises(BudgetSpent) as caught:
            budget.check()
        said = str(caught.value)
        assert said == budget.reason
        assert said.startswith("the budget of $5 cannot be kept: what intern-7b costs is unknown")
        assert "llmrel_prices" in said


def test_without_a_limit_everything_passes() -> None:
    """Unknown prices and any sum: it is counted, and nobody is stopped."""
    budget = Budget()
    budget.pay(None, "m")
    budget.pay(1e9, "m")
    budget.check()
    assert (budget.spent, budget.reason) == (1e9, "")


def test_the_signal_is_no_exception_that_a_test_swallows() -> None:
    """``except Exception`` around a call must not go on without money."""
    assert not issubclass(BudgetSpent, Exception)


def test_threads_lose_no_payment() -> None:
    """Sixteen threads pay a thousand times each: the sum is exact."""
    budget, gate = Budget(1e9), threading.Barrier(16)

    def pay() -> None:
        gate.wait()
        for _ in range(1000):
            budget.pay(0.125, "m")

    threads = [threading.Thread(target=pay) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert budget.spent == 2000.0
