"""Higher-scoped fixtures are shared by all runs, as their scope says, also when a run is the first to ask."""

from collections import Counter

import pytest
from example import Example, example

SCOPES = """
import pytest
from witness import note


@pytest.fixture(scope="session")
def in_session():
    note("up", "session")
    yield object()
    note("down", "session")


@pytest.fixture(scope="package")
def in_package():
    note("up", "package")
    yield object()
    note("down", "package")


@pytest.fixture(scope="module")
def in_module(in_session):
    note("up", "module")
    yield object()
    note("down", "module")


@pytest.fixture(scope="class")
def in_class(in_module):
    note("up", "class")
    yield object()
    note("down", "class")


@pytest.fixture
def own(in_class):
    note("up", "own")
    yield object()
    note("down", "own")
"""


def test_shared_fixtures_are_set_up_and_torn_down_at_their_scope(pytester: pytest.Pytester) -> None:
    """Session, package and module fixtures once, the class fixture once per class, own ones once per run."""
    body = """
import pytest
from witness import note


class TestA:
    @pytest.mark.krun(6)
    def test_one(self, in_session, in_package, in_class, own):
        note("ids", id(in_session), id(in_package))

    @pytest.mark.krun(6)
    def test_two(self, in_session, in_package, in_class, own):
        note("ids", id(in_session), id(in_package))


class TestB:
    @pytest.mark.krun(6)
    def test_three(self, in_class, own):
        pass


def test_plain(in_session, in_module):
    note("plain")
"""
    done = Example({"conftest.py": SCOPES, "test_it.py": body}).run(pytester).outcomes(passed=4)
    expected = {"session": 1, "package": 1, "module": 1, "class": 2, "own": 18}
    assert Counter(scope for (scope,) in done.log("up")) == expected
    assert Counter(scope for (scope,) in done.log("down")) == expected
    assert len({tuple(ids) for ids in done.log("ids")}) == 1
    order = [tuple(words) for words in done.log() if words[0] in {"down", "plain"}]
    assert order.index(("plain",)) < order.index(("down", "module")) < order.index(("down", "session"))
    assert next(word for word in order if word != ("down", "own")) == ("down", "class")


@pytest.mark.parametrize("scope", ["class", "module", "package", "session"])
def test_a_shared_fixture_first_requested_by_16_runs_at_once_is_set_up_once(
    pytester: pytest.Pytester, scope: str
) -> None:
    """16 runs leave a barrier and ask for the same fixture: one set-up, one value, one tear-down."""
    suite = example(
        f"""
        import threading
        import time
        import pytest
        from witness import note

        gate = threading.Barrier(16, timeout=10)

        @pytest.fixture(scope="{scope}")
        def base():
            note("up", "base")
            time.sleep(0.02)
            yield object()
            note("down", "base")

        @pytest.fixture(scope="{scope}")
        def client(base):
            note("up", "client")
            time.sleep(0.02)
            yield object()
            note("down", "client")

        @pytest.mark.krun(16, concurrency=16)
        def test_it(request):
            gate.wait()
            note("value", id(request.getfixturevalue("client")), id(request.getfixturevalue("base")))

        def test_later(request):
            note("later")
        """
    )
    done = suite.run(pytester, "--llmrel-concurrency=16").outcomes(passed=2)
    assert done.counts("test_it") == {"passed": 16}
    assert done.log("up") == [["base"], ["client"]]
    assert done.log("down") == [["client"], ["base"]]
    assert len(done.log("value")) == 16
    assert len({tuple(ids) for ids in done.log("value")}) == 1
    words = [line[0] for line in done.log() if line[0] in {"down", "later"}]
    assert words == (["down", "down", "later"] if scope == "class" else ["later", "down", "down"])


def test_a_shared_fixture_requested_by_runs_of_two_items_is_set_up_once(pytester: pytest.Pytester) -> None:
    """What a run set up dynamically is still there, the same object, for a later item and a plain test."""
    suite = example(
        """
        import pytest
        from witness import note

        @pytest.fixture(scope="module")
        def client():
            note("up")
            yield []
            note("down")

        @pytest.mark.krun(8)
        def test_one(request):
            request.getfixturevalue("client").append("one")

        @pytest.mark.krun(8)
        def test_two(request, llmrel):
            request.getfixturevalue("client").append("two")

        @pytest.mark.krun(2)
        def test_three(client):
            assert len(client) == 16

        def test_plain(client):
            assert client == ["one"] * 8 + ["two"] * 8
        """
    )
    done = suite.with_ini(llmrel_lookahead="off").run(pytester).outcomes(passed=4)
    assert done.log() == [["up"], ["down"]]


def test_a_per_run_fixture_may_request_a_shared_one_dynamically(pytester: pytest.Pytester) -> None:
    """request.getfixturevalue() inside a function-scoped fixture finds the shared value and an own one."""
    suite = example(
        """
        import pytest
        from witness import note

        @pytest.fixture(scope="session")
        def shared():
            note("shared")
            return "s"

        @pytest.fixture
        def fresh(llmrel):
            note("up", llmrel.index)
            yield llmrel.index
            note("down", llmrel.index)

        @pytest.fixture
        def outer(request):
            return request.getfixturevalue("shared"), request.getfixturevalue("fresh")

        @pytest.mark.krun(8, concurrency=4)
        def test_it(outer, request, llmrel):
            assert outer == ("s", llmrel.index)
            assert request.getfixturevalue("fresh") is request.getfixturevalue("fresh")
        """
    )
    done = suite.run(pytester).outcomes(passed=1)
    assert done.log("shared") == [[]]
    assert sorted(done.log("up")) == sorted(done.log("down")) == [[str(index)] for index in range(8)]


def test_dynamic_fixtures_of_a_run_end_with_the_run(pytester: pytest.Pytester) -> None:
    """A dynamically requested function-scoped fixture is torn down before the run's other fixtures are."""
    suite = example(
        """
        import pytest
        from witness import note

        @pytest.fixture
        def first(llmrel):
            yield
            note(llmrel.index, "first")

        @pytest.fixture
        def dynamic(llmrel):
            yield
            note(llmrel.index, "dynamic")

        @pytest.mark.krun(6, concurrency=3)
        def test_it(first, request, llmrel):
            request.getfixturevalue("dynamic")
            note(llmrel.index, "body")
        """
    )
    done = suite.run(pytester).outcomes(passed=1)
    for index in range(6):
        assert [word for number, word in done.log() if number == str(index)] == ["body", "dynamic", "first"]
