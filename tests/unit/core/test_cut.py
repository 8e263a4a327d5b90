"""Texts are shortened between words: half a key is a secret that nobody recognises."""

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.core.cut import cut

KEY = "sk-proj-0a1B_0a1B+0a1B/0a1B=0a1B.0a1B~0a1B"


@given(st.text(max_size=30), st.integers(0, 40))
def test_a_cut_text_is_a_beginning(text: str, most: int) -> None:
    """Never longer than asked for, and whole where it fits."""
    found = cut(text, most)
    assert text.startswith(found)
    assert len(found) <= most
    assert found == text or len(text) > most


@given(st.sampled_from(" \n\"'{},:;天é"), st.integers(0, 80))
def test_a_key_is_whole_or_not_there(between: str, most: int) -> None:
    """Whatever stands before and after it."""
    found = cut(f"key{between}{KEY}{between}more", most)
    assert KEY in found or KEY[:1] + KEY[1:2] not in found


def test_what_is_no_key_is_halved() -> None:
    """More than 4096 characters in a row, which would leave nothing of a large text; other scripts have no long words."""
    assert cut("x" * 30_000, 20_000) == "x" * 20_000
    assert cut("x" * 3_000, 2_000) == ""
    assert cut("天" * 3_000, 2_000) == "天" * 2_000
