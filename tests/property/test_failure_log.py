"""Laws of the failure log: nothing uncounted, and no memory for the hostile."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.core.model import Attempt, Evidence, Failure, FailureKey, Outcome, Variant
from pytest_llmrel.verdict.failures import MOST_GROUPS, FailureLog, normalise

from .strategies import hostile_text

VARIANTS = [Variant(str(number), f"wording {number}") for number in range(3)]
recorded = st.lists(
    st.tuples(st.sampled_from(Outcome), st.integers(0, 200), st.sampled_from(VARIANTS)), max_size=300
)


def filled(failures: list[tuple[Outcome, int, Variant]]) -> FailureLog:
    """A log of these failures."""
    log = FailureLog()
    for run, (outcome, kind, variant) in enumerate(failures):
        attempt = Attempt("", variant, run, run)
        evidence = Evidence(attempt, f"kind {kind}")
        log.record(
            Failure(FailureKey(outcome, "E", "", f"kind {kind}"), lambda found=evidence: found), attempt
        )
    return log


@given(recorded)
def test_counts_add_up(failures: list[tuple[Outcome, int, Variant]]) -> None:
    """In total, per outcome, per wording; and a group's wordings make up its count."""
    groups = filled(failures).groups()
    assert sum(group.count for group in groups) == len(failures)
    by_outcome: Counter[Outcome] = Counter()
    by_wording: Counter[str] = Counter()
    for group in groups:
        by_outcome[group.key.outcome] += group.count
        by_wording.update(group.variants)
        assert sum(group.variants.values()) == group.count
        assert group.evidence.attempt.variant.text in group.variants
    assert by_outcome == Counter(outcome for outcome, _, _ in failures)
    assert by_wording == Counter(variant.text for _, _, variant in failures)


@given(recorded)
def test_memory_is_bounded(failures: list[tuple[Outcome, int, Variant]]) -> None:
    """However many kinds there are: fifty groups, and one more per outcome."""
    assert len(filled(failures).groups()) <= MOST_GROUPS + len(Outcome)


@given(recorded)
def test_the_most_frequent_come_first(failures: list[tuple[Outcome, int, Variant]]) -> None:
    """So that cutting the list loses the least."""
    counts = [group.count for group in filled(failures).groups()]
    assert counts == sorted(counts, reverse=True)


@given(hostile_text)
def test_a_normal_form_is_one_short_line(message: str) -> None:
    """Of any message: no line break, no double blank, bounded."""
    normal = normalise(message)
    assert normal == " ".join(normal.split())
    assert len(normal.splitlines()) <= 1
    assert len(normalise(message * 1_000)) < 3_000


@given(st.text("ab ", min_size=1), st.integers(0, 10**9), st.integers(0, 10**9))
def test_numbers_make_no_kinds(words: str, one: int, two: int) -> None:
    """Two messages that differ in a number only are of one kind."""
    assert normalise(f"{words}{one} x") == normalise(f"{words}{two} x")


@given(st.lists(st.tuples(st.integers(0, 80), st.sampled_from(VARIANTS), st.integers(0, 9)), max_size=200))
def test_what_is_wanted_is_what_is_described(failures: list[tuple[int, Variant, int]]) -> None:
    """Whoever writes evidence down only where it is wanted has all that the groups are going to show."""
    log, described = FailureLog(), []
    for number, (kind, variant, run) in enumerate(failures):
        attempt = Attempt("", variant, run, run)
        evidence = Evidence(attempt, f"{number}")

        def describe(found: Evidence = evidence) -> Evidence:
            described.append(found)
            return found

        failure = Failure(FailureKey(Outcome.FAILED, "E", "", f"kind {kind}"), describe)
        wanted, before = log.wants(failure, attempt), len(described)
        log.record(failure, attempt)
        assert wanted == (len(described) > before)
