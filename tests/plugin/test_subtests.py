"""pytest's fixture ``subtests`` reports past the verdict, and is refused."""

import pytest
from example import PLAIN, example


@pytest.mark.skipif(pytest.version_tuple < (9, 0), reason="the fixture `subtests` came with pytest 9")
def test_subtests_are_refused(pytester: pytest.Pytester) -> None:
    """The fixture `subtests` swallows assertions, so a run would pass that did not: refused, never a pass."""
    suite = example(
        """
        import pytest

        @pytest.fixture
        def checks(subtests):
            return subtests

        @pytest.mark.krun(4)
        def test_it(subtests):
            with subtests.test("colour"):
                assert False

        @pytest.mark.krun(4)
        def test_indirectly(checks):
            with checks.test("colour"):
                assert False
        """
    )
    done = suite.run(pytester, *PLAIN)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert done.err.count("fixture 'subtests' reports past the verdict") == 2


def test_a_fixture_of_that_name_is_ones_own(pytester: pytest.Pytester) -> None:
    """Only the fixture of pytest is refused, not whatever is called so."""
    suite = example(
        """
        import pytest

        @pytest.fixture
        def subtests():
            return 1

        @pytest.mark.krun(2)
        def test_it(subtests):
            assert subtests == 1
        """
    )
    suite.run(pytester, *PLAIN).outcomes(passed=1)
