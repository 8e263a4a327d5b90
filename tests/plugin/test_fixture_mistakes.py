"""Shared fixtures that raise or skip, scopes that do not fit and fixtures that do not exist."""

import pytest
from example import example


def test_a_raising_shared_fixture_is_executed_once_and_fails_the_item(pytester: pytest.Pytester) -> None:
    """A session fixture that raises at set-up errors every item that uses it, and is not tried k times."""
    suite = example(
        """
        import pytest
        from witness import note

        @pytest.fixture(scope="session")
        def server():
            note("try")
            raise OSError("port in use")

        @pytest.mark.krun(5)
        def test_it(server):
            note("body")
        """
    )
    done = suite.run(pytester).outcomes(error=1)
    assert done.log() == [["try"]]
    assert done.ret == 1
    assert done.test()["verdict"] != "PASS"
    assert "port in use" in done.out


def test_a_raising_shared_fixture_requested_by_runs_is_executed_once(pytester: pytest.Pytester) -> None:
    """Eight concurrent runs that request a raising session fixture dynamically all get its one exception."""
    suite = example(
        """
        import threading
        import pytest
        from witness import note

        gate = threading.Barrier(8, timeout=10)

        @pytest.fixture(scope="session")
        def server():
            note("try")
            raise OSError("port in use")

        @pytest.fixture
        def client(request):
            gate.wait()
            return request.getfixturevalue("server")

        @pytest.mark.krun(8, concurrency=8)
        def test_it(client):
            note("body")
        """
    )
    done = suite.run(pytester).outcomes(failed=1)
    assert done.log() == [["try"]]
    assert done.counts() == {"errors": 8}
    assert "port in use" in done.out


def test_a_shared_fixture_that_skips_skips_the_item(pytester: pytest.Pytester) -> None:
    """pytest.skip() in a module fixture skips the item without a single run."""
    suite = example(
        """
        import pytest
        from witness import note

        @pytest.fixture(scope="module")
        def gpu():
            pytest.skip("no such hardware")

        @pytest.mark.krun(5)
        def test_it(gpu):
            note("body")
        """
    )
    done = suite.run(pytester).outcomes(skipped=1)
    assert done.log() == []
    assert done.ret == 0


def test_a_scope_mismatch_is_an_error(pytester: pytest.Pytester) -> None:
    """A session fixture may not depend on a run's own fixture, whether by name or dynamically."""
    suite = example(
        """
        import pytest

        @pytest.fixture
        def own():
            return 1

        @pytest.fixture(scope="session")
        def wide(own):
            return own

        @pytest.fixture(scope="session")
        def sneaky(request):
            return request.getfixturevalue("own")

        @pytest.mark.krun(2)
        def test_by_name(wide):
            pass

        @pytest.mark.krun(2)
        def test_dynamic(request):
            request.getfixturevalue("sneaky")
        """
    )
    done = suite.run(pytester)
    assert done.ret == 1
    assert done.out.count("ScopeMismatch") >= 2
    assert not any(test["verdict"] == "PASS" for test in done.tests.values())


def test_an_unknown_fixture_is_an_error(pytester: pytest.Pytester) -> None:
    """A name without a fixture is pytest's usual error, also when a run asks for it dynamically."""
    suite = example(
        """
        import pytest

        @pytest.mark.krun(2)
        def test_by_name(nonsense):
            pass

        @pytest.mark.krun(2)
        def test_dynamic(request):
            request.getfixturevalue("nonsense")
        """
    )
    done = suite.run(pytester)
    assert done.ret == 1
    assert done.out.count("fixture 'nonsense' not found") >= 2
    assert not any(test["verdict"] == "PASS" for test in done.tests.values())
