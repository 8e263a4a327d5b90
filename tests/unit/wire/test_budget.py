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


def test_so_many_calls_and_not_one_more() -> None:
    """Without a limit any number passes; with one exactly as many, and none of a limit of zero."""
    budget = Budget()
    assert not budget.counts_calls
    for _ in range(100):
        budget.take_call()
    for limit in (0, 1, 7):
        budget.limit_calls(limit)
        assert budget.counts_calls
        for _ in range(limit):
            budget.take_call()
        for _ in range(2):
            with pytest.raises(BudgetSpent, match="the calls that may be made are spent"):
                budget.take_call()
    assert budget.reason == "", "dollars are another matter"
    budget.limit_calls(None)
    budget.take_call()


def test_threads_share_the_calls_to_the_last() -> None:
    """Whatever the order: as many get through as are allowed, and all others are refused."""
    budget, passed = Budget(), []
    budget.limit_calls(500)
    gate = threading.Barrier(8)

    def work() -> None:
        gate.wait()
        for _ in range(100):
            try:
                budget.take_call()
            except BudgetSpent:
                continue
            passed.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 500
