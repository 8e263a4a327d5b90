"""Every mistake in a mark is found at collection, all of them at once, and never turns into a pass."""

import re
from textwrap import dedent

import pytest
from example import Example, Outcome, example

HEAD = "import pytest\nimport unittest\nfrom pytest_llmrel import krun, paraphrase\n\n"


def rejected(outcome: Outcome, *texts: str) -> str:
    """The usage error, after checking that it is one, quiet about internals, and says ``texts``."""
    said = outcome.err + outcome.out
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR, said
    assert "INTERNALERROR" not in said
    assert "Traceback" not in said
    for text in texts:
        assert text in said, f"{text!r} is not in\n{said}"
    return said


MISTAKES = {
    "k=0": ("@krun(0)", "k=0"),
    "k<0": ("@krun(-3)", "k=-3"),
    "k is text": ("@krun('10')", "k='10'"),
    "k is a fraction": ("@krun(2.5)", "k=2.5"),
    "k is True": ("@krun(True)", "k=True"),
    "k twice": ("@pytest.mark.krun(3, k=4)", "k twice"),
    "two positions": ("@pytest.mark.krun(3, 0.5)", "one positional argument"),
    "rate > 1": ("@krun(pass_rate=1.01)", "pass_rate=1.01"),
    "rate in percent": ("@krun(pass_rate=90)", "pass_rate=90"),
    "rate < 0": ("@krun(pass_rate=-0.1)", "pass_rate=-0.1"),
    "rate is NaN": ("@krun(pass_rate=float('nan'))", "pass_rate=nan"),
    "rate is text": ("@krun(pass_rate='0.9')", "pass_rate='0.9'"),
    "rate is True": ("@krun(pass_rate=True)", "pass_rate=True"),
    "unknown metric": ("@krun(gates=['happiness >= 0.5'])", "unknown metric 'happiness'"),
    "misspelt metric": ("@krun(gates=['pas_rate >= 0.5'])", "did you mean 'pass_rate'"),
    "unreadable gate": ("@krun(gates=['pass_rate at least 0.9'])", "'pass_rate at least 0.9'"),
    "assignment": ("@krun(gates=['pass_rate = 0.9'])", "'pass_rate = 0.9'"),
    "two bars": ("@krun(gates=['0.5 <= pass_rate <= 0.9'])", "'0.5 <= pass_rate <= 0.9'"),
    "empty gate": ("@krun(gates=[''])", "gate ''"),
    "gate is no text": ("@krun(gates=[0.9])", "0.9"),
    "bar is NaN": ("@krun(gates=['pass_rate >= nan'])", "'nan' is not a finite number"),
    "bar is infinite": ("@krun(gates=['latency_p95 <= inf'])", "'inf' is not a finite number"),
    "bar in percent": ("@krun(gates=['pass_rate >= 90%'])", "90%"),
    "bar outside 0..1": ("@krun(gates=['pass_rate >= 90'])", "0..1"),
    "negative time": ("@krun(gates=['latency_p95 <= -1'])", "negative"),
    "pass^0": ("@krun(gates=['pass^0 >= 0.5'])", "pass^0"),
    "pass^1.5": ("@krun(gates=['pass^1.5 >= 0.5'])", "pass^1.5"),
    "pass^20 of 10": ("@krun(10, gates=['pass^20 >= 0.5'])", "at least 20 runs"),
    "pass@6 of 5": ("@krun(5, gates=['pass@6 >= 0.5'])", "at least 6 runs"),
    "gates is text": ("@krun(gates='pass_rate >= 0.9')", "list"),
    "gates is a number": ("@krun(gates=0.9)", "list"),
    "gate mode": ("@krun(gate='prove')", "gate='prove'; it must be 'observed', 'evidence' or 'proof'"),
    "gate mode is no text": ("@krun(gate=True)", "gate=True"),
    "gate for gates": ("@krun(gate='pass_rate >= 0.9')", "gate='pass_rate >= 0.9'"),
    "stop": ("@krun(stop='soon')", "stop='soon'"),
    "concurrency=0": ("@krun(concurrency=0)", "concurrency=0"),
    "concurrency is a fraction": ("@krun(concurrency=1.5)", "concurrency=1.5"),
    "timeout=0": ("@krun(timeout=0)", "timeout=0"),
    "timeout<0": ("@krun(timeout=-1)", "timeout=-1"),
    "timeout is infinite": ("@krun(timeout=float('inf'))", "timeout=inf"),
    "timeout is text": ("@krun(timeout='60s')", "timeout='60s'"),
    "task_minutes": ("@krun(task_minutes=-5)", "task_minutes=-5"),
    "unknown argument": ("@pytest.mark.krun(runs=3)", "'runs'"),
}
"""Decorator of ``def test_wrong(q)`` and what the error has to say."""

WORDINGS = {
    "not in the signature": ("@paraphrase('query', 'one')", "'query' is not in the signature"),
    "duplicate": ("@paraphrase('q', 'one', 'two', 'one')", "wording 3 ('one') is a duplicate"),
    "empty": ("@paraphrase('q', 'one', '')", "wording 2 is empty"),
    "blank": ("@paraphrase('q', ' \\t', 'one')", "wording 1 is empty"),
    "none": ("@paraphrase('q')", "at least one wording"),
    "no text": ("@paraphrase('q', 'one', 2)", "wording 2 is 2"),
    "a list": ("@paraphrase('q', ['one', 'two'])", "wording 1 is ['one', 'two']"),
    "nothing": ("@pytest.mark.paraphrase()", "name of an argument"),
    "bare": ("@pytest.mark.paraphrase", "name of an argument"),
    "unknown keyword": ("@pytest.mark.paraphrase('q', 'one', colour=1)", "'colour'"),
    "argname is no text": ("@pytest.mark.paraphrase(1, 'one')", "name of an argument"),
    "two marks": ("@paraphrase('q', 'one')\n@paraphrase('q', 'two')", "two paraphrase marks"),
    "a fixture of ours": ("@paraphrase('request', 'one')", "'request'"),
}


def complaints(
    pytester: pytest.Pytester, table: dict[str, tuple[str, str]], head: str, signature: str
) -> list[str]:
    """What is said of each entry of ``table``, one test each, in a single session; "" if nothing is."""
    source, lines = HEAD, []
    for number, (mark, _) in enumerate(table.values()):
        lines.append(source.count("\n") + 1)
        source += f"{head}{mark}\ndef test_{number}({signature}):\n    pass\n\n"
    text = rejected(example(source).run(pytester), " mistakes in krun, paraphrase, golden and faults marks")
    found = dict.fromkeys(range(len(table)), "")
    for line, number, said in re.findall(r"test_it\.py:(\d+): test_(\d+): (.*)", text):
        assert int(line) == lines[int(number)]
        found[int(number)] += said
    return list(found.values())


def test_mistakes_in_krun(pytester: pytest.Pytester) -> None:
    """Each mistake is one line of the usage error with file, line, test and the offending value."""
    found = complaints(pytester, MISTAKES, "", "")
    missing = {
        name: said
        for said, (name, (_, text)) in zip(found, MISTAKES.items(), strict=True)
        if text not in said
    }
    assert missing == {}
    assert all(said.startswith("krun") for said in found)


def test_mistakes_in_paraphrase(pytester: pytest.Pytester) -> None:
    """Each mistake is one line of the usage error with file, line, test and the offending wording."""
    found = complaints(pytester, WORDINGS, "@krun(2)\n", "q, request")
    missing = {
        name: said
        for said, (name, (_, text)) in zip(found, WORDINGS.items(), strict=True)
        if text not in said
    }
    assert missing == {}


def test_paraphrase_without_krun(pytester: pytest.Pytester) -> None:
    """A paraphrase mark alone would run nothing k times; it is refused."""
    source = f"{HEAD}\n@paraphrase('q', 'one')\ndef test_wrong(q):\n    pass\n"
    rejected(example(source).run(pytester), "paraphrase without krun")


def test_paraphrase_of_a_fixture_name(pytester: pytest.Pytester) -> None:
    """An argument that parametrize fills already cannot be paraphrased as well; no silent winner."""
    source = f"""{HEAD}
@pytest.mark.parametrize("q", ["x"])
@krun(2)
@paraphrase("q", "one")
def test_wrong(q):
    assert q == "x"
"""
    outcome = example(source).run(pytester)
    assert outcome.ret not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
    assert "INTERNALERROR" not in outcome.out + outcome.err
    assert "'q'" in outcome.out + outcome.err


def test_krun_on_a_unittest_method(pytester: pytest.Pytester) -> None:
    """TestCase methods cannot be repeated: refused on the method and on the class, for subclasses too."""
    source = f"""{HEAD}
class TestMethod(unittest.TestCase):
    @krun(2)
    def test_marked(self): pass

@krun(2)
class TestWhole(unittest.IsolatedAsyncioTestCase):
    async def test_of_class(self): pass
"""
    said = rejected(example(source).run(pytester), "test_marked", "test_of_class", "2 mistakes")
    assert said.count("unittest.TestCase") == 2


@pytest.mark.parametrize("order", ["@krun(2)\n@pytest.fixture", "@pytest.fixture\n@krun(2)"])
@pytest.mark.parametrize(
    "test", ["def test_it(bot): pass", "@krun(2)\ndef test_it(bot): pass"], ids=["plain", "krun"]
)
def test_krun_on_a_fixture(pytester: pytest.Pytester, order: str, test: str) -> None:
    """A mark on a fixture never has an effect: an error, ours before pytest 9 and pytest's own since."""
    source = f"{HEAD}\n{order}\ndef bot(): return 1\n\n{test}\n"
    outcome = example(source).run(pytester)
    assert outcome.ret not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}, outcome.out
    said = outcome.out + outcome.err
    assert "fixture" in said
    assert "INTERNALERROR" not in said
    assert "passed" not in outcome.session.parseoutcomes()


def test_all_mistakes_of_all_files_at_once(pytester: pytest.Pytester) -> None:
    """One usage error lists every mistake of every test, each with its own file and line, and counts them."""
    suite = Example({
        "test_a.py": dedent("""
            import pytest
            from pytest_llmrel import krun, paraphrase

            @krun(0, pass_rate=2, timeout=0, gates=["nonsense", "happiness >= 1"])
            @paraphrase("nope", "", "x", "x")
            def test_many(): pass

            @krun(2)
            def test_right(): pass
        """),
        "sub/test_b.py": dedent("""
            from pytest_llmrel import krun

            class TestClass:
                @krun(concurrency=0)
                def test_method(self): pass
        """),
    })  # fmt: skip
    said = rejected(
        suite.run(pytester),
        "k=0", "pass_rate=2", "timeout=0", "'nonsense'", "'happiness'", "'nope'", "wording 1 is empty",
        "wording 3 ('x') is a duplicate", "concurrency=0", "9 mistakes",
    )  # fmt: skip
    places = re.findall(r"^\s*(\S+\.py:\d+): (\w+)", said, re.MULTILINE)
    assert set(places) == {("test_a.py:4", "test_many"), ("sub/test_b.py:4", "test_method")}
    assert len(places) == 9
    assert "test_right" not in said


def test_a_mistake_in_every_layer_of_marks(pytester: pytest.Pytester) -> None:
    """A mark that is overridden by a closer one is checked all the same."""
    source = f"""{HEAD}
pytestmark = pytest.mark.krun(3, colour="red")

@pytest.mark.krun(size=4)
class TestClass:
    @krun(2)
    def test_it(self): pass
"""
    rejected(example(source).run(pytester), "'colour'", "'size'")


@pytest.mark.parametrize("mark", ["krun(0)", "krun(pass_rate=7)", "krun(gates=['happiness > 1'])"])
def test_an_overridden_value_is_checked(pytester: pytest.Pytester, mark: str) -> None:
    """A nonsensical value on a module is a mistake, even where each test overrides it."""
    source = f"""{HEAD}
pytestmark = {mark}

@krun(2, pass_rate=0.5, gates=["pass_rate >= 0.1"])
def test_it(): pass
"""
    rejected(example(source).run(pytester), "1 mistake")


def test_one_mistake_of_a_parametrised_test(pytester: pytest.Pytester) -> None:
    """The same mark on many items is one mistake, said once."""
    source = f"""{HEAD}
@pytest.mark.parametrize("n", range(20))
@krun(0)
def test_it(n): pass
"""
    assert rejected(example(source).run(pytester), "1 mistake").count("k=0") == 1


@pytest.mark.parametrize(
    "args",
    [
        ["-k", "right"],
        ["-m", "slow"],
        ["--deselect", "test_it.py::test_wrong"],
        ["--llmrel-k=1"],
        ["--collect-only"],
    ],
    ids=lambda args: args[0],
)
def test_mistakes_do_not_hide(pytester: pytest.Pytester, args: list[str]) -> None:
    """A mistake in a test that is not selected now is reported now: it would fail the next run in CI."""
    source = f"""{HEAD}
@pytest.mark.slow
@krun(2)
def test_right(): pass

@krun(0)
def test_wrong(): pass
"""
    suite = example(source, markers="slow: of its kind")
    rejected(suite.run(pytester, *args), "test_wrong", "k=0")


def test_no_test_runs_before_the_mistakes_are_mended(pytester: pytest.Pytester) -> None:
    """A usage error costs no call of any model: nothing is executed, no fixture set up, no report written."""
    outcome = example("""
        import pytest
        from pytest_llmrel import krun
        from witness import note

        @pytest.fixture(scope="session", autouse=True)
        def server(): note("fixture")

        def test_plain(): note("plain")

        @krun(2)
        def test_right(): note("run")

        @krun(0)
        def test_wrong(): note("run")
    """).run(pytester)
    rejected(outcome)
    assert outcome.log() == []
    assert outcome.report is None


def test_mistakes_under_xdist(pytester: pytest.Pytester) -> None:
    """With workers the session ends as it does without: once, with the mistakes and without internals."""
    source = f"{HEAD}\n@krun(0)\ndef test_wrong(): pass\n\ndef test_other(): pass\n"
    outcome = example(source).run(pytester, "-n2")
    said = outcome.out + outcome.err
    assert outcome.ret not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}, said
    assert "test_it.py:6: test_wrong: krun: k=0" in said
    assert "INTERNALERROR" not in said
    assert "Traceback" not in said


def test_a_score_of_the_test_or_the_ini_is_a_metric(pytester: pytest.Pytester) -> None:
    """A gate may name a score that the code records, or one declared in the ini file, and nothing else."""
    source = f"""{HEAD}
@krun(2, gates=["politeness >= 0.5", "declared >= 0.5"])
def test_it(llmrel):
    llmrel.score("politeness", 1)
"""
    rejected(example(source).run(pytester), "unknown metric 'declared'")
    accepted = example(source, llmrel_scores="declared other").run(pytester)
    assert accepted.report is not None
    assert accepted.test()["verdict"] == "INCONCLUSIVE"
    accepted.session.stdout.fnmatch_lines(["*no run recorded a score 'declared'*"])


def test_a_mark_that_comes_too_late(pytester: pytest.Pytester) -> None:
    """A wrong mark added after collection fails its test and says why; it is never ignored."""
    outcome = Example(
        {
            "conftest.py": """
            import pytest

            def pytest_collection_finish(session):
                for item in session.items:
                    item.add_marker(pytest.mark.krun(0))
        """,
            "test_it.py": "def test_it(): pass\n",
        }
    ).run(pytester)
    assert outcome.ret != pytest.ExitCode.OK
    assert "k=0" in outcome.out + outcome.err
    assert "INTERNALERROR" not in outcome.out + outcome.err
