"""Task groups, timeouts and cancel scopes that async fixtures hold across their `yield`."""

from collections import Counter

import pytest
from example import PLAIN, example


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize(
    "scope",
    [
        "asyncio.timeout(5)",
        "asyncio.TaskGroup()",
        "anyio.create_task_group()",
        "anyio.move_on_after(5)",
        "contextlib.AsyncExitStack()",
    ],
)
def test_what_a_fixture_enters_before_its_yield_it_can_leave_after(
    pytester: pytest.Pytester, scope: str, concurrency: int
) -> None:
    """Cancel scopes and task groups, which insist on one task, may span the yield, nested ones too."""
    pytest.importorskip("anyio")
    kind = "with" if "move_on" in scope else "async with"
    suite = example(
        f"""
        import asyncio
        import contextlib
        import anyio
        import pytest
        from witness import note

        @pytest.fixture
        async def outer(llmrel):
            {kind} {scope} as scope:
                yield scope
            note("outer", llmrel.index)

        @pytest.fixture
        async def inner(outer, llmrel):
            {kind} {scope} as scope:
                yield scope
            note("inner", llmrel.index)

        @pytest.mark.krun(8, concurrency={concurrency}, pass_rate=0.5, stop="never")
        async def test_async(inner, outer, llmrel):
            assert inner is not outer
            await asyncio.sleep(0)
            assert llmrel.index % 2

        @pytest.mark.krun(8, concurrency={concurrency}, pass_rate=0.5, stop="never")
        def test_sync(inner, llmrel):
            assert llmrel.index % 2
        """
    )
    done = suite.run(pytester, *PLAIN).outcomes(passed=2)
    assert done.counts("test_async") == done.counts("test_sync") == {"passed": 4, "failed": 4}
    assert Counter(word for word, _ in done.log()) == {"inner": 16, "outer": 16}


def test_a_background_task_of_a_fixture_serves_its_own_run(pytester: pytest.Pytester) -> None:
    """A server task in a fixture's task group answers while the test waits, and ends with its run."""
    suite = example(
        """
        import asyncio
        import pytest
        from witness import note

        @pytest.fixture
        async def server(llmrel):
            questions = asyncio.Queue()

            async def serve():
                while (question := await questions.get()) is not None:
                    question.set_result(llmrel.index)
                note("ended")

            async with asyncio.TaskGroup() as group:
                group.create_task(serve())
                yield questions
                questions.put_nowait(None)

        @pytest.mark.krun(8, concurrency=4)
        async def test_it(server, llmrel):
            for _ in range(3):
                question = asyncio.get_running_loop().create_future()
                server.put_nowait(question)
                assert await question == llmrel.index
        """
    )
    done = suite.run(pytester, *PLAIN).outcomes(passed=1)
    assert done.counts() == {"passed": 8}
    assert len(done.log("ended")) == 8


def test_a_crashed_background_task_fails_the_item_and_other_runs_go_on(pytester: pytest.Pytester) -> None:
    """A child of a fixture's TaskGroup that raises in one run is seen in that run alone and never lost."""
    suite = example(
        """
        import asyncio
        import pytest

        @pytest.fixture
        async def group(llmrel):
            async def child():
                if llmrel.index == 2:
                    raise LookupError("the child crashed")

            async with asyncio.TaskGroup() as group:
                group.create_task(child())
                yield group

        @pytest.mark.krun(6, concurrency=3, pass_rate=0.1, stop="never")
        async def test_it(group, llmrel):
            await asyncio.sleep(0.01)
        """
    )
    done = suite.run(pytester, *PLAIN).outcomes(failed=1)
    assert done.test()["runs"] == 6
    assert done.test()["passed"] >= 5
    assert "the child crashed" in done.out
    assert done.session.duration < 20, "a run waited for its timeout of 60 s"
