"""What passes, fails or stays open in each gate mode, for every kind of metric, in real sessions."""

import re

import numpy  # noqa: F401, ICN001  pytester forgets modules between sessions, and numpy cannot be imported twice
import pytest
from example import Outcome, example

HEAD = "import math, time\nimport pytest\nfrom pytest_llmrel import krun, paraphrase\n\n"
P, I, F = "PASS", "INCONCLUSIVE", "FAIL"  # noqa: E741
SHOWN = ("-W", "default::pytest.PytestWarning")
"""Arguments under which a warning is one, although this suite turns all into errors."""
MODES = ("observed", "evidence", "proof")
ENDS = {
    "p": "pass",
    "f": "assert False, 'wrong'",
    "a": "llmrel.abstain('no idea')",
    "s": "pytest.skip('no key')",
    "x": "pytest.xfail('known')",
    "e": "raise ConnectionError('refused')",
}


def written(name: str, letters: str, mark: str, body: str = "", wordings: int = 0) -> str:
    """A test whose run i ends as letter i says; with wordings, the letters of the first go first."""
    k = len(letters) // max(1, wordings)
    texts = ", ".join(repr(f"wording {number}") for number in range(wordings))
    paraphrase = f"@paraphrase('q', {texts})\n" if wordings else ""
    first = f"    at = llmrel.index + {k} * int(q.split()[1])\n" if wordings else "    at = llmrel.index\n"
    branches = "".join(f"    if {letters!r}[at] == {letter!r}: {end}\n" for letter, end in ENDS.items())
    arguments = "llmrel, q" if wordings else "llmrel"
    return f"@krun({k}, {mark})\n{paraphrase}def test_{name}({arguments}):\n{first}    {body or 'pass'}\n{branches}\n"


def table(pytester: pytest.Pytester, rows: list[tuple[str, str, str]], **ini: str) -> Outcome:
    """One session with a test for each row of letters, mark and body."""
    tests = [
        written(f"n{number:03}", letters, mark, body) for number, (letters, mark, body) in enumerate(rows)
    ]
    suite = example(HEAD + "\n".join(tests), **ini)
    return suite.run(pytester, "-q", "--tb=no", "-W", "ignore::pytest.PytestWarning")


def verdicts(outcome: Outcome) -> list[str]:
    """In the order of the rows."""
    return [test["verdict"] for _, test in sorted(outcome.tests.items())]


RATES = [
    # gate, letters, observed, evidence, proof
    ("pass_rate >= 0.9", "p" * 29, P, P, P),
    ("pass_rate >= 0.9", "p" * 28, P, P, I),
    ("pass_rate >= 0.9", "p" * 28 + "f", P, P, I),
    ("pass_rate >= 0.9", "p" * 7 + "f" * 3, F, P, I),
    ("pass_rate >= 0.9", "ffff", F, F, F),
    ("pass_rate >= 0.9", "p", P, I, I),
    ("pass_rate >= 0.9", "f", F, I, I),
    ("pass_rate >= 0.9", "pp", P, P, I),
    ("pass_rate >= 1", "p" * 10, P, P, I),
    ("pass_rate >= 1", "p" * 9 + "f", F, F, F),
    ("pass_rate >= 0", "f" * 10, P, I, I),
    ("pass_rate <= 0.5", "f" * 10, P, P, P),
    ("pass_rate <= 0.5", "p" * 10, F, F, F),
    ("wrong_rate <= 0.1", "p" * 20 + "a" * 9, P, P, P),
    ("wrong_rate <= 0.1", "p" * 28, P, P, I),
    ("wrong_rate <= 0.1", "f" * 4, F, F, F),
    ("wrong_rate <= 0.1", "p", P, I, I),
    ("abstention_rate <= 0.1", "f" * 29, P, P, P),
    ("abstention_rate <= 0.1", "f" * 28, P, P, I),
    ("abstention_rate <= 0.1", "a" * 4, F, F, F),
    ("error_rate <= 0.1", "p" * 29, P, P, P),
    ("error_rate <= 0.1", "p" * 28, P, P, I),
    ("pass^2 >= 0.81", "p" * 29, P, P, P),
    ("pass^2 >= 0.81", "p" * 28, P, P, I),
    ("pass^2 >= 0.81", "ffff", F, F, F),
    ("pass@2 >= 0.99", "p" * 29, P, P, P),
    ("pass@2 >= 0.99", "p" * 28, P, P, I),
    ("pass@2 >= 0.99", "ffff", F, F, F),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("stop", ["auto", "never"])
def test_rates(pytester: pytest.Pytester, mode: str, stop: str) -> None:
    """Every gate on a rate, in every mode, with and without early stops: met, missed, and neither."""
    rows = [(row[1], f"gates=[{row[0]!r}], gate={mode!r}, stop={stop!r}", "") for row in RATES]
    column = 2 + MODES.index(mode)
    expected = [row[column] for row in RATES]
    found = verdicts(table(pytester, rows))
    assert [(row[0], row[1], said) for row, said in zip(RATES, found, strict=True)] == [
        (row[0], row[1], said) for row, said in zip(RATES, expected, strict=True)
    ]


METRICS = [
    "pass_rate >= 0.5", "pass_rate <= 0.5", "wrong_rate <= 0.5", "abstention_rate <= 0.5", "pass^1 >= 0.1", "pass@1 >= 0.1",
    "latency_p50 <= 9", "latency_p95 <= 9", "polite >= 0.1", "polite <= 0.9",
]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("letters", ["e" * 10, "s" * 9 + "e", "sx" * 5, "e"])
def test_nothing_valid_is_no_pass(pytester: pytest.Pytester, mode: str, letters: str) -> None:
    """All errors, all skipped, in any mixture: n/a and INCONCLUSIVE for each kind of metric, never PASS."""
    rows = [(letters, f"gates=[{gate!r}], gate={mode!r}", "llmrel.score('polite', 0.5)") for gate in METRICS]
    outcome = table(pytester, rows)
    assert verdicts(outcome) == [I] * len(METRICS)
    for test in outcome.tests.values():
        assert test["findings"][0]["observed"] == "n/a"
        assert (test["unfinished"], test["stopped"], test["runs"]) == (0, None, len(letters))


@pytest.mark.parametrize("mode", MODES)
def test_all_skipped_is_a_skip(pytester: pytest.Pytester, mode: str) -> None:
    """A test whose runs are all skipped is skipped, as in pytest; its verdict in the report is no PASS."""
    outcome = table(pytester, [("s" * 10, f"pass_rate=0.5, gate={mode!r}", "")])
    outcome.outcomes(skipped=1)
    assert verdicts(outcome) == [I]


SCORES = [
    ("polite >= 0.5", "0.95", 30, P, P, P),
    ("polite >= 0.5", "0.05", 30, F, F, F),
    ("polite >= 0.5", "0.5", 30, P, P, I),
    ("polite >= 0.5", "1", 1, P, I, I),
    ("polite <= 0.5", "0", 30, P, P, P),
    ("polite <= 0.5", "1", 30, F, F, F),
    ("polite >= 0.5", "5 if llmrel.index else 0.5", 30, P, I, I),
    ("polite >= 0.5", "-0.1", 30, F, I, I),
    ("polite >= 2.5", "3", 30, P, I, I),
    ("polite >= 0", "0.5", 30, P, I, I),
    ("polite >= 1", "1", 30, P, I, I),
    ("polite >= 0.5", "math.nan if llmrel.index == 3 else 1", 30, I, I, I),
    ("polite >= 0.5", "math.inf if llmrel.index == 3 else 1", 30, I, I, I),
    ("polite <= 0.5", "-math.inf", 30, I, I, I),
]


@pytest.mark.parametrize("mode", MODES)
def test_scores(pytester: pytest.Pytester, mode: str) -> None:
    """Within 0..1 they are tested by betting; outside, or not finite, nothing is shown, and never PASS."""
    rows = [
        ("p" * k, f"gates=[{gate!r}], gate={mode!r}", f"llmrel.score('polite', {value})")
        for gate, value, k, *_ in SCORES
    ]
    assert verdicts(table(pytester, rows)) == [row[3 + MODES.index(mode)] for row in SCORES]


@pytest.mark.parametrize(
    ("mode", "expected"), [("observed", [P, P, F]), ("evidence", [P, P, F]), ("proof", [P, I, F])]
)
def test_latency(pytester: pytest.Pytester, mode: str, expected: list[str]) -> None:
    """Five of five runs within the limit prove a median, ten do not prove a p95."""
    rows = [
        ("p" * 10, f"gates=['latency_p50 <= 9'], gate={mode!r}", ""),
        ("p" * 10, f"gates=['latency_p95 <= 9'], gate={mode!r}", ""),
        ("p" * 10, f"gates=['latency_p50 <= 0.01'], gate={mode!r}", "time.sleep(0.02)"),
    ]
    assert verdicts(table(pytester, rows)) == expected


@pytest.mark.parametrize("mode", MODES)
def test_pass_k_over_wordings(pytester: pytest.Pytester, mode: str) -> None:
    """Observed it is the mean over wordings; two wordings show nothing about it."""
    gates = f"gates=['pass^5 >= 0.4'], gate={mode!r}"
    source = (
        HEAD
        + written("good", "p" * 10, gates, wordings=2)
        + written("half", "p" * 5 + "f" * 5, gates, wordings=2)
    )
    source += written("bad", "f" * 10, gates, wordings=2)
    outcome = example(source).run(pytester, "--tb=no", "-W", "ignore::pytest.PytestWarning")
    found = [outcome.test(f"test_{name}")["verdict"] for name in ("good", "half", "bad")]
    assert found == ([P, P, F] if mode == "observed" else [I, I, I])


@pytest.mark.parametrize(
    ("mode", "verdict", "ret"), [("observed", P, 0), ("evidence", P, 0), ("proof", I, 1)]
)
@pytest.mark.parametrize("args", [[], ["-n1"]], ids=["alone", "worker"])
def test_what_is_said(pytester: pytest.Pytester, mode: str, verdict: str, ret: int, args: list[str]) -> None:
    """28 of 28: enough to compare and no evidence against it, and one short of a proof, which is explained."""
    rows = [("p" * 28, f"pass_rate=0.9, gate={mode!r}, stop='never'", "")]
    source = HEAD + written("it", *rows[0])
    outcome = example(source).run(pytester, "-W", "ignore::pytest.PytestWarning", *args)
    assert (outcome.test()["verdict"], outcome.ret) == (verdict, ret)
    (finding,) = outcome.test()["findings"]
    assert (finding["metric"], finding["expected"], finding["observed"], finding["status"]) == (
        "pass_rate", ">= 0.9", "1", verdict,
    )  # fmt: skip
    if mode == "proof":
        assert "not shown to meet the bar >= 0.9" in outcome.out
        assert "exact binomial test, one-sided 5 %" in outcome.out


def test_inconclusive_as_a_warning(pytester: pytest.Pytester) -> None:
    """``llmrel_inconclusive = warn`` lets an open proof pass with a warning; a shown miss fails as ever."""
    rows = [("p" * 28, "pass_rate=0.9, gate='proof'", ""), ("f" * 4, "pass_rate=0.9, gate='proof'", "")]
    source = HEAD + written("open", *rows[0]) + written("missed", *rows[1])
    outcome = example(source, llmrel_inconclusive="warn").run(pytester, *SHOWN)
    outcome.outcomes(passed=1, failed=1)
    assert (outcome.test("test_open")["verdict"], outcome.test("test_missed")["verdict"]) == (I, F)
    assert re.search(
        r"PytestWarning: test_open: INCONCLUSIVE: .*not shown to meet the bar >= 0\.9", outcome.out
    )


def test_the_mode_of_the_closest_mark(pytester: pytest.Pytester) -> None:
    """A class says proof, a method of it evidence; the mode goes argument by argument like all others."""
    source = f"""{HEAD}
@krun(10, pass_rate=0.9, gate="proof")
class TestIt:
    def test_strict(self): pass

    @krun(gate="evidence")
    def test_lenient(self): pass
"""
    outcome = example(source).run(pytester, "-W", "ignore::pytest.PytestWarning")
    assert (outcome.test("test_strict")["verdict"], outcome.test("test_lenient")["verdict"]) == (I, P)


INFEASIBLE = (
    HEAD + written("doomed", "p" * 10, "pass_rate=0.9, gate='proof'") + written("fine", "pp", "pass_rate=0.9")
)
SENTENCE = "proof of 'pass_rate >= 0.9' needs 29 passes of 29, and there are 10 runs"


@pytest.mark.parametrize("args", [[], ["-n2"], ["--collect-only"]], ids=str)
def test_an_infeasible_gate_warns_at_collection(pytester: pytest.Pytester, args: list[str]) -> None:
    """Before any run is paid for the warning names the test and what it takes; once, with workers too."""
    outcome = example(INFEASIBLE).run(pytester, *SHOWN, *args)
    assert outcome.out.count(SENTENCE) == 1
    assert f"PytestWarning: test_it.py::test_doomed: {SENTENCE}" in outcome.out
    if "--collect-only" not in args:
        outcome.outcomes(passed=1, failed=1)
        assert outcome.test("test_doomed")["verdict"] == I


def test_the_warning_can_be_an_error(pytester: pytest.Pytester) -> None:
    """``-W error`` refuses the session with the sentence and without a traceback."""
    outcome = example(INFEASIBLE).run(pytester, "-W", "error::pytest.PytestWarning")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    assert SENTENCE in outcome.err + outcome.out
    assert "INTERNALERROR" not in outcome.err + outcome.out
    assert "Traceback" not in outcome.err + outcome.out


def test_a_quick_look_is_warned_of_too(pytester: pytest.Pytester) -> None:
    """``--llmrel-k`` can make a gate infeasible: said, and INCONCLUSIVE instead of PASS."""
    source = HEAD + written("it", "p" * 40, "pass_rate=0.9, gate='proof'")
    assert "PytestWarning" not in example(source).run(pytester, *SHOWN).out
    outcome = example(source).run(pytester, *SHOWN, "--llmrel-k=3")
    assert "needs 29 passes of 29, and there are 3 runs" in outcome.out
    assert outcome.test()["verdict"] == I


def test_only_chosen_tests_are_warned_of(pytester: pytest.Pytester) -> None:
    """A deselected test is no matter of this session."""
    assert SENTENCE not in example(INFEASIBLE).run(pytester, *SHOWN, "-k", "fine").out


@pytest.mark.parametrize("mode", ["evidence", "proof"])
def test_a_mode_without_a_bar(pytester: pytest.Pytester, mode: str) -> None:
    """With neither gate nor baseline every run must pass, whatever the mode."""
    outcome = table(pytester, [("p" * 5, f"gate={mode!r}", ""), ("ppppf", f"gate={mode!r}", "")])
    assert verdicts(outcome) == [P, F]
