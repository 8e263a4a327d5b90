"""The calls of a hunt: kept to the one, on tape and from tape, for each test its own."""

import json

import pytest
from hunting_example import NO_SERVER, PLANTED, TEST, hunted, source_of
from wire_example import STYLES, Asking

from pytest_llmrel.simulator import Simulator


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


def test_no_run_begins_when_the_calls_are_spent(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that found none left is the last one: others could only find the same."""
    source = source_of(calls="1 + llmrel.index % 7", marks="concurrency=1").replace(
        "    for", "    note('begun')\n    for"
    )
    outcome, model = hunted(pytester, monkeypatch, source, calls=50)
    assert model.requests == 50
    assert len(outcome.log("begun")) == outcome.test()["runs"] + 1


def test_calls_outside_of_runs(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """They cost what they cost, and where no tape has them nothing is concluded, whoever swallowed that."""
    swallow = "    try: ask()\n    except BaseException: pass\n"
    fixture = f"\n@pytest.fixture(scope='module')\ndef warm():\n{swallow}"
    suite = Asking(pytester, monkeypatch, fixture + source_of().replace("(q, llmrel)", "(q, llmrel, warm)"))
    with Simulator(latency=0) as model:
        first = suite.run(model, "--llmrel-hunt=40", "--llmrel-tape=record").outcomes(passed=1)
    assert model.requests == first.test()["cost"]["calls"] == 41
    assert first.test()["hunt"]["calls"] == 40
    again = suite.run(NO_SERVER, "--llmrel-hunt=40", "--llmrel-tape=replay")
    assert again.test()["verdict"] == "INCONCLUSIVE"
    assert "was called outside of any run" in again.out
