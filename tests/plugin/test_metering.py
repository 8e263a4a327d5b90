"""Every call over HTTP is seen, and belongs to the run that made it."""

import math
from collections.abc import Sequence

import httpx
import pytest
from example import PLAIN, Example
from wire_example import STYLES, Asking, metric, tracks

from pytest_llmrel.simulator import Simulator

OWN_QUESTION = """
@krun(32, gates=["cost_per_pass <= 1"], concurrency=32)
DEF test_a(llmrel):
    answer = ASK(RETURN + " now" * llmrel.index)
    used = answer["usage"]
    llmrel.score("input", used["prompt_tokens"])
    llmrel.score("output", used["completion_tokens"])
    note("run", llmrel.index, used["prompt_tokens"], used["completion_tokens"])
    assert llmrel.index % 4
"""


def price(input_tokens: int, output_tokens: int) -> float:
    """What gpt-4o-mini costs: 0.15 and 0.60 US dollars a million tokens."""
    return (0.15 * input_tokens + 0.60 * output_tokens) / 1e6


def fieller(costs: Sequence[float], passes: Sequence[int]) -> tuple[float, float]:
    """Fieller's 95 % interval of mean cost over mean passes, from its definition and with no code of ours."""
    n, t = len(costs), 2.0395134463964077  # the 97.5 % quantile of Student's t with 31 degrees of freedom
    over, under = math.fsum(costs) / n, sum(passes) / n
    pairs = [(cost - over, passed - under) for cost, passed in zip(costs, passes, strict=True)]
    a, b, c = (
        math.fsum(p * q for p, q in rows) / (n - 1) / n
        for rows in ([(x, x) for x, _ in pairs], pairs, [(y, y) for _, y in pairs])
    )
    square, middle, least = under**2 - t**2 * c, over * under - t**2 * b, over**2 - t**2 * a
    root = math.sqrt(middle**2 - square * least)
    return (middle - root) / square, (middle + root) / square


# --- the right run ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", STYLES)
def test_calls_are_those_of_their_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """Of 32 runs in flight, each asking another question, every one has its own call, tokens and cost."""
    # The interval of the cost per pass depends on which run spent what, so it shows a single mistaken one; and
    # the tape has the calls run by run.
    with Simulator(latency=0.05 * (style != "alone")) as model:
        suite = Asking(pytester, monkeypatch, OWN_QUESTION, style=style)
        outcome = suite.run(model, "--llmrel-tape=record")
    used = {int(run): (int(into), int(out)) for run, into, out in outcome.log("run")}
    assert len(set(used.values())) > 16, "the questions must differ in their tokens"
    into, out = (sum(pair[at] for pair in used.values()) for at in (0, 1))
    assert outcome.counts() == {"passed": 24, "failed": 8}
    assert (metric(outcome, "calls"), metric(outcome, "tokens")) == (32, into + out)
    assert metric(outcome, "input") * 32 == into
    assert metric(outcome, "cost") == pytest.approx(price(into, out), rel=1e-12)
    assert metric(outcome, "cost_per_pass") == pytest.approx(price(into, out) / 24, rel=1e-12)
    per_run = outcome.test()["metrics"]["cost_per_pass"]
    expected = fieller([price(*used[run]) for run in range(32)], [run % 4 > 0 for run in range(32)])
    assert (per_run["low"], per_run["high"]) == pytest.approx(expected, rel=1e-6)
    for run, (call,) in tracks(suite.tape()).items():
        asked = call["request"]["body.messages[0].content"]
        assert asked == ("How long do I have to return an item?" + " now" * run) or asked.startswith(
            f"{37 + 4 * run} bytes"
        )
        assert f'"prompt_tokens": {used[run][0]}' in call["body"]
    assert (model.peak > 8) == (style != "alone"), "the runs were not in flight together"


def test_calls_under_xdist(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """What workers metered arrives at the controller, test by test, and adds up in its last line."""
    tests = """
@krun(6)
@pytest.mark.parametrize("calls", [1, 2, 3])
def test_a(calls):
    for _ in range(calls):
        ask()
"""
    with Simulator(latency=0) as model:
        outcome = Asking(pytester, monkeypatch, tests).run(model, "-n2", subprocess=True)
    outcome.outcomes(passed=3)
    assert [outcome.test(f"[{calls}]")["cost"]["calls"] for calls in (1, 2, 3)] == [6, 12, 18]
    assert model.served == {"ok": 36}
    assert outcome.report is not None
    assert outcome.report["suite"]["cost"]["calls"] == 36
    outcome.session.stdout.fnmatch_lines(["cost: $* (36 calls, 504 tokens in, * out)"])


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
@pytest.mark.parametrize("keyword", ["def", "async def"])
def test_a_client_that_is_imported_in_the_body(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, library: str, keyword: str
) -> None:
    """A library that nobody has imported before the first run is watched from its import on."""
    name = "Client" if keyword == "def" else "AsyncClient"
    begin, wait = ("", "") if keyword == "def" else ("async ", "await ")
    test = f"""
        import os, sys
        from pytest_llmrel import krun

        assert "{library}" not in sys.modules

        @krun(4)
        {keyword} test_a():
            import {library} as http
            body = {{"model": "gpt-4o-mini", "messages": [{{"role": "user", "content": "Hello"}}]}}
            {begin}with http.{name}(headers={{"Authorization": "Bearer any"}}, verify=False) as client:
                answer = {wait}client.post(os.environ["MODEL_URL"] + "/chat/completions", json=body)
            assert answer.json()["usage"]["prompt_tokens"] == 6
    """
    with Simulator(latency=0) as model:
        monkeypatch.setenv("MODEL_URL", model.base_url)
        arguments = (*PLAIN, "-p", "no:xdist")
        outcome = Example({"test_it.py": test}).run(pytester, *arguments, subprocess=True)
    outcome.outcomes(passed=1)
    cost = outcome.test()["cost"]
    assert (cost["calls"], cost["input_tokens"], cost["unpriced_calls"]) == (4, 24, 0)


# --- fixtures and threads -----------------------------------------------------------------------------------


@pytest.mark.parametrize("style", STYLES)
def test_calls_of_function_fixtures(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """What a fixture of the run asks, before and after the body, is the run's: it is on its track."""
    tests = """
@pytest.fixture
def shop(llmrel):
    ask(f"before {llmrel.index}")
    yield
    ask(f"after {llmrel.index}")

@krun(5)
DEF test_a(shop, llmrel):
    ASK(f"within {llmrel.index}")
"""
    with Simulator(latency=0) as model:
        suite = Asking(pytester, monkeypatch, tests, style=style)
        outcome = suite.run(model, "--llmrel-tape=record")
    outcome.outcomes(passed=1)
    assert metric(outcome, "calls") == 15
    assert "outside of any run" not in outcome.out
    asked = {
        run: [call["request"]["body.messages[0].content"] for call in calls]
        for run, calls in tracks(suite.tape()).items()
    }
    assert asked == {run: [f"before {run}", f"within {run}", f"after {run}"] for run in range(5)}


@pytest.mark.parametrize("style", STYLES)
def test_calls_of_shared_fixtures(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """A call of a module fixture is counted and priced, for the test and not for a run, and said so."""
    tests = """
@pytest.fixture(scope="module")
def shop():
    ask("Which shop is this?")

@krun(3)
DEF test_a(shop):
    ASK()
"""
    with Simulator(latency=0) as model:
        outcome = Asking(pytester, monkeypatch, tests, style=style).run(model)
    outcome.outcomes(passed=1)
    cost = outcome.test()["cost"]
    assert (cost["calls"], cost["input_tokens"], cost["idle_runs"]) == (4, 3 * 14 + 9, 0)
    assert "1 calls were made outside of any run, by shared fixtures or threads" in outcome.out


THREAD = """
@krun(3)
def test_a():
    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
"""


def test_calls_of_plain_threads(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that the test starts knows no run: its calls are counted outside of them, and said so."""
    with Simulator(latency=0) as model:
        outcome = Asking(pytester, monkeypatch, THREAD).run(model)
    cost = outcome.test()["cost"]
    assert (cost["calls"], cost["idle_runs"]) == (3, 3)
    assert "3 calls were made outside of any run, by shared fixtures or threads" in outcome.out


def test_threads_of_a_run_that_is_alone(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``concurrency=1`` there is one run only that a thread can belong to."""
    with Simulator(latency=0) as model:
        outcome = Asking(pytester, monkeypatch, THREAD, style="alone").run(model)
    cost = outcome.test()["cost"]
    assert (cost["calls"], cost["idle_runs"]) == (3, 0)
    assert "outside of any run" not in outcome.out


def test_calls_of_to_thread_and_tasks(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """``asyncio.to_thread``, tasks and task groups carry the run along, and are replayed in their order."""
    tests = """
@krun(4)
async def test_a(llmrel):
    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(aask(f"task {llmrel.index} {number}"))
    await asyncio.to_thread(ask, f"thread {llmrel.index}")
"""
    with Simulator(latency=0) as model:
        suite = Asking(pytester, monkeypatch, tests)
        outcome = suite.run(model, "--llmrel-tape=record")
    suite.run("http://127.0.0.1:9/v1", "--llmrel-tape=replay").outcomes(passed=1)
    assert metric(outcome, "calls") == 16
    assert {
        run: [call["request"]["body.messages[0].content"] for call in calls]
        for run, calls in tracks(suite.tape()).items()
    } == {run: [*(f"task {run} {number}" for number in range(3)), f"thread {run}"] for run in range(4)}


# --- what is left alone -------------------------------------------------------------------------------------


def test_nobody_is_watched_but_krun_tests(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """``send`` is the library's own in the tests before and after, whose calls are not counted."""
    tests = """
OWN = httpx.Client.send, httpx.AsyncClient.send

def sends():
    return httpx.Client.send, httpx.AsyncClient.send

def test_before():
    assert sends() == OWN
    ask()

@krun(2)
def test_a():
    assert sends()[0] is not OWN[0] and sends()[1] is not OWN[1]
    ask()

@krun(2)
def test_fails():
    raise ValueError("wrong")

def test_after():
    assert sends() == OWN
    ask()
"""
    before = httpx.Client.send, httpx.AsyncClient.send
    with Simulator(latency=0) as model:
        outcome = Asking(pytester, monkeypatch, tests).run(model)
    outcome.outcomes(passed=3, failed=1)
    assert model.served == {"ok": 4}
    assert outcome.report is not None
    assert outcome.report["suite"]["cost"]["calls"] == 2
    assert (httpx.Client.send, httpx.AsyncClient.send) == before


def test_somebody_elses_patch_is_respected(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test that replaces ``send`` itself gets its own, and afterwards the library's is back."""
    tests = """
OWN = httpx.Client.send

@krun(2)
def test_a(monkeypatch):
    ask()
    monkeypatch.setattr(httpx.Client, "send", lambda *_, **__: httpx.Response(200, json={"mine": True}))
    assert ask_anything() == {"mine": True}

def ask_anything():
    return httpx.post(to(), json={}, verify=False).json()

def test_after():
    assert httpx.Client.send is OWN
"""
    with Simulator(latency=0) as model:
        outcome = Asking(pytester, monkeypatch, tests).run(model)
    outcome.outcomes(passed=2)
    assert metric(outcome, "calls") == 2


# --- what is metered of a call ------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["threads", "async"])
def test_streams(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str) -> None:
    """A stream is passed on piece by piece as it comes, and counted when it has been read."""
    keyword, opening, reading = {
        "threads": ("def", "with httpx.Client", "for line in answer.iter_lines()"),
        "async": ("async def", "async with httpx.AsyncClient", "async for line in answer.aiter_lines()"),
    }[style]
    begin = opening.partition("with ")[0]
    tests = f"""
@krun(3)
{keyword} test_a(llmrel):
    body = asking(RETURN, stream=True, stream_options={{"include_usage": True}})
    {opening}(verify=False) as client:
        {begin}with client.stream("POST", to(), headers=HEADERS, json=body) as answer:
            lines = [line {reading}]
    assert len(lines) > 20 and lines[-2] == "data: [DONE]"
"""
    with Simulator(latency=0) as model:
        outcome = Asking(pytester, monkeypatch, tests).run(model)
    outcome.outcomes(passed=1)
    cost = outcome.test()["cost"]
    assert (cost["calls"], cost["input_tokens"], cost["unpriced_calls"]) == (3, 42, 0)
    assert cost["usd"] == pytest.approx(price(42, cost["output_tokens"]))


def test_latency_of_calls(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The latency of calls is that of the model alone, whatever else the run does; gates may name it."""
    tests = """
import time

@krun(4, gates=["call_latency_p50 <= 5", "call_latency_p95 <= 5", "latency_p50 >= 0.25"])
def test_a():
    ask()
    time.sleep(0.2)
"""
    with Simulator(latency=0.1) as model:
        outcome = Asking(pytester, monkeypatch, tests).run(model)
    outcome.outcomes(passed=1)
    assert 0.1 <= metric(outcome, "call_latency_p50") <= metric(outcome, "latency_p50") - 0.19
    assert "latency of calls: median 0." in outcome.out
