"""Baselines with pytest-xdist: the controller alone writes and judges, and nothing else is different."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from baseline_example import Scripted, fails, plain
from example import Outcome

pytest.importorskip("xdist")

NAMES = "abcdef"
WRITER = """
import os
from witness import note

def pytest_configure(config):
    from pytest_llmrel.baselines import store
    from pytest_llmrel.glue import recording
    record = store.record
    def noted(*args):
        note("wrote", "worker" if hasattr(config, "workerinput") else "controller")
        return record(*args)
    store.record = noted
"""


@pytest.fixture
def scripted(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """Six tests in two modules."""
    scripted = Scripted(pytester, monkeypatch, plain(*NAMES[:3]))
    scripted.edit({"test_o.py": plain(*NAMES[3:])})
    return scripted


def spread(scripted: Scripted, script: Any, *args: str) -> Outcome:
    """One session with two workers."""
    return scripted.run(script, "-n2", *args, subprocess=True)


def contents(scripted: Scripted) -> Any:
    """What is recorded, without ids and times."""
    tests = {**scripted.entries(), **scripted.entries("test_o")}
    return {
        name: (
            entry["content"],
            entry["provenance"],
            [(batch["cells"], batch["scores"]) for batch in entry["batches"]],
        )
        for name, entry in tests.items()
    }


def verdicts(outcome: Outcome) -> Any:
    """What was judged, without what differs from session to session."""
    baselines = {
        name: {**test["baseline"], "batches": None, "batch": None} for name, test in outcome.tests.items()
    }
    findings = {name: (test["verdict"], test["findings"]) for name, test in outcome.tests.items()}
    suite = {key: value for key, value in outcome.report["suite"].items() if not key.startswith("latency_")}
    return findings, baselines, suite


@pytest.mark.parametrize("dist", ["load", "loadfile", "worksteal"])
def test_workers_change_nothing(scripted: Scripted, dist: str) -> None:
    """Same baseline, verdicts, drift, names and exit status as in one process; the controller writes."""
    alike = dict.fromkeys(NAMES, "p")
    other = {**alike, "b": "f", "c": "ppppppppff" + fails(10, 30), "e": "ppppppppff"}
    scripted.run(alike, "--llmrel-baseline=new")
    scripted.run(other, "--llmrel-baseline=update", "--junitxml=one.xml")
    one = scripted.run(other)
    expected = contents(scripted)
    for module in ("test_it", "test_o"):
        scripted.file(module).unlink()
    scripted.edit({"conftest.py": WRITER})
    how = f"--dist={dist}"
    first = spread(scripted, alike, how, "--llmrel-baseline=new").outcomes(passed=6)
    assert first.log("wrote") == [["controller"]] * 2
    assert first.out.count("3 of 3 baselines recorded") == 2
    second = spread(scripted, other, how, "--llmrel-baseline=update", "--junitxml=two.xml")
    assert contents(scripted) == expected
    two = spread(scripted, other, how)
    assert verdicts(two) == verdicts(one)
    assert (second.ret, two.ret, one.ret) == (1, 1, 1)
    assert two.log("wrote") == []
    assert two.out.count("FAILED llmrel::regression") == 1
    assert two.out.count("look at:") == one.out.count("look at:")
    cases = [
        sorted((case.get("classname"), case.get("name"), len(list(case))) for case in tree.iter("testcase"))
        for tree in (ET.parse(scripted.path / f"{name}.xml") for name in ("one", "two"))  # noqa: S314 (our own)
    ]
    assert cases[0] == cases[1]


def test_what_is_unused_is_said_once(scripted: Scripted) -> None:
    """Every worker collects everything, and the controller reports it one time."""
    scripted.run(dict.fromkeys(NAMES, "p"), "--llmrel-baseline=new")
    scripted.edit({"test_it.py": plain("a", "b"), "test_o.py": plain("d", "e", "f")})
    for args in ((), ("-k", "test_a")):
        outcome = spread(scripted, dict.fromkeys(NAMES, "p"), *args)
        assert outcome.report["suite"]["unused"] == [
            {"file": "__baselines__/test_it.json", "entry": "test_c"}
        ]
        assert outcome.out.count("unused baselines: ") == 1


def test_a_crashing_worker_records_nothing_of_its_test(scripted: Scripted) -> None:
    """The test that took the worker with it has no batch, the others have, and the session is red."""
    crash = "\n@krun(10)\ndef test_z(llmrel):\n    import os\n    os._exit(3)\n"
    scripted.edit({"test_it.py": plain("a", "b", "c") + crash})
    outcome = spread(scripted, dict.fromkeys(NAMES, "p"), "--llmrel-baseline=new")
    assert outcome.ret == 1
    assert sorted({**scripted.entries(), **scripted.entries("test_o")}) == [f"test_{name}" for name in NAMES]
    assert outcome.report["suite"]["unused"] == []


def test_a_damaged_baseline_with_workers(scripted: Scripted) -> None:
    """Errors as in one process, nothing overwritten, and the other module is recorded."""
    scripted.run(dict.fromkeys(NAMES, "p"), "--llmrel-baseline=new")
    scripted.file().write_text("<<<<<<< HEAD\n")
    outcome = spread(scripted, dict.fromkeys(NAMES, "p"), "--llmrel-baseline=update").outcomes(
        passed=3, errors=3
    )
    assert outcome.ret == 1
    assert scripted.file().read_text() == "<<<<<<< HEAD\n"
    assert scripted.counts("test_d", "test_o") == [(50, 50), (10, 10)]


def test_mistakes_of_the_session_with_workers(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong provenance hook and an update under CI run nothing."""
    scripted.edit({"conftest.py": "def pytest_llmrel_provenance(item):\n    return 'm'\n"})
    wrong = spread(scripted, "p")
    assert wrong.ret not in (0, 5)
    assert "hook pytest_llmrel_provenance returned" in wrong.out + wrong.err
    scripted.edit({"conftest.py": ""})
    monkeypatch.setenv("CI", "true")
    refused = spread(scripted, "p", "--llmrel-baseline=update")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    assert "is refused where CI=true" in refused.err
    assert wrong.log("call") == refused.log("call") == []


def test_a_test_that_two_workers_run(scripted: Scripted) -> None:
    """With --dist=each a test has one batch: that of the result that came last."""
    outcome = scripted.run(
        dict.fromkeys(NAMES, "p"), "--dist=each", "--tx=2*popen", "--llmrel-baseline=new", subprocess=True
    )
    assert outcome.ret == 0
    assert scripted.counts() == [(50, 50)]
    again = scripted.run(dict.fromkeys(NAMES, "p"), "--dist=each", "--tx=2*popen", subprocess=True)
    assert again.report["suite"]["compared"] == 6
