"""`async def` tests and fixtures without any other plugin: one loop, one task per run, all fresh per run."""

import sys
from collections import Counter

import pytest
from example import PLAIN, example


def test_runs_share_one_loop_and_overlap_in_it(pytester: pytest.Pytester) -> None:
    """Eight coroutines meet at an asyncio barrier on the same loop, each in a task of its own."""
    suite = example(
        """
        import asyncio
        import threading
        import pytest
        from witness import note

        gate = asyncio.Barrier(8)

        @pytest.mark.krun(16, concurrency=8)
        async def test_it():
            async with asyncio.timeout(10):
                await gate.wait()
            note(id(asyncio.get_running_loop()), id(asyncio.current_task()), threading.get_ident())
        """
    )
    done = suite.run(pytester, *PLAIN).outcomes(passed=1)
    assert done.counts() == {"passed": 16}
    assert len({(loop, thread) for loop, _, thread in done.log()}) == 1
    assert "warning" not in done.out


def test_async_fixtures_are_fresh_per_run_and_live_in_its_task(pytester: pytest.Pytester) -> None:
    """Async fixtures, test and tear-down of a run share loop and task, and see no other run's values."""
    suite = example(
        """
        import asyncio
        import pytest
        from witness import note

        gate = asyncio.Barrier(4)

        def say(word, llmrel):
            note(word, llmrel.index, id(asyncio.get_running_loop()), id(asyncio.current_task()))

        @pytest.fixture
        async def plain(llmrel):
            await asyncio.sleep(0)
            say("plain", llmrel)
            return [llmrel.index]

        @pytest.fixture
        async def client(plain, llmrel):
            async with asyncio.timeout(10):
                await gate.wait()
            say("up", llmrel)
            yield plain
            async with asyncio.timeout(10):
                await gate.wait()
            say("down", llmrel)

        @pytest.mark.krun(8, concurrency=4)
        async def test_it(client, plain, llmrel):
            assert client is plain and client == [llmrel.index]
            client.append("used")
            say("body", llmrel)
        """
    )
    done = suite.run(pytester, *PLAIN).outcomes(passed=1)
    assert done.counts() == {"passed": 8}
    assert len({loop for _, _, loop, _ in done.log()}) == 1
    for index in range(8):
        mine = [(word, task) for word, number, _, task in done.log() if number == str(index)]
        assert [word for word, _ in mine] == ["plain", "up", "body", "down"]
        assert len({task for _, task in mine}) == 1


def test_sync_and_async_fixtures_may_depend_on_each_other(pytester: pytest.Pytester) -> None:
    """A sync fixture gets the value of an async one and the other way round; tear-down is backwards."""
    suite = example(
        """
        import asyncio
        import pytest
        from witness import note

        @pytest.fixture
        def config(llmrel):
            yield {"n": llmrel.index}
            note(llmrel.index, "config")

        @pytest.fixture
        async def connection(config, llmrel):
            await asyncio.sleep(0)
            yield config["n"] + 100
            await asyncio.sleep(0)
            note(llmrel.index, "connection")

        @pytest.fixture
        def client(connection, llmrel):
            yield connection + 1000
            note(llmrel.index, "client")

        @pytest.mark.krun(6, concurrency=3)
        async def test_async(client, llmrel):
            assert client == llmrel.index + 1100

        @pytest.mark.krun(6, concurrency=3)
        def test_sync(client, llmrel):
            assert client == llmrel.index + 1100
        """
    )
    for name in ("test_async", "test_sync"):
        done = suite.run(pytester, *PLAIN, "-k", name).outcomes(passed=1, deselected=1)
        for index in range(6):
            words = [word for number, word in done.log() if number == str(index)]
            assert words == ["client", "connection", "config"]
        (done.path / "log.txt").unlink()


def test_a_blocking_sync_fixture_of_an_async_test_does_not_block_the_loop(pytester: pytest.Pytester) -> None:
    """Sync fixtures of four async runs meet at a threading barrier, in set-up and tear-down: they overlap."""
    suite = example(
        """
        import asyncio
        import threading
        import pytest

        up, down = (threading.Barrier(4, timeout=10) for _ in range(2))
        body = asyncio.Barrier(4)

        @pytest.fixture
        def slow():
            up.wait()
            yield
            down.wait()

        @pytest.mark.krun(8, concurrency=4)
        async def test_it(slow):
            async with asyncio.timeout(10):
                await body.wait()
        """
    )
    assert suite.run(pytester, *PLAIN).outcomes(passed=1).counts() == {"passed": 8}


def test_sync_tests_with_async_fixtures_overlap(pytester: pytest.Pytester) -> None:
    """Sync bodies block in threads of their own while async fixtures are served: four meet at a barrier."""
    suite = example(
        """
        import asyncio
        import threading
        import pytest

        body = threading.Barrier(4, timeout=10)
        gate = asyncio.Barrier(4)

        @pytest.fixture
        async def client():
            async with asyncio.timeout(10):
                await gate.wait()
            yield asyncio.get_running_loop()

        @pytest.mark.krun(8, concurrency=4)
        def test_it(client):
            body.wait()
            future = asyncio.run_coroutine_threadsafe(asyncio.sleep(0, "served"), client)
            assert future.result(10) == "served"
        """
    )
    assert suite.run(pytester, *PLAIN).outcomes(passed=1).counts() == {"passed": 8}


def test_methods_and_async_fixture_methods_use_the_instance_of_the_run(pytester: pytest.Pytester) -> None:
    """`self` is the run's own instance in async fixture methods, async tests and their tear-down."""
    suite = example(
        """
        import asyncio
        import pytest

        class TestBot:
            @pytest.fixture
            async def talk(self):
                assert not vars(self)
                self.said = []
                yield self
                assert self.said == ["hi"]

            @pytest.fixture(autouse=True)
            async def always(self, request):
                assert request.instance is self

            @pytest.mark.krun(6, concurrency=3)
            async def test_it(self, talk):
                assert talk is self
                await asyncio.sleep(0)
                self.said.append("hi")
        """
    )
    assert suite.run(pytester, *PLAIN).outcomes(passed=1).counts() == {"passed": 6}


@pytest.mark.parametrize("test", ["async def", "def"])
def test_context_variables_of_async_fixtures_reach_the_test_and_stay_in_the_run(
    pytester: pytest.Pytester, test: str
) -> None:
    """A ContextVar set by async and sync fixtures is seen by test and tear-downs of the run alone."""
    suite = example(
        f"""
        import asyncio
        from contextvars import ContextVar
        import pytest

        trail = ContextVar("trail", default=())
        gate = asyncio.Barrier(4)

        @pytest.fixture
        async def first(llmrel):
            assert trail.get() == ()
            trail.set((llmrel.index, "first"))
            async with asyncio.timeout(10):
                await gate.wait()
            yield
            assert trail.get() == (llmrel.index, "first", "second", "test", "down")

        @pytest.fixture
        def second(first, llmrel):
            assert trail.get() == (llmrel.index, "first")
            trail.set((*trail.get(), "second"))
            yield
            trail.set((*trail.get(), "down"))

        @pytest.mark.krun(8, concurrency=4)
        {test} test_it(second, llmrel):
            assert trail.get() == (llmrel.index, "first", "second")
            trail.set((*trail.get(), "test"))

        def test_later():
            assert trail.get() == ()
        """
    )
    done = suite.run(pytester, *PLAIN).outcomes(passed=2)
    assert done.counts() == {"passed": 8}


def test_a_context_variable_token_can_be_reset_across_the_yield(pytester: pytest.Pytester) -> None:
    """Token-based reset in an async yield fixture works: set-up and tear-down are in the same context."""
    suite = example(
        """
        from contextvars import ContextVar
        import pytest

        user = ContextVar("user", default="nobody")

        @pytest.fixture
        async def login():
            token = user.set("me")
            yield
            user.reset(token)
            assert user.get() == "nobody"

        @pytest.mark.krun(4)
        async def test_it(login):
            assert user.get() == "me"
        """
    )
    assert suite.run(pytester, *PLAIN).outcomes(passed=1).counts() == {"passed": 4}


@pytest.mark.parametrize("test", ["async def", "def"])
def test_concurrency_one_keeps_everything_in_the_main_thread(pytester: pytest.Pytester, test: str) -> None:
    """With concurrency=1 async and sync fixtures, test and tear-downs all happen in the main thread."""
    suite = example(
        f"""
        import asyncio
        import threading
        import pytest
        from witness import note

        def here(word):
            assert threading.current_thread() is threading.main_thread()
            note(word)

        @pytest.fixture
        async def client():
            here("up")
            await asyncio.sleep(0)
            yield
            here("down")

        @pytest.fixture
        def session(client):
            here("up")
            yield
            here("down")

        @pytest.mark.krun(3, concurrency=1)
        {test} test_it(session):
            here("body")
            assert threading.active_count() == 1
        """
    )
    done = suite.run(pytester, *PLAIN, subprocess=True).outcomes(passed=1)
    assert Counter(word for (word,) in done.log()) == {"up": 6, "down": 6, "body": 3}


def test_concurrency_one_on_the_command_line_too(pytester: pytest.Pytester) -> None:
    """--llmrel-concurrency=1 brings async runs to the main thread, one after the other, in order."""
    suite = example(
        """
        import asyncio
        import threading
        import pytest
        from witness import note

        @pytest.mark.krun(5)
        async def test_it(llmrel):
            assert threading.current_thread() is threading.main_thread()
            note(llmrel.index)
            await asyncio.sleep(0.001)
            note(llmrel.index)
        """
    )
    done = suite.run(pytester, *PLAIN, "--llmrel-concurrency=1").outcomes(passed=1)
    assert [int(index) for (index,) in done.log()] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
def test_eager_tasks_do_not_disturb_runs(pytester: pytest.Pytester) -> None:
    """A project that installs the eager task factory on the running loop still gets its runs and outcomes."""
    suite = example(
        """
        import asyncio
        import pytest

        @pytest.fixture
        async def eager():
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)

        @pytest.mark.krun(8, concurrency=4, pass_rate=0.5, stop="never")
        async def test_it(eager, llmrel):
            await asyncio.create_task(asyncio.sleep(0))
            assert llmrel.index % 2
        """
    )
    assert suite.run(pytester, *PLAIN).outcomes(passed=1).counts() == {"passed": 4, "failed": 4}
