"""Function-scoped fixtures belong to one run: set up and torn down once, shared inside it."""

from collections import Counter

import pytest
from example import example

COUNTED = """
import itertools
import pytest
from witness import note

numbers = itertools.count()


@pytest.fixture
def thing(llmrel):
    number = next(numbers)
    note("up", number, llmrel.index)
    yield number
    note("down", number, llmrel.index)

"""


def test_every_run_gets_one_set_up_and_one_tear_down(pytester: pytest.Pytester) -> None:
    """24 concurrent runs see 24 different values, each set up, used and torn down once and in that order."""
    suite = example(
        COUNTED
        + """
@pytest.mark.krun(24, concurrency=8)
def test_it(thing, llmrel):
    note("use", thing, llmrel.index)
"""
    )
    done = suite.run(pytester).outcomes(passed=1)
    assert done.counts() == {"passed": 24}
    for phase in ("up", "use", "down"):
        assert sorted(int(index) for _, index in done.log(phase)) == list(range(24))
        assert len({number for number, _ in done.log(phase)}) == 24
    for number, index in done.log("up"):
        assert [line[0] for line in done.log() if line[1:] == [number, index]] == ["up", "use", "down"]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_run_that_fails_in_any_way_is_torn_down_once(pytester: pytest.Pytester, concurrency: int) -> None:
    """Assertion, skip, xfail, abstention and an erring later fixture leave one tear-down per run."""
    suite = example(
        COUNTED
        + f"""
@pytest.fixture
def late(thing, llmrel):
    if llmrel.index % 5 == 4:
        raise LookupError("no such thing")


@pytest.mark.krun(10, concurrency={concurrency})
def test_it(thing, late, llmrel):
    kind = llmrel.index % 5
    if kind == 0:
        pytest.skip("not today")
    if kind == 1:
        pytest.xfail("known")
    if kind == 2:
        llmrel.abstain("declined")
    assert kind not in (3,)
"""
    )
    done = suite.run(pytester).outcomes(failed=1)
    assert done.counts() == {"failed": 2, "errors": 2, "abstained": 2, "skipped": 2, "xfailed": 2}
    assert sorted(done.log("up")) == sorted(done.log("down"))
    assert sorted(int(index) for _, index in done.log("down")) == list(range(10))


def test_a_raising_fixture_is_an_error_with_its_traceback(pytester: pytest.Pytester) -> None:
    """A fixture that raises an AssertionError makes errors, not failed runs, and its own line is shown."""
    suite = example(
        """
        import pytest

        @pytest.fixture
        def broken():
            assert "left" == "right"  # the culprit

        @pytest.mark.krun(4, pass_rate=0.0)
        def test_it(broken):
            pass
        """
    )
    done = suite.run(pytester).outcomes(failed=1)
    assert done.counts() == {"errors": 4}
    assert done.test()["verdict"] == "INCONCLUSIVE"
    [group] = done.test()["failures"]
    assert group["type"] == "AssertionError"
    assert group["location"] == "test_it.py:5"
    assert "# the culprit" in group["sample"]["traceback"]
    assert "# the culprit" in done.out


def test_a_fixture_after_a_raising_one_is_never_set_up(pytester: pytest.Pytester) -> None:
    """When the first fixture raises, neither the second one nor the body of that run is executed."""
    suite = example(
        """
        import pytest
        from witness import note

        @pytest.fixture
        def first():
            raise RuntimeError("down")

        @pytest.fixture
        def second(first):
            note("second")

        @pytest.mark.krun(3)
        def test_it(first, second):
            note("body")
        """
    )
    done = suite.run(pytester).outcomes(failed=1)
    assert done.log() == []
    assert done.counts() == {"errors": 3}


def test_tear_down_runs_backwards_inside_every_run(pytester: pytest.Pytester) -> None:
    """Yield fixtures and finalizers of one run end last in, first out, whatever other runs do meanwhile."""
    suite = example(
        """
        import pytest
        from witness import note

        @pytest.fixture
        def a(llmrel):
            yield
            note(llmrel.index, "a")

        @pytest.fixture
        def b(a, request, llmrel):
            request.addfinalizer(lambda: note(llmrel.index, "b-first"))
            request.addfinalizer(lambda: note(llmrel.index, "b-second"))

        @pytest.fixture
        def c(b, llmrel):
            yield
            note(llmrel.index, "c")

        @pytest.mark.krun(8, concurrency=4)
        def test_it(c, request, llmrel):
            request.addfinalizer(lambda: note(llmrel.index, "request"))
            request.node.addfinalizer(lambda: note(llmrel.index, "node"))
        """
    )
    done = suite.run(pytester).outcomes(passed=1)
    for index in range(8):
        order = [word for number, word in done.log() if number == str(index)]
        assert order == ["node", "request", "c", "b-second", "b-first", "a"]


def test_diamond_dependencies_share_one_value_per_run(pytester: pytest.Pytester) -> None:
    """Fixtures and a dynamic request that need the same base get the same object inside a run, not across."""
    suite = example(
        """
        import pytest
        from witness import note

        @pytest.fixture
        def base():
            return []

        @pytest.fixture
        def left(base):
            base.append("left")
            return base

        @pytest.fixture
        def right(base):
            base.append("right")
            return base

        @pytest.mark.krun(12, concurrency=4)
        def test_it(left, right, request):
            assert left is right is request.getfixturevalue("base")
            assert left == ["left", "right"]
            note(id(left))
            left.append("spoilt")
        """
    )
    assert suite.run(pytester).outcomes(passed=1).counts() == {"passed": 12}


def test_set_ups_bodies_and_tear_downs_of_different_runs_overlap(pytester: pytest.Pytester) -> None:
    """Four runs meet at a barrier in set-up, in body and in tear-down: none is serialised."""
    suite = example(
        """
        import threading
        import pytest

        up, body, down = (threading.Barrier(4, timeout=10) for _ in range(3))

        @pytest.fixture
        def slow():
            up.wait()
            yield
            down.wait()

        @pytest.mark.krun(8, concurrency=4)
        def test_it(slow):
            body.wait()
        """
    )
    assert suite.run(pytester).outcomes(passed=1).counts() == {"passed": 8}


def test_own_fixtures_are_set_up_while_a_shared_one_is(pytester: pytest.Pytester) -> None:
    """While one run is inside a shared fixture's slow set-up, others go on with their own fixtures."""
    suite = example(
        """
        import threading
        import pytest

        in_shared, others_done = threading.Event(), threading.Event()

        @pytest.fixture(scope="session")
        def shared():
            in_shared.set()
            assert others_done.wait(10), "the other run was blocked"
            return 1

        @pytest.fixture
        def own(llmrel):
            if llmrel.index:
                assert in_shared.wait(10)
                others_done.set()
            return llmrel.index

        @pytest.mark.krun(2, concurrency=2)
        def test_it(own, request):
            if own == 0:
                assert request.getfixturevalue("shared") == 1
        """
    )
    assert suite.run(pytester).outcomes(passed=1).counts() == {"passed": 2}


def test_one_raising_tear_down_fails_the_item_although_all_runs_pass(pytester: pytest.Pytester) -> None:
    """A single tear-down that raises in one of ten passing runs is reported and fails the item."""
    suite = example(
        """
        import pytest

        @pytest.fixture
        def leaky(llmrel):
            yield
            if llmrel.index == 3:
                raise OSError("cannot close the socket")

        @pytest.mark.krun(10, pass_rate=0.1, stop="never")
        def test_it(leaky):
            pass
        """
    )
    done = suite.run(pytester).outcomes(failed=1)
    assert done.counts() == {"passed": 10}
    assert done.test()["verdict"] == "FAIL"
    assert any(finding["metric"] == "teardown" for finding in done.test()["findings"])
    assert "cannot close the socket" in done.out


def test_all_tear_downs_run_and_all_that_raise_are_reported(pytester: pytest.Pytester) -> None:
    """Several finalizers that raise are reported together, and those in between are executed as well."""
    suite = example(
        """
        import pytest
        from witness import note

        @pytest.fixture
        def first():
            yield
            note("first")
            raise OSError("first broke")

        @pytest.fixture
        def middle(first):
            yield
            note("middle")

        @pytest.fixture
        def last(middle):
            yield
            note("last")
            raise LookupError("last broke")

        @pytest.mark.krun(3)
        def test_it(last):
            pass
        """
    )
    done = suite.run(pytester).outcomes(failed=1)
    assert Counter(word for (word,) in done.log()) == {"first": 3, "middle": 3, "last": 3}
    assert "first broke" in done.out
    assert "last broke" in done.out


def test_a_tear_down_cannot_turn_a_failing_run_into_a_skip(pytester: pytest.Pytester) -> None:
    """pytest.skip() raised while tearing down neither hides the failing runs nor skips the item."""
    suite = example(
        """
        import pytest

        @pytest.fixture
        def cunning():
            yield
            pytest.skip("nothing to see here")

        @pytest.mark.krun(3)
        def test_it(cunning):
            assert False
        """
    )
    done = suite.run(pytester).outcomes(failed=1)
    assert done.counts() == {"failed": 3}
    assert done.test()["verdict"] == "FAIL"


def test_a_fixture_with_two_yields_fails_the_item(pytester: pytest.Pytester) -> None:
    """A generator fixture that yields twice is an error of the tear-down, as in pytest."""
    suite = example(
        """
        import pytest

        @pytest.fixture
        def double():
            yield 1
            yield 2

        @pytest.mark.krun(2)
        def test_it(double):
            assert double == 1
        """
    )
    done = suite.run(pytester).outcomes(failed=1)
    assert "more than one 'yield'" in done.out or "has more than one" in done.out
