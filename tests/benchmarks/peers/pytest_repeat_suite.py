"""pytest-repeat: each test so many times, calls in flight are the workers of xdist."""

import os

import pytest
from one_call import answer


@pytest.mark.parametrize("number", range(int(os.environ["BENCH_TESTS"])))
def test_answer(number: int) -> None:
    """There is one."""
    assert answer(number)
