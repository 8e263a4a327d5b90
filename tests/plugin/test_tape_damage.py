"""A tape that is damaged, out of date or in the way is an error that says what to do; nothing is sent."""

import base64
import json
from collections.abc import Callable

import pytest
from example import Outcome
from wire_example import STYLES, Asking

from pytest_llmrel.simulator import Simulator

NOWHERE = "http://127.0.0.1:9/v1"
"""Nobody listens there."""
RECORD, REPLAY = "--llmrel-tape=record", "--llmrel-tape=replay"
TWO_TESTS = """
@krun(3)
DEF test_a():
    note("a")
    ASK()

@krun(2)
DEF test_b():
    note("b")
    ASK()
"""


def recorded(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tests: str, style: str = "threads", **ini: str
) -> Asking:
    """A suite with tapes of all its tests."""
    suite = Asking(pytester, monkeypatch, tests, style=style, **ini)
    with Simulator(latency=0) as model:
        suite.run(model, RECORD)
    return suite


def edited(number: int, **changes: object) -> Callable[[list[str]], list[str]]:
    """A change of the fields of one line, counted from 1."""

    def edit(lines: list[str]) -> list[str]:
        lines[number - 1] = json.dumps(json.loads(lines[number - 1]) | changes)
        return lines

    return edit


def binary(encoded: str) -> dict[str, object]:
    """A call whose body is said to be bytes."""
    return {"request": {}, "status": 200, "body": {"base64": encoded}, "seconds": 0.1}


DAMAGES: dict[str, tuple[Callable[[list[str]], list[str]], int, str]] = {
    "no JSON": (lambda lines: [*lines[:2], lines[2][:40] + lines[2][41:].replace('"', "'", 1), *lines[3:]], 3, "restore it"),
    "cut off": (lambda lines: [*lines[:3], lines[3][:-20]], 4, "restore it"),
    "empty": (lambda lines: [], 1, "restore it"),
    "twice": (lambda lines: [*lines, lines[1]], 5, "run 0 is there twice"),
    "a word for a number": (edited(2, run="0"), 2, "no track of a tape (run: "),
    "less than nothing": (edited(3, seconds=-1), 3, "no track of a tape (seconds: "),
    "unknown field": (edited(4, mood="good"), 4, "no track of a tape (mood: "),
    "another document": (lambda lines: ['{"schema": 1}', *lines[1:]], 1, "no first line of a tape"),
    "newer": (edited(1, tape=2), 1, "written by a newer pytest_llmrel (tape 2, this one knows 1); upgrade"),
    "no base64": (edited(2, calls=[binary("%%%")]), 2, "a body that is not base64"),
    "NaN": (lambda lines: [*lines[:1], lines[1].replace('"status": 200', '"status": NaN'), *lines[2:]], 2, "restore it"),
}  # fmt: skip


@pytest.mark.parametrize("mode", [REPLAY, RECORD])
def test_a_damaged_tape(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    """Every kind of damage is an error with file and line; nothing is sent, and nothing is overwritten."""
    # The tape of another test in the same module is not concerned.
    names = {name: "test_" + name.replace(" ", "_") for name in DAMAGES}
    one = "\n@krun(3)\ndef {}():\n    note('ran')\n    ask()\n"
    suite = recorded(pytester, monkeypatch, "".join(map(one.format, (*names.values(), "test_whole"))))
    damaged: dict[str, bytes] = {}
    for name, (damage, _, _) in DAMAGES.items():
        lines = damage(suite.tape(names[name]).read_text(encoding="utf-8").splitlines())
        text = "\n".join(lines) + "\n" * (name != "cut off" and bool(lines))
        suite.tape(names[name]).write_text(text, encoding="utf-8")
        damaged[name] = text.encode()
    with Simulator(latency=0) as model:
        outcome = suite.run(model, mode)
    outcome.outcomes(errors=len(DAMAGES), passed=1)
    assert outcome.ret == 1
    assert model.requests == 0
    assert len(outcome.log("ran")) == 3
    for name, (_, line, said) in DAMAGES.items():
        place = f"{suite.tape(names[name])}:{line}: "
        assert place in outcome.out, name
        assert said in outcome.out.partition(place)[2].partition("\n")[0], name
        test = outcome.test(f"::{names[name]}")
        assert (test["verdict"], test["runs"]) == ("INCONCLUSIVE", 0)
        assert suite.tape(names[name]).read_bytes() == damaged[name]
    assert outcome.test("test_whole")["cost"]["replayed_calls"] == 3


def test_a_tape_that_is_no_file(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, or a link to nowhere, in the place of a tape is never taken for a tape."""
    suite = recorded(pytester, monkeypatch, TWO_TESTS)
    suite.tape().unlink()
    suite.tape().mkdir()
    for mode in (REPLAY, RECORD):
        outcome = suite.run(NOWHERE, mode).outcomes(errors=1, passed=1)
        assert f"{suite.tape()}: not a regular file; move it away" in outcome.out


def test_damage_under_xdist(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers tell the same."""
    suite = recorded(pytester, monkeypatch, TWO_TESTS)
    with suite.tape().open("a") as file:
        file.write("{\n")
    outcome = suite.run(NOWHERE, REPLAY, "-n2", subprocess=True)
    outcome.outcomes(errors=1, passed=1)
    assert f"{suite.tape()}:5: " in outcome.out
    assert outcome.test("test_a")["verdict"] == "INCONCLUSIVE"


# --- other requests than on the tape ------------------------------------------------------------------------


def refused(suite: Asking, tests: str) -> Outcome:
    """Replay of other tests than were recorded."""
    suite.edit({"test_it.py": tests})
    return suite.run(NOWHERE, REPLAY)


@pytest.mark.parametrize("style", STYLES)
def test_a_changed_request_is_named(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """Another prompt, model or field is refused, by the name of what has changed."""
    ways = {
        "prompt": (
            "'Hello?'",
            "body.messages[0].content was How long do I have to return an item? and is Hello?",
        ),
        "model": ("model='shop-assistant'", "body.model was gpt-4o-mini and is shop-assistant"),
        "field": ("temperature=0.5", "body.temperature was not there and is 0.5"),
        "two": ("'Hello?', temperature=0", "and is Hello? (and 1 more fields changed)"),
    }
    one = "\n@krun(3)\nDEF test_{}(): ASK({})\n"
    suite = recorded(pytester, monkeypatch, "".join(one.format(name, "") for name in ways), style)
    outcome = refused(suite, "".join(one.format(name, arguments) for name, (arguments, _) in ways.items()))
    outcome.outcomes(failed=4)
    for name, (_, said) in ways.items():
        (group,) = outcome.test(f"test_{name}")["failures"]
        assert said in group["sample"]["message"]
        assert outcome.test(f"test_{name}")["verdict"] == "INCONCLUSIVE"
        assert outcome.counts(f"test_{name}").keys() <= {"errors", "unfinished"}
    remedy = "delete the tape and record it anew, or name the field in the ini key llmrel_tape_ignore"
    assert remedy in outcome.out


def test_fewer_calls_than_recorded_are_told(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was asked was answered as before; that the code asks less now is said, and no verdict of its own."""
    calls = "@krun(3)\ndef test_a(llmrel):\n    ask()\n    if {}: ask()\n"
    suite = recorded(pytester, monkeypatch, calls.format(True))
    unchanged = suite.run(NOWHERE, REPLAY).outcomes(passed=1)
    fewer = refused(suite, calls.format("llmrel.index == 0")).outcomes(passed=1)
    said = "2 runs made fewer calls than their tape holds"
    assert said in fewer.out
    assert said not in unchanged.out
    assert (unchanged.test()["cost"]["calls"], fewer.test()["cost"]["calls"]) == (6, 4)


def test_a_long_prompt_is_told_by_its_hash(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One letter of a long prompt is a change, although the text of neither is on the tape."""
    call = "@krun(2)\ndef test_a(): ask('You are kind. ' * 50 + '{}')\n"
    suite = recorded(pytester, monkeypatch, call.format("Hello?"))
    assert "You are kind" not in suite.tape().read_text().partition('"status"')[0]
    suite.run(NOWHERE, REPLAY).outcomes(passed=1)
    outcome = refused(suite, call.format("Hello!"))
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert "body.messages[0].content was 706 bytes" in outcome.out


def test_fields_that_may_change(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """``llmrel_tape_ignore`` names fields, with all below them; others are looked at as before."""
    call = "import uuid\n@krun(3)\ndef test_a(): ask(metadata={'id': uuid.uuid4().hex, 'of': ['us']}, user='u')\n"
    suite = recorded(pytester, monkeypatch, call)
    for ignored in ("body.model body.metadata", "body.metadata.id"):
        suite.edit(llmrel_tape_ignore=ignored)
        suite.run(NOWHERE, REPLAY).outcomes(passed=1)
    for ignored in ("body.meta metadata", "body.metadata.i"):
        suite.edit(llmrel_tape_ignore=ignored)
        outcome = suite.run(NOWHERE, REPLAY)
        assert (outcome.test()["verdict"], "body.metadata.id was " in outcome.out) == ("INCONCLUSIVE", True)
    suite.edit(llmrel_tape_ignore="body.metadata")
    assert "body.user was u and is them" in refused(suite, call.replace("user='u'", "user='them'")).out


@pytest.mark.parametrize("style", STYLES)
def test_whoever_swallows_everything_does_not_pass(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """A call too many, and one that has changed, are errors of their run whatever the test catches."""
    one = """
@krun(3)
DEF test_{}():
    for question in {}:
        try:
            ASK(question)
        except BaseException:
            pass
"""
    asked = {"same": ["One?", "Two?"], "more": ["One?", "Two?", "Three?"], "other": ["One?", "Three?"]}
    suite = recorded(pytester, monkeypatch, "".join(one.format(name, asked["same"]) for name in asked), style)
    outcome = refused(suite, "".join(one.format(*way) for way in asked.items()))
    outcome.outcomes(passed=1, failed=2)
    for name, said in (
        ("more", "which ends after 2; delete the tape and record it anew with --llmrel-tape=record"),
        ("other", "is not the one on the tape: body.messages[0].content was Two? and is Three?"),
    ):
        assert outcome.test(f"test_{name}")["verdict"] == "INCONCLUSIVE"
        assert outcome.counts(f"test_{name}").keys() <= {"errors", "unfinished"}
        assert said in outcome.test(f"test_{name}")["failures"][0]["sample"]["message"]


# --- calls that are on no tape ------------------------------------------------------------------------------


@pytest.mark.parametrize("caller", ["fixture", "thread"])
def test_calls_outside_of_runs(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, caller: str
) -> None:
    """Calls of shared fixtures and plain threads are on no tape: recording says so, replay refuses them."""
    tests = """
def in_thread():
    try:
        ask("outside")
    except BaseException as error:
        note("refused", type(error).__name__, error)

@pytest.fixture(scope="module")
def shop():
    if CALLER == "fixture":
        ask("outside")

@krun(3)
def test_a(shop):
    if CALLER == "thread":
        thread = threading.Thread(target=in_thread)
        thread.start()
        thread.join()
    ask()
""".replace("CALLER", repr(caller))
    suite = Asking(pytester, monkeypatch, tests)
    count = 1 if caller == "fixture" else 3
    with Simulator(latency=0) as model:
        outcome = suite.run(model, RECORD).outcomes(passed=1)
        assert model.requests == 3 + count
        assert f"{count} calls were made outside of any run" in outcome.out
        assert "and are on no tape" in outcome.out
        replayed = suite.run(model, REPLAY)
        assert model.requests == 3 + count, "nothing was sent"
    why = "POST 127.0.0.1/v1/chat/completions was called outside of any run"
    if caller == "fixture":
        replayed.outcomes(errors=1)
        assert why in replayed.out
        assert replayed.test()["verdict"] == "INCONCLUSIVE"
    else:
        assert [why in " ".join(words) for words in replayed.log("refused")] == [True] * 3


# --- tapes that cannot be written ---------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_a_tape_that_cannot_be_written(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    """The verdict stands, the problem is told, and the session fails: somebody has asked for a tape."""
    tests = """
from pathlib import Path

@krun(3)
def test_a(llmrel):
    ask()
    if llmrel.index == 2:
        Path(__file__).with_name("__tapes__").write_text("in the way")
"""
    suite = Asking(pytester, monkeypatch, tests)
    with Simulator(latency=0) as model:
        outcome = suite.run(model, RECORD, *workers, subprocess=bool(workers))
    outcome.outcomes(passed=1)
    assert (outcome.ret, outcome.test()["verdict"]) == (1, "PASS")
    assert outcome.test()["tape"]["recorded"] == 0
    assert f"{suite.tape()}: the tape was not written (" in outcome.out
    assert (suite.path / "__tapes__").read_text() == "in the way"


def test_a_body_that_looks_like_base64(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tape may be edited by hand: what is said to be bytes is decoded, and replayed as such."""
    suite = recorded(pytester, monkeypatch, "@krun(1)\ndef test_a():\n    assert ask()['mine']\n")
    header, track = suite.tape().read_text(encoding="utf-8").splitlines()
    line = json.loads(track)
    line["calls"][0]["body"] = {"base64": base64.b64encode(b'{"mine": true}').decode()}
    suite.tape().write_text(f"{header}\n{json.dumps(line)}\n", encoding="utf-8")
    suite.run(NOWHERE, REPLAY).outcomes(passed=1)
