"""What a session writes: the JSON document and JUnit properties."""

import json
import os
import stat
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from example import Example, Outcome

MIXED = Example({
    "test_it.py": """
        import pytest
        from pytest_llmrel import krun, paraphrase

        @krun(4, gates=["pass_rate >= 0.5", "pass^4 >= 0", "polite >= 0.5", "latency_p95 <= 60"])
        @paraphrase("q", "one", "two")
        def test_pass(q, llmrel):
            llmrel.score("polite", 0.75)
            assert (q, llmrel.index) != ("two", 3), "wrong"

        @krun(6)
        def test_fail(llmrel):
            llmrel.output("Jein.")
            if llmrel.index == 1: pytest.skip("x")
            if llmrel.index == 2: raise ConnectionError("refused")
            if llmrel.index == 3: llmrel.abstain()
            if llmrel.index == 4: pytest.xfail("x")
            assert llmrel.index

        @krun(2)
        def test_unclear():
            raise ConnectionError("refused")

        @krun(2)
        def test_skipped():
            pytest.skip("no key")

        def test_plain(): pass
    """,
})  # fmt: skip


# --- the document -------------------------------------------------------------------------------------------

TEST = {
    "nodeid": str, "verdict": str, "runs": int, "passed": int, "failed": int, "errors": int, "abstained": int,
    "skipped": int, "metrics": dict, "variants": list, "cases": list, "findings": list, "cost": dict,
}  # fmt: skip
"""Keys of a test in schema 1, as the design fixes them; more may be there, none may be missing."""


def test_schema_1(pytester: pytest.Pytester) -> None:
    """The document has every key that the design promises, with the promised type."""
    report: Any = MIXED.run(pytester).report
    assert (type(report["schema"]), report["schema"]) == (int, 1)
    totals = {name: report["suite"].pop(name) for name in ("cost", "latency_runs", "latency_calls")}
    assert (totals["cost"]["calls"], totals["cost"]["usd"], totals["latency_calls"]["p50"]) == (0, None, None)
    assert totals["latency_runs"]["n"] == sum(test["passed"] + test["failed"] for test in report["tests"]) + 1
    assert report["suite"] == {
        "verdict": "FAIL", "findings": [], "named": [], "compared": 0, "unused": [], "unused_tapes": [],
    }  # fmt: skip
    assert {"pytest", "pytest_llmrel", "python"} <= report["provenance"].keys()
    assert [test["nodeid"] for test in report["tests"]] == [
        f"test_it.py::test_{name}" for name in ("fail", "pass", "skipped", "unclear")
    ]
    for test in report["tests"]:
        assert {key: type(test[key]) for key in TEST} == TEST
        assert test["verdict"] in {"PASS", "FAIL", "INCONCLUSIVE"}
        for estimate in test["metrics"].values():
            assert estimate.keys() >= {"point", "low", "high", "n", "method"}
        for finding in test["findings"]:
            assert finding.keys() >= {"metric", "expected", "observed", "status", "explanation"}
            assert all(
                isinstance(finding[key], str) for key in ("metric", "expected", "observed", "explanation")
            )
        assert test["cost"].keys() >= {"usd", "calls", "input_tokens", "output_tokens", "unpriced_calls"}


def test_the_counts_add_up(pytester: pytest.Pytester) -> None:
    """Every run is in exactly one count, and the suite's verdict is the worst of the tests'."""
    outcome = MIXED.run(pytester)
    assert outcome.counts("test_pass") == {"passed": 7, "failed": 1}
    assert outcome.counts("test_fail") == {
        "passed": 1, "failed": 1, "errors": 1, "abstained": 1, "skipped": 1, "xfailed": 1,
    }  # fmt: skip
    for test in outcome.tests.values():
        counted = ("passed", "failed", "errors", "abstained", "skipped", "xfailed")
        assert sum(test[name] for name in counted) == test["runs"]
    variants = outcome.test("test_pass")["variants"]
    assert [(v["text"], v["passed"], v["n"]) for v in variants] == [("one", 4, 4), ("two", 3, 4)]
    assert {len(v["key"]) for v in variants} == {8}
    only = MIXED.run(pytester, "-k", "test_pass").report
    assert only is not None
    assert only["suite"]["verdict"] == "PASS"


def test_an_undefined_number_is_null_with_its_reason(pytester: pytest.Pytester) -> None:
    """Where nothing was measured there is no 0 and no 1."""
    outcome = MIXED.run(pytester)
    rate = outcome.test("test_unclear")["metrics"]["pass_rate"]
    assert (rate["point"], rate["low"], rate["high"], rate["n"]) == (None, None, None, 0)
    assert rate["method"]
    cost = outcome.test("test_pass")["cost"]
    assert cost["usd"] is None
    assert cost["reason"]


def is_time(node: Any) -> bool:
    """Whether it is a finding on what a clock measured."""
    return isinstance(node, dict) and str(node.get("metric")).startswith("latency_")


def without_times(node: Any) -> Any:
    """The same without what a clock measured."""
    if isinstance(node, dict):
        return {key: without_times(value) for key, value in node.items() if not key.startswith("latency_")}
    if isinstance(node, list):
        return [without_times(value) for value in node if not is_time(value)]
    return node


def document(pytester: pytest.Pytester, suite: Example, *args: str) -> str:
    """The document of a session, canonical once more, without times and without the name of the session."""
    report: Any = suite.run(pytester, *args).report
    for test in report["tests"]:
        if test["baseline"]["batch"] is not None:
            del test["baseline"]["batch"]["id"], test["baseline"]["batch"]["recorded"]
    return json.dumps(without_times(report), sort_keys=True, indent=2)


def test_the_text_is_canonical(pytester: pytest.Pytester) -> None:
    """Sorted keys, two spaces, ASCII, one final newline: what a diff in a repository needs."""
    outcome = MIXED.run(pytester)
    text = (pytester.path / "llmrel-report.json").read_text(encoding="ascii")
    assert text == json.dumps(outcome.report, sort_keys=True, indent=2, allow_nan=False) + "\n"


ORDERED = """
import os, threading
from pytest_llmrel import krun

order = [0, 1, 2, 3] if os.environ["ORDER"] == "up" else [3, 2, 1, 0]
turns = [threading.Event() for _ in range(5)]
turns[0].set()

@krun(4, concurrency=4)
def test_it(llmrel):
    turn = order.index(llmrel.index)
    turns[turn].wait(20)
    if turn < 3:
        threading.Timer(0.1, turns[turn + 1].set).start()
    print("run", llmrel.index)
    assert llmrel.index % 2, "even"
    raise ValueError("odd")
"""


def test_the_order_of_the_runs_does_not_show(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Identical results make identical documents, whichever run ended first: order of groups, samples."""
    seen = []
    for order in ("up", "down"):
        monkeypatch.setenv("ORDER", order)
        seen.append(document(pytester, Example({"test_it.py": ORDERED})))
    assert seen[0] == seen[1]


def test_the_same_with_and_without_workers(pytester: pytest.Pytester) -> None:
    """Workers change nothing in the document: not the order, not the numbers, not the findings."""
    suite = MIXED.with_files(
        {"test_more.py": "from pytest_llmrel import krun\n@krun(2)\ndef test_a(): pass\n"}
    )
    assert document(pytester, suite) == document(pytester, suite, "-n2")


def write(pytester: pytest.Pytester, path: str, *args: str) -> pytest.RunResult:
    """A session of ``MIXED``'s passing test that writes its report to ``path``."""
    return MIXED.run(pytester, "-k", "test_pass", *args, f"--llmrel-json={path}").session


def test_missing_folders_are_made(pytester: pytest.Pytester) -> None:
    """A path in folders that do not exist yet is created, relative to where pytest was started."""
    assert write(pytester, "build/reports/deep/r.json").ret == 0
    assert json.loads((pytester.path / "build/reports/deep/r.json").read_text())["schema"] == 1


def test_a_former_report_is_replaced_as_a_whole(pytester: pytest.Pytester) -> None:
    """The new document takes the place of the old one; no temporary file is left beside it."""
    folder = pytester.mkdir("out")
    (folder / "r.json").write_text("x" * 100_000)
    assert write(pytester, "out/r.json").ret == 0
    assert json.loads((folder / "r.json").read_text())["schema"] == 1
    assert [file.name for file in folder.iterdir()] == ["r.json"]


def test_the_report_is_readable_as_other_files_are(pytester: pytest.Pytester) -> None:
    """Its permissions follow the umask: another user of the CI machine may collect it."""
    write(pytester, "r.json")
    (pytester.path / "other").touch()
    modes = {stat.S_IMODE((pytester.path / name).stat().st_mode) for name in ("r.json", "other")}
    assert len(modes) == 1


@pytest.mark.parametrize("path", ["file/r.json", "folder", "/proc/no/r.json"])
def test_a_report_that_cannot_be_written(pytester: pytest.Pytester, path: str) -> None:
    """The session fails with a message that names option and path; the table is shown all the same."""
    (pytester.path / "file").touch()
    pytester.mkdir("folder")
    result = write(pytester, path)
    text = result.stdout.str() + result.stderr.str()
    assert result.ret != 0
    assert "--llmrel-json" in text
    assert path in text
    assert "was not written" in text
    assert "INTERNALERROR" not in text
    assert "Traceback" not in text
    assert "reliability (llmrel)" in text
    assert [file.name for file in (pytester.path / "folder").iterdir()] == []


def test_a_device_is_not_replaced(pytester: pytest.Pytester) -> None:
    """A path that is no regular file, such as /dev/null or a pipe, is never replaced by one."""
    os.mkfifo(pytester.path / "pipe")
    write(pytester, "pipe")
    assert stat.S_ISFIFO((pytester.path / "pipe").stat().st_mode)


def test_a_link_stays_a_link(pytester: pytest.Pytester) -> None:
    """Where the path is a symbolic link, the file it points to is written."""
    target = pytester.mkdir("data") / "r.json"
    Path(pytester.path / "link.json").symlink_to(target)
    assert write(pytester, "link.json").ret == 0
    assert (pytester.path / "link.json").is_symlink()
    assert json.loads(target.read_text())["schema"] == 1


def test_an_empty_path_is_a_mistake(pytester: pytest.Pytester) -> None:
    """``--llmrel-json=$UNSET`` does not silently drop the report."""
    result = write(pytester, "")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--llmrel-json" in result.stderr.str()


@pytest.mark.parametrize("args", [["-x"], ["--maxfail=1"]], ids=str)
def test_a_session_that_stops_early(pytester: pytest.Pytester, args: list[str]) -> None:
    """What was judged before the stop is in the document."""
    outcome: Outcome = MIXED.run(pytester, *args)
    assert outcome.ret == 1
    assert {name.rpartition("_")[2] for name in outcome.tests} == {"pass", "fail"}


# --- JUnit --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["xunit1", "xunit2"])
@pytest.mark.parametrize("args", [[], ["-n1"]], ids=["alone", "worker"])
def test_junit_properties(pytester: pytest.Pytester, family: str, args: list[str]) -> None:
    """Each krun test carries verdict, counts and metrics as properties, once; other tests carry none."""
    outcome = MIXED.with_ini(junit_family=family).run(pytester, "--junitxml=junit.xml", *args)
    root = ET.parse(pytester.path / "junit.xml").getroot()  # noqa: S314  our own file
    cases = {case.get("name"): case for case in root.iter("testcase")}
    found = {
        name: [(p.get("name"), p.get("value")) for p in case.iter("property")] for name, case in cases.items()
    }
    assert found["test_plain"] == []
    for name in ("test_pass", "test_fail", "test_unclear"):
        assert len(dict(found[name])) == len(found[name])
        properties, test = dict(found[name]), outcome.test(name)
        assert properties["llmrel_verdict"] == test["verdict"]
        for count in ("runs", "passed", "failed", "errors", "abstained", "skipped"):
            assert properties[f"llmrel_{count}"] == str(test[count])
    passing, unclear = (dict(found[name]) for name in ("test_pass", "test_unclear"))
    values = [float(passing[f"llmrel_{name}"] or "") for name in ("pass_rate", "polite")]
    assert values == pytest.approx([0.875, 0.75])
    rate = unclear["llmrel_pass_rate"]
    assert rate == "n/a"
    failure = cases["test_fail"].find("failure")
    assert failure is not None
    assert "test_fail: FAIL" in (failure.get("message") or "")
    assert "Jein." in (failure.text or "")
