"""With anyio's plugin, on asyncio and trio: marks, backends and shared async fixtures keep their meaning."""

from collections import Counter

import pytest
from example import example

pytest.importorskip("anyio")
ONLY = ("-p", "no:asyncio")

BACKEND = """
import asyncio
import threading
import anyio
import pytest
import sniffio_or_anyio as library
from witness import note


@pytest.fixture(scope="session")
def anyio_backend():
    return "BACKEND"


@pytest.fixture(scope="SCOPE")
async def client(anyio_backend):
    note("up", library.name())
    async with anyio.create_task_group():
        yield anyio.Lock()
    note("down", library.name())


@pytest.fixture
async def own(client, llmrel):
    async with client:
        await anyio.sleep(0)
    note("open", llmrel.index)
    async with anyio.create_task_group():
        yield [llmrel.index]
    async with client:
        note("close", llmrel.index)


@pytest.mark.anyio
@pytest.mark.krun(6, concurrency=3)
async def test_it(client, own, llmrel):
    async with client:
        await anyio.sleep(0)
    assert own == [llmrel.index]
    own.append("used")
    note("body", library.name(), threading.get_ident())


@pytest.mark.krun(4, concurrency=2)
@pytest.mark.anyio
async def test_again(client):
    async with client:
        await anyio.sleep(0)


@pytest.mark.anyio
async def test_plain(client):
    async with client:
        await anyio.sleep(0)
"""

LIBRARY = """
def name():
    try:
        from anyio.lowlevel import current_async_library
    except ImportError:
        from sniffio import current_async_library
    return current_async_library()
"""


def _suite(backend: str, scope: str = "session") -> dict[str, str]:
    text = BACKEND.replace("BACKEND", backend).replace("SCOPE", scope)
    return {"test_it.py": text, "sniffio_or_anyio.py": LIBRARY}


@pytest.mark.parametrize("scope", ["module", "session"])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("concurrency", [(), ("--llmrel-concurrency=1",)])
def test_shared_async_fixtures_are_shared_and_own_ones_fresh(
    pytester: pytest.Pytester, backend: str, scope: str, concurrency: tuple[str, ...]
) -> None:
    """One client over two krun tests and a plain one; a fresh async yield fixture per run, torn down once."""
    pytest.importorskip(backend)
    suite = example("").with_files(_suite(backend, scope))
    done = suite.run(pytester, *ONLY, *concurrency).outcomes(passed=3)
    assert done.counts("test_it") == {"passed": 6}
    assert done.log("up") == done.log("down") == [[backend]]
    assert {name for name, _ in done.log("body")} == {backend}
    for phase in ("open", "close"):
        assert Counter(index for (index,) in done.log(phase)) == {str(index): 1 for index in range(6)}


def test_trio_runs_come_one_at_a_time_and_say_so(pytester: pytest.Pytester) -> None:
    """On trio the runs are sequential, in one thread, and a note in the report says so."""
    pytest.importorskip("trio")
    done = example("").with_files(_suite("trio")).run(pytester, *ONLY)
    bodies = {words[1] for words in done.log("body")}
    assert len(bodies) == 1
    assert any("trio" in note and "one at a time" in note for note in done.test("test_it")["notes"])
    order = [words[1] for words in done.log() if words[0] in {"open", "close"}]
    assert order == [str(index) for index in range(6) for _ in range(2)]


def test_asyncio_runs_overlap(pytester: pytest.Pytester) -> None:
    """With anyio on asyncio four runs meet at a barrier in fixture and body; nothing is noted."""
    suite = example(
        """
        import asyncio
        import pytest

        pytestmark = pytest.mark.anyio
        gate = asyncio.Barrier(4)

        @pytest.fixture(scope="module")
        def anyio_backend():
            return "asyncio"

        @pytest.fixture(scope="module")
        async def shared(anyio_backend):
            return asyncio.get_running_loop()

        @pytest.fixture
        async def own():
            async with asyncio.timeout(10):
                await gate.wait()
            yield asyncio.get_running_loop()

        @pytest.mark.krun(8, concurrency=4)
        async def test_shared(shared, own):
            assert shared is own is asyncio.get_running_loop()
            async with asyncio.timeout(10):
                await gate.wait()

        @pytest.mark.krun(8, concurrency=4)
        async def test_own(own):
            async with asyncio.timeout(10):
                await gate.wait()
        """
    )
    done = suite.run(pytester, *ONLY).outcomes(passed=2)
    assert [test["notes"] for test in done.tests.values()] == [[], []]


def test_the_default_backends_make_two_items_as_without_krun(pytester: pytest.Pytester) -> None:
    """The plugin of anyio parametrises its tests by backend; each item runs on its own, ids unchanged."""
    pytest.importorskip("trio")
    text = """
    import anyio
    import pytest
    import sniffio_or_anyio as library
    from witness import note

    @pytest.mark.anyio
    KRUN
    async def test_it(anyio_backend_name):
        await anyio.sleep(0)
        note(anyio_backend_name, library.name())
    """
    files = {"sniffio_or_anyio.py": LIBRARY}
    plain = example(text.replace("KRUN", "")).with_files(files).run(pytester, *ONLY, "-v")
    done = example(text.replace("KRUN", "@pytest.mark.krun(3)")).with_files(files).run(pytester, *ONLY, "-v")
    done.outcomes(passed=2)
    ids = [line.split()[0] for line in plain.out.splitlines() if " PASSED" in line]
    assert sorted(done.tests) == sorted(ids)
    assert sorted(done.log()) == [["asyncio", "asyncio"]] * 3 + [["trio", "trio"]] * 3


def test_backend_options_are_passed_on(pytester: pytest.Pytester) -> None:
    """A backend given as (name, options) works, shared fixtures and runs on the same configured loop."""
    suite = example(
        """
        import asyncio
        import pytest

        @pytest.fixture(scope="module")
        def anyio_backend():
            return "asyncio", {"debug": True}

        @pytest.fixture(scope="module")
        async def shared(anyio_backend):
            assert asyncio.get_running_loop().get_debug()
            return asyncio.get_running_loop()

        @pytest.mark.anyio
        @pytest.mark.krun(4)
        async def test_it(shared):
            assert asyncio.get_running_loop() is shared
        """
    )
    suite.run(pytester, *ONLY).outcomes(passed=1)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_failures_and_tear_downs_on_both_backends(pytester: pytest.Pytester, backend: str) -> None:
    """Failing runs, raising fixtures and raising tear-downs have the same outcomes on asyncio and on trio."""
    pytest.importorskip(backend)
    suite = example(
        f"""
        import anyio
        import pytest

        pytestmark = pytest.mark.anyio

        @pytest.fixture(params=[{backend!r}])
        def anyio_backend(request):
            return request.param

        @pytest.fixture
        async def broken(llmrel):
            await anyio.sleep(0)
            if llmrel.index == 1:
                raise LookupError("broken set-up")
            yield

        @pytest.fixture
        async def leaky():
            yield
            await anyio.sleep(0)
            raise OSError("broken tear-down")

        @pytest.mark.krun(4)
        async def test_broken(broken, llmrel):
            await anyio.sleep(0)
            if llmrel.index == 3:
                llmrel.abstain()
            assert llmrel.index != 2, "wrong answer"

        @pytest.mark.krun(2)
        async def test_leaky(leaky):
            pass
        """
    )
    done = suite.run(pytester, *ONLY).outcomes(failed=2)
    counts = done.counts(f"test_broken[{backend}]")
    assert counts == {"passed": 1, "failed": 1, "errors": 1, "abstained": 1}
    assert "broken set-up" in done.out
    assert "wrong answer" in done.out
    assert done.counts(f"test_leaky[{backend}]") == {"passed": 2}
    assert "broken tear-down" in done.out


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_hung_run_ends_at_its_timeout_and_the_next_go_on(pytester: pytest.Pytester, backend: str) -> None:
    """One run that hangs is an error; the other runs and a later item on the same backend are unharmed."""
    pytest.importorskip(backend)
    suite = example(
        f"""
        import anyio
        import pytest
        from witness import note

        pytestmark = pytest.mark.anyio

        @pytest.fixture(scope="module")
        def anyio_backend():
            return {backend!r}

        @pytest.fixture
        async def own(llmrel):
            yield
            note("down", llmrel.index)

        @pytest.mark.krun(3, timeout=0.3)
        async def test_hang(own, llmrel):
            if llmrel.index == 1:
                await anyio.sleep(30)

        @pytest.mark.krun(2)
        async def test_later(own):
            await anyio.sleep(0)
        """
    )
    done = suite.run(pytester, *ONLY, subprocess=True)
    done.outcomes(failed=1, passed=1)
    assert done.counts("test_hang") == {"passed": 2, "errors": 1}
    assert Counter(index for (index,) in done.log("down")) == {"0": 2, "1": 2, "2": 1}
    assert done.session.duration < 10


def test_anyio_and_pytest_asyncio_together(pytester: pytest.Pytester) -> None:
    """With both plugins active, each drives its own shared fixtures, and krun tests use the right loops."""
    pytest.importorskip("pytest_asyncio")
    suite = example(
        """
        import asyncio
        import anyio
        import pytest
        import pytest_asyncio

        @pytest.fixture(scope="module")
        def anyio_backend():
            return "asyncio"

        @pytest.fixture(scope="module")
        async def by_anyio(anyio_backend):
            return asyncio.get_running_loop()

        @pytest_asyncio.fixture(scope="module", loop_scope="module")
        async def by_asyncio():
            return asyncio.get_running_loop()

        @pytest.mark.anyio
        @pytest.mark.krun(4)
        async def test_anyio(by_anyio):
            assert by_anyio is asyncio.get_running_loop()
            await anyio.sleep(0)

        @pytest.mark.krun(4)
        async def test_asyncio(by_asyncio):
            assert by_asyncio is asyncio.get_running_loop()
            await anyio.sleep(0)

        @pytest.mark.krun(4)
        async def test_neither():
            await anyio.sleep(0)
        """
    )
    suite.run(pytester, "--asyncio-mode=strict").outcomes(passed=3)
