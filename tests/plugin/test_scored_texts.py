"""Scored texts are hostile: secrets, terminal escapes, lone surrogates, endless ones; in sessions of every kind."""

import json

import pytest
from example import PLAIN, Example, Outcome
from wire_example import Asking, fake_key

from pytest_llmrel.simulator import Simulator

HEAD = """
from pytest_llmrel import Claim, Faithfulness, Support, krun

CONTEXT = "Items can be returned within 30 days of delivery."
ESC = chr(27)
"""


def ran(
    pytester: pytest.Pytester, source: str, *args: str, subprocess: bool = False, **files: str
) -> Outcome:
    """A session with these tests."""
    return Example({"test_it.py": HEAD + source, **files}).run(pytester, *PLAIN, *args, subprocess=subprocess)


HOSTILE = """
class Own:
    name = "own"
    def score(self, answer, context, question=""):
        text = f"{ESC}[2J {answer} {chr(0xd800)} {chr(0x202e)}"
        return Faithfulness(0.25, (Claim(text, Support.UNSUPPORTED, text),), self.name)

class Nothing:
    name = "nothing"
    def score(self, answer, context, question=""):
        return Faithfulness(None, (), self.name, f"{ESC}[2J {chr(0xd800)} " + 1_000_000 * "x")

@krun(3, gates=["faithfulness >= 0.9"])
def test_low(llmrel):
    llmrel.faithfulness(f"{ESC}]0;owned{chr(7)} {chr(0xd800)}", context=CONTEXT, scorer=Own())
    assert llmrel.index != 1

@krun(3, gates=["faithfulness >= 0.9"])
def test_none(llmrel): llmrel.faithfulness(chr(0xd800), context=CONTEXT, scorer=Nothing())

@krun(3, gates=["calm >= 0.9"])
def test_plain(llmrel):
    llmrel.score("calm", lambda text: 0.1, f"{ESC}[2J{chr(0xd800)}{chr(0x202e)}")
    llmrel.faithfulness(f"{ESC}[2J{chr(0xd800)} Items can be returned within 45 days.", context=CONTEXT)
"""


@pytest.mark.parametrize("args", [(), ("-n2",)])
def test_nothing_reaches_the_terminal_that_moves_it(pytester: pytest.Pytester, args: tuple[str, ...]) -> None:
    """Here and from a worker: escapes are spelled out, and what cannot be encoded does not break anything."""
    outcome = ran(pytester, HOSTILE, *args, "--junitxml=junit.xml", subprocess=bool(args))
    outcome.outcomes(failed=3)
    for text in (outcome.out, (pytester.path / "junit.xml").read_text("utf-8")):
        assert not set("\x1b\x07\u202e\ud800") & set(text)
    assert "\\x1b[2J" in outcome.out
    assert outcome.test("test_low")["scorings"]["faithfulness"]["lowest"]["value"] == 0.25
    assert len(outcome.out) < 60_000
    assert len(json.dumps(outcome.report)) < 60_000


@pytest.mark.parametrize("scorer", ["overlap", "judge"])
def test_endless_texts(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, scorer: str) -> None:
    """An endless answer, and an endless context, are scored in bounded time; little of them is kept."""
    monkeypatch.setenv("LLMREL_TEST_KEY", fake_key("judge"))
    source = """
from pytest_llmrel import Judge
import os
SCORER = Judge("judge", os.environ["MODEL_URL"], "LLMREL_TEST_KEY") if "SCORER" == "judge" else "overlap"
LINE = "Items can be returned within 30 days. "
LONG = LINE * (1_000_000 // len(LINE))

@krun(1, gates=["faithfulness > 0.999"])
def test_answer(llmrel): llmrel.faithfulness(LONG, context=LINE, scorer=SCORER)

@krun(1, gates=["faithfulness > 0.999"])
def test_context(llmrel): llmrel.faithfulness(LINE, context=LONG, scorer=SCORER)

@krun(1, gates=["faithfulness > 0.999"])
def test_word(llmrel): llmrel.faithfulness("x" * 1_000_000, context="y" * 1_000_000, scorer=SCORER)
"""
    suite = Asking(pytester, monkeypatch, source.replace('"SCORER"', repr(scorer)))
    with Simulator(latency=0) as model:
        outcome = suite.run(model)
    verdicts = {"overlap": ["PASS", "PASS", "FAIL"], "judge": ["INCONCLUSIVE"] * 3}  # no record of the judge
    assert [test["verdict"] for test in outcome.tests.values()] == verdicts[scorer], outcome.out
    assert not any(test["failed"] for test in outcome.tests.values())
    assert len(json.dumps(outcome.report)) < 100_000


SECRETIVE = """
import os
from pytest_llmrel import Claim, Faithfulness, Support

KEY = os.environ["SPILLED"]

class Own:
    name = "own"
    def score(self, answer, context, question=""):
        if answer.startswith("none"):
            return Faithfulness(None, (), self.name, f"reason {KEY}")
        if answer.startswith("raise"):
            raise ValueError(KEY)
        return Faithfulness(0.25, (Claim("x " * PAD + answer, Support.UNSUPPORTED, KEY, KEY),), self.name)

@krun(4, gates=["faithfulness >= 0.5", "calm >= 0.5"])
DEF test_a(llmrel):
    ASK()
    llmrel.score("calm", lambda text: 0.0, "y " * PADTEXT + KEY)
    llmrel.faithfulness(f"{('none', 'raise', 'some', '')[llmrel.index]} {KEY}", context=KEY, scorer=Own())
    assert llmrel.index < 2
"""


@pytest.mark.parametrize("pads", [("0", "0"), ("140", "990")])
def test_secrets_in_scored_texts(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, pads: tuple[str, str]
) -> None:
    """In claims, reasons, answers and errors: on no terminal, in no file; not even the half that a limit left of it."""
    secret = fake_key("scored")
    monkeypatch.setenv("SPILLED", secret)
    suite = Asking(pytester, monkeypatch, SECRETIVE.replace("PADTEXT", pads[1]).replace("PAD", pads[0]))
    with Simulator(latency=0) as model:
        outcome = suite.run(model, "--llmrel-tape=record", "--junitxml=junit.xml", "-rA", "-vv")
    written = outcome.out + outcome.err
    written += "".join(
        f.read_text("utf-8") for f in suite.path.rglob("*") if f.suffix in {".json", ".jsonl", ".xml"}
    )
    assert "[redacted]" in written
    assert secret[:16] not in written, written[written.index(secret[:16]) - 200 :][:400]
