"""Less common ways to write fixtures and tests, and the hooks that see them."""

import threading
from collections import Counter

import pytest
from example import PLAIN, Example, example


def test_classes_may_keep_shared_state_on_the_class(pytester: pytest.Pytester) -> None:
    """What setup_class or a class fixture puts on the class is seen by the fresh instance of every run."""
    suite = example(
        """
        import pytest
        from witness import note

        @pytest.fixture(scope="class", autouse=True)
        def client(request):
            note("up")
            request.cls.client = ["client"]
            yield
            note("down", len(request.cls.client))

        class TestIt:
            @classmethod
            def setup_class(cls):
                cls.config = "eu"

            @pytest.mark.krun(6)
            def test_it(self):
                assert self.config == "eu" and self.client[0] == "client"
                self.client.append("run")
                self.config = "changed on the instance"
        """
    )
    assert suite.run(pytester).outcomes(passed=1).log() == [["up"], ["down", "7"]]


def test_every_kind_of_callable_runs(pytester: pytest.Pytester) -> None:
    """Static, class and inherited methods, partials, patched and wrapped functions get their arguments."""
    suite = example(
        """
        import asyncio
        import functools
        from unittest import mock
        import pytest
        from witness import note

        pytestmark = pytest.mark.krun(3, concurrency=1)

        @pytest.fixture
        def value():
            return [1]

        def count(function):
            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                note("wrapped")
                return function(*args, **kwargs)
            return wrapper

        class Base:
            def test_inherited(self, value):
                assert self.name == value.append(2) or value == [1, 2]
                note("inherited")

        class TestIt(Base):
            name = None

            @staticmethod
            def test_static(value):
                assert value == [1]
                note("static")

            @classmethod
            def test_class(cls, value):
                assert cls is TestIt and value == [1]
                note("class")

        def _partial(value, extra):
            assert (value, extra) == ([1], 2)
            note("partial")

        test_partial = functools.partial(_partial, extra=2)

        @count
        def test_wrapped(value):
            assert value == [1]

        @mock.patch("os.getcwd", return_value="patched")
        def test_patched(getcwd, value):
            import os
            assert os.getcwd() == "patched" and value == [1]
            note("patched")

        def test_default(value, temperature=0.7):
            assert temperature == 0.7
            note("default")
        """
    )
    done = suite.run(pytester, *PLAIN).outcomes(passed=7)
    names = ("inherited", "static", "class", "partial", "wrapped", "patched", "default")
    assert Counter(word for (word,) in done.log()) == dict.fromkeys(names, 3)


def test_scopes_decided_at_run_time_are_kept(pytester: pytest.Pytester) -> None:
    """A scope given by a callable, or by parametrize(scope=), makes a fixture shared."""
    suite = example(
        """
        import pytest
        from witness import note

        def scope(fixture_name, config):
            return "session" if fixture_name == "wide" else "function"

        @pytest.fixture(scope=scope)
        def wide():
            note("wide")

        @pytest.fixture(scope=scope)
        def narrow():
            note("narrow")

        @pytest.fixture
        def server(request):
            note("server", request.param)
            yield request.param
            note("stop", request.param)

        def pytest_generate_tests(metafunc):
            if "server" in metafunc.fixturenames:
                metafunc.parametrize("server", [1, 2], indirect=True, scope="module")

        @pytest.mark.krun(5)
        def test_one(wide, narrow, server):
            pass

        @pytest.mark.krun(5)
        def test_two(server):
            pass
        """
    )
    done = suite.run(pytester).outcomes(passed=4)
    counted = Counter(" ".join(words) for words in done.log())
    assert counted == {"wide": 1, "narrow": 10, "server 1": 1, "server 2": 1, "stop 1": 1, "stop 2": 1}


def test_direct_parameters_replace_fixtures_of_the_same_name(pytester: pytest.Pytester) -> None:
    """parametrize() over a fixture's name wins in the test and in other fixtures; name= renames work."""
    suite = example(
        """
        import pytest

        @pytest.fixture
        def model():
            raise AssertionError("was replaced")

        @pytest.fixture(name="bot")
        def make_bot(model):
            return f"bot of {model}"

        @pytest.mark.krun(3)
        @pytest.mark.parametrize("model", ["a", "b"])
        def test_it(bot, model, request):
            assert bot == f"bot of {model}"
            assert request.getfixturevalue("model") == model
        """
    )
    suite.run(pytester).outcomes(passed=2)


def test_built_in_fixtures_work_in_concurrent_runs(pytester: pytest.Pytester) -> None:
    """tmpdir, tmp_path_factory, cache, pytestconfig and testsuite properties work in concurrent runs."""
    suite = example(
        """
        import threading
        import pytest
        from witness import note

        gate = threading.Barrier(4, timeout=10)

        @pytest.mark.krun(8, concurrency=4)
        def test_it(tmp_path, tmpdir, tmp_path_factory, cache, llmrel, record_testsuite_property, request):
            gate.wait()
            assert str(tmpdir) == str(tmp_path)
            note(tmp_path, tmp_path_factory.mktemp("data"))
            cache.set(f"mine/{llmrel.index}", llmrel.index)
            assert request.getfixturevalue("pytestconfig").getoption("verbose") == 0
            record_testsuite_property(f"run-{llmrel.index}", "1")
        """
    )
    done = suite.run(pytester).outcomes(passed=1)
    paths = [path for line in done.log() for path in line]
    assert len(paths) == len(set(paths)) == 16


def test_fixture_hooks_are_called_per_run_and_item_hooks_once(pytester: pytest.Pytester) -> None:
    """Other plugins see set-up and finalizing of a fixture in every run, and the item's own phases once."""
    conftest = """
    import pytest
    from witness import note

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(fixturedef, request):
        note("fixture", fixturedef.argname, fixturedef.scope)
        return (yield)

    def pytest_fixture_post_finalizer(fixturedef, request):
        if fixturedef.argname in ("own", "shared"):
            note("finalized", fixturedef.argname)

    def pytest_runtest_setup(item): note("setup", item.name)
    def pytest_runtest_call(item): note("call", item.name)
    def pytest_runtest_teardown(item): note("teardown", item.name)
    def pytest_runtest_logreport(report): note("report", report.when, report.outcome)
    """
    body = """
    import pytest

    @pytest.fixture(scope="module")
    def shared():
        yield

    @pytest.fixture
    def own(shared):
        yield

    @pytest.mark.krun(4)
    def test_it(own):
        pass
    """
    done = Example({"conftest.py": conftest, "test_it.py": body}).run(pytester, *PLAIN).outcomes(passed=1)
    seen = Counter(" ".join(words) for words in done.log())
    assert seen["fixture own function"] == 4
    assert seen["fixture shared module"] == 1
    assert seen["finalized own"] >= 4
    assert seen["finalized shared"] >= 1
    assert [seen[f"{phase} test_it"] for phase in ("setup", "call", "teardown")] == [1, 1, 1]
    assert [seen[f"report {phase} passed"] for phase in ("setup", "call", "teardown")] == [1, 1, 1]


def test_a_run_left_behind_is_torn_down_once_when_it_ends(pytester: pytest.Pytester) -> None:
    """A sync run abandoned at its timeout tears its fixtures down once, late, without touching the result."""
    suite = example(
        """
        import threading
        import pytest
        from witness import note

        wake, ended = threading.Event(), threading.Event()

        @pytest.fixture
        def own(llmrel):
            yield
            note("down", llmrel.index)
            if llmrel.index == 1:
                ended.set()

        @pytest.mark.krun(4, concurrency=4, timeout=0.2)
        def test_it(own, llmrel):
            if llmrel.index == 1:
                wake.wait(20)

        def test_later():
            note("later")
            wake.set()
            assert ended.wait(5)
        """
    )
    done = suite.run(pytester, *PLAIN, subprocess=True).outcomes(failed=1, passed=1)
    assert done.counts() == {"passed": 3, "errors": 1}
    assert sorted(done.log("down")) == [["0"], ["1"], ["2"], ["3"]]
    assert done.log()[-2:] == [["later"], ["down", "1"]]


def test_a_run_interrupted_in_the_main_thread_is_torn_down_once(pytester: pytest.Pytester) -> None:
    """With concurrency=1 a hung sync run is interrupted, and torn down before the next one begins."""
    suite = example(
        """
        import time
        import pytest
        from witness import note

        @pytest.fixture
        def own(llmrel):
            yield
            note("down", llmrel.index)

        @pytest.mark.krun(3, concurrency=1, timeout=0.2)
        def test_it(own, llmrel):
            note("body", llmrel.index)
            if llmrel.index == 1:
                time.sleep(20)
        """
    )
    done = suite.run(pytester, *PLAIN).outcomes(failed=1)
    assert done.counts() == {"passed": 2, "errors": 1}
    assert done.log() == [[word, index] for index in "012" for word in ("body", "down")]


def test_no_thread_is_left_after_a_session(pytester: pytest.Pytester) -> None:
    """Worker threads and loop threads have ended when an ordinary session has."""
    before = set(threading.enumerate())
    suite = example(
        """
        import pytest

        @pytest.mark.krun(8)
        def test_sync():
            pass

        @pytest.mark.krun(8)
        async def test_async(tmp_path):
            pass
        """
    )
    suite.run(pytester, *PLAIN).outcomes(passed=2)
    assert {thread for thread in threading.enumerate() if thread.is_alive()} <= before
