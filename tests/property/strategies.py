"""Values of the core rooms: counts, gates, marks, samples, and texts as hostile as models can make them."""

from hypothesis import strategies as st

from pytest_llmrel.core.gate import RATES, TIMES, Gate
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Attempt, Evidence, Failure, FailureKey, Outcome, Sample
from pytest_llmrel.core.plan import RunPlan, Settings, read_variants
from pytest_llmrel.core.score import Score

SIGNS = (">=", ">", "<=", "<")

hostile_text = st.one_of(
    st.text(st.characters(codec=None), max_size=60),
    st.text(
        st.sampled_from("\x1b[31m\r\n\t\x00\x9b\u202e\u200b\u2028\ud800\ufeff\U000e0041aé東 \\"), max_size=60
    ),
)
"""Any text, with more control characters, reversals and halves of characters than there would be by chance."""

identifiers = st.from_regex(r"[a-z_][a-z0-9_]{0,12}", fullmatch=True)
rate_metrics = st.one_of(
    st.sampled_from(sorted(RATES)), st.builds("pass{}{}".format, st.sampled_from("@^"), st.integers(1, 10**6))
)
scores = identifiers.filter(lambda name: name not in RATES | TIMES)
gates = st.one_of(
    st.builds(Gate, rate_metrics, st.sampled_from(SIGNS), st.floats(0, 1)),
    st.builds(
        Gate, st.sampled_from(sorted(TIMES)), st.sampled_from(SIGNS), st.floats(0, allow_infinity=False)
    ),
    st.builds(Gate, scores, st.sampled_from(SIGNS), st.floats(allow_nan=False, allow_infinity=False)),
)
"""Every gate that can be written."""

counts = st.integers(1, 120).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
"""``(n, c)`` with ``0 <= c <= n``."""

one_or_more = st.integers(1, 10**6)
settings = st.builds(
    Settings,
    k=st.none() | one_or_more,
    concurrency=st.none() | one_or_more,
    ini_k=st.none() | one_or_more,
    ini_concurrency=st.none() | one_or_more,
)
marks = st.fixed_dictionaries(
    {},
    optional={
        "k": st.none() | one_or_more,
        "concurrency": st.none() | one_or_more,
        "timeout": st.none() | st.floats(0, 1e6, exclude_min=True),
        "pass_rate": st.none() | st.floats(0, 1),
        "stop": st.sampled_from([None, "auto", "never"]),
        "task_minutes": st.none() | st.floats(0, 1e6, exclude_min=True),
    },
)
"""The keywords of a mark without a mistake."""
anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**400, -(10**400)]),
    st.floats(),
    st.text(max_size=5),
    st.binary(max_size=3),
    st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=20)), max_size=3),
    st.sets(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.builds(object),
)
"""What a person might give an argument by mistake."""

plans = st.builds(
    lambda wordings, k: RunPlan(
        k,
        Inputs(read_variants(wordings), "q") if len(wordings) > 1 else Inputs(),
        (),
        8,
        60.0,
    ),
    st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=3, unique=True),
    st.integers(1, 8),
)


def failure_of(attempt: Attempt, outcome: Outcome, kind: int) -> Failure:
    """A failure of one of a few kinds, described by its own attempt."""
    return Failure(
        FailureKey(outcome, "E", "t.py:1", f"kind {kind}"), lambda: Evidence(attempt, f"kind {kind}")
    )


@st.composite
def samples(draw: st.DrawFn, plan: RunPlan, values: st.SearchStrategy[float] | None = None) -> list[Sample]:
    """All runs of a plan, with any outcomes, durations, scores and failures, in any order."""
    numbers = values if values is not None else st.floats(-1e6, 1e6)
    made = []
    for run in range(plan.k):
        for variant in plan.inputs.variants:
            attempt, outcome = Attempt("", variant, run, run), draw(st.sampled_from(Outcome))
            failing = outcome not in {Outcome.PASSED, Outcome.ABSTAINED}
            recorded = draw(st.dictionaries(st.sampled_from("xy"), numbers, max_size=2))
            made.append(
                Sample(
                    attempt,
                    outcome,
                    draw(st.floats(0, 100)),
                    tuple(Score(name, value) for name, value in recorded.items()),
                    failure_of(attempt, outcome, draw(st.integers(0, 3))) if failing else None,
                    failure_of(attempt, Outcome.ERROR, draw(st.integers(0, 3)))
                    if draw(st.booleans())
                    else None,
                )
            )
    return draw(st.permutations(made))
