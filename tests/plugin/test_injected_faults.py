"""Faults that are injected into calls: what the client meets, what becomes of the run, and how it is judged."""

import pytest
from wire_example import STYLES, Asking, metric

from pytest_llmrel.simulator import Simulator

NOWHERE = "http://127.0.0.1:9/v1"
"""Nobody listens there."""
KINDS = ("429", "500", "timeout", "reset", "truncated", "malformed", "slow")
MEETS = """
DEF meet():
    try:
        ASK(seed=1)
    except httpx.HTTPStatusError as error:
        answer = error.response
        return f"{answer.status_code} {answer.headers.get('retry-after')} {answer.json()['error']['type']}"
    except Exception as error:
        return type(error).__name__
    return "answer"
"""
PATIENT = """
DEF answer(tries=6):
    for left in reversed(range(tries)):
        try:
            return text(ASK())
        except (httpx.HTTPError, ValueError):
            if not left:
                raise
"""


# --- what the client meets ----------------------------------------------------------------------------------


@pytest.mark.parametrize("style", STYLES)
def test_every_kind(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str) -> None:
    """Each fault is what the client library makes of the real thing; the model is asked only where it answers."""
    tests = MEETS + "".join(f"""
@krun(8, gates=["recovery_rate >= 0"])
@faults("{kind}")
DEF test_{kind}():
    note("{kind}", MEET())
""" for kind in KINDS if kind != "slow")  # fmt: skip
    met = "await meet()" if style == "async" else "meet()"
    suite = Asking(pytester, monkeypatch, tests.replace("MEET()", met), style=style)
    with Simulator(latency=0) as model:
        outcome = suite.run(model)
    outcome.outcomes(passed=6)
    seen = {kind: {" ".join(words) for words in outcome.log(kind)} for kind in KINDS if kind != "slow"}
    assert seen == {
        "429": {"429 1 rate_limit_error"},
        "500": {"500 None server_error"},
        "timeout": {"ReadTimeout", "ConnectTimeout"},
        "reset": {"ReadError"},
        "truncated": {"RemoteProtocolError"},
        "malformed": {"JSONDecodeError"},
    }
    assert model.requests == 16, "two kinds take an answer from the model"
    for kind in ("429", "500", "timeout", "reset"):
        assert outcome.test(f"test_{kind}")["cost"]["calls"] == 0
    for kind in ("truncated", "malformed"):
        cost = outcome.test(f"test_{kind}")["cost"]
        assert (cost["calls"], cost["unpriced_calls"]) == (8, 0), "the whole answer was paid for"


def test_slow_answers(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that would wait less than the five seconds runs into its own timeout; the model is not asked."""
    tests = """
@krun(2, gates=["recovery_rate >= 1", "latency_p50 <= 4"])
@faults("slow")
def test_a():
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(to(), headers=HEADERS, json=asking(RETURN), timeout=0.05, verify=False)

@krun(2, gates=["recovery_rate >= 1", "latency_p50 <= 4"])
@faults("slow")
async def test_b():
    async with httpx.AsyncClient(verify=False) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(to(), headers=HEADERS, json=asking(RETURN), timeout=0.05)
"""
    with Simulator(latency=0) as model:
        Asking(pytester, monkeypatch, tests).run(model).outcomes(passed=2)
    assert model.requests == 0


@pytest.mark.parametrize("kind", ["truncated", "malformed"])
def test_streams_are_spoiled_in_the_middle(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Of a stream the first half of the events comes; then it breaks off, noticed by the client or not."""
    tests = f"""
@krun(3, gates=["recovery_rate >= 0"])
@faults("{kind}")
def test_a():
    body = asking(RETURN, stream=True, stream_options={{"include_usage": True}})
    lines, broken = [], "complete"
    try:
        with httpx.stream("POST", to(), headers=HEADERS, json=body, verify=False) as answer:
            for line in answer.iter_lines():
                lines.append(line)
    except httpx.RemoteProtocolError:
        broken = "broken"
    assert len(lines) >= 10 and "data: [DONE]" not in lines
    json.loads([line for line in lines if line][-1].removeprefix("data: "))
    note(broken)
"""
    with Simulator(latency=0) as model:
        outcome = Asking(pytester, monkeypatch, tests).run(model)
    outcome.outcomes(passed=1)
    assert outcome.log() == [["complete" if kind == "malformed" else "broken"]] * 3


# --- what becomes of the run --------------------------------------------------------------------------------


@pytest.mark.parametrize("style", STYLES)
def test_classes_of_runs(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str) -> None:
    """Recovered, failed cleanly, failed silently, hung: by what the run did after its fault."""
    sleep = "await asyncio.sleep(0.01)" if style == "async" else "__import__('time').sleep(0.01)"
    tests = f"""
DEF guess():
    try:
        return text(ASK())
    except httpx.HTTPError:
        return "no idea"

@krun(4, gates=["recovery_rate >= 1", "silent_failure_rate <= 0"])
@faults("500")
DEF test_recovered():
    with pytest.raises(httpx.HTTPStatusError):
        ASK()

@krun(4, gates=["recovery_rate <= 0", "silent_failure_rate <= 0"])
@faults("500", "429")
DEF test_clean(llmrel):
    if llmrel.index < 2:
        ASK()
    try:
        ASK()
    except httpx.HTTPError:
        llmrel.abstain("the model is down") if llmrel.index == 2 else {{}}["answer"]

@krun(4, gates=["silent_failure_rate <= 0"])
@faults("500")
DEF test_silent():
    assert "30 days" in GUESS()

@krun(3, gates=["recovery_rate <= 0"], timeout=0.15)
@faults("500")
DEF test_hung():
    while to().startswith("{NOWHERE}"):  # not the model of the next test, whom a thread left behind would ask
        GUESS()
        {sleep}
"""
    guess = "await guess()" if style == "async" else "guess()"
    outcome = Asking(pytester, monkeypatch, tests.replace("GUESS()", guess), style=style).run(NOWHERE)
    found = {
        name: {kind: count for kind, count in outcome.test(f"test_{name}")["recovery"].items() if count}
        for name in ("recovered", "clean", "silent", "hung")
    }
    assert found == {
        "recovered": {"recovered": 4},
        "clean": {"failed_cleanly": 4},
        "silent": {"failed_silently": 4},
        "hung": {"hung": 3},
    }
    verdicts = {name: outcome.test(f"test_{name}")["verdict"] for name in found}
    assert verdicts == {"recovered": "PASS", "clean": "PASS", "silent": "FAIL", "hung": "PASS"}
    assert metric(outcome, "silent_failure_rate", "_silent") == 1
    assert outcome.counts("_clean") == {"errors": 2, "abstained": 1, "failed": 1}
    assert "4 runs met an injected fault: 4 failed silently" in outcome.out


def test_rates_are_those_of_runs_that_met_one(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs that were spared count for nothing; each rate has an interval by Wilson, and its n."""
    tests = """
@krun(40, gates=["recovery_rate >= 0.0001"])
@faults("500", rate=0.5)
def test_a(llmrel):
    try:
        ask()
        note("spared")
    except httpx.HTTPStatusError:
        note("met")
        if llmrel.index % 2:
            raise
"""
    with Simulator(latency=0) as model:
        outcome = Asking(pytester, monkeypatch, tests).run(model)
    met = len(outcome.log("met"))
    assert len(outcome.log("spared")) == 40 - met == model.requests
    assert 8 <= met <= 32
    recovery = outcome.test()["metrics"]["recovery_rate"]
    assert (recovery["n"], recovery["method"]) == (met, "Wilson 95 %")
    assert 0 < recovery["low"] < recovery["point"] < recovery["high"] < 1
    assert recovery["point"] == (met - outcome.test()["errors"]) / met


def test_nobody_met_a_fault(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test without any call, or with more luck than is good, has no recovery rate: n/a, INCONCLUSIVE."""
    tests = """
@krun(3, gates=["recovery_rate >= 0", "silent_failure_rate <= 1"])
@faults("500")
def test_no_call():
    pass

@krun(3, gates=["recovery_rate >= 0", "silent_failure_rate <= 1"])
@faults("500", rate=1e-12)
def test_lucky():
    ask()
"""
    with Simulator(latency=0) as model:
        outcome = Asking(pytester, monkeypatch, tests).run(model)
    outcome.outcomes(failed=2)
    for test in outcome.tests.values():
        assert test["verdict"] == "INCONCLUSIVE"
        assert test["metrics"]["recovery_rate"]["point"] is None
        assert test["recovery"] is None


def test_errors_are_what_was_wanted(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that end in an error under injected faults are no incident of the infrastructure."""
    # Those that met none still are: a host that is down makes the test INCONCLUSIVE.
    tests = """
@krun(6, gates=["recovery_rate >= 0"])
@faults("500", "timeout", "reset")
def test_injected():
    ask()

@krun(6, gates=["recovery_rate >= 0"])
@faults("500", rate=0.5)
def test_real():
    httpx.get(to("models"), verify=False, timeout=5)
    ask()
"""
    outcome = Asking(pytester, monkeypatch, tests, llmrel_retries="0").run(NOWHERE)
    assert outcome.test("_injected")["verdict"] == "PASS"
    assert outcome.counts("_injected") == {"errors": 6}
    assert metric(outcome, "recovery_rate", "_injected") == 0
    assert outcome.test("_real")["verdict"] == "INCONCLUSIVE"


def test_all_runs_are_made(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which runs met a fault decides nothing beforehand: early stopping is off."""
    tests = PATIENT + "\n@krun(20, pass_rate=0.1)\n@faults('500', rate=0.2)\ndef test_a(): answer()\n"
    with Simulator(latency=0) as model:
        outcome = Asking(pytester, monkeypatch, tests).run(model)
    assert (outcome.test()["runs"], outcome.test()["stopped"]) == (20, None)


# --- the same again -----------------------------------------------------------------------------------------


def test_the_same_runs_meet_the_same_faults(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the concurrency, the style and the process: run 7 meets what it met before."""
    tests = MEETS + """
@krun(30, gates=["recovery_rate >= 0"])
@faults("429", "500", "reset", "malformed", rate=0.5)
DEF test_a(llmrel):
    for _ in range(2):
        note(llmrel.index, *MEET().split()[:1])
"""  # fmt: skip
    seen = []
    with Simulator(latency=0) as model:
        for style, arguments in (
            ("threads", ()), ("threads", ("--llmrel-concurrency=30",)), ("alone", ()), ("async", ()),
            ("threads", ("-n2",)),
        ):  # fmt: skip
            met = "(await meet())" if style == "async" else "meet()"
            suite = Asking(pytester, monkeypatch, tests.replace("MEET()", met), style=style)
            outcome = suite.run(model, *arguments)
            outcome.outcomes(passed=1)
            runs = {run: [word for number, word in outcome.log() if number == str(run)] for run in range(30)}
            seen.append((runs, outcome.test()["recovery"]))
    assert all(one == seen[0] for one in seen)
    words = [word for run in seen[0][0].values() for word in run]
    assert set(words) == {"429", "500", "ReadError", "JSONDecodeError", "answer"}
    assert 15 <= words.count("answer") <= 45, "half of 60 calls are spared"


def test_faults_from_a_tape(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay without any server meets the same faults in the same places, and recovers as often."""
    tests = PATIENT + """
@krun(12, gates=["recovery_rate >= 0.5"])
@faults("429", "timeout", "reset", "malformed", "truncated", rate=0.5)
def test_a(llmrel):
    note(llmrel.index, answer(2))
"""  # fmt: skip
    suite = Asking(pytester, monkeypatch, tests)
    with Simulator(latency=0) as model:
        recorded = suite.run(model, "--llmrel-tape=record")
    replayed = suite.run(NOWHERE, "--llmrel-tape=replay")
    assert recorded.test()["recovery"] == replayed.test()["recovery"]
    assert sorted(recorded.log()) == sorted(replayed.log())
    assert 0 < recorded.counts()["passed"] < 12
    assert recorded.counts() == replayed.counts()


# --- mistakes -----------------------------------------------------------------------------------------------


def test_mistakes_in_the_mark(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them are usage errors at collection, in one report; nothing is run."""
    marks = {
        "none": ("@krun(3)\n@faults()", "faults needs at least one name"),
        "unknown": ("@krun(3)\n@faults('503')", "unknown fault '503'; it may be 429, 500, timeout"),
        "number": ("@krun(3)\n@faults(429)", "unknown fault 429"),
        "nought": ("@krun(3)\n@faults('429', rate=0)", "rate=0; it must be above 0 and at most 1"),
        "much": ("@krun(3)\n@faults('429', rate=1.5)", "rate=1.5"),
        "truth": ("@krun(3)\n@faults('429', rate=True)", "rate=True"),
        "argument": ("@krun(3)\n@pytest.mark.llmrel_faults('429', share=1)", "no argument 'share'"),
        "lonely": ("@faults('429')", "faults without krun runs nothing; add @krun"),
        "gate": ("@krun(3, gates=['recovery_rate >= 0.5'])", "recovery_rate"),
        "silent": ("@krun(3, gates=['silent_failure_rate <= 0'])", "silent_failure_rate"),
    }
    tests = "".join(f"\n{mark}\ndef test_{name}(): note('ran')\n" for name, (mark, _) in marks.items())
    outcome = Asking(pytester, monkeypatch, tests).run(NOWHERE)
    assert (outcome.ret, outcome.log()) == (pytest.ExitCode.USAGE_ERROR, [])
    for name, (_, said) in marks.items():
        (line,) = [line for line in outcome.err.splitlines() if f": test_{name}: " in line]
        assert said in line


def test_the_closest_mark_wins(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mark on the module is for all of its tests, one on the test in place of it."""
    tests = MEETS + """
pytestmark = [pytest.mark.krun(3, gates=["recovery_rate >= 0"]), faults("429")]

def test_far():
    note("far", meet())

@faults("500")
def test_near():
    note("near", meet())
"""  # fmt: skip
    outcome = Asking(pytester, monkeypatch, tests).run(NOWHERE)
    outcome.outcomes(passed=2)
    assert {words[0] for words in outcome.log("far")} == {"429"}
    assert {words[0] for words in outcome.log("near")} == {"500"}
