"""Faults that the calls of a test are to meet, as its mark says it, and how a run that does may end."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pytest_llmrel.errors import PlanError

__all__ = ["FAULTS", "FaultPlan", "Recovery", "read_faults"]

FAULTS: Final = ("429", "500", "timeout", "reset", "truncated", "malformed", "slow")
"""What ``faults`` can inject into a call over HTTP."""


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """The faults of a test.

    Attributes:
        names: of :data:`FAULTS`, at least one; each is equally likely.
        rate: chance that a call meets one of them, above 0 and at most 1.
    """

    names: tuple[str, ...]
    rate: float = 1.0


class Recovery(StrEnum):
    """What became of a run that met an injected fault."""

    RECOVERED = "recovered"
    """It passed all the same."""
    CLEAN = "failed cleanly"
    """It said that it could not: an exception of its own or of the client, or an abstention."""
    SILENT = "failed silently"
    """It came to a wrong end as if nothing had happened: no error, and an assertion found it."""
    HUNG = "hung"
    """It exceeded its time limit."""


def read_faults(names: tuple[object, ...], options: Mapping[str, object]) -> FaultPlan:
    """The arguments of a ``faults`` mark, checked.

    Raises:
        PlanError: with every mistake.
    """
    problems = [
        f"faults has no argument {name!r}; it takes names and rate" for name in options if name != "rate"
    ]
    known = ", ".join(FAULTS)
    if not names:
        problems.append(f"faults needs at least one name of {known}")
    problems += [f"faults: unknown fault {name!r}; it may be {known}" for name in names if name not in FAULTS]
    rate = options.get("rate", 1.0)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= 1:
        problems.append(f"faults: rate={rate!r}; it must be above 0 and at most 1")
        rate = 1.0
    if problems:
        raise PlanError(*problems)
    return FaultPlan(tuple(dict.fromkeys(map(str, names))), float(rate))
