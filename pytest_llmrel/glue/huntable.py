"""Which tests a hunt for a wording can be made in."""

from collections.abc import Iterable, Iterator

import pytest

from pytest_llmrel.errors import PlanError
from pytest_llmrel.glue.closest import marks_of
from pytest_llmrel.glue.collect import plan_of

__all__ = ["check_hunts", "file_of"]


def check_hunts(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    """Whether each ``krun`` test has one wording to begin with, and a file to save to if that is wanted.

    A session without such a test would pass, and look like a hunt that found nothing.

    Raises:
        PlanError: with what to do, test by test.
    """
    if config.getoption("llmrel_hunt") is None:
        return
    if config.getoption("llmrel_plan"):
        raise PlanError("--llmrel-plan: a hunt has no plan but its limit of calls; leave one of them out")
    chosen = list(items)
    tests = [item for item in chosen if item.get_closest_marker("krun") is not None]
    if chosen and not tests:
        raise PlanError("--llmrel-hunt hunts in tests with krun and paraphrase, and none of these is one")
    problems = [f"{item.nodeid}: {problem}" for item in tests for problem in _problems(item)]
    if problems:
        raise PlanError(*problems)


def _problems(item: pytest.Item) -> Iterator[str]:
    inputs = plan_of(item).inputs
    if inputs.argname is None:
        yield "--llmrel-hunt changes the wording of a paraphrase mark, and this test has none"
    if len(inputs.cases) > 1:
        yield "--llmrel-hunt hunts in one case; choose it with --llmrel-case=ID"
    if item.config.getoption("llmrel_hunt_save") and file_of(item) is None:
        yield "--llmrel-hunt-save appends to a paraphrase file; give the mark one with file="


def file_of(item: pytest.Item) -> str | None:
    """The paraphrase file of a test, relative to it; ``None`` without one."""
    marks = marks_of(item, "paraphrase")
    file = marks[0].kwargs.get("file") if marks else None
    return None if file is None else str(file)
