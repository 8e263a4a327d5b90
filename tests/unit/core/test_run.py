"""The run as its author sees it: an address, scores, an output, and a way to end it."""

import contextvars
from contextlib import suppress
from fractions import Fraction

import pytest

from pytest_llmrel.core.model import Attempt, Variant
from pytest_llmrel.core.run import OUTPUT_LIMIT, Run, current_run, judging
from pytest_llmrel.core.score import Score
from pytest_llmrel.errors import Abstained


@pytest.fixture
def run() -> Run:
    """The fourth run of a wording of a case."""
    return Run(Attempt("case-7", Variant("0badcafe", "refund pls", primary=False), 3, 99))


def test_the_address(run: Run) -> None:
    """Case, wording, index and seed are those of the attempt."""
    assert (run.case, run.variant, run.index, run.seed) == ("case-7", "refund pls", 3, 99)


def test_it_introduces_itself_briefly(run: Run) -> None:
    """A traceback that shows the fixture shows one short word of it."""
    assert repr(run) == "<run 3>"


def test_scores_are_kept_in_order_as_floats(run: Run) -> None:
    """Whole numbers, truth values and fractions are numbers too."""
    for name, value in (("a", 1), ("b", True), ("c", Fraction(1, 4)), ("d", -2.5)):
        run.score(name, value)  # type: ignore[arg-type]
    assert run.scores == [Score("a", 1.0), Score("b", 1.0), Score("c", 0.25), Score("d", -2.5)]
    assert all(type(score.value) is float for score in run.scores)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_score_that_is_not_finite_is_kept(run: Run, value: float) -> None:
    """It must make the mean undefined later, so it may not vanish here."""
    run.score("odd", value)
    assert repr(run.scores[0].value) == repr(value)


@pytest.mark.parametrize("name", ["", "two words", "1st", "a-b", "pass^5", None, 5])
def test_a_score_needs_a_name_that_a_gate_can_use(run: Run, name: object) -> None:
    """The name is an identifier, and the message says which one was not."""
    with pytest.raises(ValueError, match="identifier"):
        run.score(name, 1.0)  # type: ignore[arg-type]
    assert run.scores == []


def test_a_score_is_recorded_once(run: Run) -> None:
    """A second value of the same name would count the run twice in its mean."""
    run.score("a", 0.5)
    with pytest.raises(ValueError, match="already"):
        run.score("a", 0.7)
    assert run.scores == [Score("a", 0.5)]


@pytest.mark.parametrize("value", ["0.5", None, "high", [1], 1j])
def test_a_score_is_a_number(run: Run, value: object) -> None:
    """A string that looks like a number is a mistake, too."""
    with pytest.raises(TypeError, match="must be a number"):
        run.score("a", value)  # type: ignore[arg-type]


def test_the_last_output_is_kept(run: Run) -> None:
    """Anything that has a text is an output; before there is one it is ``None``."""
    assert run.recorded_output is None
    run.output("first")
    run.output({"answer": 30})
    assert run.recorded_output == "{'answer': 30}"


def test_an_endless_output_is_cut(run: Run) -> None:
    """A model may answer without end; memory may not."""
    run.output("x" * (OUTPUT_LIMIT * 3))
    assert run.recorded_output == "x" * OUTPUT_LIMIT


def test_abstaining_ends_the_run_past_every_except_exception(run: Run) -> None:
    """The reason travels with the signal, and ``except Exception`` does not stop it."""
    with pytest.raises(Abstained, match="too vague"), suppress(Exception):
        run.abstain("too vague")


def test_captured_text_is_kept_per_stream_and_in_order(run: Run) -> None:
    """What is written in pieces reads as one text."""
    for title, text in (("stdout", "a"), ("stderr", "!"), ("stdout", "b\n"), ("log", "L")):
        run.capture(title, text)
    assert {title: buffer.getvalue() for title, buffer in run.captured.items()} == {
        "stdout": "ab\n", "stderr": "!", "log": "L",
    }  # fmt: skip


@pytest.mark.parametrize("piece", [1, 999, OUTPUT_LIMIT, OUTPUT_LIMIT * 4])
def test_captured_text_has_a_limit_and_says_so_once(run: Run, piece: int) -> None:
    """In whatever pieces it comes, the first 20,000 characters stay, and a word that there was more."""
    written = 0
    while written < OUTPUT_LIMIT * 2:
        run.capture("stdout", "x" * piece)
        written += piece
    kept = run.captured["stdout"].getvalue()
    assert kept.startswith("x" * OUTPUT_LIMIT)
    assert kept[OUTPUT_LIMIT:].strip("\n") == "[truncated]"


def test_no_run_is_in_progress_by_default() -> None:
    """Outside a run the context holds none, and a run set in one context is not seen in another."""
    fresh = contextvars.Context()
    assert fresh.run(current_run.get) is None
    fresh.run(current_run.set, Run(Attempt("", Variant(), 0, 0)))
    assert contextvars.Context().run(current_run.get) is None


def test_usage_by_hand_is_a_call(run: Run) -> None:
    """With a cost, or with what it takes to look the price up; a judge's is told apart."""
    run.usage(model="m", input_tokens=10, output_tokens=2)
    run.usage(cost=0.5)
    with run.judging():
        run.usage(model="m", cost=0.25)
    first, second, third = run.reported
    assert first.usage is not None
    assert (first.usage.model, first.usage.input_tokens, first.cost) == ("m", 10, None)
    assert (second.usage, second.cost, second.judge) == (None, 0.5, False)
    assert (third.cost, third.judge) == (0.25, True)


@pytest.mark.parametrize(
    "given",
    [{"cost": -1}, {"cost": float("nan")}, {"input_tokens": -5, "output_tokens": 1}, {"cost": float("inf")}],
)
def test_usage_that_is_impossible_is_refused(run: Run, given: dict[str, float]) -> None:
    """And nothing is recorded."""
    with pytest.raises(ValueError, match="finite number"):
        run.usage(**given)  # type: ignore[arg-type]
    assert run.reported == []


def test_judging_ends_with_its_block(run: Run) -> None:
    """Whatever is raised in it."""
    with pytest.raises(KeyError), run.judging():
        raise KeyError
    assert judging.get() is False
