"""With pytest-asyncio, strict and auto: fixtures, loop scopes and marks keep their meaning in krun tests."""

from collections import Counter

import pytest
from example import example

pytest.importorskip("pytest_asyncio")
ONLY = ("-p", "no:anyio")
AUTO = (*ONLY, "--asyncio-mode=auto")
STRICT = (*ONLY, "--asyncio-mode=strict")

SHARED = """
import asyncio
import pytest
import pytest_asyncio
from witness import note

gate = asyncio.Barrier(4)


class Client:
    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.lock = asyncio.Lock()
        self.served = 0

    async def ask(self):
        assert asyncio.get_running_loop() is self.loop, "used on another loop"
        async with self.lock:
            await asyncio.sleep(0)
            self.served += 1


@FIXTURE(scope="session", loop_scope="session")
async def client():
    client = Client()
    note("up", id(client.loop))
    yield client
    assert asyncio.get_running_loop() is client.loop
    note("down", client.served)


@FIXTURE
async def conversation(client, llmrel):
    await client.ask()
    note("open", llmrel.index, id(asyncio.get_running_loop()))
    yield []
    await client.ask()
    note("close", llmrel.index, id(asyncio.get_running_loop()))


@pytest.mark.krun(8, concurrency=4)
async def test_it(client, conversation, llmrel):
    async with asyncio.timeout(10):
        await gate.wait()
    await client.ask()
    note("body", llmrel.index, id(asyncio.get_running_loop()))
    assert conversation == []
    conversation.append("used")


@pytest.mark.krun(4, concurrency=2)
async def test_again(client, conversation):
    await client.ask()


@pytest.mark.asyncio(loop_scope="session")
async def test_plain(client):
    assert client.served == 8 * 3 + 4 * 3
    await client.ask()
"""


@pytest.mark.parametrize(
    ("mode", "decorator"),
    [(STRICT, "pytest_asyncio.fixture"), (AUTO, "pytest.fixture"), (AUTO, "pytest_asyncio.fixture")],
)
@pytest.mark.parametrize("concurrency", [(), ("--llmrel-concurrency=1",)])
def test_a_session_client_is_shared_on_its_loop_and_own_fixtures_are_fresh(
    pytester: pytest.Pytester, mode: tuple[str, ...], decorator: str, concurrency: tuple[str, ...]
) -> None:
    """One client on one loop for all runs and a plain test; own async yield fixtures are fresh per run."""
    text, ini = SHARED.replace("FIXTURE", decorator), {}
    if decorator == "pytest.fixture":  # which takes no loop_scope
        text = text.replace(', loop_scope="session")\nasync def client', ")\nasync def client")
        ini = {"asyncio_default_fixture_loop_scope": "session"}
    if concurrency:
        text = text.replace("asyncio.Barrier(4)", "asyncio.Barrier(1)")
    done = example(text, **ini).run(pytester, *mode, *concurrency).outcomes(passed=3)
    assert done.counts("test_it") == {"passed": 8}
    [[loop]] = done.log("up")
    assert done.log("down") == [["37"]]
    for phase in ("open", "close"):
        seen = Counter(index for index, _ in done.log(phase))
        assert seen == {str(index): 2 if index < 4 else 1 for index in range(8)}
        assert {where for _, where in done.log(phase)} == {loop}
    assert {where for _, where in done.log("body")} == {loop}


@pytest.mark.parametrize("scope", ["class", "module", "package", "session"])
def test_fixtures_of_every_scope_are_set_up_once_for_all_runs(pytester: pytest.Pytester, scope: str) -> None:
    """An async yield fixture of any higher scope is set up and torn down once, on the loop of its runs."""
    suite = example(
        f"""
        import asyncio
        import pytest
        import pytest_asyncio
        from witness import note

        @pytest_asyncio.fixture(scope="{scope}", loop_scope="{scope}")
        async def client():
            note("up")
            yield asyncio.get_running_loop()
            note("down")

        class TestIt:
            @pytest.mark.krun(6, concurrency=3)
            async def test_it(self, client):
                assert asyncio.get_running_loop() is client

            @pytest.mark.asyncio(loop_scope="{scope}")
            async def test_plain(self, client):
                assert asyncio.get_running_loop() is client
        """
    )
    done = suite.run(pytester, *STRICT).outcomes(passed=2)
    assert done.log() == [["up"], ["down"]]


@pytest.mark.parametrize("mode", [STRICT, AUTO])
def test_an_asyncio_mark_is_allowed_and_its_loop_scope_is_kept(
    pytester: pytest.Pytester, mode: tuple[str, ...]
) -> None:
    """With asyncio(loop_scope="module") the runs of two items and a plain test are on the same loop."""
    suite = example(
        """
        import asyncio
        import pytest
        from witness import note

        @pytest.mark.krun(4)
        @pytest.mark.asyncio(loop_scope="module")
        async def test_one():
            note(id(asyncio.get_running_loop()))

        @pytest.mark.asyncio(loop_scope="module")
        @pytest.mark.krun(4)
        async def test_two():
            note(id(asyncio.get_running_loop()))

        @pytest.mark.asyncio(loop_scope="module")
        async def test_plain():
            note(id(asyncio.get_running_loop()))

        @pytest.mark.krun(4)
        @pytest.mark.asyncio
        async def test_own():
            await asyncio.sleep(0)
        """
    )
    done = suite.run(pytester, *mode).outcomes(passed=4)
    assert len(done.log()) == 9
    assert len({loop for (loop,) in done.log()}) == 1
    assert {test["runs"] for test in done.tests.values()} == {4}


def test_ini_loop_scopes_are_kept(pytester: pytest.Pytester) -> None:
    """asyncio_default_*_loop_scope = session puts fixtures, runs and plain tests on one loop."""
    suite = example(
        """
        import asyncio
        import pytest
        from witness import note

        @pytest.fixture(scope="module")
        async def client():
            note(id(asyncio.get_running_loop()))
            yield
            note(id(asyncio.get_running_loop()))

        @pytest.fixture
        async def own():
            note(id(asyncio.get_running_loop()))
            yield
            note(id(asyncio.get_running_loop()))

        @pytest.mark.krun(4)
        async def test_it(client, own):
            note(id(asyncio.get_running_loop()))

        async def test_plain(client):
            note(id(asyncio.get_running_loop()))
        """,
        asyncio_default_fixture_loop_scope="session",
        asyncio_default_test_loop_scope="session",
    )
    done = suite.run(pytester, *AUTO).outcomes(passed=2)
    assert len(done.log()) == 2 + 4 * 3 + 1
    assert len({loop for (loop,) in done.log()}) == 1


@pytest.mark.parametrize("mode", [STRICT, AUTO])
def test_sync_runs_may_use_async_fixtures(pytester: pytest.Pytester, mode: tuple[str, ...]) -> None:
    """A sync test with a session-scoped and a function-scoped async fixture; four bodies block at once."""
    suite = example(
        """
        import asyncio
        import threading
        import pytest
        import pytest_asyncio
        from witness import note

        gate = threading.Barrier(4, timeout=10)

        @pytest_asyncio.fixture(scope="session", loop_scope="session")
        async def client():
            return asyncio.get_running_loop()

        @pytest_asyncio.fixture
        async def own(client, llmrel):
            await asyncio.sleep(0)
            yield asyncio.get_running_loop(), llmrel.index
            note("down", llmrel.index)

        @pytest.mark.krun(8, concurrency=4)
        def test_it(client, own, llmrel):
            assert own == (client, llmrel.index)
            gate.wait()
        """
    )
    done = suite.run(pytester, *mode).outcomes(passed=1)
    assert sorted(done.log("down")) == [[str(index)] for index in range(8)]


def test_an_async_test_without_mark_or_mode_runs(pytester: pytest.Pytester) -> None:
    """In strict mode a krun coroutine needs no asyncio mark, and its plain async fixtures are awaited."""
    suite = example(
        """
        import asyncio
        import pytest

        @pytest.fixture
        async def own():
            await asyncio.sleep(0)
            yield "value"

        @pytest.mark.krun(4)
        async def test_it(own):
            assert own == "value"
        """
    )
    done = suite.run(pytester, *STRICT).outcomes(passed=1)
    assert "warning" not in done.out.lower()


def test_async_fixture_methods_of_a_class(pytester: pytest.Pytester) -> None:
    """pytest-asyncio's fixture as a method is bound to the run's instance; class-scoped ones are shared."""
    suite = example(
        """
        import asyncio
        import pytest
        import pytest_asyncio
        from witness import note

        class TestBot:
            @pytest_asyncio.fixture(scope="class", loop_scope="class")
            async def client(self):
                note("client")
                return asyncio.get_running_loop()

            @pytest_asyncio.fixture
            async def talk(self, client):
                self.said = []
                yield self
                assert self.said == [1]

            @pytest.mark.krun(6, concurrency=3)
            async def test_it(self, talk, client):
                assert talk is self and asyncio.get_running_loop() is client
                await asyncio.sleep(0)
                self.said.append(1)
        """
    )
    done = suite.run(pytester, *STRICT).outcomes(passed=1)
    assert done.log() == [["client"]]


def test_context_variables_and_task_groups_span_the_yield(pytester: pytest.Pytester) -> None:
    """pytest_asyncio fixtures may hold a TaskGroup across the yield, and the test sees what they set."""
    suite = example(
        """
        import asyncio
        from contextvars import ContextVar
        import pytest
        import pytest_asyncio

        tenant = ContextVar("tenant", default=None)

        @pytest_asyncio.fixture
        async def group(llmrel):
            token = tenant.set(llmrel.index)
            async with asyncio.TaskGroup() as group, asyncio.timeout(5):
                yield group
            tenant.reset(token)

        @pytest.mark.krun(6, concurrency=3)
        async def test_it(group, llmrel):
            assert tenant.get() == llmrel.index
            assert await group.create_task(asyncio.sleep(0, "done")) == "done"

        @pytest.mark.asyncio
        async def test_later():
            assert tenant.get() is None
        """
    )
    suite.run(pytester, *STRICT).outcomes(passed=2)


def test_a_shared_loop_is_usable_after_a_hung_run(pytester: pytest.Pytester) -> None:
    """A run that times out on the session's loop leaves it running: later tests and the tear-down use it."""
    suite = example(
        """
        import asyncio
        import pytest
        import pytest_asyncio
        from witness import note

        @pytest_asyncio.fixture(scope="session", loop_scope="session")
        async def client():
            yield asyncio.get_running_loop()
            await asyncio.sleep(0)
            note("down")

        @pytest.mark.krun(3, timeout=0.2)
        async def test_hang(client, llmrel):
            await asyncio.sleep(0 if llmrel.index else 60)

        @pytest.mark.asyncio(loop_scope="session")
        async def test_plain(client):
            assert client is asyncio.get_running_loop()

        @pytest.mark.krun(3)
        async def test_again(client):
            assert client is asyncio.get_running_loop()
        """
    )
    done = suite.run(pytester, *STRICT).outcomes(failed=1, passed=2)
    assert done.counts("test_hang") == {"passed": 2, "errors": 1}
    assert done.log() == [["down"]]
