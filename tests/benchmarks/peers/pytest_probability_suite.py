"""pytest-probability: cases are parametrized, runs a command line option, calls in flight its workers."""

import os

import pytest
from one_call import answer


@pytest.mark.parametrize("number", range(int(os.environ["BENCH_TESTS"])))
def bench_answer(number: int) -> None:
    """There is one."""
    assert answer(number)
