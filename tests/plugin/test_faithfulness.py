"""Scores of answers against their context, inside runs: what is gated, what is told, and what fails closed."""

from typing import Any

import pytest
from example import PLAIN, Example, Outcome

HEAD = """
from pytest_llmrel import Claim, Faithfulness, Support, krun, nli

CONTEXT = "Items can be returned within 30 days of delivery. Keep the receipt. Shipping takes two days."
GOOD, BAD = "Items can be returned within 30 days of delivery.", "Items can be returned within 45 days of delivery."
"""


def ran(pytester: pytest.Pytester, source: str, *args: str, **files: str) -> Outcome:
    """A session with these tests."""
    return Example({"test_it.py": HEAD + source, **files}).run(pytester, *PLAIN, *args)


@pytest.mark.parametrize("style", ["def", "async def"])
def test_overlap_is_a_gate_and_says_what_is_wrong(pytester: pytest.Pytester, style: str) -> None:
    """It is called context overlap wherever it is shown; the claim of the lowest run is named with its reason."""
    call = "await llmrel.afaithfulness" if style == "async def" else "llmrel.faithfulness"
    source = f"""
@krun(4, gates=["faithfulness >= 0.9"])
{style} test_it(llmrel):
    value = {call}(BAD if llmrel.index == 2 else GOOD, context=CONTEXT)
    assert 0 <= value <= 1
"""
    outcome = ran(pytester, source)
    test = outcome.test()
    assert test["verdict"] == "FAIL"
    assert test["passed"] == 4
    assert "faithfulness (context overlap) is " in outcome.out
    assert "lowest faithfulness: " in outcome.out
    assert ", run 2" in outcome.out
    assert "the number '45 days' is not in the context" in outcome.out
    lowest = test["scorings"]["faithfulness"]["lowest"]
    assert (lowest["run"], lowest["text"]) == (2, "Items can be returned within 45 days of delivery.")
    assert test["scorings"]["faithfulness"]["scorers"] == ["context overlap"]
    assert "by context overlap" in test["metrics"]["faithfulness"]["method"]


def test_the_scored_text_of_a_failing_run_is_shown(pytester: pytest.Pytester) -> None:
    """With the claims that are not supported; what the test gave to output() itself has precedence."""
    source = """
@krun(2)
def test_it(llmrel): assert llmrel.faithfulness(BAD, context=CONTEXT) > 0.9
"""
    outcome = ran(pytester, source)
    (group,) = outcome.test()["failures"]
    assert group["sample"]["output"] == "Items can be returned within 45 days of delivery."
    assert "unsupported: " in group["sample"]["captured"]["context overlap"]
    own = ran(pytester, source.replace("assert", "llmrel.output('mine'); assert"))
    assert own.test()["failures"][0]["sample"]["output"] == "mine"


def test_an_answer_without_claims_is_not_applicable(pytester: pytest.Pytester) -> None:
    """Neither 0 nor 1: it leaves the mean, and where that happens too often the gate cannot be decided."""
    source = """
@krun({k}, gates=["faithfulness >= 0.9"])
def test_it(llmrel):
    value = llmrel.faithfulness("" if llmrel.index == 0 else GOOD, context=CONTEXT)
    assert (value is None) is (llmrel.index == 0)
"""
    few = ran(pytester, source.format(k=4)).test()
    assert few["verdict"] == "INCONCLUSIVE"
    assert "n/a in 1 of 4 runs" in few["findings"][0]["explanation"]
    many = ran(pytester, source.format(k=20)).test()
    assert many["verdict"] == "PASS"
    assert many["metrics"]["faithfulness"]["n"] == 19
    assert "not applicable in 1 of 20 runs" in many["metrics"]["faithfulness"]["method"]
    none = ran(pytester, source.format(k=1)).test()
    assert none["verdict"] == "INCONCLUSIVE"
    assert none["metrics"]["faithfulness"]["point"] is None


SCORERS: dict[str, tuple[str, str]] = {
    "unknown name": ("scorer='vibes'", "no hook pytest_llmrel_scorer knows it"),
    "no scorer": ("scorer=3", "it must be 'overlap'"),
    "raises": ("scorer=Own(lambda: 1 / 0)", "scorer 'own' raised ZeroDivisionError"),
    "no result": ("scorer=Own(lambda: 0.5)", "it must give a Faithfulness"),
    "out of range": ("scorer=Own(lambda: Faithfulness(1.5, (), 'own'))", "must be within 0..1"),
    "nan": ("scorer=Own(lambda: Faithfulness(float('nan'), (), 'own'))", "must be within 0..1"),
    "text": ("scorer=Own(lambda: Faithfulness('high', (), 'own'))", "gave what cannot be read (ValueError"),
    "no claims": (
        "scorer=Own(lambda: Faithfulness(0.5, ({},), 'own'))",
        "gave what cannot be read (AttributeError",
    ),
    "no judge": ("scorer=Own(lambda: Faithfulness(0.5, (), 'own'), judge_id=3)", "gave what cannot be read"),
    "hook": ("scorer='broken'", "hook pytest_llmrel_scorer raised ZeroDivisionError"),
    "nli out of range": ("scorer=nli(lambda premise, claim: 7)", "not a probability"),
}
OWN = """
class Own:
    name = "own"
    def __init__(self, answer, judge_id=None): self.answer, self.judge_id = answer, judge_id
    def score(self, answer, context, question=""): return self.answer()
"""


@pytest.mark.parametrize("kind", SCORERS)
def test_a_scorer_that_fails_is_never_a_pass(pytester: pytest.Pytester, kind: str) -> None:
    """Nor is it the model's failure: the run ends in an error, with words that say what to do."""
    argument, said = SCORERS[kind]
    source = f"""{OWN}
@krun(3, gates=["pass_rate >= 0"])
def test_it(llmrel): llmrel.faithfulness(GOOD, context=CONTEXT, {argument})
"""
    hook = "def pytest_llmrel_scorer(name): return 1 / 0 if name == 'broken' else None\n"
    outcome = ran(pytester, source, **{"conftest.py": hook})
    assert outcome.counts() == {"errors": 3}
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert said in outcome.test()["failures"][0]["sample"]["message"]


def test_scorers_of_users(pytester: pytest.Pytester) -> None:
    """By value, by the hook's name, and an entailment model; each is named where its score is shown."""
    hook = "def pytest_llmrel_scorer(name): return __import__('scorers').MINE if name == 'mine' else None\n"
    scorers = """
from pytest_llmrel import Claim, Faithfulness, Support

class Mine:
    name = "mine"
    def score(self, answer, context, question=""):
        return Faithfulness(0.25, (Claim(answer, Support.AMBIGUOUS, "who knows"),), self.name)

MINE = Mine()
"""
    source = """
@krun(2, gates=["faithfulness >= 0.5"])
def test_hook(llmrel): llmrel.faithfulness(GOOD, context=CONTEXT, scorer="mine")

@krun(2, gates=["faithfulness >= 0.5"])
def test_nli(llmrel): llmrel.faithfulness(GOOD, context=CONTEXT, scorer=nli(lambda premise, claim: 0.9))
"""
    outcome = ran(pytester, source, **{"conftest.py": hook, "scorers.py": scorers})
    outcome.outcomes(passed=1, failed=1)
    assert "faithfulness (mine) is 0.25" in outcome.out
    assert "ambiguous: " in outcome.out
    assert outcome.test("test_nli")["scorings"]["faithfulness"]["scorers"] == ["nli"]


def test_scores_by_a_plain_function(pytester: pytest.Pytester) -> None:
    """The function gets the text; one that raises is an error of the run, and the lowest text is shown."""
    source = """
def shouting(text): return sum(map(str.isupper, text)) / len(text)

@krun(3, gates=["calm >= 0.9"])
def test_it(llmrel): llmrel.score("calm", lambda text: 1 - shouting(text), "aaaa" if llmrel.index else "AAAb")

@krun(2, gates=["loud >= 0"])
def test_broken(llmrel): llmrel.score("loud", shouting, "")
"""
    outcome = ran(pytester, source)
    assert outcome.test("test_it")["scorings"]["calm"]["lowest"] == {
        "value": 0.25, "case": "", "variant": "", "run": 0, "said": "", "text": "AAAb",
    }  # fmt: skip
    assert "lowest calm: 0.25, run 0" in outcome.out
    assert outcome.counts("test_broken") == {"errors": 2}
    assert "the function raised ZeroDivisionError" in outcome.out


def test_mistakes_with_scores(pytester: pytest.Pytester) -> None:
    """Twice in one run, and without a krun test."""
    source = """
import pytest

@krun(1)
def test_it(llmrel):
    llmrel.faithfulness(GOOD, context=CONTEXT)
    with pytest.raises(ValueError, match="recorded in this run already"):
        llmrel.faithfulness(GOOD, context=CONTEXT)
"""
    ran(pytester, source).outcomes(passed=1)


def test_two_tasks_of_a_run_record_one_score(pytester: pytest.Pytester) -> None:
    """Whoever comes second is told, as it would be one after the other: no run counts twice."""
    source = """
import asyncio

class Slow:
    name = "slow"
    def score(self, answer, context, question=""): return Faithfulness(1.0, (), self.name)
    async def ascore(self, answer, context, question=""):
        await asyncio.sleep(0.01)
        return self.score(answer, context)

@krun(2, gates=["faithfulness >= 0.5"])
async def test_it(llmrel):
    both = [llmrel.afaithfulness(GOOD, context=CONTEXT, scorer=Slow()) for _ in range(2)]
    found = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(map(str, found)) == ["1.0", "score 'faithfulness' was recorded in this run already"]
"""
    assert ran(pytester, source).test()["metrics"]["faithfulness"]["n"] == 2


def verdicts(outcome: Outcome) -> dict[str, Any]:
    """By test."""
    return {name.rpartition("::")[2]: test["verdict"] for name, test in outcome.tests.items()}


def test_gates_in_every_mode(pytester: pytest.Pytester) -> None:
    """A score is gated by what is observed, and by what is shown."""
    source = """
@krun(40, gates=["faithfulness >= 0.5"], gate="evidence")
def test_evidence(llmrel): llmrel.faithfulness(BAD, context=CONTEXT)

@krun(40, gates=["faithfulness >= 0.5"], gate="proof")
def test_proof(llmrel): llmrel.faithfulness(GOOD, context=CONTEXT)

@krun(4, gates=["faithful_rate >= 0.4"])
def test_rate(llmrel): llmrel.faithfulness(GOOD, context=CONTEXT)
"""
    outcome = ran(pytester, source)
    assert verdicts(outcome) == {"test_evidence": "FAIL", "test_proof": "PASS", "test_rate": "PASS"}
    rate = outcome.test("test_rate")["metrics"]["faithful_rate"]
    assert (rate["point"], rate["n"]) == (1.0, 4)
    strict = ran(pytester, source.replace("0.4", "0.9")).test("test_rate")
    assert strict["verdict"] == "FAIL", "four runs do not show that nine in ten are faithful"


def test_what_was_not_scored_is_told(pytester: pytest.Pytester) -> None:
    """A mean of a few of the runs does not look like one of all; nor is a score shown for a gate without a value."""
    source = """
@krun(12, gates=["faithfulness >= 0.9", "faithful_rate >= 0.1"])
def test_few(llmrel):
    if llmrel.index % 4 == 0: llmrel.faithfulness(GOOD, context=CONTEXT)

@krun(4, gates=["faithfulness >= 0.9", "faithful_rate >= 0.1"])
def test_none(llmrel): llmrel.faithfulness("Hello!" if llmrel.index else GOOD, context=CONTEXT)

@krun(4, gates=["faithful_rate >= 0.9"])
def test_never(): pass
"""
    outcome = ran(pytester, source)
    said = [finding["explanation"] for finding in outcome.test("test_few")["findings"]]
    assert all("in the 3 of 12 runs that recorded it is 1" in one for one in said)
    assert verdicts(outcome)["test_none"] == "INCONCLUSIVE"
    assert "lowest" not in outcome.out
    assert (
        "no run recorded a score 'faithfulness'" in outcome.test("test_never")["findings"][0]["explanation"]
    )


def test_the_worst_is_the_highest_where_less_is_wanted(pytester: pytest.Pytester) -> None:
    """The lowest would be the best; a value that is not finite is neither."""
    source = """
@krun(4, gates=["rude <= 0.1"])
def test_it(llmrel): llmrel.score("rude", llmrel.index / 4, f"text {llmrel.index}")

@krun(4, gates=["calm >= 0.1"])
def test_nan(llmrel): llmrel.score("calm", (float("nan"), float("-inf"), 0.25, 0.5)[llmrel.index], f"text {llmrel.index}")
"""
    outcome = ran(pytester, source)
    assert "highest rude: 0.75, run 3" in outcome.out
    assert "| text 3" in outcome.out
    calm = outcome.test("test_nan")["scorings"]["calm"]
    assert (calm["lowest"]["value"], calm["highest"]["value"]) == (0.25, 0.5)
    assert outcome.test("test_nan")["verdict"] == "INCONCLUSIVE"


def test_what_is_no_text_and_what_is_no_score(pytester: pytest.Pytester) -> None:
    """Who is to blame: the test for its context and its functions, the model for an answer that is none."""
    source = """
@krun(2, gates=["pass_rate >= 0"])
def test_context(llmrel): llmrel.faithfulness(GOOD, context=[CONTEXT])

@krun(2, gates=["pass_rate >= 0"])
def test_answer(llmrel): llmrel.faithfulness(None, context=CONTEXT)

@krun(2, gates=["pass_rate >= 0"])
def test_function(llmrel): llmrel.score("calm", lambda text: None, GOOD)

@krun(2, gates=["pass_rate >= 0"])
def test_value(llmrel): llmrel.score("calm", 10**400)

@krun(2, gates=["pass_rate >= 0"])
def test_by_hand(llmrel): llmrel.score("faithfulness", 5)
"""
    outcome = ran(pytester, source)
    said = {
        "test_context": ("errors", "join its parts into one text"),
        "test_answer": ("failed", "the answer is of type NoneType"),
        "test_function": ("errors", "must be a number, not None; the function gave it"),
        "test_value": ("failed", "must be a number"),
        "test_by_hand": ("failed", "it must be within 0..1"),
    }
    for name, (kind, words) in said.items():
        assert outcome.counts(name) == {kind: 2}
        assert words in outcome.test(name)["failures"][0]["sample"]["message"]
