"""What becomes of a run, and of the test, whatever the code under test raises."""

import pytest
from example import Example, example

HEAD = """
import pytest
from pytest_llmrel import krun, paraphrase
from witness import note

"""


def one_test(body: str, *, mark: str = "@krun(3)", head: str = "", **ini: str) -> Example:
    """A suite with ``test_it(llmrel)`` of this body."""
    indented = "\n".join(f"    {line}" for line in body.strip("\n").splitlines())
    return example(f"{HEAD}{head}\n{mark}\ndef test_it(llmrel):\n{indented}\n", **ini)


ENDINGS = {
    "passes": ("pass", {"passed": 3}, "PASS"),
    "assertion": ("assert 1 + 1 == 3", {"failed": 3}, "FAIL"),
    "empty_assertion": ("raise AssertionError", {"failed": 3}, "FAIL"),
    "fail": ("pytest.fail('no')", {"failed": 3}, "FAIL"),
    "exception": ("raise ValueError('bad answer')", {"failed": 3}, "FAIL"),
    "empty_exception": ("raise Exception", {"failed": 3}, "FAIL"),
    "json": ("import json; json.loads('not json')", {"failed": 3}, "FAIL"),
    "connection": ("raise ConnectionResetError('gone')", {"errors": 3}, "INCONCLUSIVE"),
    "timeout": ("raise TimeoutError", {"errors": 3}, "INCONCLUSIVE"),
    "abstains": ("llmrel.abstain('cannot say')", {"abstained": 3}, "FAIL"),
    "exit_0": ("raise SystemExit(0)", {"failed": 3}, "FAIL"),
    "sys_exit": ("import sys; sys.exit()", {"failed": 3}, "FAIL"),
    "generator_exit": ("raise GeneratorExit", {"failed": 3}, "FAIL"),
    "stop_iteration": ("raise StopIteration", {"failed": 3}, "FAIL"),
    "recursion": ("def down(n): return down(n + 1)\n    down(0)", {"failed": 3}, "FAIL"),
    "base_exception": ("class Odd(BaseException): pass\n    raise Odd('odd')", {"failed": 3}, "FAIL"),
    "cancelled": ("raise asyncio.CancelledError", {"failed": 3}, "FAIL"),
    "group": ("raise ExceptionGroup('two', [ValueError('a'), KeyError('b')])", {"failed": 3}, "FAIL"),
    "base_group": ("raise BaseExceptionGroup('one', [GeneratorExit()])", {"failed": 3}, "FAIL"),
    "memory": ("raise MemoryError", {"failed": 3}, "FAIL"),
    "skips_one": ("if llmrel.index == 1: pytest.skip('x')", {"passed": 2, "skipped": 1}, "PASS"),
    "xfails_one": ("if llmrel.index == 1: pytest.xfail('x')", {"passed": 2, "xfailed": 1}, "PASS"),
    "abstains_one": ("if llmrel.index == 1: llmrel.abstain()", {"passed": 2, "abstained": 1}, "FAIL"),
    "one_error": ("if llmrel.index == 1: raise ConnectionError", {"passed": 2, "errors": 1}, "INCONCLUSIVE"),
}
"""Body of a test, its three runs by outcome, the verdict."""


@pytest.mark.parametrize(
    ("keyword", "argument", "mark"),
    [
        ("def", "", "krun(3)"),
        ("def", ", resource", "krun(3)"),
        ("def", "", "krun(3, concurrency=1)"),
        ("async def", "", "krun(3)"),
        ("async def", ", resource", "krun(3)"),
        ("async def", "", "krun(3, concurrency=1)"),
        ("async def", ", resource", "krun(3, concurrency=1)"),
    ],
)
def test_outcome(pytester: pytest.Pytester, keyword: str, argument: str, mark: str) -> None:
    """Each way to end a run has its outcome, in threads, tasks and main thread; fixtures are released."""
    asynchronous = "async " if keyword == "async def" else ""
    tests = "".join(
        f"{keyword} test_{name}(llmrel{argument}):\n    {body}\n\n" for name, (body, _, _) in ENDINGS.items()
    )
    source = f"""{HEAD}
import asyncio

pytestmark = [krun(timeout=5), pytest.mark.{mark}]

@pytest.fixture
{asynchronous}def resource():
    yield 1
    note("released")

{tests}
"""
    outcome = example(source).run(pytester)
    seen = {
        name: (outcome.counts(f"::test_{name}"), outcome.test(f"::test_{name}")["verdict"])
        for name in ENDINGS
    }
    assert seen == {name: (counts, verdict) for name, (_, counts, verdict) in ENDINGS.items()}
    passing = sum(verdict == "PASS" for _, _, verdict in ENDINGS.values())
    outcome.outcomes(passed=passing, failed=len(ENDINGS) - passing)
    assert len(outcome.log("released")) == (3 * len(ENDINGS) if argument else 0)


@pytest.mark.parametrize(
    ("call", "word"), [("pytest.skip('no key')", "skipped"), ("pytest.xfail('known')", "xfailed")]
)
def test_all_runs_alike(pytester: pytest.Pytester, call: str, word: str) -> None:
    """If every run is skipped (or xfails) so is the item, with the reason."""
    outcome = one_test(call).run(pytester, "-rsx")
    outcome.outcomes(**{word: 1})
    assert outcome.counts() == {word: 3}
    assert outcome.ret == 0
    assert call.split("'")[1] in outcome.out


def test_unittest_skip(pytester: pytest.Pytester) -> None:
    """``unittest.SkipTest`` is a skip, as it is for pytest."""
    outcome = one_test("import unittest; raise unittest.SkipTest('later')").run(pytester)
    outcome.outcomes(skipped=1)


def test_skips_and_errors_are_not_a_skip(pytester: pytest.Pytester) -> None:
    """Runs that erred are not hidden behind those that were skipped."""
    body = "if llmrel.index: pytest.skip('x')\nraise ConnectionError('refused')"
    outcome = one_test(body).run(pytester)
    outcome.outcomes(failed=1)
    assert outcome.test()["verdict"] == "INCONCLUSIVE"


def test_skips_leave_the_denominator(pytester: pytest.Pytester) -> None:
    """Skipped, xfailed and erring runs are no evidence: the rate is that of the others."""
    body = """
        if llmrel.index == 0: pytest.skip("x")
        if llmrel.index == 1: pytest.xfail("x")
        if llmrel.index == 2: raise ConnectionError
        assert llmrel.index != 3
        if llmrel.index == 4: llmrel.abstain()
    """
    source = f"{HEAD}\n@krun(20, pass_rate=0.85, stop='never')\ndef test_it(llmrel):{body}"
    test = example(source).run(pytester).test()
    assert (test["metrics"]["pass_rate"]["point"], test["metrics"]["pass_rate"]["n"]) == (15 / 17, 17)
    assert test["metrics"]["wrong_rate"]["point"] == 1 / 17
    assert test["metrics"]["abstention_rate"]["point"] == 1 / 17
    assert (test["metrics"]["error_rate"]["point"], test["metrics"]["error_rate"]["n"]) == (1 / 18, 18)
    assert test["verdict"] == "PASS"


@pytest.mark.parametrize(("erring", "verdict"), [(2, "PASS"), (3, "INCONCLUSIVE")])
def test_error_rate(pytester: pytest.Pytester, erring: int, verdict: str) -> None:
    """Up to 10 % of errors are put up with, more make the test INCONCLUSIVE although its gate is met."""
    body = f"if llmrel.index < {erring}: raise ConnectionError('down')"
    outcome = one_test(body, mark="@krun(20, pass_rate=0.9)").run(pytester)
    assert outcome.test()["verdict"] == verdict
    assert (outcome.ret == 0) == (verdict == "PASS")
    assert ("llmrel_max_error_rate" in outcome.out) == (verdict == "INCONCLUSIVE")


@pytest.mark.parametrize(("most", "verdict"), [("0.04", "INCONCLUSIVE"), ("0.05", "PASS"), ("1", "PASS")])
def test_error_rate_of_the_ini_file(pytester: pytest.Pytester, most: str, verdict: str) -> None:
    """``llmrel_max_error_rate`` moves the bar; a rate equal to it is allowed."""
    body = "if llmrel.index < 1: raise ConnectionError('down')"
    suite = one_test(body, mark="@krun(20, pass_rate=0.9)", llmrel_max_error_rate=most)
    assert suite.run(pytester).test()["verdict"] == verdict


def test_a_failure_outweighs_errors(pytester: pytest.Pytester) -> None:
    """FAIL is worse than INCONCLUSIVE: wrong answers are reported although there were errors too."""
    outcome = one_test("if llmrel.index: raise ConnectionError\nassert False, 'wrong'").run(pytester)
    assert outcome.test()["verdict"] == "FAIL"
    assert "1 run failed" in outcome.out
    assert "2 runs ended in an error" in outcome.out


def test_inconclusive_as_a_warning(pytester: pytest.Pytester) -> None:
    """With ``llmrel_inconclusive = warn`` the test passes with a warning; FAIL fails as ever."""
    source = f"""{HEAD}
@krun(3)
def test_unclear(): raise ConnectionError("refused")

@krun(3)
def test_wrong(): assert False
"""
    suite = example(source, llmrel_inconclusive="warn", filterwarnings="default")
    outcome = suite.run(pytester)
    outcome.outcomes(passed=1, failed=1)
    assert outcome.test("test_unclear")["verdict"] == "INCONCLUSIVE"
    outcome.session.stdout.fnmatch_lines(["*warnings summary*", "*test_unclear*INCONCLUSIVE*"])


def test_a_raising_fixture_is_an_error(pytester: pytest.Pytester) -> None:
    """A fixture that raises makes its run an error with the fixture's traceback; the body is not run."""
    source = f"""{HEAD}
@pytest.fixture
def bot(llmrel):
    if llmrel.index == 1:
        raise ValueError("no such model")

@krun(3)
def test_it(bot):
    note("body")
"""
    outcome = example(source).run(pytester)
    assert outcome.counts() == {"passed": 2, "errors": 1}
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert len(outcome.log("body")) == 2
    outcome.session.stdout.fnmatch_lines([
        "1 run ended in an error: ValueError at test_it.py:9: no such model",
        "*def bot(llmrel)*",
        '*>*raise ValueError("no such model")*',
    ])  # fmt: skip


def test_an_assertion_in_a_fixture_is_an_error(pytester: pytest.Pytester) -> None:
    """Whatever a set-up raises, the model was not asked: an error, not a wrong answer."""
    source = f"{HEAD}\n@pytest.fixture\ndef bot():\n    assert False\n\n@krun(3)\ndef test_it(bot): pass\n"
    assert example(source).run(pytester).counts() == {"errors": 3}


def test_a_raising_shared_fixture(pytester: pytest.Pytester) -> None:
    """A module fixture that raises is pytest's error of the item, and the result says INCONCLUSIVE."""
    source = f"""{HEAD}
@pytest.fixture(scope="module")
def server():
    raise RuntimeError("port taken")

@krun(3)
def test_it(server): pass
"""
    outcome = example(source).run(pytester)
    outcome.outcomes(errors=1)
    assert "port taken" in outcome.out
    assert (outcome.test()["verdict"], outcome.test()["runs"]) == ("INCONCLUSIVE", 0)


@pytest.mark.parametrize(
    "mark", ["@krun(3)", "@krun(3, pass_rate=0.1, stop='never')", "@krun(3, concurrency=1)"]
)
@pytest.mark.parametrize("call", ["pass", "pytest.skip('x')"])
def test_a_raising_teardown_fails(pytester: pytest.Pytester, mark: str, call: str) -> None:
    """A tear-down that raises is reported with its traceback and fails the item, passed or skipped."""
    source = f"""{HEAD}
@pytest.fixture
def bot(llmrel):
    yield 1
    if llmrel.index == 2:
        raise OSError("cannot close")

{mark}
def test_it(bot):
    {call}
"""
    outcome = example(source).run(pytester)
    outcome.outcomes(failed=1)
    assert outcome.test()["verdict"] == "FAIL"
    assert "the tear-down of 1 of 3 runs raised" in outcome.out
    assert "OSError" in outcome.out
    assert "cannot close" in outcome.out


@pytest.mark.parametrize("keyword", ["def", "async def"])
def test_a_returned_value_warns(pytester: pytest.Pytester, keyword: str) -> None:
    """A run that returns a value warns as pytest does, and passes."""
    source = f"{HEAD}\n@krun(3)\n{keyword} test_it():\n    return 1\n"
    outcome = example(source, filterwarnings="default").run(pytester)
    outcome.outcomes(passed=1)
    assert "PytestReturnNotNoneWarning" in outcome.out
    assert "returned <class 'int'>" in outcome.out
    strict = example(source, filterwarnings="error").run(pytester)
    assert strict.counts() == {"failed": 3}


def test_a_generator_test(pytester: pytest.Pytester) -> None:
    """A test that yields is refused, as it is without krun."""
    outcome = example(f"{HEAD}\n@krun(3)\ndef test_it():\n    assert False\n    yield\n").run(pytester)
    assert "passed" not in outcome.session.parseoutcomes()
    assert outcome.ret != 0
    assert "yield" in outcome.out


@pytest.mark.parametrize(
    "args", [[], ["-p", "no:asyncio", "-p", "no:anyio"], ["--asyncio-mode=auto"]], ids=str
)
def test_an_async_generator_test(pytester: pytest.Pytester, args: list[str]) -> None:
    """An async generator executes nothing, so it must never pass."""
    source = f"{HEAD}\n@krun(3)\nasync def test_it():\n    note('body')\n    yield\n"
    outcome = example(source, filterwarnings="default").run(pytester, *args)
    assert "passed" not in outcome.session.parseoutcomes(), outcome.out
    if "xfailed" not in outcome.session.parseoutcomes():
        assert outcome.ret != 0


@pytest.mark.parametrize("keyword", ["def", "async def"])
@pytest.mark.parametrize("mark", ["@krun(20)", "@krun(20, concurrency=1)"])
def test_pytest_exit_ends_the_session(pytester: pytest.Pytester, keyword: str, mark: str) -> None:
    """``pytest.exit`` in a run ends the session with its reason and status; later tests do not run."""
    source = f"""{HEAD}
{mark}
{keyword} test_it(llmrel):
    if llmrel.index == 3:
        pytest.exit("no credit left", returncode=7)

def test_after(): note("after")
"""
    outcome = example(source).run(pytester)
    assert outcome.ret == 7
    assert "no credit left" in outcome.out
    assert outcome.log("after") == []
    assert "INTERNALERROR" not in outcome.out
