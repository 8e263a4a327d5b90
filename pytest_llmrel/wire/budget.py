"""What a session may spend, in dollars or calls: nothing more is sent once it is gone."""

import threading
from typing import Protocol

from pytest_llmrel.errors import BudgetSpent

__all__ = ["Budget", "Partners"]


class Partners(Protocol):
    """The other processes that spend from the same budget."""

    @property
    def dollars(self) -> float:
        """US dollars that they have paid."""

    @property
    def unpriced(self) -> str:
        """What they paid for whose price is unknown, ``""`` if nothing."""

    def tell(self, cost: float | None, what: str) -> None:
        """Tell them of a payment, with the arguments of :meth:`Budget.pay`."""


class Budget:
    """Thread-safe; calls in flight when the budget goes may exceed it.

    Args:
        dollars: US dollars that may be spent; ``None`` for any amount.
        partners: who spends from it, too.

    Attributes:
        spent: US dollars, of calls of this process whose price is known.
    """

    def __init__(self, dollars: float | None = None, partners: Partners | None = None) -> None:
        self._dollars = dollars
        self._partners = partners
        self._lock = threading.Lock()
        self._unpriced = ""
        self._calls: int | None = None
        self._ended = ""
        self.spent = 0.0

    def limit_calls(self, calls: int | None) -> None:
        """Let so many model calls pass from now on, ``None`` for any number."""
        with self._lock:
            self._calls = calls

    @property
    def counts_calls(self) -> bool:
        """Whether there is a limit to the number of calls."""
        return self._calls is not None

    def take_call(self) -> None:
        """Let one model call pass.

        Raises:
            BudgetSpent: there were as many as are allowed.
        """
        with self._lock:
            if self._calls is None:
                return
            if self._calls < 1:
                raise BudgetSpent("the calls that may be made are spent")
            self._calls -= 1

    def end(self, reason: str) -> None:
        """Let nothing pass any more, whatever is left."""
        self._ended = reason

    def pay(self, cost: float | None, what: str) -> None:
        """Count one call.

        Args:
            cost: US dollars, ``None`` where unknown: such a call might cost anything, and ends the budget.
            what: model or address, for the reason.
        """
        with self._lock:
            if cost is None:
                self._unpriced = self._unpriced or what
            else:
                self.spent += cost
        if self._partners is not None:
            self._partners.tell(cost, what)

    @property
    def reason(self) -> str:
        """Why nothing more may be spent, ``""`` while something may."""
        if self._ended or self._dollars is None:
            return self._ended
        others = self._partners
        if unpriced := self._unpriced or ("" if others is None else others.unpriced):
            unknown = f"what {unpriced} costs is unknown; name its price in the ini key llmrel_prices"
            return f"the budget of ${self._dollars:g} cannot be kept: {unknown}"
        if self.spent + (0.0 if others is None else others.dollars) >= self._dollars:
            return f"the budget of ${self._dollars:g} is spent"
        return ""

    def check(self) -> None:
        """Let a call pass.

        Raises:
            BudgetSpent: nothing more may be spent.
        """
        if reason := self.reason:
            raise BudgetSpent(reason)
