"""deepeval: a metric of our own that needs no model, tests repeated, calls in flight are the workers of xdist."""

import os
from typing import Any

import pytest
from deepeval import assert_test
from deepeval.metrics import BaseMetric
from deepeval.test_case import LLMTestCase
from one_call import answer


class Answered(BaseMetric):
    """Whether there is an answer."""

    def __init__(self) -> None:
        """Nothing to set."""
        self.threshold = 1.0
        self.async_mode = False

    def measure(self, test_case: LLMTestCase, *_: Any, **__: Any) -> float:
        """1 or 0."""
        self.score = 1.0 if test_case.actual_output else 0.0
        self.success = self.score >= self.threshold
        return self.score

    async def a_measure(self, test_case: LLMTestCase, *_: Any, **__: Any) -> float:
        """The same."""
        return self.measure(test_case)

    def is_successful(self) -> bool:
        """Of the last measurement."""
        return bool(self.success)

    @property
    def __name__(self) -> str:
        """As deepeval shows it."""
        return "Answered"


@pytest.mark.parametrize("number", range(int(os.environ["BENCH_TESTS"])))
def test_answer(number: int) -> None:
    """There is one."""
    said = answer(number)
    assert_test(LLMTestCase(input=str(number), actual_output=said), [Answered()], run_async=False)
