"""Equal failures are one kind, whatever numbers and texts they mention, and hostile ones fill no memory."""

from collections.abc import Callable

import pytest

from pytest_llmrel.core.model import Attempt, Evidence, Failure, FailureKey, Outcome, Variant
from pytest_llmrel.verdict.failures import MOST_GROUPS, FailureLog, normalise

ATTEMPT = Attempt("", Variant(), 0, 0)


@pytest.mark.parametrize(
    ("message", "normal"),
    [
        ("", ""),
        ("\n \n", ""),
        ("boom", "boom"),
        ("\n\n  first  line\tof it \nsecond", "first line of it"),
        ("got 3 of 10.5", "got <number> of <number>"),
        ("object at 0x7fA3b2", "object at <address>"),
        ("body was 2039277d and is 3648f3d7", "body was <hash> and is <hash>"),
        ("id 123e4567-e89b-12d3-a456-426614174000!", "id <id>!"),
        ("assert '30 days' in 'no \\' idea 5'", "assert <text> in <text>"),
        ('assert "a\'b" == 1', "assert <text> == <number>"),
        ("unclosed 'quote", "unclosed 'quote"),
    ],
)
def test_what_differs_from_run_to_run_is_taken_out(message: str, normal: str) -> None:
    """Numbers, addresses, ids and quoted text; the first line that says something is enough."""
    assert normalise(message) == normal


def test_the_same_words_about_other_values_are_one_kind() -> None:
    """Two wrong answers to the same question group together; another complaint does not."""
    one, two = "assert '30 days' in 'ask 17 lawyers'", "assert '30 days' in 'never, 5 times'"
    assert normalise(one) == normalise(two) != normalise("assert '30 days' not in 'x'")


@pytest.mark.parametrize("message", ["x" * 10**6, "1 " * 10**6, "'" * 10**5, '"\\' * 10**5, "a\n" * 10**5])
def test_a_hostile_message_is_short_and_quick(message: str) -> None:
    """Neither length nor nesting of quotes makes a kind long, or the matching slow."""
    assert len(normalise(message)) < 3_000


def test_failures_are_counted_by_kind_and_wording(make_failure: Callable[..., Failure]) -> None:
    """Most frequent first; each group says which wordings it hit how often."""
    log = FailureLog()
    a, b = Variant("1", "a"), Variant("2", "b", primary=False)
    for kind, variant in (("rare", a), ("often", b), ("often", a), ("often", b)):
        log.record(make_failure(kind), Attempt("", variant, 0, 0))
    assert [(group.key.message, group.count, dict(group.variants)) for group in log.groups()] == [
        ("often", 3, {"b": 2, "a": 1}),
        ("rare", 1, {"a": 1}),
    ]


@pytest.mark.parametrize("part", ["outcome", "type", "location", "message"])
def test_every_part_of_the_kind_counts(part: str) -> None:
    """Another type, place, message or outcome is another kind."""
    values = {"outcome": Outcome.FAILED, "type": "T", "location": "L", "message": "M"}
    other = values | {part: Outcome.ERROR if part == "outcome" else "other"}
    log = FailureLog()
    for key in (values, other, values):
        log.record(Failure(FailureKey(**key), lambda: Evidence(None, "")), ATTEMPT)  # type: ignore[arg-type]
    assert [group.count for group in log.groups()] == [2, 1]


def test_one_failure_of_a_kind_is_described() -> None:
    """Describing is slow: it is done for the first of a kind only."""
    log, described = FailureLog(), []

    def describe(number: int) -> Callable[[], Evidence]:
        def make() -> Evidence:
            described.append(number)
            return Evidence(None, str(number))  # type: ignore[arg-type]

        return make

    for number in range(5):
        key = FailureKey(Outcome.FAILED, "T", "", "even" if number % 2 == 0 else "odd")
        log.record(Failure(key, describe(number)), ATTEMPT)
    assert described == [0, 1]
    assert [group.evidence.message for group in log.groups()] == ["0", "1"]


def test_kinds_beyond_the_limit_share_a_group_per_outcome(make_failure: Callable[..., Failure]) -> None:
    """A thousand different messages make fifty groups and one rest; known kinds are still told apart."""
    log = FailureLog()
    for number in range(1_000):
        log.record(make_failure(f"kind {number}"), ATTEMPT)
    log.record(make_failure("kind 0"), ATTEMPT)
    log.record(make_failure("late", outcome=Outcome.ERROR), ATTEMPT)
    counts = {(group.key.outcome, group.key.message): group.count for group in log.groups()}
    assert len(counts) == MOST_GROUPS + 2
    assert counts[Outcome.FAILED, "kind 0"] == 2
    assert counts[Outcome.FAILED, "failures of other kinds"] == 1_000 - MOST_GROUPS
    assert counts[Outcome.ERROR, "failures of other kinds"] == 1
    assert sum(counts.values()) == 1_002


def test_the_sample_does_not_depend_on_which_case_ended_first(make_failure: Callable[..., Failure]) -> None:
    """The lowest run, case and wording of each kind, whatever order they come in."""
    made = [Attempt(case, Variant(), run, 0) for run, case in ((1, "a"), (0, "b"), (0, "a"), (2, "a"))]
    for order in (made, made[::-1]):
        log = FailureLog()
        for attempt in order:
            evidence = Evidence(attempt, "")
            log.record(Failure(make_failure("kind").key, lambda found=evidence: found), attempt)
        assert [group.evidence.attempt for group in log.groups()] == [Attempt("a", Variant(), 0, 0)]
