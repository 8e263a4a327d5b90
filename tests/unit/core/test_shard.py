"""How a shard is written, and who gets what."""

import pytest

from pytest_llmrel.core.shard import Shard, balanced, read_shard
from pytest_llmrel.errors import PlanError


def test_a_shard_as_it_is_written() -> None:
    """``i/n``, there and back."""
    assert read_shard("2/3") == Shard(2, 3)
    assert str(Shard(2, 3)) == "2/3"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "0/3",
        "4/3",
        "1/0",
        "-1/3",
        "+1/3",
        "1/3/5",
        "1 / 3",
        "01/3",
        "a/b",
        "1/100000",
        "\u0661/\u0663",
        "1/3\n",
    ],
)
def test_what_is_no_shard(text: str) -> None:
    """Refused with what was written and what it should be."""
    with pytest.raises(PlanError, match="it must be i/n") as raised:
        read_shard(text)
    assert f"--llmrel-shard={text}: " in str(raised.value)


def test_the_heaviest_first() -> None:
    """Each goes to the part with least so far, ties to the name and the part that come first."""
    weights = {"b": 5, "a": 5, "c": 4, "d": 3, "e": 1}
    assert balanced(weights, 2) == {"a": 1, "b": 2, "c": 1, "d": 2, "e": 2}


def test_more_parts_than_names() -> None:
    """Some get nothing."""
    assert balanced({"x": 1, "y": 2}, 5) == {"y": 1, "x": 2}
    assert balanced({}, 3) == {}
