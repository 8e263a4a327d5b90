"""Hunting: runs of edited wordings in the place of the planned ones, and what is said of what they found."""

import json
from typing import Any

import pytest
from example import Outcome
from wire_example import STYLES, Asking

from pytest_llmrel.simulator import Simulator

QUESTION = "How long do I have to return an item?"
COURTESY = r"(?i)(thanks?|thank you|please)\W*$"
PLANTED = {
    "a courtesy": f"not re.search(r'{COURTESY}', q)",
    "a typo": "'return' in q.lower()",
    "a small letter": "q[0].isupper()",
}
"""Name of a sensitivity -> what must hold of a wording for its run to pass."""
TEST = """
import re

@krun(5, {marks})
@paraphrase("q", RETURN)
DEF test_a(q, llmrel):
    for _ in range({calls}):
        ASK(q)
    assert {holds}
"""
SAVING = """
import re

@krun(5)
@paraphrase("q", file="wordings.toml")
DEF test_a(q):
    ASK(q)
    assert {holds}
"""
NO_SERVER = "http://127.0.0.1:1/v1"


def source_of(holds: str = "True", calls: Any = 1, marks: str = "") -> str:
    """A test that makes some calls, and passes if something holds of its wording."""
    return TEST.format(holds=holds, calls=calls, marks=marks)


def hunted(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    *args: str,
    calls: int = 120,
    style: str = "threads",
    subprocess: bool = False,
    **simulator: Any,
) -> tuple[Outcome, Simulator]:
    """A session that hunts, and the server that it asked."""
    with Simulator(latency=0, **simulator) as model:
        suite = Asking(pytester, monkeypatch, source, style=style)
        outcome = suite.run(model, f"--llmrel-hunt={calls}", *args, subprocess=subprocess)
    return outcome, model


def refused(outcome: Outcome, model: Simulator) -> str:
    """What a session says that runs nothing."""
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR, outcome.out + outcome.err
    assert model.requests == 0
    return outcome.out + outcome.err


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
@pytest.mark.parametrize("each", ["1", "3", "1 + llmrel.index % 4"])
@pytest.mark.parametrize("concurrency", [8, 32])
def test_calls_are_kept_to(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str, each: str, concurrency: int
) -> None:
    """The server has answered as many calls as the hunt says, and no more than are allowed."""
    source = source_of(calls=each, marks=f"concurrency={concurrency}")
    outcome, model = hunted(pytester, monkeypatch, source, calls=50, style=style)
    assert outcome.test()["hunt"]["calls"] == model.requests <= 50
    assert outcome.test()["cost"]["calls"] == model.requests
    assert model.requests == 50 or each != "1"


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("each", [1, 2])
def test_calls_that_are_sent_again_are_calls(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str, each: int
) -> None:
    """A busy host, and one that breaks down, cost calls: as the server counts them, and not one too many."""
    outcome, model = hunted(
        pytester, monkeypatch, source_of(calls=each, marks="concurrency=32"), calls=60, style=style,
        faults="429=0.15,500=0.15,retry_after=0",
    )  # fmt: skip
    assert model.served["429"] + model.served["500"] > 3
    assert outcome.test()["hunt"]["calls"] == model.requests <= 60


def test_a_server_that_only_breaks_down(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent again ends the hunt to the call, and it is inconclusive."""
    outcome, model = hunted(pytester, monkeypatch, source_of(), calls=20, faults="500=1")
    outcome.outcomes(failed=1)
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert model.requests <= 20


def test_calls_of_what_is_no_known_model(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot of one's own is asked over HTTP, too, as often as is allowed."""
    each = "2 + llmrel.index % 2"
    source = source_of(calls=each).replace(
        "ASK(q)", "httpx.post(to('my/bot'), json={'say': q}, verify=False)"
    )
    outcome, model = hunted(pytester, monkeypatch, source, calls=40)
    assert outcome.test()["hunt"]["calls"] == model.requests <= 40


def test_each_test_has_calls_of_its_own(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tests spend them twice; a test that is not selected needs no wording."""
    source = source_of() + TEST.replace("test_a", "test_b").format(holds="True", calls=1, marks="")
    source += "\n@krun(3)\nDEF test_no_wording(): ASK()\n"
    outcome, model = hunted(pytester, monkeypatch, source, "-k", "test_a or test_b", calls=40)
    outcome.outcomes(passed=2, deselected=1)
    assert [outcome.test(name)["hunt"]["calls"] for name in ("test_a", "test_b")] == [40, 40]
    assert model.requests == 80


def test_the_first_failure_ends_the_session(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With -x the second hunt is not begun."""
    source = source_of(PLANTED["a courtesy"]) + TEST.replace("test_a", "test_b").format(
        holds="True", calls=1, marks=""
    )
    outcome, _ = hunted(pytester, monkeypatch, source, "-x")
    assert list(outcome.tests) == ["test_it.py::test_a"]


def test_a_plain_test_goes_its_way(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hunt takes the place of the runs of krun tests, and of nothing else."""
    outcome, _ = hunted(pytester, monkeypatch, source_of() + "\ndef test_plain(): note('plain')\n", calls=40)
    outcome.outcomes(passed=2)
    assert outcome.log("plain") == [[]]


@pytest.mark.parametrize("holds", ["True", PLANTED["a courtesy"]])
@pytest.mark.parametrize("faults", ["", "429=0.1,500=0.1,retry_after=0"])
def test_a_recorded_hunt_is_replayed(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, holds: str, faults: str
) -> None:
    """Without a server it finds the same, byte for byte, also where calls had been sent again."""
    suite = Asking(pytester, monkeypatch, source_of(holds))
    with Simulator(latency=0, faults=faults or None) as model:
        first = suite.run(model, "--llmrel-hunt=80", "--llmrel-tape=record")
    for concurrency in (1, 8):
        args = ("--llmrel-hunt=80", "--llmrel-tape=replay", f"--llmrel-concurrency={concurrency}")
        again = suite.run(NO_SERVER, *args)
        assert json.dumps(again.test()["hunt"]) == json.dumps(first.test()["hunt"]), again.out
        assert again.test()["verdict"] == first.test()["verdict"]
    assert first.test()["hunt"]["calls"] == model.requests


def test_a_replay_without_a_tape(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is inconclusive and says how to record; with a tape of fewer calls, too."""
    suite = Asking(pytester, monkeypatch, source_of())
    replay = ("--llmrel-hunt=80", "--llmrel-tape=replay")
    outcome = suite.run(NO_SERVER, *replay)
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert "there is no tape; record what is missing with --llmrel-tape=record" in outcome.out
    with Simulator(latency=0) as model:
        suite.run(model, "--llmrel-hunt=40", "--llmrel-tape=record")
    outcome = suite.run(NO_SERVER, *replay)
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert "record what is missing with --llmrel-tape=record" in outcome.out


def test_a_damaged_tape(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, and nothing is run."""
    suite = Asking(pytester, monkeypatch, source_of())
    suite.tape().parent.mkdir(parents=True)
    suite.tape().write_text("nonsense\n")
    outcome = suite.run(NO_SERVER, "--llmrel-hunt=40", "--llmrel-tape=replay")
    outcome.outcomes(errors=1)
    assert "test_a.jsonl:1" in outcome.out


def saving(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, holds: str = PLANTED["a courtesy"]
) -> Asking:
    """A suite whose wordings stand in a file."""
    from pytest_llmrel.core.seed import variant_key

    suite = Asking(pytester, monkeypatch, SAVING.format(holds=holds))
    text = f'# mine\nprimary = "{QUESTION}"\nhash = "{variant_key(QUESTION)}"\n'
    suite.edit({"wordings.toml": text})
    return suite


def test_what_was_found_is_saved_once(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is appended unreviewed, with where it comes from, and runs in no test before it is reviewed."""
    suite, file = saving(pytester, monkeypatch), pytester.path / "wordings.toml"
    save = ("--llmrel-hunt=120", "--llmrel-hunt-save")
    with Simulator(latency=0) as model:
        first = suite.run(model, *save)
        assert "saved to wordings.toml: it runs when it has been reviewed" in first.out
        assert "llmrel paraphrase review wordings.toml" in first.out
        text = file.read_text()
        assert text.startswith("# mine\n")
        assert text.count("[[wording]]") == 1
        assert f'text = "{first.test()["hunt"]["broken"]["text"]}"' in text
        assert 'origin = "hunted (polite)"' in text
        assert "reviewed = false" in text
        suite.edit({"wordings.toml": text})
        again = suite.run(model, *save)
        assert "saved to wordings.toml: it is in the file already" in again.out
        plain = suite.run(model).outcomes(passed=1)
        assert [tally["text"] for tally in plain.test()["variants"]] == [QUESTION]
    assert file.read_text() == text


def test_a_wording_that_cannot_be_saved(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was damaged in the meantime is told of and left alone, and the verdict stands."""
    suite, file = saving(pytester, monkeypatch), pytester.path / "wordings.toml"
    spoil = "__import__('pathlib').Path('wordings.toml').write_text('nonsense') and " + PLANTED["a courtesy"]
    suite.edit({"test_it.py": SAVING.format(holds=spoil)})
    with Simulator(latency=0) as model:
        outcome = suite.run(model, "--llmrel-hunt=120", "--llmrel-hunt-save")
    outcome.outcomes(failed=1)
    assert outcome.test()["verdict"] == "FAIL"
    assert "the wording was not saved: " in outcome.out
    assert file.read_text() == "nonsense"


def test_nothing_found_is_nothing_saved(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is not touched."""
    suite, file = saving(pytester, monkeypatch, "True"), pytester.path / "wordings.toml"
    with Simulator(latency=0) as model:
        suite.run(model, "--llmrel-hunt=40", "--llmrel-hunt-save").outcomes(passed=1)
    assert "[[wording]]" not in file.read_text()


def test_under_xdist(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has its calls in whatever worker it is; the controller shows what was found."""
    pytest.importorskip("xdist")
    source = source_of(PLANTED["a courtesy"]) + TEST.replace("test_a", "test_b").format(
        holds="True", calls=1, marks=""
    )
    suite = Asking(pytester, monkeypatch, source)
    with Simulator(latency=0) as model:
        outcome = suite.run(model, "--llmrel-hunt=120", "-n2", subprocess=True)
    outcome.outcomes(passed=1, failed=1)
    assert outcome.test("test_a")["hunt"]["broken"]["edits"] == ["polite"]
    assert outcome.test("test_b")["hunt"]["calls"] == 120
    assert model.requests == 120 + outcome.test("test_a")["hunt"]["calls"]
    assert "no wording is shown to pass less often" in outcome.out


GOLDEN = """
import re
from pytest_llmrel import golden

@krun(5)
@golden("faq.jsonl")
@paraphrase("question")
DEF test_a(case, question):
    ASK(question)
    assert case.id != "ship"
    assert not re.search(r"(?i)(thanks?|thank you|please)\\W*$", question)
"""
ROWS = '{"id": "refund", "question": "How long do I have?"}\n{"id": "ship", "question": "How fast is it?"}\n'


def test_one_case_of_a_dataset(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is chosen by --llmrel-case, and its own wording is the primary one; several are refused."""
    suite = Asking(pytester, monkeypatch, GOLDEN)
    suite.edit({"faq.jsonl": ROWS})
    with Simulator(latency=0) as model:
        said = refused(suite.run(model, "--llmrel-hunt=120"), model)
        assert "test_it.py::test_a: --llmrel-hunt hunts in one case; choose it with --llmrel-case=ID" in said
        outcome = suite.run(model, "--llmrel-hunt=120", "--llmrel-case=refund")
    assert outcome.test()["hunt"]["primary"]["text"] == "How long do I have?"
    assert outcome.test()["hunt"]["broken"]["edits"] == ["polite"]


@pytest.mark.parametrize(
    ("source", "args", "said"),
    [
        ("@krun(3)\ndef test_a(): ask()\n", ["--llmrel-hunt=40"], "test_a: --llmrel-hunt changes the wording of a paraphrase mark, and this test has none"),
        (source_of(), ["--llmrel-hunt=40", "--llmrel-baseline=update"], "a hunt records none"),
        (source_of(), ["--llmrel-hunt=40", "--llmrel-baseline=new"], "a hunt records none"),
        (source_of(), ["--llmrel-hunt=40", "--llmrel-hunt-save"], "give the mark one with file="),
        (source_of(), ["--llmrel-hunt-save"], "add that"),
        (source_of(), ["--llmrel-hunt=19"], "--llmrel-hunt"),
        (source_of(), ["--llmrel-hunt=-5"], "--llmrel-hunt"),
        (source_of(), ["--llmrel-hunt=many"], "--llmrel-hunt"),
        (source_of(), ["--llmrel-hunt=²⁰"], "--llmrel-hunt"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, source: str, args: list[str], said: str
) -> None:
    """Before anything is run, with what to do."""
    with Simulator(latency=0) as model:
        assert said in refused(Asking(pytester, monkeypatch, source).run(model, *args), model)


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
