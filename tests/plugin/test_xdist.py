"""With pytest-xdist: results travel from the workers, and nothing else about an item changes."""

import json
from collections import Counter

import pytest
from example import PLAIN, Example, example

from pytest_llmrel.core.seed import run_seed

pytest.importorskip("xdist")

SUITE = """
import asyncio
import os
import threading
import pytest
from witness import note

gate = threading.Barrier(4, timeout=10)


@pytest.fixture(scope="session")
def shared(worker_id):
    note("shared", worker_id)
    return worker_id


@pytest.fixture
def own(shared, tmp_path, llmrel):
    note("up", tmp_path)
    yield tmp_path
    note("down", tmp_path)


@pytest.mark.krun(8, concurrency=4)
def test_sync(own):
    gate.wait()


@pytest.mark.krun(8, concurrency=4)
async def test_async(own, shared):
    await asyncio.sleep(0)


class TestBad:
    @pytest.mark.krun(4)
    @pytest.mark.parametrize("x", ["a b", "\\u00e9"])
    def test_bad(self, own, x, llmrel):
        print("said", x, llmrel.index)
        llmrel.output(f"the answer {x}")
        llmrel.score("tone", 0.5)
        assert llmrel.index != 2, "wrong answer"


@pytest.mark.krun(4)
def test_skipped():
    pytest.skip("not here")


@pytest.mark.krun(4)
@pytest.mark.paraphrase("question", "how?", "what?")
def test_wordings(question):
    assert question != "what?"


def test_plain(tmp_path):
    note("up", tmp_path)
    note("down", tmp_path)
"""


def _comparable(document: dict) -> list[dict]:
    """The tests of a report without what differs from session to session (times, name of a new batch)."""
    tests = json.loads(json.dumps(document["tests"]))
    for test in tests:
        del test["latency_buckets"]
        if test["baseline"]["batch"] is not None:
            del test["baseline"]["batch"]["id"], test["baseline"]["batch"]["recorded"]
        for name in [name for name in test["metrics"] if name.startswith("latency")]:
            del test["metrics"][name]
        for group in test["failures"]:
            group["sample"].pop("traceback")
    return tests


@pytest.mark.parametrize("workers", ["-n1", "-n2"])
def test_the_report_is_the_same_with_and_without_workers(pytester: pytest.Pytester, workers: str) -> None:
    """Same verdicts, counts, metrics, failures and ids, however many processes; own fixtures per run."""
    alone = example(SUITE.replace("worker_id", "request")).run(pytester, *PLAIN)
    assert alone.session.parseoutcomes() == {"passed": 3, "failed": 3, "skipped": 1}
    spread = example(SUITE).run(pytester, *PLAIN, workers, subprocess=True)
    assert spread.session.parseoutcomes() == {"passed": 3, "failed": 3, "skipped": 1}
    assert spread.ret == alone.ret == 1
    assert _comparable(spread.report) == _comparable(alone.report)
    paths = Counter(path for (path,) in spread.log("up"))
    assert len(paths) == 8 + 8 + 2 * 4 + 1
    assert set(paths.values()) == {1}
    assert paths == Counter(path for (path,) in spread.log("down"))
    assert all(count == 1 for count in Counter(worker for (worker,) in spread.log("shared")).values())
    assert spread.out.count("reliability (llmrel)") == 1
    for text in ("wrong answer", "the answer a b", "said a b 2", "4 failed"):
        assert text in spread.out


@pytest.mark.parametrize("mode", ["loadfile", "loadgroup", "worksteal", "each"])
def test_every_way_to_distribute(pytester: pytest.Pytester, mode: str) -> None:
    """All distribution modes give one result per item, under its own name, with all of its runs and their seeds."""
    suite = Example(
        {
            f"test_{name}.py": """
        import pytest
        from witness import note

        @pytest.mark.krun(3)
        @pytest.mark.xdist_group("g")
        @pytest.mark.parametrize("x", range(3))
        def test_it(x, llmrel):
            note(x, llmrel.seed)
        """
            for name in "ab"
        }
    )
    how = ("-n2", f"--dist={mode}") if mode != "each" else ("--dist=each", "--tx=2*popen")
    done = suite.run(pytester, *PLAIN, *how, subprocess=True).outcomes(passed=6 if mode != "each" else 12)
    assert done.ret == 0
    names = {f"test_{name}.py::test_it[{x}]" for name in "ab" for x in range(3)}
    assert set(done.tests) == names
    seeds = {run_seed(name, "", "", run) for name in names for run in range(3)}
    assert {int(seed) for _, seed in done.log()} == seeds
    assert {test["runs"] for test in done.tests.values()} == {3}


def test_a_crashing_worker_is_never_a_pass(pytester: pytest.Pytester) -> None:
    """A run that kills its worker process fails the session, and the other items are still judged."""
    suite = example(
        """
        import os
        import pytest

        @pytest.mark.krun(3)
        def test_crash(llmrel):
            if llmrel.index == 1:
                os._exit(3)

        @pytest.mark.krun(3)
        @pytest.mark.parametrize("x", range(4))
        def test_fine(x):
            pass
        """
    )
    done = suite.run(pytester, *PLAIN, "-n2", subprocess=True)
    assert done.ret == 1
    assert "crashed" in done.out
    assert done.session.parseoutcomes() == {"passed": 4, "failed": 1}
    assert sum(test["verdict"] == "PASS" for test in done.tests.values()) == 4
    crashed = done.test("test_crash")
    assert (crashed["verdict"], crashed["runs"], crashed["unfinished"]) == ("INCONCLUSIVE", 0, 3)
    assert "its worker crashed" in crashed["findings"][0]["explanation"]


def test_mistakes_in_marks_are_reported_once_per_session(pytester: pytest.Pytester) -> None:
    """A mistake found in the workers' collection stops the session with its text, and no test runs."""
    suite = example(
        """
        import pytest
        from witness import note

        @pytest.mark.krun(0)
        def test_wrong():
            note("run")

        @pytest.mark.krun(2)
        def test_right():
            note("run")
        """
    )
    done = suite.run(pytester, *PLAIN, "-n2", subprocess=True)
    assert done.ret not in (0, 5)
    assert "k=0" in done.out + done.err
    assert done.log() == []


def test_options_reach_the_workers(pytester: pytest.Pytester) -> None:
    """--llmrel-k and --llmrel-concurrency given to the controller hold in the workers."""
    suite = example(
        """
        import threading
        import pytest
        from witness import note

        @pytest.mark.krun(9)
        def test_it(llmrel):
            assert threading.current_thread() is threading.main_thread()
            note(llmrel.index)

        @pytest.mark.krun(9)
        def test_monkeypatch(monkeypatch):
            monkeypatch.setenv("X", "1")
        """
    )
    done = suite.run(pytester, *PLAIN, "-n1", "--llmrel-k=2", "--llmrel-concurrency=1", subprocess=True)
    done.outcomes(passed=2)
    assert done.log() == [["0"], ["1"]]
    assert {test["runs"] for test in done.tests.values()} == {2}


def test_a_session_without_krun_tests_stays_silent(pytester: pytest.Pytester) -> None:
    """With workers and no krun test nothing is printed about reliability and no report is written."""
    suite = example("def test_it():\n    pass\n")
    done = suite.run(pytester, *PLAIN, "-n1", subprocess=True).outcomes(passed=1)
    assert "llmrel)" not in done.out
    assert done.report is None


def test_asyncio_plugin_in_workers(pytester: pytest.Pytester) -> None:
    """A session client of pytest-asyncio is one per worker, used by concurrent runs on its own loop."""
    pytest.importorskip("pytest_asyncio")
    suite = example(
        """
        import asyncio
        import pytest
        import pytest_asyncio
        from witness import note

        @pytest_asyncio.fixture(scope="session", loop_scope="session")
        async def client(worker_id):
            note("up", worker_id)
            yield asyncio.get_running_loop()
            note("down", worker_id)

        @pytest.mark.krun(6, concurrency=3)
        @pytest.mark.parametrize("x", range(4))
        async def test_it(client, x):
            assert asyncio.get_running_loop() is client
            await asyncio.sleep(0)
        """
    )
    done = suite.run(pytester, "-n2", subprocess=True).outcomes(passed=4)
    ups = sorted(worker for (worker,) in done.log("up"))
    assert ups == sorted(set(ups)) == sorted(worker for (worker,) in done.log("down"))
