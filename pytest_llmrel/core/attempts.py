"""The runs of one test in their order, each made when it is asked for: a million of them take no memory."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any, overload

from pytest_llmrel.core.model import Attempt, Variant
from pytest_llmrel.core.seed import run_seed

__all__ = ["Attempts"]


class Attempts(Sequence[Attempt]):
    """Run by run over cases and wordings, so that an early look sees all of them.

    Args:
        nodeid: pytest's name of the test.
        tasks: id of the case and wording; no two the same.
        runs: numbers of the runs of each task.
    """

    def __init__(self, nodeid: str, tasks: Sequence[tuple[str, Variant]], runs: range) -> None:
        self._nodeid = nodeid
        self._tasks = tasks
        self._runs = runs
        self._numbers: dict[tuple[str, str], int] = {}

    def __len__(self) -> int:
        return len(self._tasks) * len(self._runs)

    @overload
    def __getitem__(self, place: int) -> Attempt: ...

    @overload
    def __getitem__(self, place: slice) -> list[Attempt]: ...

    def __getitem__(self, place: int | slice) -> Attempt | list[Attempt]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        run, task = divmod(range(len(self))[place], len(self._tasks))
        return self._attempt(self._runs[run], *self._tasks[task])

    def __iter__(self) -> Iterator[Attempt]:
        return (self._attempt(run, case, variant) for run in self._runs for case, variant in self._tasks)

    def index(self, attempt: Any, start: int = 0, stop: int = sys.maxsize) -> int:
        """Where an attempt stands, from 0; found in one step.

        Raises:
            ValueError: it is none of these.
        """
        if not self._numbers:
            self._numbers = {(case, variant.key): n for n, (case, variant) in enumerate(self._tasks)}
        task = self._numbers.get((attempt.case, attempt.variant.key))
        if task is not None and attempt.run in self._runs:
            place = self._runs.index(attempt.run) * len(self._tasks) + task
            if place in range(len(self))[start:stop] and self[place] == attempt:
                return place
        raise ValueError(f"{attempt} is none of these")

    def _attempt(self, run: int, case: str, variant: Variant) -> Attempt:
        return Attempt(case, variant, run, run_seed(self._nodeid, case, variant.key, run))
