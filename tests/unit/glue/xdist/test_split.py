"""Parts of a test: together they are the whole."""

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.core.model import Attempt, Variant
from pytest_llmrel.glue.xdist.split import Part


@given(st.integers(0, 300), st.integers(1, 40))
def test_parts_are_the_whole(total: int, parts: int) -> None:
    """In order, each run once, and no part larger than another by more than one run."""
    whole = [Attempt("", Variant(), run, run) for run in range(total)]
    slices = [Part(number, parts).slice(whole) for number in range(parts)]
    assert [attempt for part in slices for attempt in part] == whole
    assert max(map(len, slices)) - min(map(len, slices)) <= 1
