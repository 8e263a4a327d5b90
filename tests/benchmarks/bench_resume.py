"""Random ``kill -9`` of whole pytest sessions, each resumed; ``python tests/benchmarks/bench_resume.py --kills 200``.

A model in this process counts the calls of every run. After each kill: what is in the ledger is never called for
again, and no more calls are lost than were in flight. Sessions are killed until one ends by itself; what that says
must be what an undisturbed session said. Any difference ends the script with an error. Also measures what a run costs.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

from pytest_llmrel.core.call import Call, Traffic, Usage
from pytest_llmrel.core.model import Attempt, Outcome, Sample, Variant
from pytest_llmrel.core.seed import run_seed
from pytest_llmrel.ledger.codec import encode
from pytest_llmrel.ledger.journal import Journal
from pytest_llmrel.wire.redaction import Redactor

RUNS = 20
CONCURRENCY = 4
IN_FLIGHT = 8
"""Over a session, whatever test they are of and whatever worker makes them."""
TESTS = ("test_threads", "test_loop", "test_stops", "test_alone")
SUITE = f"""
import os

import httpx
from pytest_llmrel import krun

URL = os.environ["MODEL_URL"]
BODY = {{"model": "gpt-4o-mini", "messages": [{{"role": "user", "content": "?"}}]}}

def ask(name, run):
    answer = httpx.post(f"{{URL}}/{{name}}/{{run}}/v1/chat/completions", json=BODY, verify=False)
    answer.raise_for_status()

@krun({RUNS}, pass_rate=0.5, stop="never", concurrency={CONCURRENCY})
def test_threads(llmrel):
    ask("test_threads", llmrel.index)
    llmrel.score("tone", llmrel.index / {RUNS})
    assert llmrel.index % 3, f"run {{llmrel.index}}"

@krun({RUNS}, gates=["pass_rate >= 0.5", "cost <= 10"], concurrency={CONCURRENCY})
async def test_loop(llmrel):
    async with httpx.AsyncClient(verify=False) as client:
        await client.post(f"{{URL}}/test_loop/{{llmrel.index}}/v1/chat/completions", json=BODY)
    assert llmrel.index % 5

@krun({RUNS}, pass_rate=0.6, concurrency={CONCURRENCY})
def test_stops(llmrel):
    ask("test_stops", llmrel.index)
    assert llmrel.index % 4

@krun({RUNS // 2}, concurrency=1)
def test_alone(llmrel):
    ask("test_alone", llmrel.index)
"""
ANSWER = json.dumps(
    {
        "object": "chat.completion",
        "model": "gpt-4o-mini",
        "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }
).encode()
SEEDS = {run_seed(f"test_it.py::{name}", "", "", run): (name, run) for name in TESTS for run in range(RUNS)}

Run = tuple[str, int]


class Model(ThreadingHTTPServer):
    """Answers after some milliseconds, and counts the calls of every run."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls = Counter[Run]()
        self.called = threading.Event()
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_: object) -> None:
        """Whoever was killed does not take its answer."""


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    server: Model
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Count and answer."""
        self.rfile.read(int(self.headers["content-length"]))
        _, name, run, *_ = self.path.split("/")
        with self.server.lock:
            self.server.calls[name, int(run)] += 1
        self.server.called.set()
        time.sleep(random.uniform(0.005, 0.02))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass
class Tally:
    """What the kills came to."""

    kills: int = 0
    chains: int = 0
    finished: int = 0
    lost_calls: list[int] = field(default_factory=list)


def session(folder: Path, model: Model, *args: str) -> "subprocess.Popen[bytes]":
    """A pytest session in processes of its own."""
    only_ours = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_llmrel.plugin,xdist.plugin"}
    common = (f"--llmrel-json={folder / 'report.json'}", f"--llmrel-concurrency={IN_FLIGHT}")
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", *common, *args],
        cwd=folder,
        env={**os.environ, **only_ours, "MODEL_URL": f"http://127.0.0.1:{model.server_port}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def said(folder: Path) -> Mapping[str, Any]:
    """What a session says of its tests, without times, and without ids that are new each time."""
    tests = json.loads((folder / "report.json").read_text())["tests"]
    return {test["nodeid"]: dict(_without_times(test)) for test in tests}


def _without_times(test: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in test.items():
        if name == "metrics":
            yield name, {key: each for key, each in value.items() if "latency" not in key}
        elif name not in {"baseline", "latency_buckets"}:
            yield name, value


def in_ledger(folder: Path) -> set[Run]:
    """The runs that the ledger holds, read with no code of ours."""
    files = (folder / ".pytest_cache" / "llmrel").glob("*.jsonl")
    lines = [line for file in files for line in file.read_bytes().splitlines(keepends=True)]
    runs = [json.loads(line[9:]) for line in lines if line[9:10] == b"[" and line.endswith(b"\n")]
    return {SEEDS[seed] for _, seed, _ in runs}


def chain(
    folder: Path, model: Model, tally: Tally, most: int, seconds: float, *args: str
) -> Mapping[str, Any]:
    """Kill sessions at random moments until one ends by itself; what that one says."""
    shutil.rmtree(folder / ".pytest_cache", ignore_errors=True)
    model.calls.clear()
    known: dict[Run, int] = {}
    lost = 0
    while True:
        resume = ("--llmrel-resume",) if (folder / ".pytest_cache" / "llmrel").exists() else ()
        model.called.clear()
        process = session(folder, model, *args, *resume)
        try:
            output, _ = process.communicate(timeout=moment(model, seconds) if tally.kills < most else None)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            tally.kills += 1
        else:
            if process.returncode:
                raise SystemExit(output.decode())
            check(known, model)
            tally.chains += 1
            return said(folder)
        time.sleep(0.05)  # what was sent before the kill has arrived by then
        check(known, model)
        calls, known = Counter(model.calls), {run: model.calls[run] for run in in_ledger(folder)}
        wasted = calls.total() - len(known) - lost
        if wasted > IN_FLIGHT:
            raise SystemExit(f"{wasted} calls are in no ledger, and {IN_FLIGHT} were in flight at most")
        lost += wasted
        tally.lost_calls.append(wasted)
        tally.finished = max(tally.finished, len(known))


def moment(model: Model, seconds: float) -> float:
    """Seconds until a kill: at any time in one of five sessions, in the others while runs are being made."""
    if random.random() < 0.2:
        return seconds * random.random()
    model.called.wait(seconds)
    return random.random()


def check(known: Mapping[Run, int], model: Model) -> None:
    """No run that was in the ledger was made again."""
    twice = {run: model.calls[run] for run, before in known.items() if model.calls[run] != before}
    if twice:
        raise SystemExit(f"made again although they were in the ledger: {twice}")


def microseconds_a_run(folder: Path) -> float:
    """Processor time to encode, clean and append a passing run with one call; median of five."""
    usage = Usage("gpt-4o-mini", 312, 45, units=(("input_tokens", 312), ("output_tokens", 45)))
    call = Call("api.openai.com", "/v1/chat/completions", 200, 0.2, usage, 0.00012)
    sample = Sample(Attempt("", Variant(), 3, 7), Outcome.PASSED, 0.2, traffic=Traffic((call,)))
    redactor, taken, runs = Redactor(os.environ), [], 20_000
    redactor.learn("a key of nobody")
    for turn in range(5):
        journal = Journal(folder / f"cost-{turn}", {"ledger": 1})
        began = time.thread_time()
        for _ in range(runs):
            journal.append([1, 7, redactor.clean_data(encode(sample))])
        taken.append((time.thread_time() - began) / runs * 1e6)
        journal.close()
        journal.path.unlink()
    return median(taken)


def main() -> None:
    """Kill, resume, compare; then print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--workers", type=int, default=0, help="of xdist")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    random.seed(chosen.seed)
    args = (f"-n{chosen.workers}",) if chosen.workers else ()
    model, tally = Model(), Tally()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "test_it.py").write_text(SUITE)
        print(f"{microseconds_a_run(folder):.0f} us to write a passing run with one call down")
        chain(folder, model, Tally(), 0, 0.0, *args)  # files in memory, byte code on disk
        began = time.monotonic()
        undisturbed = chain(folder, model, Tally(), 0, 0.0, *args)
        seconds = time.monotonic() - began
        while tally.kills < chosen.kills:
            resumed = chain(folder, model, tally, chosen.kills, 1.1 * seconds, *args)
            for nodeid, before in undisturbed.items():
                differing = [key for key, value in before.items() if resumed[nodeid][key] != value]
                if differing:
                    pairs = [f"{key}: {before[key]} / {resumed[nodeid][key]}" for key in differing]
                    raise SystemExit(f"{nodeid} differs from an undisturbed session: {pairs}")
    lost = tally.lost_calls
    print(
        f"{tally.kills} kills in {tally.chains} chains of sessions ({seconds:.1f} s each if undisturbed); all "
        f"results equal; no run in a ledger made again; calls lost at a kill: {sum(lost) / len(lost):.2f} on "
        f"average, {max(lost)} at most"
    )


if __name__ == "__main__":
    main()
