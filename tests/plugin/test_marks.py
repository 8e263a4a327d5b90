"""Where ``krun`` and ``paraphrase`` may stand, and which of several voices is heard."""

import pytest
from example import Example, example


def runs(source: str, pytester: pytest.Pytester, *args: str, **ini: str) -> dict[str, int]:
    """Runs per test, by the last part of its node id."""
    outcome = example(source, **ini).run(pytester, *args)
    assert outcome.report is not None, outcome.out + outcome.err
    return {test["nodeid"].rpartition("::")[2]: test["runs"] for test in outcome.report["tests"]}


def test_krun_repeats_a_function(pytester: pytest.Pytester) -> None:
    """A marked function is one item that executes k times."""
    source = (
        "from pytest_llmrel import krun\nfrom witness import note\n\n@krun(7)\ndef test_it(): note('run')\n"
    )
    outcome = example(source).run(pytester)
    outcome.outcomes(passed=1)
    assert outcome.test("test_it.py::test_it")["runs"] == len(outcome.log("run")) == 7


@pytest.mark.parametrize("decorator", ["@krun", "@krun()", "@pytest.mark.krun", "@pytest.mark.krun()"])
def test_bare_krun_runs_ten_times(pytester: pytest.Pytester, decorator: str) -> None:
    """Without arguments, with or without parentheses, a test runs ten times and does not vanish."""
    source = f"""
        import pytest
        from pytest_llmrel import krun

        {decorator}
        def test_it():
            pass
    """
    assert runs(source, pytester) == {"test_it": 10}


@pytest.mark.parametrize("mark", ["pytest.mark.krun(3)", "pytest.mark.krun(k=3)", "krun(3)", "krun(k=3)"])
def test_k_by_position_or_by_name(pytester: pytest.Pytester, mark: str) -> None:
    """The spelling of pytest and ours mean the same."""
    source = f"""
        import pytest
        from pytest_llmrel import krun

        @{mark}
        def test_it():
            pass
    """
    assert runs(source, pytester) == {"test_it": 3}


def test_krun_on_a_method_and_a_class(pytester: pytest.Pytester) -> None:
    """A class mark is for all its methods, nested classes included; a method's own mark is closer."""
    source = """
        from pytest_llmrel import krun

        @krun(2)
        class TestClass:
            def test_of_class(self): pass

            @krun(3)
            def test_own(self): pass

            class TestNested:
                def test_nested(self): pass

        class TestPlain:
            @krun(4)
            def test_method(self): pass
            def test_not_ours(self): pass
    """
    assert runs(source, pytester) == {"test_of_class": 2, "test_own": 3, "test_nested": 2, "test_method": 4}


@pytest.mark.parametrize("mark", ["krun(3)", "[krun(3)]", "pytest.mark.krun(3)", "[pytest.mark.krun(k=3)]"])
def test_krun_on_a_module(pytester: pytest.Pytester, mark: str) -> None:
    """``pytestmark`` marks every test of a module, class bodies too."""
    source = f"""
        import pytest
        from pytest_llmrel import krun

        pytestmark = {mark}

        def test_function(): pass

        class TestClass:
            def test_method(self): pass
    """
    assert runs(source, pytester) == {"test_function": 3, "test_method": 3}


def test_inherited_mark(pytester: pytest.Pytester) -> None:
    """A base class hands its mark down, and the subclass overrides it argument by argument."""
    source = """
        from pytest_llmrel import krun

        @krun(3, pass_rate=0.1, stop="never")
        class Base:
            def test_inherited(self): pass

        class TestHeir(Base):
            pass

        @krun(5)
        class TestOwn(Base):
            pass
    """
    outcome = example(source).run(pytester)
    heir, own = outcome.test("TestHeir::test_inherited"), outcome.test("TestOwn::test_inherited")
    assert (heir["runs"], own["runs"]) == (3, 5)
    assert [test["findings"][0]["expected"] for test in (heir, own)] == [">= 0.1", ">= 0.1"]


def test_a_mark_added_by_a_hook(pytester: pytest.Pytester) -> None:
    """``item.add_marker`` in a conftest is as good as a decorator, and is validated like one."""
    suite = Example(
        {
            "conftest.py": """
            import pytest

            def pytest_collection_modifyitems(items):
                for item in items:
                    item.add_marker(pytest.mark.krun(ARGS))
        """,
            "test_it.py": "def test_it(): pass",
        }
    )
    conftest = suite.files["conftest.py"]
    assert suite.with_files({"conftest.py": conftest.replace("ARGS", "4")}).run(pytester).test()["runs"] == 4
    wrong = suite.with_files({"conftest.py": conftest.replace("ARGS", "0")}).run(pytester)
    assert wrong.ret == pytest.ExitCode.USAGE_ERROR
    assert "k=0" in wrong.err


def test_a_mark_in_a_parameter_set(pytester: pytest.Pytester) -> None:
    """``pytest.param(..., marks=krun(..))`` marks that one item."""
    source = """
        import pytest
        from pytest_llmrel import krun

        @pytest.mark.parametrize("n", [1, pytest.param(2, marks=krun(4))])
        @krun(2)
        def test_it(n): pass
    """
    assert runs(source, pytester) == {"test_it[1]": 2, "test_it[2]": 4}


def test_paraphrase_everywhere(pytester: pytest.Pytester) -> None:
    """Function, method, class and module: each wording runs k times, and the test gets the text."""
    outcome = Example(
        {
            "test_function.py": """
            from pytest_llmrel import krun, paraphrase
            from witness import note

            @krun(2)
            @paraphrase("question", "one", "two", "three")
            def test_function(question, llmrel):
                assert question == llmrel.variant
                note(question, llmrel.index)
        """,
            "test_class.py": """
            from pytest_llmrel import krun, paraphrase

            @krun(2)
            @paraphrase("q", "one", "two")
            class TestClass:
                def test_method(self, q): assert q in {"one", "two"}

                @paraphrase("q", "three")
                def test_closer(self, q): assert q == "three"
        """,
            "test_module.py": """
            import pytest

            pytestmark = [pytest.mark.krun(3), pytest.mark.paraphrase("q", "one", "two")]

            def test_module(q): assert q in {"one", "two"}
        """,
        }
    ).run(pytester)
    outcome.outcomes(passed=4)
    assert {name.rpartition("::")[2]: test["runs"] for name, test in outcome.tests.items()} == {
        "test_function": 6, "test_method": 4, "test_closer": 2, "test_module": 6,
    }  # fmt: skip
    assert sorted(outcome.log()) == sorted([w, str(i)] for w in ("one", "two", "three") for i in range(2))
    assert [(v["text"], v["passed"], v["n"]) for v in outcome.test("test_function")["variants"]] == [
        ("one", 2, 2), ("two", 2, 2), ("three", 2, 2),
    ]  # fmt: skip


def test_a_fixture_sees_the_wording(pytester: pytest.Pytester) -> None:
    """A fixture may request the paraphrased argument: it gets the wording of its run."""
    outcome = example("""
        import pytest
        from pytest_llmrel import krun, paraphrase

        @pytest.fixture
        def shouted(question):
            return question.upper()

        @krun(3)
        @paraphrase("question", "one", "two")
        def test_it(question, shouted):
            assert shouted == question.upper() and question in {"one", "two"}
    """).run(pytester)
    outcome.outcomes(passed=1)
    assert outcome.counts() == {"passed": 6}


def test_wordings_do_not_change_the_node_id(pytester: pytest.Pytester) -> None:
    """One item stays one item: wordings add nothing to the node id, other parameters do."""
    outcome = example("""
        import pytest
        from pytest_llmrel import krun, paraphrase

        @pytest.mark.parametrize("lang", ["en", "de"])
        @krun(2)
        @paraphrase("q", "one", "two")
        def test_it(q, lang): pass
    """).run(pytester, "--collect-only", "-q")
    assert {line for line in outcome.out.splitlines() if "::" in line} == {
        "test_it.py::test_it[en]",
        "test_it.py::test_it[de]",
    }


LAYERS = """
    from pytest_llmrel import krun

    pytestmark = krun(5, timeout=7, concurrency=3, pass_rate=0.1, stop="never")

    @krun(4, pass_rate=0.2)
    class TestClass:
        @krun(concurrency=2)
        def test_it(self): pass
"""


def test_the_closest_mark_wins_per_argument(pytester: pytest.Pytester) -> None:
    """Both k and pass_rate come from the class, for the method is silent on them."""
    test = example(LAYERS).run(pytester).test()
    assert test["runs"] == 4
    assert [finding["expected"] for finding in test["findings"]] == [">= 0.2"]


@pytest.mark.parametrize(
    ("ini", "args", "mark", "expected"),
    [
        ("", [], "", 10),
        ("6", [], "", 6),
        ("6", [], "3", 3),
        ("6", ["--llmrel-k=2"], "3", 2),
        ("", ["--llmrel-k=12"], "3", 12),
        ("6", ["--llmrel-k", "1"], "", 1),
    ],
)
def test_precedence_of_k(
    pytester: pytest.Pytester, ini: str, args: list[str], mark: str, expected: int
) -> None:
    """Command line over mark over ini over default."""
    source = f"""
        from pytest_llmrel import krun

        @krun({mark})
        def test_it(): pass
    """
    assert runs(source, pytester, *args, llmrel_k=ini) == {"test_it": expected}


IN_FLIGHT = """
    import threading
    from pytest_llmrel import krun
    from witness import note

    lock, at_once, more = threading.Lock(), [0, 0], threading.Event()

    @krun(12{mark})
    def test_it():
        with lock:
            at_once[0] += 1
            at_once[1] = max(at_once)
            if at_once[0] >= {expected}:
                more.set()
        more.wait(10)
        threading.Event().wait(0.02)
        with lock:
            at_once[0] -= 1
            note("most", at_once[1])
"""


@pytest.mark.parametrize(
    ("mark", "ini", "args", "expected"),
    [
        ("", "", [], 8),
        ("", "3", [], 3),
        ("", "3", ["--llmrel-concurrency=5"], 5),
        (", concurrency=2", "6", [], 2),
        (", concurrency=2", "", ["--llmrel-concurrency=6"], 2),
        (", concurrency=6", "3", [], 6),
        (", concurrency=6", "", ["--llmrel-concurrency=4"], 4),
        (", concurrency=10", "", [], 10),
    ],
)
def test_precedence_of_concurrency(
    pytester: pytest.Pytester, mark: str, ini: str, args: list[str], expected: int
) -> None:
    """So many runs are in flight, no more; the command line lowers a mark's bound, nothing raises it."""
    source = IN_FLIGHT.format(mark=mark, expected=expected)
    outcome = example(source, llmrel_concurrency=ini).run(pytester, *args)
    outcome.outcomes(passed=1)
    assert max(int(most) for (most,) in outcome.log("most")) == expected


@pytest.mark.parametrize("value", ["0", "-1", "abc", "1.5", ""])
@pytest.mark.parametrize("option", ["--llmrel-k", "--llmrel-concurrency"])
def test_a_bad_option_is_a_usage_error(pytester: pytest.Pytester, option: str, value: str) -> None:
    """The error names the option and the value that it cannot take."""
    outcome = example("def test_it(): pass").run(pytester, f"{option}={value}")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    assert option in outcome.err
    assert "at least 1" in outcome.err


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("llmrel_k", "0"),
        ("llmrel_k", "many"),
        ("llmrel_concurrency", "-2"),
        ("llmrel_max_error_rate", "1.5"),
        ("llmrel_max_error_rate", "nan"),
        ("llmrel_max_error_rate", "10%"),
        ("llmrel_inconclusive", "ignore"),
    ],
)
def test_a_bad_ini_value_is_a_usage_error(pytester: pytest.Pytester, key: str, value: str) -> None:
    """The message names key and value once, however many tests there are."""
    source = (
        "from pytest_llmrel import krun\n\n@krun(2)\ndef test_a(): pass\n\n@krun(2)\ndef test_b(): pass\n"
    )
    outcome = example(source, **{key: value}).run(pytester)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    said = [line for line in outcome.err.splitlines() if key in line and value in line]
    assert len(said) == 1, outcome.err
