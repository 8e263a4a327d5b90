"""A test that is split over xdist's workers: judged once, shown once, and the same as in one piece."""

import json
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from baseline_example import Scripted, fails, gate, plain
from example import PLAIN, Example, Outcome, example

from pytest_llmrel.simulator import Simulator

pytest.importorskip("xdist")

CASES = "".join(f'{{"id": "c{n}", "question": "q{n}"}}\n' for n in range(6))
SUITE = """
import os
import httpx
import pytest
from pytest_llmrel import golden, krun, paraphrase
from witness import note

HEADERS = {"Authorization": "Bearer any"}


def ask():
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "how long?"}]}
    httpx.post(f"{os.environ['MODEL_URL']}/chat/completions", json=body, headers=HEADERS, verify=False).raise_for_status()


@pytest.fixture(scope="module")
def shared():
    return "shared"


@pytest.fixture(scope="module")
def broken():
    raise RuntimeError("no database")


@pytest.fixture
def torn():
    yield
    raise RuntimeError("torn apart")


@krun(4, gates=["pass_rate >= 0.95", "tone >= 0.4", "cost <= 900"])
@golden("golden.jsonl")
def test_golden(case, llmrel, tmp_path, shared):
    note("run", case.id, llmrel.index, llmrel.seed)
    ask()
    llmrel.score("tone", int(case.id[1:]) / 6)
    llmrel.output(f"said of {case.question} \\udc80")
    assert case.id != "c0" or llmrel.index % 2, f"wrong {case.id}"


class TestThose:
    @krun(8, stop="never", pass_rate=0.5)
    @paraphrase("question", "how?", "what?")
    @pytest.mark.parametrize("x", ["a b@1of2"])
    async def test_wordings(self, question, x, llmrel):
        if llmrel.index == 3:
            raise ConnectionError("down")


@krun(8)
def test_not_set_up(broken):
    pass


@krun(8)
def test_torn(torn):
    pass


@krun(8)
def test_skipped():
    pytest.skip("not here")


@krun(8)
def test_expected():
    pytest.xfail("known")


@pytest.mark.skip(reason="not now")
@krun(8)
def test_left_out():
    pass


@krun(8)
@pytest.mark.xfail(reason="later")
def test_marked():
    assert False


@krun(2)
def test_small():
    pass
"""


def comparable(outcome: Outcome) -> list[dict[str, Any]]:
    """The tests of a report without times, and without the traceback, which shows where objects are."""
    assert outcome.report is not None
    tests = json.loads(json.dumps(outcome.report["tests"]))
    for test in tests:
        del test["latency_buckets"]
        test["metrics"] = {key: value for key, value in test["metrics"].items() if "latency" not in key}
        if (test["baseline"] or {}).get("batch"):
            del test["baseline"]["batch"]["id"], test["baseline"]["batch"]["recorded"]
        for group in test["failures"]:
            group["sample"].pop("traceback")
    return tests


def cases_of(outcome: Outcome, name: str) -> list[Any]:
    """What JUnit says of each test."""
    tree = ET.parse(outcome.path / name)  # noqa: S314  our own
    return sorted(
        (case.get("classname"), case.get("name"), sorted(child.tag for child in case), len(list(case.iter("property"))))
        for case in tree.iter("testcase")
    )  # fmt: skip


def test_what_is_split_comes_out_the_same(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Same runs with the same seeds, counts, metrics, costs, failures, reports and exit status, each test once."""
    suite = Example(
        {"test_it.py": SUITE, "golden.jsonl": CASES}, {"llmrel_prices": "gpt-4o-mini: input 1, output 1"}
    )
    args = (*PLAIN, "--llmrel-split=5", "--llmrel-concurrency=2")
    with Simulator(latency=0.02) as model:
        monkeypatch.setenv("MODEL_URL", model.base_url)
        one = suite.run(pytester, *args, "--junitxml=one.xml")
        calls, runs = model.requests, sorted(one.log("run"))
        two = suite.run(pytester, *args, "-n2", "-v", "--junitxml=two.xml", subprocess=True)
    assert one.session.parseoutcomes() == two.session.parseoutcomes()
    assert one.ret == two.ret == 1
    assert sorted(two.log("run")) == runs
    assert model.requests == 2 * calls
    assert model.peak <= 2, "workers share the concurrency"
    assert comparable(two) == comparable(one)
    assert cases_of(two, "two.xml") == cases_of(one, "one.xml")
    for text in ("wrong c0", "said of q0", "no database", "torn apart"):
        assert text in two.out
    assert "of5" not in two.out


def test_split_tests_and_baselines(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """They begin baselines like any other; what looks worse without being shown to be is INCONCLUSIVE, never a pass."""
    scripted = Scripted(pytester, monkeypatch, plain("a", "b", "c", mark="10, stop='never'"))
    alike = dict.fromkeys("abc", "p")
    recorded = scripted.run(alike, "-n2", "--llmrel-split=9", "--llmrel-baseline=new", subprocess=True)
    recorded.outcomes(passed=3)
    assert [scripted.counts(f"test_{name}") for name in "abc"] == [[(50, 50)]] * 3
    script = {**alike, "b": fails(2, 10), "c": fails(9, 10)}
    outcome = scripted.run(script, "-n2", "--llmrel-split=4", subprocess=True)
    assert [outcome.test(f"test_{name}")["verdict"] for name in "abc"] == ["PASS", "INCONCLUSIVE", "FAIL"]
    (worse, *_) = outcome.test("test_b")["findings"]
    assert "split" in outcome.out
    assert worse["status"] == "INCONCLUSIVE"
    assert gate(outcome, "test_c")["status"] == "FAIL"
    assert outcome.test("test_b")["runs"] == 10
    assert outcome.ret == 1


def test_a_part_that_is_lost_is_never_a_pass(pytester: pytest.Pytester) -> None:
    """A part that takes its worker with it leaves its runs missing; the other parts and tests stand."""
    suite = example(
        """
        import os
        from pytest_llmrel import krun

        @krun(9, stop="never", pass_rate=0.1)
        def test_split(llmrel):
            if llmrel.index == 4:
                os._exit(3)

        @krun(2)
        def test_fine():
            pass
        """
    )
    done = suite.run(pytester, *PLAIN, "-n2", "--llmrel-split=3", subprocess=True)
    done.outcomes(passed=1, failed=1)
    test = done.test("test_split")
    assert (test["verdict"], done.counts("test_split")) == ("INCONCLUSIVE", {"passed": 6, "unfinished": 3})
    assert any("crashed" in finding["explanation"] for finding in test["findings"])
    assert done.test("test_fine")["verdict"] == "PASS"
    assert done.ret == 1


def test_the_first_failure_ends_a_session_of_parts(pytester: pytest.Pytester) -> None:
    """With -x nothing follows a split test that failed, which is judged once; one that was begun says what it lacks."""
    suite = example(
        """
        import pytest
        from pytest_llmrel import krun
        from witness import note

        @krun(8, stop="never", pass_rate=0.9)
        def test_bad(llmrel):
            assert llmrel.index % 2

        @pytest.mark.parametrize("x", range(40))
        @krun(2)
        def test_later(x):
            note("later", x)
        """
    )
    done = suite.run(pytester, *PLAIN, "-n2", "-x", "--maxschedchunk=1", "--llmrel-split=4", subprocess=True)
    assert done.ret == pytest.ExitCode.INTERRUPTED
    assert done.session.parseoutcomes()["failed"] == 1
    assert done.counts("test_bad") == {"passed": 4, "failed": 4}
    assert len(done.log("later")) < 60
