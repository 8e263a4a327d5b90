"""The plugin in the session: silent where it has nothing to do, and at home among pytest's own options."""

import os
import re
from pathlib import Path

import pytest
from example import Example, Outcome

UNRELATED = Example({
    "pytest.ini": "[pytest]\nfilterwarnings = default\n",
    "test_it.py": """
        import warnings
        import pytest

        @pytest.fixture
        def resource(tmp_path, monkeypatch):
            yield tmp_path

        def test_pass(resource): print("hello")

        def test_fail(resource):
            print("output")
            assert {"a": 1} == {"a": 2}

        @pytest.mark.skip(reason="later")
        def test_skip(): pass

        @pytest.mark.xfail(strict=True)
        def test_strict(): pass

        @pytest.mark.xfail
        def test_xfail(): assert 0

        @pytest.mark.parametrize("n", range(3))
        def test_parametrised(n): warnings.warn("careful", stacklevel=1)

        class TestClass:
            def test_method(self): pass

        @pytest.fixture
        def broken(): raise OSError("no disk")

        def test_error(broken): pass
    """,
})  # fmt: skip
"""A suite in which nothing is marked with krun."""


@pytest.fixture
def no_other_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions with the plugins that are named on their command line only."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def shown(result: pytest.RunResult) -> list[str]:
    """All lines of output without what differs from session to session: durations and addresses."""
    text = result.stdout.str() + result.stderr.str()
    return [re.sub(r"\d+\.\d+s|0x[0-9a-f]+|pytest-\d+", "*", line) for line in text.splitlines()]


def files(path: Path) -> set[str]:
    """Every file below ``path`` without caches."""
    return {str(file.relative_to(path)) for file in path.rglob("*") if "__pycache__" not in file.parts}


@pytest.mark.usefixtures("no_other_plugins")
@pytest.mark.parametrize(
    "args",
    [[], ["-q"], ["-vv", "-rA"], ["--collect-only"], ["--tb=short", "-x"], ["--fixtures-per-test", "-v"]],
    ids=" ".join,
)
def test_an_unrelated_session_is_the_same(pytester: pytest.Pytester, args: list[str]) -> None:
    """Without krun tests not one line of output and not one file differ from a session without the plugin."""
    UNRELATED.write(pytester.path)
    both = []
    for plugin in (["-p", "pytest_llmrel.plugin", "--llmrel-json=r.json"], []):
        result = pytester.runpytest_inprocess("-p", "no:cacheprovider", *plugin, *args)
        both.append((result.ret, shown(result), files(pytester.path)))
    assert both[0] == both[1]
    assert not (pytester.path / "r.json").exists()


def test_an_unrelated_session_by_entry_point(pytester: pytest.Pytester) -> None:
    """Installed as it is for users, the only difference is its name in the line of plugins."""
    UNRELATED.write(pytester.path)
    ini = ("-o", "asyncio_default_fixture_loop_scope=function", "-p", "no:hypothesispytest")
    with_it = shown(pytester.runpytest_inprocess(*ini))
    without = shown(pytester.runpytest_inprocess(*ini, "-p", "no:llmrel"))
    differing = [line for line in with_it if line not in without] + [
        line for line in without if line not in with_it
    ]
    assert all(line.startswith("plugins:") for line in differing), differing


def test_an_empty_session(pytester: pytest.Pytester) -> None:
    """No tests at all: pytest's own exit status and nothing of ours."""
    outcome = Example({"test_it.py": ""}).run(pytester)
    assert outcome.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "reliability" not in outcome.out
    assert outcome.report is None


SUITE = Example({
    "test_it.py": """
        import pytest
        from pytest_llmrel import krun
        from witness import note

        @krun(3)
        def test_good(): note("run")

        @krun(3)
        def test_bad(llmrel):
            note("run")
            assert llmrel.index, "wrong"

        @pytest.mark.xfail(reason="known")
        @krun(3)
        def test_known(): assert 0

        @pytest.mark.xfail(strict=True)
        @krun(3)
        def test_strict(): pass

        def test_plain(): pass
    """,
})  # fmt: skip


def table(outcome: Outcome) -> str:
    """What follows the headline of the table."""
    return outcome.out.partition("reliability (llmrel)")[2]


def test_the_table(pytester: pytest.Pytester) -> None:
    """One line per krun test with runs, rate, interval and verdict, then totals; no plain test."""
    outcome = SUITE.run(pytester)
    outcome.outcomes(passed=2, failed=2, xfailed=1)
    outcome.session.stdout.re_match_lines([
        r"=+ reliability \(llmrel\) =+",
        r"test +runs +passed +pass rate +95 % +pass\^k +p95 +verdict",
        r"test_it.py::test_good +3 +3 +1\.00 +0\.44-1\.00 +1\.00 \(k=3\) +0\.0\ds +PASS",
        r"test_it.py::test_bad +3 +2 +0\.67 +0\.21-0\.94 +0\.00 \(k=3\) +0\.0\ds +FAIL",
        r" +2 of 3 runs passed; no gate",
        r"4 tests, 12 runs: 2 FAIL, 2 PASS",
    ])  # fmt: skip
    assert "test_plain" not in table(outcome)


def test_a_strict_xfail_that_passes(pytester: pytest.Pytester) -> None:
    """A strict xfail whose runs all pass fails, as pytest does it."""
    outcome = SUITE.run(pytester, "-k", "test_strict")
    assert outcome.session.parseoutcomes() == {"failed": 1, "deselected": 4}
    assert "XPASS(strict)" in outcome.out


def test_quiet(pytester: pytest.Pytester) -> None:
    """With ``-q`` the table leaves out what passed, and the totals stay; so does the line on baselines."""
    outcome = SUITE.run(pytester, "-q")
    rows = [line for line in table(outcome).splitlines() if not line.startswith("no baseline: ")]
    assert not any("test_good" in line for line in rows)
    assert len(rows) == len(table(outcome).splitlines()) - 1
    assert "test_bad" in table(outcome)
    assert "4 tests, 12 runs" in table(outcome)


@pytest.mark.parametrize(
    "args", [["-v"], ["-vv"], ["-rA"], ["--durations=3", "-vv"], ["--no-header"]], ids=" ".join
)
def test_options_of_pytest(pytester: pytest.Pytester, args: list[str]) -> None:
    """Verbosity and reports of pytest work as ever, and the table is complete."""
    outcome = SUITE.run(pytester, *args)
    outcome.outcomes(passed=2, failed=2, xfailed=1)
    assert all(f"test_it.py::test_{name}" in table(outcome) for name in ("good", "bad", "known", "strict"))
    assert "INTERNALERROR" not in outcome.out


def test_no_terminal(pytester: pytest.Pytester) -> None:
    """Without pytest's terminal plugin there is no table, and the document is written all the same."""
    outcome = SUITE.run(pytester, "-p", "no:terminal")
    assert outcome.ret == 1
    assert len(outcome.tests) == 4


@pytest.mark.parametrize(
    "name",
    ["capture", "logging", "junitxml", "tmpdir", "cacheprovider", "warnings", "unittest", "debugging",
     "faulthandler", "threadexception", "unraisableexception", "monkeypatch", "recwarn", "assertion",
     "doctest"],
)  # fmt: skip
def test_without_a_plugin_of_pytest(pytester: pytest.Pytester, name: str) -> None:
    """A session that switches one of pytest's own plugins off still gets its verdicts."""
    outcome = SUITE.run(pytester, "-p", f"no:{name}")
    assert outcome.ret == 1, outcome.out + outcome.err
    assert {test["verdict"] for test in outcome.tests.values()} == {"PASS", "FAIL"}
    assert len(outcome.tests) == 4


@pytest.mark.parametrize("option", ["--collect-only", "--setup-plan", "--setup-only"])
def test_nothing_is_run(pytester: pytest.Pytester, option: str) -> None:
    """Options that only look execute no run, and show neither a table nor a verdict that nobody reached."""
    outcome = SUITE.run(pytester, option)
    assert outcome.ret == 0
    assert outcome.log("run") == []
    assert "reliability" not in outcome.out


def test_setup_show(pytester: pytest.Pytester) -> None:
    """``--setup-show`` does not disturb the runs."""
    outcome = SUITE.run(pytester, "--setup-show")
    outcome.outcomes(passed=2, failed=2, xfailed=1)


def test_without_the_plugin(pytester: pytest.Pytester) -> None:
    """With ``-p no:llmrel`` a krun test is an ordinary test that runs once; our options are unknown."""
    source = "import pytest\n\n@pytest.mark.krun(5)\ndef test_it(): print('once')\n"
    Example({"test_it.py": source, "pytest.ini": "[pytest]\nmarkers = krun\n"}).write(pytester.path)
    result = pytester.runpytest_inprocess(
        "-p",
        "no:llmrel",
        "-p",
        "no:hypothesispytest",
        "-rA",
        "-o",
        "asyncio_default_fixture_loop_scope=function",
    )
    result.assert_outcomes(passed=1)
    assert result.stdout.str().count("once") == 1
    assert "reliability" not in result.stdout.str()
    unknown = pytester.runpytest_inprocess("-p", "no:llmrel", "--llmrel-k=2")
    assert unknown.ret == pytest.ExitCode.USAGE_ERROR


def test_markers_and_options_are_explained(pytester: pytest.Pytester) -> None:
    """``--markers`` and ``--help`` know our names, and ``--strict-markers`` accepts them."""
    Example({"test_it.py": ""}).write(pytester.path)
    quick = ("-p", "no:hypothesispytest", "-p", "no:asyncio")
    markers = pytester.runpytest_inprocess("--markers", *quick).stdout.str()
    assert "@pytest.mark.krun(k=10" in markers
    assert "@pytest.mark.paraphrase(argname, *wordings, file, field, perturb, n)" in markers
    assert "@pytest.mark.llmrel_golden(path, argname=" in markers
    said = pytester.runpytest_inprocess("--help", *quick).stdout.str()
    for name in (
        "--llmrel-k", "--llmrel-concurrency", "--llmrel-json", "--llmrel-case", "--llmrel-hunt", "llmrel_k", "llmrel_concurrency",
        "llmrel_max_error_rate", "llmrel_inconclusive", "llmrel_scores",
    ):  # fmt: skip
        assert name in said
    SUITE.run(pytester, "--strict-markers", "--strict-config").outcomes(passed=2, failed=2, xfailed=1)


def test_the_fixture_without_krun(pytester: pytest.Pytester) -> None:
    """A test that wants the run but is not marked learns what is missing."""
    outcome = Example({"test_it.py": "def test_it(llmrel): pass\n"}).run(pytester)
    outcome.outcomes(errors=1)
    assert "mark the test with @krun" in outcome.out


def test_a_session_in_another_directory(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Places of failures are relative to the root, and the report goes where pytest was started."""
    suite = Example({"project/pytest.ini": "[pytest]\n", "project/sub/test_it.py": SUITE.files["test_it.py"]})
    suite.write(pytester.path)
    monkeypatch.chdir(pytester.mkdir("elsewhere"))
    monkeypatch.syspath_prepend(pytester.path)
    result = pytester.runpytest_inprocess(
        "../project/sub", "--llmrel-json=r.json", "-k", "bad", "-p", "no:hypothesispytest",
        "-o", "asyncio_default_fixture_loop_scope=function",
    )  # fmt: skip
    assert result.ret == 1
    assert Path("r.json").exists()
    result.stdout.fnmatch_lines(["1 run failed: AssertionError at sub/test_it.py:11: wrong"])


def test_colours(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdicts are coloured where pytest colours, and never where it does not."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" not in SUITE.run(pytester, "--color=no").out
    coloured = SUITE.run(pytester, "--color=yes").out.partition("reliability")[2]
    assert re.search("\x1b\\[3[12]m[^\n]*test_good", coloured)
    assert os.environ.get("PYTEST_THEME") is None


def test_a_session_leaves_nothing_behind(pytester: pytest.Pytester) -> None:
    """In a process that runs many, such as an editor's, memory does not grow from one to the next."""
    suite = """
        import gc
        from pytest_llmrel import krun, paraphrase

        @krun(3, pass_rate=0.2)
        @paraphrase("q", "good", "bad")
        def test_it(q, tmp_path): assert q == "good"

        @krun(3)
        async def test_async(): pass

        @krun(2, concurrency=1)
        def test_alone():
            assert gc.get_freeze_count() and gc.get_threshold()[0] == 10_000, "garbage is looked for rarely"
    """
    Example({f"test_{name}.py": suite for name in "abc"}).write(pytester.path)
    script = pytester.makepyfile("""
        import gc, sys, weakref
        import pytest

        class Watcher:
            def pytest_sessionfinish(self, session):
                sessions.append(weakref.ref(session))

        sessions, before = [], (gc.get_freeze_count(), gc.get_threshold())
        for name in ("test_a", "test_b", "test_c"):
            scope = ("-o", "asyncio_default_fixture_loop_scope=function")
            assert pytest.main([f"{name}.py", "-p", "no:hypothesispytest", *scope], plugins=[Watcher()]) == 0
            del sys.modules[name]
        assert (gc.get_freeze_count(), gc.get_threshold()) == before
        gc.collect()
        print("alive:", [session() is not None for session in sessions])
    """)
    # The first one lives on in the loader of the modules that it has imported, ours among them.
    pytester.runpython(script).stdout.fnmatch_lines(["alive: [[]True, False, False]"])
