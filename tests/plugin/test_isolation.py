"""What a run changes stays with the run: directories, instances, context variables; the rest runs alone."""

import sys
from pathlib import Path

import pytest
from example import PLAIN, example

TMP = """
import pytest
from witness import note


@pytest.mark.krun(12, concurrency=6, pass_rate=0.0, stop="never")
def test_dirs(tmp_path, llmrel):
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "mine").write_text(str(llmrel.index))
    note(tmp_path, llmrel.index)
    assert llmrel.index % 2
"""


def test_every_run_has_an_empty_directory_of_its_own(pytester: pytest.Pytester) -> None:
    """Twelve concurrent runs get twelve different, initially empty directories below the session's base."""
    done = example(TMP).run(pytester, "--basetemp=base").outcomes(passed=1)
    assert done.counts() == {"passed": 6, "failed": 6}
    paths = {path for path, _ in done.log()}
    assert len(paths) == 12
    assert all(path.startswith(str(pytester.path / "base")) for path in paths)


@pytest.mark.parametrize(
    ("policy", "kept"), [("all", range(12)), ("failed", range(0, 12, 2)), ("none", range(0))]
)
def test_directories_are_kept_as_the_retention_policy_says(
    pytester: pytest.Pytester, policy: str, kept: range
) -> None:
    """With `failed`, the directories of failing runs survive and those of passing runs do not."""
    suite = example(TMP.replace("pass_rate=0.0", "pass_rate=1.0"), tmp_path_retention_policy=policy)
    suite.write(pytester.path)
    # Not Example.run: --basetemp keeps everything, and old versions remove directories at process exit.
    session = pytester.run(sys.executable, "-m", "pytest", *PLAIN, "-p", "no:hypothesispytest")
    session.assert_outcomes(failed=1)
    lines = [line.split() for line in Path(pytester.path, "log.txt").read_text("utf-8").splitlines()]
    assert len(lines) == 12
    assert {int(index) for path, index in lines if Path(path, "mine").exists()} == set(kept)


def test_two_items_and_two_wordings_never_share_a_directory(pytester: pytest.Pytester) -> None:
    """Names that differ in punctuation only, parametrised items and wordings get different directories."""
    suite = example(
        """
        import pytest
        from witness import note

        @pytest.mark.krun(2)
        @pytest.mark.parametrize("x", ["a-b", "a_b", "../up", "a" * 80, "a" * 80 + "b"])
        def test_it(tmp_path, x):
            note(tmp_path)

        @pytest.mark.krun(2)
        @pytest.mark.paraphrase("said", "one", "two", "one two")
        def test_said(tmp_path, said):
            note(tmp_path)

        def test_plain(tmp_path):
            note(tmp_path)
        """
    )
    done = suite.run(pytester, "--basetemp=base").outcomes(passed=7)
    assert len({path for (path,) in done.log()}) == 2 * 5 + 2 * 3 + 1


def test_dynamic_and_overridden_tmp_path(pytester: pytest.Pytester) -> None:
    """tmp_path requested dynamically is the run's own, and a project's own tmp_path on top of it works."""
    suite = example(
        """
        import pytest
        from witness import note

        @pytest.fixture
        def tmp_path(tmp_path):
            deeper = tmp_path / "deeper"
            deeper.mkdir()
            return deeper

        @pytest.mark.krun(6)
        def test_override(tmp_path):
            assert tmp_path.name == "deeper"
            note(tmp_path)

        @pytest.mark.krun(6)
        def test_dynamic(request):
            note(request.getfixturevalue("tmp_path"))
        """
    )
    done = suite.run(pytester, "--basetemp=base").outcomes(passed=2)
    assert len({path for (path,) in done.log()}) == 12


def test_a_method_runs_on_a_fresh_instance(pytester: pytest.Pytester) -> None:
    """No attribute set by one run is seen by another, and fixture methods see the run's instance."""
    suite = example(
        """
        import threading
        import pytest

        gate = threading.Barrier(4, timeout=10)

        class TestBot:
            answers = 0

            @pytest.fixture
            def talk(self, request):
                assert request.instance is self
                self.before = True
                yield self
                assert self.answers == 1

            @pytest.mark.krun(4, concurrency=4)
            def test_it(self, talk):
                assert talk is self and self.before
                assert self.answers == 0
                self.answers += 1
                gate.wait()
                assert self.answers == 1
        """
    )
    assert suite.run(pytester).outcomes(passed=1).counts() == {"passed": 4}


def test_context_variables_flow_from_fixture_to_test_and_nowhere_else(pytester: pytest.Pytester) -> None:
    """What a fixture sets in a ContextVar is seen by its test and tear-down, not by other runs or tests."""
    suite = example(
        """
        import threading
        from contextvars import ContextVar
        import pytest

        tenant = ContextVar("tenant", default=None)
        gate = threading.Barrier(4, timeout=10)

        @pytest.fixture
        def as_tenant(llmrel):
            assert tenant.get() is None
            token = tenant.set(llmrel.index)
            yield
            assert tenant.get() == ("test", llmrel.index)
            tenant.reset(token)

        @pytest.mark.krun(12, concurrency=4)
        def test_it(as_tenant, llmrel):
            gate.wait()
            assert tenant.get() == llmrel.index
            tenant.set(("test", llmrel.index))
            gate.wait()

        def test_later():
            assert tenant.get() is None

        @pytest.mark.krun(3, concurrency=1)
        def test_alone(llmrel):
            assert tenant.get() is None
            tenant.set(1)
        """
    )
    done = suite.run(pytester).outcomes(passed=3)
    assert done.counts("test_it") == {"passed": 12}


def test_context_variables_of_the_session_are_seen_by_runs(pytester: pytest.Pytester) -> None:
    """What a session fixture set before the runs began is visible in each of them, sync and async."""
    suite = example(
        """
        from contextvars import ContextVar
        import pytest

        region = ContextVar("region", default=None)

        @pytest.fixture(scope="session", autouse=True)
        def everywhere():
            region.set("eu")

        @pytest.mark.krun(6)
        def test_sync():
            assert region.get() == "eu"

        @pytest.mark.krun(6)
        async def test_async():
            assert region.get() == "eu"
        """
    )
    suite.run(pytester, *PLAIN).outcomes(passed=2)


GLOBALS = """
import threading
import pytest
import logging, os, sys, warnings

inside = []


def alone():
    inside.append(threading.get_ident())
    assert len(inside) == 1, "two runs at once"
    assert threading.current_thread() is threading.main_thread()
    inside.pop()


@pytest.mark.krun(6)
def test_it({name}):
    alone()
    {body}
"""


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("monkeypatch", "assert 'MINE' not in os.environ; monkeypatch.setenv('MINE', '1')"),
        ("capsys", "print('hi'); assert capsys.readouterr().out == 'hi\\n'"),
        ("capfd", "os.write(1, b'hi'); assert capfd.readouterr().out == 'hi'"),
        ("caplog", "logging.warning('hot'); assert caplog.messages == ['hot']"),
        ("recwarn", "warnings.warn('x'); assert len(recwarn) == 1"),
    ],
)
def test_process_global_fixtures_run_alone(pytester: pytest.Pytester, name: str, body: str) -> None:
    """The runs come one at a time in the main thread, each starting clean; a note names the fixture."""
    done = example(GLOBALS.format(name=name, body=body)).run(pytester, *PLAIN).outcomes(passed=1)
    assert done.counts() == {"passed": 6}
    [note] = done.test()["notes"]
    assert name in note
    assert "one at a time" in note
    assert name in done.out


def test_a_process_global_fixture_behind_another_counts_too(pytester: pytest.Pytester) -> None:
    """A fixture that uses monkeypatch makes its tests run alone; each run puts the environment back."""
    suite = example(
        """
        import os
        import pytest

        @pytest.fixture
        def key(monkeypatch):
            assert "SECRET" not in os.environ
            monkeypatch.setenv("SECRET", "x")

        @pytest.mark.krun(4)
        @pytest.mark.usefixtures("key")
        def test_it():
            assert os.environ["SECRET"] == "x"

        def test_later():
            assert "SECRET" not in os.environ
        """
    )
    done = suite.run(pytester, *PLAIN).outcomes(passed=2)
    assert "monkeypatch" in done.test()["notes"][0]


def test_monkeypatch_requested_by_one_run_among_others_is_refused(pytester: pytest.Pytester) -> None:
    """A concurrent run that asks for monkeypatch dynamically gets an error that says what to do instead."""
    suite = example(
        """
        import pytest

        @pytest.mark.krun(4)
        def test_it(request):
            request.getfixturevalue("monkeypatch")

        @pytest.mark.krun(4, concurrency=1)
        def test_alone(request):
            request.getfixturevalue("monkeypatch").setenv("X", "1")
        """
    )
    done = suite.run(pytester, *PLAIN).outcomes(failed=1, passed=1)
    assert done.test("test_it")["passed"] == 0
    assert "name it in the signature" in done.out


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize(("body", "collect"), [("pass", "pass"), ("assert value is self", "gc.collect()")])
def test_nothing_of_a_finished_run_is_kept(
    pytester: pytest.Pytester, concurrency: int, body: str, collect: str
) -> None:
    """Nodes, values and instances are gone, if the runs passed at once; session fixtures do not grow."""
    suite = example(
        f"""
        import gc
        import weakref
        import pytest

        values, nodes, instances = [], [], []

        class Value:
            pass

        @pytest.fixture(scope="session")
        def shared():
            return "s"

        @pytest.fixture
        def value(shared, request, llmrel):
            thing = Value()
            values.append(weakref.ref(thing))
            nodes.append(weakref.ref(request.node))
            yield thing

        gc.disable()

        class TestIt:
            @pytest.mark.krun(40, concurrency={concurrency}, pass_rate=0.0)
            def test_it(self, value, request):
                instances.append(weakref.ref(self))
                {body}

        def test_later(request):
            try:
                {collect}
                alive = [sum(ref() is not None for ref in refs) for refs in (values, nodes, instances)]
                assert len(values) == len(nodes) == len(instances) == 40
                assert max(alive) <= {concurrency}, f"values, nodes, instances alive: {{alive}}"
                shared = request.session._fixturemanager.getfixturedefs("shared", request.node)[-1]
                assert len(shared._finalizers) <= 2
            finally:
                gc.enable()
        """
    )
    suite.run(pytester, *PLAIN, subprocess=True).outcomes(passed=2)
