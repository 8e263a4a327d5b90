"""Hunts in whole pytest sessions against the simulator; ``python tests/benchmarks/bench_hunt_sessions.py``.

One session of many tests a row; the seed of a hunt comes from its node id. Takes about a minute.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import fmean
from typing import Any

from pytest_llmrel.simulator import Simulator
from pytest_llmrel.simulator.persona import Model, Persona, Sensitive, Topic

CALLS = 120
QUESTION = "How long does a customer have for a return?"
PLANTED = {
    "lower-cased questions": r"^[^A-Z]*$",
    "a typo in one word": r"^(?!.*(?i:customer))",
    "a trailing courtesy": r"(?i)(thanks?|thank you|please)\W*$",
}
NOTHING = r"^\b$"
TESTS = """
import os, httpx, pytest
from pytest_llmrel import krun, paraphrase

@pytest.mark.parametrize("seed", range({seeds}))
@krun(5, concurrency=8)
@paraphrase("question", {question!r})
def test_it(question, seed):
    asked = {{"model": "gpt-4o-mini", "messages": [{{"role": "user", "content": question}}]}}
    # No certificate is looked at, and reading all of them takes longer than the call.
    answer = httpx.post(os.environ["MODEL_URL"], json=asked, headers={{"authorization": "Bearer any"}}, verify=False)
    answer.raise_for_status()
    assert "30 days" in answer.json()["choices"][0]["message"]["content"]
"""


def stumbling(wording: str, pass_rate: float) -> Persona:
    """A persona that is never right where this wording is found."""
    sensitive = (Sensitive(re.compile(wording), 0.0),)
    right, wrong = ("Within 30 days.",), ("Within 14 days.",)
    topic = Topic("returns", (re.compile("."),), right, wrong, pass_rate, sensitive)
    return Persona("shop", (Model("gpt-4o-mini"),), (topic,), "I do not know.")


def hunted(wording: str, pass_rate: float, seeds: int) -> tuple[list[dict[str, Any]], int]:
    """What each hunt of a session found, and the requests that the simulator has served."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pytest.ini").write_text("[pytest]\n")
        Path(folder, "test_it.py").write_text(TESTS.format(seeds=seeds, question=QUESTION))
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--tb=no",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:asyncio",
        ]
        command += [f"--llmrel-hunt={CALLS}", "--llmrel-json=report.json"]
        with Simulator(stumbling(wording, pass_rate), latency=0) as model:
            environ = {**os.environ, "MODEL_URL": f"{model.root_url}/v1/chat/completions"}
            subprocess.run(command, cwd=folder, env=environ, capture_output=True, check=False)
        tests = json.loads(Path(folder, "report.json").read_text())["tests"]
        return [test["hunt"] for test in tests], model.requests


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="hunts a row")
    seeds = parser.parse_args().seeds
    rows = [(name, wording, 0.998) for name, wording in PLANTED.items()]
    rows += [("nothing", NOTHING, rate) for rate in (1.0, 0.95, 0.9, 0.8)]
    for name, wording, rate in rows:
        hunts, requests = hunted(wording, rate, seeds)
        if sum(hunt["calls"] for hunt in hunts) != requests:
            raise SystemExit(
                f"{name}: the calls of the hunts are not the {requests} requests that were served"
            )
        found = [hunt for hunt in hunts if hunt["broken"]]
        single = sum(hunt["shrunk"] and len(hunt["broken"]["edits"]) == 1 for hunt in found)
        calls = [hunt["calls"] for hunt in hunts]
        counted = f"found {len(found)} of {len(hunts)}, single edit {single}"
        sys.stdout.write(f"{name}, usual {rate}: {counted}, calls {fmean(calls):.1f} (most {max(calls)})\n")


if __name__ == "__main__":
    main()
