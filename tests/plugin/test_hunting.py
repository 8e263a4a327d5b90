"""Hunting: runs of edited wordings in the place of the planned ones, and what is said of what they found."""

import json

import pytest
from hunting_example import PLANTED, QUESTION, hunted, source_of
from wire_example import STYLES, Asking

from pytest_llmrel.simulator import Simulator


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_break_is_found_and_told(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, planted: str
) -> None:
    """The smallest wording that breaks and the primary one are printed, each with its rate and interval."""
    outcome, model = hunted(pytester, monkeypatch, source_of(PLANTED[planted]))
    outcome.outcomes(failed=1)
    test = outcome.test()
    found = test["hunt"]
    assert test["verdict"] == "FAIL"
    assert len(found["broken"]["edits"]) == 1
    assert found["shrunk"]
    assert found["broken"]["passed"] == 0 < found["broken"]["n"]
    assert found["broken"]["high"] < found["primary"]["low"]
    assert found["calls"] == model.requests <= 120
    edit, text, n = found["broken"]["edits"][0], found["broken"]["text"], found["broken"]["n"]
    high = found["broken"]["high"]
    shown = f'one edit ({edit}) makes it pass 0 of {n} times (95 % 0.00 to {high:.2f}): "{text}"'
    assert f"test_a: FAIL: {shown}" in outcome.out
    assert f'the primary wording passes 20 of 20 times (95 % 0.84 to 1.00): "{QUESTION}"' in outcome.out
    assert f"found with {model.requests} calls, {found['wordings']} wordings" in outcome.out
    assert {tally["text"] for tally in test["variants"]} == {QUESTION, text}


@pytest.mark.parametrize("flags", [(), ("-q",), ("-qq",), ("-v",)])
def test_that_nothing_was_found_is_said(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    """Whoever asked for a hunt sees what it has spent and how the primary wording did, however quiet pytest is."""
    outcome, model = hunted(pytester, monkeypatch, source_of(), *flags, calls=40)
    assert outcome.test()["verdict"] == "PASS"
    assert outcome.test()["hunt"]["broken"] is None
    assert outcome.ret == 0
    assert model.requests == 40
    wordings = outcome.test()["hunt"]["wordings"]
    said = f"no wording is shown to pass less often than the primary one (40 calls, {wordings} wordings)"
    assert said in outcome.out
    assert f'the primary wording passes 13 of 13 times (95 % 0.77 to 1.00): "{QUESTION}"' in outcome.out


def test_a_primary_wording_that_never_passes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can pass less often: no more is spent on it, and nothing is concluded."""
    outcome, model = hunted(pytester, monkeypatch, source_of("False"))
    outcome.outcomes(failed=1)
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert "INCONCLUSIVE: the primary wording never passed; nothing can pass less often" in outcome.out
    assert model.requests == 20


def test_runs_that_are_all_errors(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """They say nothing of any wording: no pass, and the rest of the calls is saved."""
    holds = "(_ for _ in ()).throw(httpx.ConnectError('gone'))"
    outcome, model = hunted(pytester, monkeypatch, source_of(holds))
    outcome.outcomes(failed=1)
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert "runs in a row could not be judged" in outcome.out
    assert model.requests == 21


def test_many_errors(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the share that is allowed nothing is concluded from what the other runs did not show."""
    source = source_of("llmrel.index % 5 or pytest.fail()").replace(
        "    assert", "    if llmrel.index % 3 == 0: raise httpx.ConnectError('gone')\n    assert"
    )
    outcome, _ = hunted(pytester, monkeypatch, source.replace("pytest.fail()", "True"), calls=80)
    outcome.outcomes(failed=1)
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert "more than the 10% allowed (llmrel_max_error_rate)" in outcome.out


def test_a_key_that_is_refused(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every further call would be refused, too: it ends at once, and passes nothing."""
    source = source_of().replace("ASK(q)", "ASK(q, headers={})")
    outcome, model = hunted(pytester, monkeypatch, source)
    outcome.outcomes(failed=1)
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert "every further run would end the same way" in outcome.out
    assert model.requests == 1


@pytest.mark.parametrize(("each", "calls"), [(10, 60), (5, 30), (1, 20)])
def test_calls_that_do_not_suffice(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, each: int, calls: int
) -> None:
    """That there is no such wording is not said before every perturbation was tried."""
    outcome, model = hunted(pytester, monkeypatch, source_of(calls=each), calls=calls)
    outcome.outcomes(failed=1)
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert "the hunt ended before every perturbation was tried once; give it more calls" in outcome.out
    assert model.requests == calls


def test_dollars_that_are_spent(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget of the session ends the hunt, and it is inconclusive."""
    suite = Asking(
        pytester, monkeypatch, source_of(), llmrel_prices="\n    gpt-4o-mini: input 1000000, output 0"
    )
    with Simulator(latency=0) as model:
        outcome = suite.run(model, "--llmrel-hunt=60", "--llmrel-budget=100", "--llmrel-concurrency=1")
    outcome.outcomes(failed=1)
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert "the budget of $100 is spent" in outcome.out
    assert model.requests == 8


@pytest.mark.parametrize("style", STYLES)
def test_ctrl_c_in_the_middle(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str) -> None:
    """What was seen is kept, and nothing is concluded from it."""
    source = source_of("True").replace(
        "    assert", "    if llmrel.index == 5: raise KeyboardInterrupt\n    assert"
    )
    outcome, _ = hunted(pytester, monkeypatch, source, style=style, subprocess=True)
    assert outcome.ret == pytest.ExitCode.INTERRUPTED
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert "interrupted by KeyboardInterrupt" in outcome.test()["findings"][0]["explanation"]


def test_a_tear_down_that_raises(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails the test as it does without a hunt."""
    source = "\n@pytest.fixture\ndef bad():\n    yield\n    raise OSError('leak')\n" + source_of()
    outcome, _ = hunted(pytester, monkeypatch, source.replace("(q, llmrel)", "(q, llmrel, bad)"), calls=40)
    outcome.outcomes(failed=1)
    assert "the tear-down of 40 of 40 runs raised" in outcome.out


def test_runs_that_are_skipped(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that skips itself is skipped, and not all calls are spent on finding that out."""
    outcome, model = hunted(pytester, monkeypatch, source_of("pytest.skip('not today')"))
    outcome.outcomes(skipped=1)
    assert model.requests == 21


def test_why_runs_come_one_at_a_time_is_said(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As without a hunt."""
    source = source_of().replace("(q, llmrel)", "(q, llmrel, capsys)")
    outcome, _ = hunted(pytester, monkeypatch, source, calls=40)
    assert "runs one at a time, because of capsys" in outcome.test()["notes"]


def test_secrets_in_wordings(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that stands in the wording is in no output and in no report."""
    secret = "sk-" + "a1B2c3D4" * 5
    monkeypatch.setenv("OPENAI_API_KEY", secret)
    source = source_of(PLANTED["a courtesy"]).replace("RETURN)", f'"How long does {secret} last?")')
    outcome, _ = hunted(pytester, monkeypatch, source, "-vv")
    assert outcome.test()["hunt"]["broken"] is not None
    assert secret not in json.dumps(outcome.report)
    told = [line for line in outcome.out.splitlines() if "makes it pass" in line or "the primary" in line]
    assert told
    assert not [line for line in told if secret in line]


def test_hostile_wordings(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Escape sequences and line breaks of a wording reach no terminal."""
    wording = r"How \x1b[31mlong\x1b]0;owned\x07 do I\u202e have\nFAKE: PASS to return an item?"
    source = source_of(PLANTED["a courtesy"]).replace("RETURN)", f'"{wording}")')
    outcome, _ = hunted(pytester, monkeypatch, source, "--color=no")
    assert outcome.test()["verdict"] == "FAIL"
    assert not {"\x1b", "\x07", "\u202e"} & set(outcome.out)
    assert not [line for line in outcome.out.splitlines() if line.startswith("FAKE")]


def test_own_perturbations_are_tried(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the hook is hunted with like ours, and named where it breaks."""
    suite = Asking(pytester, monkeypatch, source_of("'!!!' not in q"))
    suite.edit(
        {
            "conftest.py": "def pytest_llmrel_perturbations(): return {'loud': lambda text, rng: text + ' now!!!'}\n"
        }
    )
    with Simulator(latency=0) as model:
        outcome = suite.run(model, "--llmrel-hunt=120")
    assert outcome.test()["hunt"]["broken"]["edits"] == ["loud"]


def test_a_wording_in_which_nothing_changes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no perturbation finds anything to edit, that is no pass."""
    outcome, _ = hunted(pytester, monkeypatch, source_of().replace("RETURN)", '"42")'))
    assert outcome.test()["verdict"] in {"PASS", "INCONCLUSIVE"}
    assert outcome.test()["hunt"]["wordings"] or outcome.test()["verdict"] == "INCONCLUSIVE"
