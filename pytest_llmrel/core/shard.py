"""Which part of a session's tests one machine runs: a split that balances what they are going to take."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from heapq import heapify, heapreplace
from typing import Final

from pytest_llmrel.errors import PlanError

__all__ = ["Shard", "balanced", "read_shard"]

_WRITTEN: Final = re.compile(r"([1-9][0-9]{0,4})/([1-9][0-9]{0,4})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shard:
    """One of the parts that together run every test once.

    Attributes:
        index: number of the part, 1..count.
        count: how many parts there are, 1..99999.
    """

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def read_shard(text: str) -> Shard:
    """A shard as it is written on the command line, ``2/3`` for the second of three.

    Raises:
        PlanError: it is none.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None or int(found[1]) > int(found[2]):
        raise PlanError(f"--llmrel-shard={text}: it must be i/n with 1 <= i <= n, such as 2/3")
    return Shard(int(found[1]), int(found[2]))


def balanced(weights: Mapping[str, int], count: int) -> dict[str, int]:
    """Give every name to the part that has least to do so far, the heaviest first.

    No part takes more than 4/3 of the best there is (Graham 1969, SIAM J. Appl. Math. 17, 416-429). Names
    and weights alone decide, so that every machine finds the same, whatever the order.

    Args:
        weights: what each takes, in any unit, at least 1.
        count: of the parts, at least 1.

    Returns:
        Name -> number of its part, 1..count.
    """
    loads = [(0, part) for part in range(1, count + 1)]
    heapify(loads)
    parts = {}
    for name in sorted(weights, key=lambda name: (-weights[name], name)):
        load, part = loads[0]
        parts[name] = part
        heapreplace(loads, (load + weights[name], part))
    return parts
