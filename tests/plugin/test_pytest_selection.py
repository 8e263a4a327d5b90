"""Marks that skip or expect failure, selection, re-running and reports see one item with one outcome."""

from collections import Counter
from xml.etree import ElementTree as ET

import pytest
from example import PLAIN, example

THREE = """
import pytest
from witness import note


@pytest.mark.krun(4)
def test_good():
    note("good")


class TestBad:
    @pytest.mark.krun(4)
    @pytest.mark.parametrize("x", [1, 2])
    def test_bad(self, x, llmrel):
        note("bad", x)
        assert x == 1 or llmrel.index


@pytest.mark.krun(4)
def test_last():
    note("last")
"""


@pytest.mark.parametrize(
    ("mark", "outcome"),
    [
        ("skip(reason='later')", "skipped"),
        ("skipif(True, reason='later')", "skipped"),
        ("skipif('sys.version_info > (3,)', reason='later')", "skipped"),
        ("xfail(run=False, reason='later')", "xfailed"),
    ],
)
def test_a_skipped_item_makes_no_run(pytester: pytest.Pytester, mark: str, outcome: str) -> None:
    """skip, skipif and xfail(run=False) leave no run, no fixture and no row in the report."""
    suite = example(
        f"""
        import sys
        import pytest
        from witness import note

        @pytest.fixture(scope="module")
        def dear():
            note("set up")

        @pytest.mark.krun(3)
        @pytest.mark.{mark}
        def test_it(dear):
            note("run")
        """
    )
    done = suite.run(pytester, "-rsx").outcomes(**{outcome: 1})
    assert done.log() == []
    assert done.ret == 0
    assert "later" in done.out
    assert not done.tests


def test_skipif_false_runs(pytester: pytest.Pytester) -> None:
    """A skipif whose condition does not hold changes nothing."""
    suite = example(
        """
        import pytest

        @pytest.mark.krun(3)
        @pytest.mark.skipif(False, reason="never")
        def test_it():
            pass
        """
    )
    assert suite.run(pytester).outcomes(passed=1).counts() == {"passed": 3}


@pytest.mark.parametrize(
    ("mark", "body", "outcome"),
    [
        ("xfail", "assert llmrel.index", "xfailed"),
        ("xfail", "pass", "xpassed"),
        ("xfail(strict=True)", "pass", "failed"),
        ("xfail(strict=True)", "assert llmrel.index", "xfailed"),
        ("xfail(False, reason='not here')", "assert llmrel.index", "failed"),
        ("xfail(raises=AssertionError)", "assert False", "xfailed"),
    ],
)
def test_xfail_speaks_of_the_verdict(pytester: pytest.Pytester, mark: str, body: str, outcome: str) -> None:
    """A mark xfail expects the item's verdict to fail: one failing run is enough, three passes are not."""
    suite = example(
        f"""
        import pytest

        @pytest.mark.krun(3)
        @pytest.mark.{mark}
        def test_it(llmrel):
            {body}
        """
    )
    done = suite.run(pytester).outcomes(**{outcome: 1})
    assert done.ret == (1 if outcome == "failed" else 0)
    assert done.test()["runs"] == 3


def test_a_fixture_may_apply_xfail(pytester: pytest.Pytester) -> None:
    """request.applymarker() in a per-run fixture marks the item, as it does without krun."""
    suite = example(
        """
        import pytest

        @pytest.fixture
        def flaky_model(request):
            request.applymarker(pytest.mark.xfail(reason="known to be bad"))

        @pytest.mark.krun(6, concurrency=3)
        def test_it(flaky_model):
            assert False
        """
    )
    done = suite.run(pytester, "-rx").outcomes(xfailed=1)
    assert done.out.count("known to be bad") == 1


def test_a_fixture_that_skips_all_runs_skips_the_item_with_its_reason(pytester: pytest.Pytester) -> None:
    """pytest.skip() in a function-scoped fixture, in every run, is a skipped item that shows why."""
    suite = example(
        """
        import pytest

        @pytest.fixture
        def key():
            pytest.skip("no API key")

        @pytest.mark.krun(5)
        def test_it(key):
            pass
        """
    )
    done = suite.run(pytester, "-rs").outcomes(skipped=1)
    assert done.ret == 0
    assert "no API key" in done.out


def test_k_expressions_marks_and_node_ids_select_items(pytester: pytest.Pytester) -> None:
    """-k, -m and a node id choose whole items; what is not chosen makes no run and no row."""
    suite = example(THREE)
    for args, expected in [
        (("-k", "good or last"), {"good", "last"}),
        (("-m", "krun", "--deselect", "test_it.py::TestBad"), {"good", "last"}),
        (("test_it.py::TestBad::test_bad[1]",), {"bad"}),
        (("-m", "not krun"), set()),
    ]:
        done = suite.run(pytester, *args)
        assert {words[0] for words in done.log()} == expected, args
        assert len(done.tests) == len(expected)
        assert done.ret == (0 if expected else 5)


def test_exitfirst_stops_after_the_item_not_after_the_run(pytester: pytest.Pytester) -> None:
    """With -x the failing item still makes all its runs, and nothing after it is a part of the session."""
    done = example(THREE).run(pytester, "-x", "-o", "llmrel_lookahead=off")
    assert Counter(" ".join(words) for words in done.log()) == {"good": 4, "bad 1": 4, "bad 2": 4}
    assert done.session.parseoutcomes() == {"passed": 2, "failed": 1}
    assert done.test("[2]")["runs"] == 4


def test_last_failed_runs_the_failed_item_again_in_full(pytester: pytest.Pytester) -> None:
    """--lf selects the failed parametrised method only, and all its runs are made again."""
    suite = example(THREE)
    assert suite.run(pytester).session.parseoutcomes() == {"passed": 3, "failed": 1}
    again = suite.run(pytester, "--lf")
    assert again.log() == [["bad", "2"]] * 4
    assert list(again.tests) == ["test_it.py::TestBad::test_bad[2]"]
    first = suite.run(pytester, "--ff")
    assert first.log()[0] == ["bad", "2"]
    assert len(first.log()) == 16


@pytest.mark.parametrize("concurrency", [1, 4])
def test_running_an_item_twice_judges_it_afresh(pytester: pytest.Pytester, concurrency: int) -> None:
    """A plugin that repeats the protocol of a failed item gets new runs, new fixtures and a new verdict."""
    conftest = """
    import pytest
    from _pytest.runner import runtestprotocol


    @pytest.hookimpl
    def pytest_runtest_protocol(item, nextitem):
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for attempt in range(2):
            item._initrequest()
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
            if not any(report.failed for report in reports):
                break
            item.session._setupstate.teardown_exact(None)
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True
    """
    suite = example(
        f"""
        import itertools
        import pytest
        from witness import note

        count = itertools.count()

        @pytest.fixture(scope="module")
        def shared():
            note("shared")
            return []

        @pytest.fixture
        def own(shared):
            note("up")
            yield
            note("down")

        class TestOuter:
            class TestInner:
                @pytest.mark.krun(4, concurrency={concurrency})
                @pytest.mark.parametrize("x", [5])
                def test_it(self, own, x, tmp_path):
                    assert x == 5
                    assert next(count) >= 4
        """
    ).with_files({"conftest.py": conftest})
    done = suite.run(pytester, *PLAIN).outcomes(passed=1)
    assert Counter(words[0] for words in done.log()) == {"shared": 2, "up": 8, "down": 8}
    assert done.counts() == {"passed": 4}
    assert done.test()["verdict"] == "PASS"


def test_properties_recorded_by_runs_reach_the_item(pytester: pytest.Pytester) -> None:
    """record_property works in concurrent runs, and JUnit has one test case with all the properties."""
    suite = example(
        """
        import pytest

        @pytest.mark.krun(3)
        def test_it(record_property, llmrel):
            record_property(f"answer-{llmrel.index}", "blue")

        @pytest.mark.krun(3)
        def test_bad():
            assert 1 == 2
        """
    )
    suite.with_ini(junit_family="xunit1").run(pytester, "--junitxml=junit.xml").outcomes(passed=1, failed=1)
    suites = ET.parse(pytester.path / "junit.xml").getroot()  # noqa: S314  our own file
    good, bad = suites.iter("testcase")
    names = [node.get("name") for node in good.iter("property")]
    assert {"answer-0", "answer-1", "answer-2"} <= set(names)
    assert any(str(name).startswith("llmrel") for name in names)
    assert "1 == 2" in "".join(node.text or "" for node in bad.iter("failure"))


def test_live_reports_are_one_item_in_every_style(pytester: pytest.Pytester) -> None:
    """-v shows one line per item, -q one letter, and --setup-show and --durations do not break."""
    suite = example(THREE)
    verbose = suite.run(pytester, "-v")
    assert verbose.out.count("test_it.py::test_good PASSED") == 1
    assert "test_it.py::TestBad::test_bad[2] FAILED" in verbose.out
    quiet = suite.run(pytester, "-q", "--durations=0", "--durations-min=0")
    assert "..F." in quiet.out
    shown = suite.run(pytester, "--setup-show")
    assert shown.session.parseoutcomes() == {"passed": 3, "failed": 1}


def test_setup_plan_and_collect_only_make_no_run(pytester: pytest.Pytester) -> None:
    """--setup-plan and --collect-only execute nothing."""
    for option in ("--setup-plan", "--collect-only"):
        done = example(THREE).run(pytester, option)
        assert done.log() == [], option
        assert done.ret == 0
