"""A gate and its text say the same."""

import math

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.core.gate import Gate, parse_gate
from pytest_llmrel.errors import GateError

from .strategies import gates, hostile_text


@given(gates)
def test_what_is_shown_reads_as_the_same_gate(gate: Gate) -> None:
    """Metric, sign and every digit of the bar."""
    assert parse_gate(str(gate), str.isidentifier) == gate


@given(gates, st.sampled_from(["", " ", "\t", "   "]), st.sampled_from(["", " ", "  "]))
def test_white_space_says_nothing(gate: Gate, outer: str, inner: str) -> None:
    """However it is set, it is the same gate."""
    text = f"{outer}{gate.metric}{inner}{gate.sign}{inner}{gate.bar!r}{outer}"
    assert parse_gate(text, str.isidentifier) == gate


@given(gates)
def test_the_same_gate_said_twice_is_one(gate: Gate) -> None:
    """Equal gates have equal hashes, so that duplicates can be dropped."""
    again = parse_gate(str(gate), str.isidentifier)
    assert len({gate, again}) == 1


@given(
    st.one_of(
        hostile_text, st.builds("{}{}{}".format, hostile_text, st.sampled_from([">=", "<"]), hostile_text)
    )
)
def test_any_text_is_a_gate_or_a_gate_error(text: str) -> None:
    """No other exception, and what is read has a finite bar and a metric without white space."""
    try:
        gate = parse_gate(text, str.isidentifier)
    except GateError as error:
        problems = error.problems
    else:
        problems = ("none",)
        assert math.isfinite(gate.bar)
        assert gate.metric == "".join(gate.metric.split())
        assert parse_gate(str(gate), str.isidentifier) == gate
    assert all(problems)


@given(gates, st.floats(allow_nan=False))
def test_a_gate_and_its_opposite_are_never_both_met(gate: Gate, value: float) -> None:
    """Of ``>= bar`` and ``< bar`` exactly one holds."""
    opposite = {">=": "<", "<": ">=", ">": "<=", "<=": ">"}[gate.sign]
    assert gate.met_by(value) is not Gate(gate.metric, opposite, gate.bar).met_by(value)
