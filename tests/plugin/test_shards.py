"""``--llmrel-shard`` and ``llmrel merge``: parts of a suite on several machines, judged as one session would."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from baseline_example import Scripted, fails, plain

from pytest_llmrel.cli.main import main

NAMES = "abcdef"
PLAIN_TESTS = {
    "test_plain.py": "from witness import note\n\ndef test_x(): note('plain', 'x')\n\ndef test_y(): note('plain', 'y')\n"
}


@pytest.fixture
def scripted(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """Six tests of ten runs, each with fifty passes of fifty in its baseline, and two tests without krun."""
    scripted = Scripted(pytester, monkeypatch, plain(*NAMES))
    scripted.edit(PLAIN_TESTS)
    scripted.run(dict.fromkeys(NAMES, "p"), "--llmrel-baseline=new")
    return scripted


def shards(scripted: Scripted, script: Any, count: int, *args: str) -> tuple[list[Path], list[Any]]:
    """Run all shards, one after the other; their reports, and what came of them."""
    files, outcomes = [], []
    for index in range(1, count + 1):
        outcome = scripted.run(script, f"--llmrel-shard={index}/{count}", *args)
        files.append(scripted.path / f"shard-{index}.json")
        files[-1].write_text(json.dumps(outcome.report), encoding="utf-8")
        outcomes.append((outcome, outcome.log("plain"), outcome.log("call")))
    return files, outcomes


def stable(report: Mapping[str, Any]) -> dict[str, Any]:
    """A report without what no two sessions share: durations, and ids of batches."""
    text = json.loads(json.dumps(report))
    for test in text["tests"]:
        test.pop("latency_buckets")
        test["metrics"] = {name: value for name, value in test["metrics"].items() if "latency" not in name}
        (test["baseline"] or {}).pop("batch", None)
    text["suite"].pop("latency_runs")
    return dict(text)


def test_three_shards_are_the_whole_session(scripted: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    """Every test runs once; merged, counts, verdicts, rule and numbers are those of one session."""
    script = {**dict.fromkeys(NAMES, fails(1, 10)), "c": "f"}
    whole = scripted.run(script)
    files, outcomes = shards(scripted, script, 3)
    calls = [call for _, _, calls in outcomes for call in calls]
    assert len(calls) == len({tuple(call) for call in calls}) == 60
    assert sorted(word for _, notes, _ in outcomes for (word,) in notes) == ["x", "y"]
    assert [len(outcome.tests) for outcome, _, _ in outcomes] == [2, 2, 2]
    assert sorted(outcome.ret for outcome, _, _ in outcomes) == [0, 0, 1], "only test_c fails alone"
    assert all("llmrel::regression" not in outcome.out for outcome, _, _ in outcomes)
    capsys.readouterr()
    assert main(["merge", *map(str, reversed(files)), "--json", str(scripted.path / "all.json")]) == 1
    merged = json.loads((scripted.path / "all.json").read_text(encoding="utf-8"))
    assert stable(merged) == stable(whole.report)
    assert merged["suite"]["findings"][0]["status"] == "FAIL"
    said = capsys.readouterr().out
    assert "the suite as a whole is worse than its baselines: 45 of 60 runs passed in 6 tests" in said
    assert "failed: test_it.py::test_c" in said


def test_more_shards_than_tests(scripted: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    """A shard without tests is green and writes its report; under xdist, too, and all of them merge."""
    script = dict.fromkeys(NAMES, "p")
    files, outcomes = shards(scripted, script, 8, "-k", "test_a or test_b or plain")
    assert [outcome.ret for outcome, _, _ in outcomes] == [0] * 8
    empty = [
        index for index, (outcome, notes, _) in enumerate(outcomes, 1) if not outcome.tests and not notes
    ]
    assert len(empty) == 5
    outcome = scripted.run(
        script, f"--llmrel-shard={empty[0]}/8", "-k", "test_a or test_b or plain", "-n", "1", subprocess=True
    )
    assert outcome.ret == 0, outcome.out
    files[empty[0] - 1].write_text(json.dumps(outcome.report), encoding="utf-8")
    assert main(["merge", *map(str, files)]) == 0
    assert "2 tests, 20 runs: 2 PASS" in capsys.readouterr().out


def test_xdist_chooses_the_same_tests(scripted: Scripted) -> None:
    """Every worker makes the same choice as a session without workers, and the controller says which it was."""
    script = dict.fromkeys(NAMES, "p")
    alone = scripted.run(script, "--llmrel-shard=2/3")
    spread = scripted.run(script, "--llmrel-shard=2/3", "-n", "2", subprocess=True)
    assert spread.ret == 0, spread.out
    assert spread.report["shard"] == alone.report["shard"]
    assert spread.tests.keys() == alone.tests.keys() == set(alone.report["shard"]["assigned"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--llmrel-shard=0/3"], "--llmrel-shard=0/3: it must be i/n with 1 <= i <= n, such as 2/3"),
        (["--llmrel-shard=4/3"], "it must be i/n"),
        (["--llmrel-shard="], "it must be i/n"),
        (["--llmrel-shard=1/2", "--llmrel-baseline=new"], "llmrel baseline accept all.json"),
        (["--llmrel-shard=1/2", "--llmrel-hunt=50"], "a hunt is for one test"),
    ],
)
def test_options_that_make_no_shard(scripted: Scripted, arguments: list[str], said: str) -> None:
    """A usage error, and nothing runs."""
    outcome = scripted.run("p", *arguments)
    assert (outcome.ret, outcome.log()) == (pytest.ExitCode.USAGE_ERROR, [])
    assert said in outcome.err


def test_what_cannot_be_merged(scripted: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    """Other tests, other code, other baselines, an unfinished session: each is refused with its reason."""
    script = dict.fromkeys(NAMES, "p")
    (first, second), _ = shards(scripted, script, 2)
    capsys.readouterr()

    def refused(*arguments: str, script: Any = script) -> str:
        outcome = scripted.run(script, "--llmrel-shard=2/2", *arguments)
        second.write_text(json.dumps(outcome.report), encoding="utf-8")
        capsys.readouterr()
        assert main(["merge", str(first), str(second)]) == 2
        return capsys.readouterr().err

    assert "other tests" in refused("-k", "not test_a")
    assert "other tests, or other code" in refused("--llmrel-k=5")
    assert "other options or baselines" in refused("--llmrel-baseline=off")
    own = {**script, **dict.fromkeys(NAMES, "f")}
    assert "interrupted, 2 tests were not run (test_it.py::test_" in refused("-x", script=own)
    assert "interrupted, 3 tests were not run" in refused("--collect-only")
    scripted.edit({"test_it.py": plain(*NAMES).replace("play(llmrel, 'a')", "play(llmrel, 'b')")})
    assert "other tests, or other code" in refused()
    scripted.edit({"test_it.py": plain(*NAMES)})
    outcome = scripted.run(script)
    second.write_text(json.dumps(outcome.report), encoding="utf-8")
    assert main(["merge", str(first), str(second)]) == 2
    assert "the report of a whole session, not of a shard" in capsys.readouterr().err


def test_what_is_red_stays_red(scripted: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    """A test without krun that fails fails the merge; a krun test that was expected to fail does not."""
    scripted.edit({
        "test_it.py": "@pytest.mark.xfail\n" + plain("a").lstrip() + plain("b"),
        "test_plain.py": "def test_x(): assert 0",
    })  # fmt: skip
    files, _ = shards(scripted, {"a": "f", "b": "p"}, 2, "--llmrel-baseline=off")
    assert main(["merge", *map(str, files)]) == 1
    assert "failed: test_plain.py::test_x\n" in capsys.readouterr().out
    scripted.edit({"test_plain.py": "def test_x(): pass"})
    files, _ = shards(scripted, {"a": "f", "b": "p"}, 2, "--llmrel-baseline=off")
    assert main(["merge", *map(str, files)]) == 0


def test_baselines_are_recorded_from_the_merged_report(
    scripted: Scripted, capsys: pytest.CaptureFixture[str]
) -> None:
    """``llmrel baseline accept`` takes what ``llmrel merge --json`` has written."""
    scripted.edit({"test_it.py": plain(*NAMES, "new")})
    files, _ = shards(scripted, dict.fromkeys([*NAMES, "new"], "p"), 2)
    target = scripted.path / "all.json"
    assert main(["merge", *map(str, files), f"--json={target}"]) == 0
    assert main(["baseline", "accept", str(target), f"--root={scripted.path}"]) == 0, capsys.readouterr()
    assert scripted.counts("test_a") == [(50, 50), (10, 10)]
    assert scripted.counts("test_new") == [(10, 10)]


def test_shares_are_by_what_the_tests_take(scripted: Scripted) -> None:
    """One for each run, and where the baseline knows of calls, these: ten calls a run weigh ten times as much."""
    scripted.edit({"test_it.py": plain("a", mark="50") + plain(*NAMES[1:])}, remove=["test_plain.py"])

    def shares() -> list[list[str]]:
        outcomes = [scripted.run("p", f"--llmrel-shard={index}/2", "--collect-only") for index in (1, 2)]
        return [[name[-1] for name in outcome.report["shard"]["assigned"]] for outcome in outcomes]

    assert shares() == [["a"], ["b", "c", "d", "e", "f"]]
    baselines = json.loads(scripted.file().read_text(encoding="utf-8"))
    expenses = {"runs": 50, "calls": 500, "usd": None, "input_tokens": 0, "output_tokens": 0}
    baselines["tests"]["test_f"]["batches"][0]["expenses"] = expenses
    scripted.file().write_text(json.dumps(baselines), encoding="utf-8")
    assert shares() == [["f"], ["a", "b", "c", "d", "e"]]
