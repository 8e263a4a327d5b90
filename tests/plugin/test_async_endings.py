"""Failures, cancellation and time limits of async runs."""

import pytest
from example import PLAIN, example


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_hung_run_is_cancelled_and_torn_down_once(pytester: pytest.Pytester, concurrency: int) -> None:
    """A body that hangs is an error at its timeout; its finally and its fixtures' tear-downs happen once."""
    suite = example(
        f"""
        import asyncio
        import pytest
        from witness import note

        @pytest.fixture
        def plain(llmrel):
            yield
            note("plain", llmrel.index)

        @pytest.fixture
        async def client(plain, llmrel):
            async with asyncio.TaskGroup():
                yield
            note("client", llmrel.index)

        @pytest.mark.krun(4, concurrency={concurrency}, timeout=0.2)
        async def test_it(client, llmrel):
            try:
                if llmrel.index == 1:
                    await asyncio.sleep(60)
            finally:
                note("body", llmrel.index)
        """
    )
    done = suite.run(pytester, *PLAIN).outcomes(failed=1)
    assert done.counts() == {"passed": 3, "errors": 1}
    for index in "0123":
        assert [word for word, number in done.log() if number == index] == ["body", "client", "plain"]
    [group] = done.test()["failures"]
    assert group["type"] == "RunTimeout"
    assert "asyncio.sleep(60)" in group["sample"]["traceback"]


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("where", ["set-up", "tear-down"])
def test_a_hung_async_fixture_ends_at_the_timeout(
    pytester: pytest.Pytester, where: str, concurrency: int
) -> None:
    """An async fixture that hangs is cancelled, and what was set up before it is torn down."""
    suite = example(
        f"""
        import asyncio
        import pytest
        from witness import note

        @pytest.fixture
        async def base(llmrel):
            yield
            note("base", llmrel.index)

        @pytest.fixture
        async def stubborn(base, llmrel):
            if "{where}" == "set-up" and llmrel.index == 1:
                await asyncio.sleep(60)
            yield
            if "{where}" == "tear-down" and llmrel.index == 1:
                await asyncio.sleep(60)

        @pytest.mark.krun(3, concurrency={concurrency}, timeout=0.2)
        async def test_it(stubborn, llmrel):
            note("body", llmrel.index)
        """
    )
    done = suite.run(pytester, *PLAIN).outcomes(failed=1)
    expected = {"passed": 2, "errors": 1} if where == "set-up" else {"passed": 3}
    assert done.counts() == expected
    assert sorted(done.log("base")) == [["0"], ["1"], ["2"]]
    assert len(done.log("body")) == (2 if where == "set-up" else 3)
    assert "longer than 0.2 s" in done.out


def test_every_way_to_raise_is_an_outcome_of_that_run(pytester: pytest.Pytester) -> None:
    """CancelledError, StopIteration, SystemExit and GeneratorExit in a body are its failure; none hangs."""
    suite = example(
        """
        import asyncio
        import pytest

        ENDS = [StopIteration, StopAsyncIteration, SystemExit, GeneratorExit]
        KINDS = [asyncio.CancelledError, ValueError, *ENDS]

        @pytest.fixture
        async def client():
            yield 1

        @pytest.mark.krun(7, concurrency=7, pass_rate=0.1, stop="never")
        async def test_with_fixture(client, llmrel):
            await asyncio.sleep(0)
            if llmrel.index:
                raise KINDS[llmrel.index - 1]

        @pytest.mark.krun(7, concurrency=7, pass_rate=0.1, stop="never")
        async def test_without(llmrel):
            await asyncio.sleep(0)
            if llmrel.index:
                raise KINDS[llmrel.index - 1]
        """
    )
    done = suite.run(pytester, *PLAIN, subprocess=True).outcomes(passed=2)
    assert done.counts("test_with_fixture") == done.counts("test_without") == {"passed": 1, "failed": 6}


def test_async_fixtures_that_raise_keep_their_traceback(pytester: pytest.Pytester) -> None:
    """A raising set-up is an error with the fixture's line; a raising tear-down fails the passing item."""
    suite = example(
        """
        import asyncio
        import pytest

        @pytest.fixture
        async def broken():
            await asyncio.sleep(0)
            raise LookupError("no session")  # set-up

        @pytest.fixture
        async def leaky():
            yield
            await asyncio.sleep(0)
            raise OSError("cannot close")  # tear-down

        @pytest.mark.krun(3)
        async def test_broken(broken):
            pass

        @pytest.mark.krun(3)
        async def test_leaky(leaky):
            pass
        """
    )
    done = suite.run(pytester, *PLAIN).outcomes(failed=2)
    assert done.counts("test_broken") == {"errors": 3}
    assert done.counts("test_leaky") == {"passed": 3}
    for name, comment in [("test_broken", "# set-up"), ("test_leaky", "# tear-down")]:
        [group] = done.test(name)["failures"]
        assert group["location"].startswith("test_it.py:")
        assert comment in group["sample"]["traceback"]


def test_an_async_fixture_with_two_yields_fails_the_item(pytester: pytest.Pytester) -> None:
    """An async generator fixture that yields twice is reported by name, and its generator is closed."""
    suite = example(
        """
        import pytest
        from witness import note

        @pytest.fixture
        async def double():
            try:
                yield 1
                yield 2
            finally:
                note("closed")

        @pytest.mark.krun(2)
        async def test_it(double):
            assert double == 1
        """
    )
    done = suite.run(pytester, *PLAIN).outcomes(failed=1)
    assert done.log() == [["closed"], ["closed"]]
    assert "double" in done.out
    assert "more than one 'yield'" in done.out


def test_a_dynamic_request_inside_a_coroutine_explains_itself(pytester: pytest.Pytester) -> None:
    """getfixturevalue() of an async fixture in a coroutine would wait for itself: it says so instead."""
    suite = example(
        """
        import pytest

        @pytest.fixture
        async def client():
            return 1

        @pytest.mark.krun(3, timeout=5)
        async def test_it(request):
            request.getfixturevalue("client")

        @pytest.mark.krun(3, timeout=5, concurrency=1)
        async def test_alone(request):
            request.getfixturevalue("client")

        @pytest.fixture
        def sync_client(request):
            return request.getfixturevalue("client")

        @pytest.mark.krun(3, timeout=5)
        async def test_fine(sync_client):
            assert sync_client == 1
        """
    )
    done = suite.run(pytester, *PLAIN, subprocess=True).outcomes(failed=2, passed=1)
    assert "never awaited" not in done.out + done.err
    for name in ("test_it", "test_alone"):
        assert done.test(name)["passed"] == 0
        assert "signature" in done.test(name)["failures"][0]["sample"]["message"], name
    assert done.session.duration < 4


def test_tasks_left_behind_by_a_run_are_cancelled_with_the_item(pytester: pytest.Pytester) -> None:
    """Background tasks that a run forgot are cancelled, cleanup included, before the next item begins."""
    suite = example(
        """
        import asyncio
        import pytest
        from witness import note

        kept = []

        @pytest.mark.krun(4)
        async def test_it():
            async def forgotten():
                try:
                    await asyncio.sleep(60)
                finally:
                    note("cancelled")

            kept.append(asyncio.create_task(forgotten()))
            await asyncio.sleep(0)

        def test_later():
            note("later")
            assert all(task.done() for task in kept) and len(kept) == 4
        """
    )
    done = suite.run(pytester, *PLAIN, subprocess=True).outcomes(passed=2)
    assert done.log() == [["cancelled"]] * 4 + [["later"]]
    assert "Task was destroyed" not in done.out + done.err


def test_a_shared_async_fixture_that_nobody_drives_is_no_value(pytester: pytest.Pytester) -> None:
    """A session-scoped async fixture that nobody drives makes the item fail, naming the fixture."""
    suite = example(
        """
        import pytest

        @pytest.fixture(scope="session")
        async def database():
            return 1

        @pytest.mark.krun(2)
        async def test_it(database):
            assert database
        """
    )
    done = suite.run(pytester, *PLAIN, subprocess=True)
    assert done.ret == 1
    assert "database" in done.out
    assert "passed" not in done.session.parseoutcomes()
