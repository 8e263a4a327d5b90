"""Gates are read as written, compared as written, and refused with a sentence that helps."""

import pytest

from pytest_llmrel.core.gate import BETWEEN_WORDINGS, RATES, TIMES, Gate, GateMode, parse_gate
from pytest_llmrel.errors import GateError, UsageProblem


def nothing(_name: str) -> bool:
    """No name is a score."""
    return False


def anything(_name: str) -> bool:
    """Every name is a score."""
    return True


@pytest.mark.parametrize(
    ("text", "metric", "sign", "bar"),
    [
        ("pass_rate >= 0.9", "pass_rate", ">=", 0.9),
        ("  pass_rate>=0.9 ", "pass_rate", ">=", 0.9),
        ("wrong_rate < .1", "wrong_rate", "<", 0.1),
        ("abstention_rate <= 1e-2", "abstention_rate", "<=", 0.01),
        ("error_rate <= 0", "error_rate", "<=", 0.0),
        ("pass^5 >= 0.6", "pass^5", ">=", 0.6),
        ("pass@12 > 1", "pass@12", ">", 1.0),
        ("latency_p95 <= 2.5", "latency_p95", "<=", 2.5),
        ("latency_p50 < 120", "latency_p50", "<", 120.0),
    ],
)
def test_built_in_metrics_are_read(text: str, metric: str, sign: str, bar: float) -> None:
    """Spaces and number formats are free; metric, sign and bar come out as written."""
    assert parse_gate(text, nothing) == Gate(metric, sign, bar)


@pytest.mark.parametrize("bar", ["-3", "0.7", "250"])
def test_a_score_may_have_any_finite_bar(bar: str) -> None:
    """A recorded score has no range of its own."""
    gate = parse_gate(f"politeness >= {bar}", anything)
    assert (gate.bar, gate.is_score) == (float(bar), True)


@pytest.mark.parametrize(
    "text",
    ["", "pass_rate", ">= 0.9", "pass_rate 0.9", "pass_rate => 0.9", "pass_rate == 0.9", "pass_rate >= 0.9 0.8",
     "pass rate >= 0.9", "0.5 <= pass_rate <= 0.9", "pass_rate >= >= 0.9"],
)  # fmt: skip
def test_what_is_no_gate_is_refused_with_an_example(text: str) -> None:
    """The message quotes the text and shows the form."""
    with pytest.raises(GateError) as caught:
        parse_gate(text, anything)
    (problem,) = caught.value.problems
    assert repr(text) in problem
    assert "pass_rate >= 0.9" in problem


@pytest.mark.parametrize("what", [None, 5, 0.9, b"pass_rate >= 0.9", ["pass_rate >= 0.9"]])
def test_what_is_no_text_is_refused_alike(what: object) -> None:
    """A gate that is no string is a mistake of the user, not a crash of ours."""
    with pytest.raises(GateError):
        parse_gate(what, anything)  # type: ignore[arg-type]


@pytest.mark.parametrize("bar", ["1.01", "-0.1", "90", "2"])
@pytest.mark.parametrize("metric", [*sorted(RATES), "pass@3", "pass^3"])
def test_the_bar_of_a_rate_is_within_0_and_1(metric: str, bar: str) -> None:
    """Ninety is no rate; whoever means 0.9 is told so."""
    with pytest.raises(GateError, match=r"within 0\.\.1"):
        parse_gate(f"{metric} >= {bar}", nothing)


@pytest.mark.parametrize("metric", sorted(TIMES))
def test_a_time_is_not_negative(metric: str) -> None:
    """A latency below zero would be met never."""
    with pytest.raises(GateError, match="seconds"):
        parse_gate(f"{metric} <= -1", nothing)


@pytest.mark.parametrize("bar", ["nan", "inf", "-inf", "high", "90%", "0,9", "="])
def test_the_bar_is_a_finite_number(bar: str) -> None:
    """NaN compares false with everything and infinity true: neither may be a bar."""
    with pytest.raises(GateError, match="not a finite number"):
        parse_gate(f"politeness >= {bar}", anything)


def test_an_unknown_metric_is_refused_with_the_nearest_name_and_all_names() -> None:
    """A typing error costs one look at the message."""
    with pytest.raises(GateError) as caught:
        parse_gate("pas_rate >= 0.9", nothing)
    (problem,) = caught.value.problems
    assert "did you mean 'pass_rate'?" in problem
    assert all(name in problem for name in (*RATES, *TIMES, "pass@K", "pass^K", "llmrel_scores"))


@pytest.mark.parametrize(
    "metric", ["pass^0", "pass@0", "pass^-1", "pass^05", "pass@", "pass^x", "a-b", "a.b"]
)
def test_a_name_that_no_run_can_record_is_unknown(metric: str) -> None:
    """Even where every identifier may be a score."""
    with pytest.raises(GateError, match="unknown metric"):
        parse_gate(f"{metric} >= 0.5", anything)


def test_the_known_scores_decide() -> None:
    """The caller says which names the test records."""
    assert parse_gate("politeness >= 0.5", {"politeness"}.__contains__).is_score
    with pytest.raises(GateError, match="unknown metric 'politness'"):
        parse_gate("politness >= 0.5", {"politeness"}.__contains__)


@pytest.mark.parametrize(
    ("sign", "below", "at", "above"),
    [
        (">=", False, True, True),
        (">", False, False, True),
        ("<=", True, True, False),
        ("<", True, False, False),
    ],
)
def test_what_is_written_is_what_is_compared(sign: str, below: bool, at: bool, above: bool) -> None:
    """A value on the bar itself meets it exactly where the sign says so."""
    gate = Gate("pass_rate", sign, 0.5)
    assert [gate.met_by(value) for value in (0.49, 0.5, 0.51)] == [below, at, above]


def test_rates_come_out_equal_to_the_bars_that_people_write() -> None:
    """9 of 10 meets 0.9, 3 of 10 meets 0.3: no rounding error stands between them."""
    for n in range(1, 101):
        for count in range(n + 1):
            gate = parse_gate(f"pass_rate >= {count / n!r}", nothing)
            assert gate.met_by(count / n)


@pytest.mark.parametrize(
    ("metric", "k"),
    [("pass@1", 1), ("pass^10", 10), ("pass_rate", None), ("latency_p95", None), ("mine", None)],
)
def test_k_of_a_metric(metric: str, k: int | None) -> None:
    """Only pass@K and pass^K have one."""
    assert Gate(metric, ">=", 0.5).k == k


@pytest.mark.parametrize("bar", [0.9, 1.0, 0.0, 0.123456789, 0.9999999, 1 / 3])
def test_a_gate_is_shown_as_it_was_written(bar: float) -> None:
    """A bar of many digits is not rounded: 0.9999999 is not 1."""
    gate = Gate("pass_rate", ">=", bar)
    assert parse_gate(str(gate), nothing) == gate


def test_a_whole_bar_is_shown_without_a_point() -> None:
    """``<= 120``, not ``<= 120.0``."""
    assert str(Gate("latency_p95", "<=", 120.0)) == "latency_p95 <= 120"


def test_a_gate_error_is_a_usage_problem() -> None:
    """Whoever collects the mistakes of users needs one exception type."""
    assert issubclass(GateError, UsageProblem)


@pytest.mark.parametrize("metric", sorted(BETWEEN_WORDINGS))
def test_metrics_between_wordings_are_rates(metric: str) -> None:
    """Their bars lie within 0..1, and their names are no scores."""
    gate = parse_gate(f"{metric} <= 0.1", nothing)
    assert gate == Gate(metric, "<=", 0.1)
    assert not gate.is_score
    assert gate.k is None
    for bar in ("10", "-0.1", "1.0001"):
        with pytest.raises(GateError, match=r"within 0\.\.1"):
            parse_gate(f"{metric} <= {bar}", anything)


def test_the_modes_are_those_of_the_design() -> None:
    """Three words, in the order in which they get stricter."""
    assert [str(mode) for mode in GateMode] == ["observed", "evidence", "proof"]


@pytest.mark.parametrize(("sign", "more"), [(">=", True), (">", True), ("<=", False), ("<", False)])
def test_the_side_of_a_bar(sign: str, more: bool) -> None:
    """A lower bar wants more, an upper one less."""
    assert Gate("pass_rate", sign, 0.5).wants_more is more
