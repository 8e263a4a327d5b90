"""The arguments of a ``faults`` mark: what they mean, and every mistake in them."""

import pytest

from pytest_llmrel.core.fault import FAULTS, FaultPlan, read_faults
from pytest_llmrel.errors import PlanError


def test_names_and_rate() -> None:
    """The rate is 1 unless it is said; a name that is there twice is no likelier."""
    assert read_faults(("429", "reset", "429"), {}) == FaultPlan(("429", "reset"), 1.0)
    assert read_faults(FAULTS, {"rate": 0.25}) == FaultPlan(FAULTS, 0.25)


@pytest.mark.parametrize(
    ("names", "options", "said"),
    [
        ((), {}, "at least one name"),
        (("timeouts",), {}, "unknown fault 'timeouts'"),
        ((429,), {}, "unknown fault 429"),
        (("429",), {"rate": 0}, "rate=0"),
        (("429",), {"rate": 1.5}, "rate=1.5"),
        (("429",), {"rate": True}, "rate=True"),
        (("429",), {"rate": float("nan")}, "rate=nan"),
        (("429",), {"rate": "0.5"}, "rate='0.5'"),
        (("429",), {"chance": 0.5}, "no argument 'chance'"),
    ],
)
def test_mistakes(names: tuple[object, ...], options: dict[str, object], said: str) -> None:
    """Each is named with its value."""
    with pytest.raises(PlanError, match=said):
        read_faults(names, options)


def test_all_mistakes_at_once() -> None:
    """Nobody has to mend them one by one."""
    with pytest.raises(PlanError) as caught:
        read_faults(("a", "b"), {"rate": 2, "x": 1})
    assert len(caught.value.problems) == 4
