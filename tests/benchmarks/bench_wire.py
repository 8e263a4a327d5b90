"""What seeing every call costs: metering, pricing, tapes, and a bad day of the provider; ``python tests/benchmarks/bench_wire.py``.

The simulator is a process of its own and the tests are whole pytest processes, whose items' durations are what
is divided by the calls; compared processes take turns. Wants a quiet machine and takes about ten minutes.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SERVER = """
import json, sys
from pytest_llmrel.simulator import Simulator
with Simulator(**json.loads(sys.argv[1])) as simulator:
    print(simulator.root_url, flush=True)
    sys.stdin.read()
    print(json.dumps({"served": simulator.served, "peak": simulator.peak}), flush=True)
"""
CONFTEST = """
import json, os, time
from contextlib import nullcontext
import httpx2, pytest
KEY = {"authorization": "Bearer sk-of-nobody"}
seconds, busy = {}, {}

def pytest_configure(config):
    if os.environ["BENCH_SEAM"] == "off":  # the same session, and nobody looks at what goes over HTTP
        import pytest_llmrel.glue.wire
        pytest_llmrel.glue.wire.watched_clients = lambda begin: nullcontext()

def pytest_runtest_logreport(report):
    if report.when == "call":
        seconds[report.nodeid.partition("::")[2]] = report.duration

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    began = time.process_time()
    yield
    busy[item.name] = time.process_time() - began

def pytest_unconfigure():
    with open(os.environ["BENCH_OUT"], "w") as file:
        json.dump({"seconds": seconds, "busy": busy}, file)

@pytest.fixture
def asked(llmrel):  # of a hundred lengths
    words = "Can I return this?" + " really," * (llmrel.index % 100)
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": words}]}

@pytest.fixture(scope="module")
def url():
    return os.environ["BENCH_URL"] + "/v1/chat/completions"

@pytest.fixture(scope="module")
def client():
    with httpx2.Client(timeout=60, headers=KEY) as client:
        yield client

@pytest.fixture(scope="module")
def aclient():
    return httpx2.AsyncClient(timeout=60, headers=KEY, limits=httpx2.Limits(max_connections=None))
"""
TESTS = """
from pytest_llmrel import krun

@krun({k}, concurrency={concurrency}, gates=["pass_rate >= 0.8"], stop="never")
def test_def(client, url, asked):
    response = client.post(url, json=asked)
    response.raise_for_status()
    assert "30 days" in response.json()["choices"][0]["message"]["content"]

@krun({k}, concurrency={concurrency}, gates=["pass_rate >= 0.8"], stop="never")
async def test_async(aclient, url, asked):
    response = await aclient.post(url, json=asked)
    response.raise_for_status()
    assert "30 days" in response.json()["choices"][0]["message"]["content"]
"""
FAULTS = {"429": 0.07, "500": 0.07, "reset": 0.06, "retry_after": 0}
Row = tuple[str, str, str]


@contextmanager
def server(**options: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """A simulator: its address, and a function that ends it and says what it has served."""
    command = [sys.executable, "-c", SERVER, json.dumps(options)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().strip(), lambda: json.loads(process.communicate()[0])
        if process.poll() is None:
            process.communicate()


def folder_with(root: Path, name: str, k: int, concurrency: int) -> Path:
    """A folder with the two tests."""
    folder = root / name
    folder.mkdir()
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(TESTS.format(k=k, concurrency=concurrency))
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


def measured(folder: Path, url: str, *arguments: str, seam: str = "on") -> dict[str, dict[str, float]]:
    """How long the call of each test took in one pytest process, and how long the processor was busy with it."""
    out = folder / "bench.json"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", *arguments]
    environment = {**os.environ, "BENCH_OUT": str(out), "BENCH_URL": url, "BENCH_SEAM": seam}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return json.loads(out.read_text())


def metering(root: Path, repeats: int) -> Iterator[Row]:
    """Processor time that a call takes more than in a session that does not look."""
    k = 2000
    for concurrency in (1, 32):
        folder = folder_with(root, f"metering{concurrency}", k, concurrency)
        with server(latency=0) as (url, _):
            pairs = [
                (measured(folder, url, seam="off")["busy"], measured(folder, url)["busy"])
                for _ in range(repeats + 1)
            ][1:]
        for test in pairs[0][0]:
            off, on = ([pair[kind][test] / k * 1e6 for pair in pairs] for kind in (0, 1))
            low, middle, high = quartiles([one - other for one, other in zip(on, off, strict=True)])
            label = f"{test}, {concurrency} in flight, processor time added to a call"
            yield (
                f"{label} of {min(off):.0f} us, fastest of {repeats} each",
                f"{min(on) - min(off):.0f} us",
                "100 us",
            )
            shown = f"{middle:.0f} us (quartiles {low:.0f} to {high:.0f})"
            yield f"{label} of {statistics.median(off):.0f} us, median of {repeats} pairs", shown, "100 us"


def quartiles(values: list[float]) -> list[float]:
    """Three of them, of at least one value."""
    return statistics.quantiles(values, n=4) if len(values) > 1 else values * 3


def meter_alone(repeats: int) -> Iterator[Row]:
    """The function that meters and prices, with answers of the simulator that differ in their tokens."""
    from pytest_llmrel.wire.session import SessionWire
    from pytest_llmrel.wire.steps import Head, Request

    calls = 20_000
    with server(latency=0) as (url, _):
        kinds = {kind: answer(url, *asked) for kind, asked in ASKED.items()}
    for kind, (path, sent, content_type, body) in kinds.items():
        head = Head(200, (("content-type", content_type),))
        request = Request("POST", f"http://127.0.0.1{path}", (), sent)
        number = re.compile(rb'("(?:prompt_tokens|input_tokens|promptTokenCount)": )\d+')
        for different in (100, calls):
            bodies = [number.sub(rb"\g<1>%d" % (10 + index % different), body) for index in range(calls)]
            figures = []
            for _ in range(repeats):
                wire, began = SessionWire(), time.perf_counter()
                for one in bodies:
                    wire.meter(request, head, one, 0.1, judge=False)
                figures.append((time.perf_counter() - began) / calls * 1e6)
            label = f"metered and priced, {calls} calls of {different} different usages: {kind}, {len(body):,} bytes"
            yield label, f"{statistics.median(figures):.0f} us", "100 us"


def seam_alone(repeats: int) -> Iterator[Row]:
    """All that is added to a call, with a client whose answers come from memory, at once or after a millisecond.

    Who waits for a server does not find the processor's caches as it left them, which is what tells a session
    from a loop.
    """
    import httpx2

    from pytest_llmrel.wire.course import course_of
    from pytest_llmrel.wire.internals import watched_clients
    from pytest_llmrel.wire.run import RunWire
    from pytest_llmrel.wire.session import SessionWire
    from pytest_llmrel.wire.tape import Recorder

    with server(latency=0) as (url, _):
        path, _, content_type, body = answer(url, *ASKED["chat"])
    pause, session, calls = 0.0, SessionWire(), 1000
    headers = {"content-type": content_type, "x-request-id": "req_248041a5baee384f", "server": "simulator"}

    def respond(_: Any) -> Any:
        if pause:
            time.sleep(pause)
        return httpx2.Response(200, headers=headers, stream=httpx2.ByteStream(body))

    client = httpx2.Client(
        transport=httpx2.MockTransport(respond), headers={"authorization": "Bearer sk-none"}
    )

    def busy() -> float:
        began = time.process_time()
        for _ in range(calls):
            client.post(f"http://127.0.0.1{path}", json=CHAT)
        return (time.process_time() - began) / calls * 1e6

    for pause in (0.0, 0.001):
        unseen, seen, recorded = [], [], []
        for _ in range(repeats * 3 + 1):
            unseen.append(busy())
            with watched_clients(lambda request: course_of(RunWire(session), request)):
                seen.append(busy())
            with watched_clients(lambda request: course_of(RunWire(session, recorder=Recorder()), request)):
                recorded.append(busy())
        waiting = f"answers after {pause * 1e3:g} ms" if pause else "answers at once"
        for what, found, goal in (("metered", seen, "100 us"), ("metered and recorded", recorded, "")):
            figures = quartiles([one - other for one, other in zip(found[1:], unseen[1:], strict=True)])
            yield f"all that is added to a call, alone, {waiting}, {what}", f"{figures[1]:.0f} us", goal


TURNS = [{"role": "user", "content": "Can I return this?"}]
CHAT = {"model": "gpt-4o-mini", "messages": TURNS}
ASKED = {
    "chat": ("/v1/chat/completions", CHAT),
    "chat, streamed": (
        "/v1/chat/completions",
        {**CHAT, "stream": True, "stream_options": {"include_usage": True}},
    ),
    "messages": ("/v1/messages", {"model": "claude-haiku-4-5", "max_tokens": 99, "messages": TURNS}),
    "Gemini": (
        "/v1beta/models/gemini-2.5-flash:generateContent",
        {"contents": [{"parts": [{"text": "Hello"}]}]},
    ),
}


def answer(url: str, path: str, asked: dict[str, Any]) -> tuple[str, bytes, str, bytes]:
    """What the simulator says."""
    import httpx2

    headers = {
        "authorization": "Bearer k",
        "x-api-key": "k",
        "x-goog-api-key": "k",
        "anthropic-version": "2023-06-01",
    }
    response = httpx2.post(f"{url}{path}", json=asked, headers=headers).raise_for_status()
    return path, response.request.content, response.headers["content-type"], response.content


def tapes(root: Path, repeats: int) -> Iterator[Row]:
    """Calls a second while recording, and while replaying, of tapes of one call a run."""
    k = 5000
    folder = folder_with(root, "tapes", k, 32)
    bare, recorded, replayed = [], [], []
    for _ in range(repeats):
        for tape in folder.rglob("*.jsonl"):
            tape.unlink()
        with server(latency=0) as (url, _):
            bare.append(measured(folder, url, seam="off")["seconds"])
            recorded.append(measured(folder, url, "--llmrel-tape=record")["seconds"])
        replayed.append(measured(folder, url, "--llmrel-tape=replay")["seconds"])
    for what, found, goal in (
        ("unseen", bare, ""),
        ("recorded", recorded, "1000/s"),
        ("replayed", replayed, "3000/s"),
    ):
        for test in found[0]:
            median, best = (k / pick(one[test] for one in found) for pick in (statistics.median, min))
            yield f"{test}, 32 in flight, {what}", f"{median:,.0f}/s (best of {repeats}: {best:,.0f})", goal


def bad_day(root: Path, repeats: int, latency: float = 0.02) -> Iterator[Row]:
    """A fifth of all requests fails: what becomes of runs, verdicts, retries and time."""
    k = 10_000
    folder = folder_with(root, "faults", k, 64)
    days = {
        "no faults": {},
        "14 % 500, 6 % reset": {"500": 0.14, "reset": 0.06},
        "7 % 429, 7 % 500, 6 % reset": FAULTS,
    }
    for day, faults in days.items():
        figures = [one_day(folder, latency, faults) for _ in range(repeats)]
        for key in figures[0]:
            values = [figure[key] for figure in figures]
            shown = values[0] if isinstance(values[0], str) else figure(values)
            yield f"{k} runs, 64 in flight, {latency * 1e3:.0f} ms, {day}: {key}", shown, ""


def figure(values: list[float]) -> str:
    """The median, counts in full."""
    is_count = all(isinstance(value, int) for value in values)
    return f"{statistics.median_low(values):,}" if is_count else f"{statistics.median(values):.3g}"


def one_day(folder: Path, latency: float, faults: dict[str, Any]) -> dict[str, Any]:
    """The account of one session, compared with that of the server."""
    document = folder / "report.json"
    with server(latency=latency, faults=faults) as (url, end):
        seconds = measured(folder, url, f"--llmrel-json={document}", "-k", "async")["seconds"]
        said = end()
    (test,) = json.loads(document.read_text())["tests"]
    cost, requests = test["cost"], sum(said["served"].values())
    ended = sum(test[outcome] for outcome in ("passed", "failed", "errors"))
    if (test["runs"], test["unfinished"], cost["calls"]) != (ended, 0, requests):
        raise SystemExit(f"lost or counted twice: {test['runs']} runs, {cost} of {said}")
    return {
        "verdict": test["verdict"],
        "runs": ended,
        "passed": test["passed"],
        "failed": test["failed"],
        "errors": test["errors"],
        "calls seen, all that the server served": requests,
        "retries per run": cost["retries"] / test["runs"],
        "most in flight at the server": said["peak"],
        "seconds": seconds["test_async"],
    }


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="processes per figure")
    parser.add_argument("--only", choices=["metering", "alone", "tapes", "faults"], help="one part of it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        parts = {
            "metering": lambda: metering(root, options.repeats),
            "alone": lambda: [*seam_alone(options.repeats), *meter_alone(options.repeats)],
            "tapes": lambda: tapes(root, options.repeats),
            "faults": lambda: bad_day(root, max(1, options.repeats // 2)),
        }
        rows = [row for part, rows in parts.items() if options.only in {None, part} for row in rows()]
    import httpx2
    import pytest

    sys.stdout.write(
        f"{platform.python_implementation()} {platform.python_version()}, pytest {pytest.__version__}, "
    )
    sys.stdout.write(f"httpx2 {httpx2.__version__}, {os.cpu_count()} cores, {platform.machine()}\n")
    for row in rows:
        sys.stdout.write(f"| {' | '.join(row)} |\n")


if __name__ == "__main__":
    main()
