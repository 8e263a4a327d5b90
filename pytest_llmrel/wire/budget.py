"""What a session may spend: counted call by call, and nothing more is sent once it is gone."""

import threading

from pytest_llmrel.errors import BudgetSpent

__all__ = ["Budget"]


class Budget:
    """Thread-safe; calls in flight when the budget goes may exceed it.

    Args:
        dollars: US dollars that may be spent; ``None`` for any amount.

    Attributes:
        spent: US dollars, of calls whose price is known.
    """

    def __init__(self, dollars: float | None = None) -> None:
        self._dollars = dollars
        self._lock = threading.Lock()
        self._unpriced = ""
        self.spent = 0.0

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

    @property
    def reason(self) -> str:
        """Why nothing more may be spent, ``""`` while something may."""
        if self._dollars is None:
            return ""
        if self._unpriced:
            unknown = f"what {self._unpriced} costs is unknown; name its price in the ini key llmrel_prices"
            return f"the budget of ${self._dollars:g} cannot be kept: {unknown}"
        if self.spent >= self._dollars:
            return f"the budget of ${self._dollars:g} is spent"
        return ""

    def check(self) -> None:
        """Let a call pass.

        Raises:
            BudgetSpent: nothing more may be spent.
        """
        if self._dollars is not None and (reason := self.reason):
            raise BudgetSpent(reason)
