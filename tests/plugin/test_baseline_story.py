"""The story of a team: record a baseline, live with the noise of an unchanged model, catch a worse one."""

import json
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from example import Example

SESSIONS = 200
MOST_RED = 8
"""Of 200 sessions at alpha .01: more would happen less than once in a thousand such stories."""
RATES = [1.0] * 5 + [0.95] * 4 + [0.9] * 3 + [0.8] * 3
WORSE = {4: 0.1, 7: 0.05, 13: 0.0}
"""Tests that the degraded model passes less often: one that always passed, one of 95 %, one of 80 %."""

SUITE = f"""
import os
from random import Random
import pytest
from pytest_llmrel import krun

RATES = {RATES}

@krun(10, concurrency=1)
@pytest.mark.parametrize("number", range(len(RATES)))
def test_model(number, llmrel):
    worse = dict(pair.split("=") for pair in os.environ["WORSE"].split())
    rate = float(worse.get(str(number), RATES[number]))
    assert Random(os.environ["SALT"] + str(llmrel.seed)).random() < rate
"""
DRIVER = """
import contextlib, io, json, os, sys
import pytest

done = []
for salt, worse, args in json.load(open("sessions.json")):
    os.environ.update(SALT=salt, WORSE=worse)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        ret = int(pytest.main(["-q", "-p", "no:cacheprovider", "-p", "llmrel", "--llmrel-json=r.json", *args]))
    report = json.load(open("r.json"))
    found = {test["nodeid"]: test["verdict"] for test in report["tests"]}
    done.append({"ret": ret, "suite": report["suite"], "verdicts": found, "runs": sum(
        test["runs"] + ((test["baseline"]["comparison"] or {}).get("escalation") or {"runs": 0})["runs"]
        for test in report["tests"]), "said": said.getvalue()})
json.dump(done, open("done.json", "w"))
"""
Sessions = Sequence[tuple[str, str, Sequence[str]]]


@dataclass
class Team:
    """The suite in its directory, and sessions that are run one after the other in one process."""

    pytester: pytest.Pytester

    def live(self, sessions: Sessions) -> list[dict[str, Any]]:
        """What came of each session: salt of the noise, what is worse, and pytest's arguments."""
        path = self.pytester.path
        Example({"test_it.py": SUITE, "driver.py": DRIVER}).write(path)
        (path / "sessions.json").write_text(json.dumps(sessions), encoding="utf-8")
        done = self.pytester.run(sys.executable, "driver.py", timeout=300)
        assert done.ret == 0, done.stderr.str()
        return json.loads((path / "done.json").read_text(encoding="utf-8"))

    @property
    def file(self) -> Path:
        """Its baselines."""
        return self.pytester.path / "__baselines__" / "test_it.json"


@pytest.fixture
def team(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Team:
    """A team whose machine is no CI, with quick sessions."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return Team(pytester)


def node_ids(numbers: Sequence[int]) -> list[str]:
    """Of the tests with these numbers."""
    return [f"test_it.py::test_model[{number}]" for number in numbers]


@pytest.mark.slow
def test_an_unchanged_model_is_green(team: Team) -> None:
    """200 sessions at alpha .01: at most 8 are red, the baseline stays, and few runs are made twice."""
    recorded, *done = team.live(
        [("record", "", ["--llmrel-baseline=new"]), *((f"salt {n}", "", []) for n in range(SESSIONS))]
    )
    assert recorded["ret"] == 0
    assert recorded["runs"] == 50 * len(RATES)
    red = [session for session in done if session["ret"] != 0]
    assert len(done) == SESSIONS
    assert len(red) <= MOST_RED, [session["said"] for session in red]
    assert all(session["suite"]["compared"] == len(RATES) for session in done)
    assert all(session["ret"] == (session["suite"]["verdict"] != "PASS") for session in done)
    runs = sum(session["runs"] for session in done) / SESSIONS / len(RATES)
    assert 10 <= runs <= 10 * 1.2, "statistics 2.4: escalation costs up to 14 % more runs"


def test_a_degraded_model_is_caught(team: Team) -> None:
    """Red in every session, with exactly the tests that are worse by name; the others stay green."""
    worse = " ".join(f"{number}={rate}" for number, rate in WORSE.items())
    sessions = [(f"salt {n}", worse, ["--junitxml=j.xml"]) for n in range(5)]
    recorded, *done = team.live([("record", "", ["--llmrel-baseline=new"]), *sessions])
    before = team.file.read_bytes()
    assert recorded["ret"] == 0
    for session in done:
        assert session["ret"] == 1
        assert sorted(session["suite"]["named"]) == sorted(node_ids(list(WORSE)))
        assert session["suite"]["verdict"] == "FAIL"
        failed = [nodeid for nodeid, verdict in session["verdicts"].items() if verdict == "FAIL"]
        assert sorted(failed) == sorted(node_ids(list(WORSE)))
        assert all(f"FAILED {nodeid}" in session["said"] for nodeid in [*failed, "llmrel::regression"])
        assert "look at:" in session["said"]
    tree = ET.parse(team.pytester.path / "j.xml")  # noqa: S314 (our own)
    cases = {(case.get("classname"), case.get("name")): case for case in tree.iter("testcase")}
    suite = cases[("llmrel", "regression")].find("failure")
    assert suite is not None
    said = f"{suite.get('message')}{suite.text}"
    assert [nodeid for nodeid in node_ids(range(len(RATES))) if nodeid in said] == node_ids(list(WORSE))
    assert len(cases) == len(RATES) + 1
    assert team.file.read_bytes() == before


def test_a_story_of_updates(team: Team) -> None:
    """New, then updates: the comparison gets sharper, a fall that was seen stays seen, reset accepts it."""
    told = team.live([
        ("record", "", ["--llmrel-baseline=new", "--llmrel-baseline-runs=10"]),
        *((f"salt {n}", "", ["--llmrel-baseline=update"]) for n in range(6)),
        ("bad", "0=0.5", []),
        ("bad", "0=0.5", ["--llmrel-baseline=reset"]),
        ("bad again", "0=0.5", []),
    ])  # fmt: skip
    assert "weakly guarded" in told[1]["said"]
    assert "weakly guarded" not in told[6]["said"]
    *growing, bad, reset, accepted = told
    assert [session["ret"] for session in growing] == [0] * 7, [session["said"] for session in growing]
    assert (bad["ret"], bad["suite"]["named"]) == (1, node_ids([0]))
    assert (reset["ret"], accepted["ret"]) == (0, 0), accepted["said"]
    assert len(json.loads(team.file.read_text())["tests"]["test_model[0]"]["batches"]) == 1
