"""How much depends on the wording: measured without noise, and red only where it is real."""

from itertools import product
from math import comb, sqrt

import numpy  # noqa: F401, ICN001  pytester forgets modules between sessions, and numpy cannot be imported twice
import pytest
from example import Outcome, example

HEAD = "import pytest\nfrom pytest_llmrel import krun, paraphrase\n\n"
P, I, F = "PASS", "INCONCLUSIVE", "FAIL"  # noqa: E741
LENIENT = ("-W", "ignore::pytest.PytestWarning")


def run(pytester: pytest.Pytester, passes: list[int], k: int, gates: str, *args: str, mode: str = "observed",
        end: str = "assert False, 'wrong'", **ini: str) -> Outcome:  # fmt: skip
    """A session in which wording i passes so many of its k runs."""
    texts = ", ".join(f"'wording {number}'" for number in range(len(passes)))
    source = f"""{HEAD}
@krun({k}, gates=[{gates}], gate={mode!r})
@paraphrase("q", {texts})
def test_it(q, llmrel):
    if llmrel.index >= {passes}[int(q.split()[1])]:
        {end}
"""
    return example(source, **ini).run(pytester, *LENIENT, *args)


def by_hand(passes: list[int], k: int) -> tuple[float, float]:
    """Standard deviation between wordings and exact permutation p, from the formulas of the page on statistics."""
    rates = [x / k for x in passes]
    mean = sum(rates) / len(rates)
    between = k * sum((rate - mean) ** 2 for rate in rates) / (len(rates) - 1)
    within = sum(k * rate * (1 - rate) for rate in rates) / (len(rates) * (k - 1))
    ways = as_far = 0
    for dealt in product(range(k + 1), repeat=len(rates)):
        if sum(dealt) == sum(passes):
            weight = 1
            for x in dealt:
                weight *= comb(k, x)
            ways += weight
            as_far += weight * (sum(x * x for x in dealt) >= sum(x * x for x in passes))
    return sqrt(max(0.0, (between - within) / k)), as_far / ways


CASES = [
    # passes, k, whether it is real
    ([5, 5, 5], 5, False),
    ([0, 0], 5, False),
    ([5, 0], 5, True),
    ([3, 1], 4, False),
    ([4, 0, 4], 4, True),
    ([2, 0], 2, False),
    ([10, 5, 9], 10, True),
    ([10, 7, 9], 10, False),
    ([5, 4, 3, 2], 5, False),
]


@pytest.mark.parametrize(("passes", "k", "real"), CASES)
@pytest.mark.parametrize("mode", ["observed", "evidence"])
def test_red_only_if_exceeded_and_real(
    pytester: pytest.Pytester, passes: list[int], k: int, real: bool, mode: str
) -> None:
    """FAIL takes both: the limit is exceeded, and a permutation p of at most 5 % says that it is no noise."""
    sd, p = by_hand(passes, k)
    assert (p <= 0.05) == real
    for limit in (0.0, 0.1, 0.9):
        test = run(pytester, passes, k, f"'sensitivity <= {limit}'", "--tb=no", mode=mode).test()
        assert test["verdict"] == (F if sd > limit and real else P)
        (finding,) = test["findings"]
        assert finding["straddles"] == (sd > limit and not real)
    assert test["metrics"]["sensitivity"]["point"] == pytest.approx(sd)
    assert test["sensitivity"]["p"] == pytest.approx(p)
    assert test["sensitivity"]["sd"] == pytest.approx(sd)
    assert test["sensitivity"]["spread"] == pytest.approx((max(passes) - min(passes)) / k)


def test_the_explanation(pytester: pytest.Pytester) -> None:
    """Red: standard deviation, bar, raw spread beside that of noise, p; and the worst wording with its rate."""
    outcome = run(pytester, [10, 2, 9, 10], 10, "'sensitivity <= 0.1'")
    test = outcome.test()
    found = test["sensitivity"]
    said = (
        f"sensitivity is {found['sd']:.2f}, outside the bar <= 0.1; the wordings spread over 0.80 "
        f"(noise alone {found['noise_spread']:.2f}), p = {found['p']:.2g}: not noise"
    )
    assert test["findings"][0]["explanation"] == said
    assert said in outcome.out
    assert found["worst"] == test["variants"][1]["key"]
    assert 0.2 < found["worst_rate"] < 0.4, "shrunken a little towards the others"
    assert "worst, at about 0." in outcome.out
    assert '"wording 1"' in outcome.out
    assert 0 < found["noise_spread"] < 0.8


def test_noise_is_called_noise(pytester: pytest.Pytester) -> None:
    """Above the limit, but the permutation test is not convinced: PASS, flagged, and it is said."""
    outcome = run(pytester, [5, 2], 5, "'sensitivity <= 0.1'")
    test = outcome.test()
    assert (test["verdict"], test["sensitivity"]["sd"] > 0.1, test["sensitivity"]["p"] > 0.05) == (
        P,
        True,
        True,
    )
    assert "it may well be noise" in test["findings"][0]["explanation"]
    assert "PASS*" in outcome.out


@pytest.mark.parametrize("mode", ["observed", "evidence"])
@pytest.mark.parametrize("end", ["raise ConnectionError('x')", "pytest.skip('x')"])
@pytest.mark.parametrize("gate", ["sensitivity <= 0.5", "worst_variant >= 0.1"])
def test_a_wording_without_runs_to_compare(pytester: pytest.Pytester, mode: str, end: str, gate: str) -> None:
    """A wording with a single valid run, the others errors or skips: n/a and INCONCLUSIVE, never PASS."""
    ini = {"llmrel_max_error_rate": "1"}
    outcome = run(pytester, [5, 1], 5, repr(gate), "--tb=no", mode=mode, end=end, **ini)
    assert outcome.test()["verdict"] == I
    for name in ("sensitivity", "worst_variant"):
        assert outcome.test()["metrics"][name]["point"] is None
        assert "at least 2 valid runs per wording, there are 1" in outcome.test()["metrics"][name]["method"]
    assert outcome.test()["sensitivity"] is None


@pytest.mark.parametrize("gate", ["sensitivity <= 0.5", "worst_variant >= 0.1"])
@pytest.mark.parametrize("mode", ["observed", "evidence"])
def test_a_quick_look_at_wordings(pytester: pytest.Pytester, gate: str, mode: str) -> None:
    """``--llmrel-k=1`` cannot tell noise from sensitivity: INCONCLUSIVE, not PASS."""
    assert run(pytester, [5, 5], 5, repr(gate), "--llmrel-k=1", "--tb=no", mode=mode).test()["verdict"] == I


@pytest.mark.parametrize(
    ("mode", "passes", "k", "bar", "verdict"),
    [
        ("observed", [10, 10, 10], 10, 0.9, P),
        ("observed", [10, 2, 10], 10, 0.9, F),
        ("observed", [9, 8, 9], 10, 0.85, P),
        ("observed", [0, 0], 10, 0.1, F),
        ("evidence", [10, 2, 10], 10, 0.9, F),
        ("evidence", [10, 8, 10], 10, 0.9, P),
        ("evidence", [5, 0], 5, 0.5, I),
        ("evidence", [6, 0], 6, 0.5, F),
        ("evidence", [0, 0], 10, 0.1, I),
        ("proof", [29, 29], 29, 0.9, P),
        ("proof", [29, 28], 29, 0.9, I),
        ("proof", [28, 28], 28, 0.9, I),
        ("proof", [29, 0], 29, 0.9, F),
    ],
)
def test_the_worst_wording(
    pytester: pytest.Pytester, mode: str, passes: list[int], k: int, bar: float, verdict: str
) -> None:
    """Observed: the shrunken rate is compared; evidence and proof: exact tests of each wording."""
    outcome = run(pytester, passes, k, f"'worst_variant >= {bar}'", "--tb=no", mode=mode)
    assert outcome.test()["verdict"] == verdict
    assert outcome.test()["runs"] == k * len(passes)


MISTAKES = {
    "one wording": (
        "@krun(5, gates=['sensitivity <= 0.1'])\n@paraphrase('q', 'a')",
        "at least two with paraphrase",
    ),
    "no wording": ("@krun(5, gates=['worst_variant >= 0.1'])", "at least two with paraphrase"),
    "one run": (
        "@krun(1, gates=['sensitivity <= 0.1'])\n@paraphrase('q', 'a', 'b')",
        "needs at least 2 runs per wording",
    ),
    "proof": (
        "@krun(5, gates=['sensitivity <= 0.1'], gate='proof')\n@paraphrase('q', 'a', 'b')",
        "nothing can prove",
    ),
    "in percent": ("@krun(5, gates=['sensitivity <= 10'])\n@paraphrase('q', 'a', 'b')", "within 0..1"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(pytester: pytest.Pytester, name: str) -> None:
    """What cannot be measured is refused at collection, with a sentence that helps."""
    marks, said = MISTAKES[name]
    argument = "q" if "paraphrase" in marks else ""
    outcome = example(f"{HEAD}\n{marks}\ndef test_it({argument}): pass\n").run(pytester)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    assert said in outcome.err
    assert "INTERNALERROR" not in outcome.err + outcome.out


def test_a_score_cannot_be_called_sensitivity(pytester: pytest.Pytester) -> None:
    """The names of our metrics are taken."""
    for name in ("sensitivity", "worst_variant"):
        source = f"{HEAD}\n@krun(2)\ndef test_it(llmrel): llmrel.score({name!r}, 1)\n"
        assert example(source).run(pytester, "--tb=no").test()["verdict"] == F


def test_reordered_wordings(pytester: pytest.Pytester) -> None:
    """The order in the mark changes nothing: not the estimate, not p, not the worst."""
    both = []
    for texts, passes in (
        ("'a', 'b', 'c'", {"a": 9, "b": 3, "c": 8}),
        ("'c', 'b', 'a'", {"a": 9, "b": 3, "c": 8}),
    ):
        source = f"""{HEAD}
@krun(10, gates=['sensitivity <= 0.5'])
@paraphrase("q", {texts})
def test_it(q, llmrel):
    assert llmrel.index < {passes}[q]
"""
        both.append(example(source).run(pytester).test()["sensitivity"])
    assert both[0] == pytest.approx(both[1])


@pytest.mark.parametrize("args", [[], ["-n2"]], ids=["alone", "workers"])
def test_many_wordings(pytester: pytest.Pytester, args: list[str]) -> None:
    """Twenty wordings of ten runs: p by random permutations, the same in every session and process."""
    passes = [10] * 18 + [2, 3]
    first, second = (
        run(pytester, passes, 10, "'sensitivity <= 0.1'", "--tb=no", *args).test() for _ in range(2)
    )
    assert first["sensitivity"] == second["sensitivity"]
    assert (first["verdict"], first["sensitivity"]["p"] <= 0.001) == (F, True)
