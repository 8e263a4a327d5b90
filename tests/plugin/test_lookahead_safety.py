"""Which tests are started before it is their turn, and which are not, because something has to happen before."""

import pytest
from example import Outcome, example
from lookahead_example import HEAD

PAIR = """
@krun(2)
def test_a():
    with noted("a"): pass

@krun(2)
def test_b():
    with noted("b"): pass
"""


def overlapped(outcome: Outcome, first: str = "a", second: str = "b") -> bool:
    """Whether a run of the second test began before the last one of the first had ended."""
    log = [tuple(line) for line in outcome.log()]
    last = max(place for place, line in enumerate(log) if line == ("ended", first))
    return log.index(("began", second)) < last


@pytest.mark.parametrize(
    "reason",
    [
        "@krun(2)\ndef test_b -> def test_plain(): pass\n\n@krun(2)\ndef test_b",
        "@krun(2)\ndef test_a -> @krun(2, concurrency=1)\ndef test_a",
        "@krun(2)\ndef test_b -> @krun(2, concurrency=1)\ndef test_b",
        "@krun(2)\ndef test_b -> @pytest.mark.skipif(False, reason='')\n@krun(2)\ndef test_b",
        "@krun(2)\ndef test_b -> @pytest.mark.xfail(False, reason='')\n@krun(2)\ndef test_b",
        "@krun(2)\ndef test_b -> @pytest.mark.filterwarnings('error')\n@krun(2)\ndef test_b",
        "def test_b() -> def test_b(monkeypatch)",
        "def test_a() -> def test_a(capsys)",
        "def test_b() -> def test_b(late)",
        "def test_b() -> def test_b(several)",
        "@krun(2)\ndef test_b() -> @pytest.mark.parametrize('n', [1, 2], scope='module')\n@krun(2)\ndef test_b(n)",
        "@krun(2)\ndef test_b(): -> class TestOther:\n  @krun(2)\n  def test_b(self):\n   if 1:",
    ],
)
def test_what_is_not_safe_waits_for_its_turn(pytester: pytest.Pytester, reason: str) -> None:
    """Whatever pytest would have to do first, or what changes the whole process."""
    old, _, new = reason.partition(" -> ")
    text = PAIR.replace(old, new)
    assert text != PAIR
    outcome = example(f"""{HEAD}
@pytest.fixture(scope="module")
def late(): note("set up")

@pytest.fixture(scope="module", params=[1, 2])
def several(request): pass
{text}""").run(pytester)
    assert outcome.ret == 0
    assert not overlapped(outcome)
    assert len(outcome.log()) >= 8


def test_what_is_safe_does_not_wait(pytester: pytest.Pytester) -> None:
    """Fixtures of the run's own, shared ones that are there, wordings, parameters, classes, harmless marks."""
    outcome = example(f"""{HEAD}
@pytest.fixture(scope="module", autouse=True)
def shared(): return note("shared")

@pytest.fixture
def own(tmp_path): yield tmp_path

class TestAll:
    @krun(2)
    def test_a(self, shared, tmp_path):
        with noted("a"): pass

    @pytest.mark.parametrize("n", [1])
    @pytest.mark.usefixtures("own")
    @pytest.mark.mine
    @krun(2)
    @paraphrase("text", "one", "two")
    def test_b(self, shared, own, n, text):
        with noted("b"): pass
""").with_ini(markers="mine: of the user")
    ran = outcome.run(pytester).outcomes(passed=2)
    assert overlapped(ran)
    assert ran.log("shared") == [[]]


@pytest.mark.parametrize("how", ["ini", "warnings", "-W", "conftest"])
def test_what_keeps_a_session_in_order(pytester: pytest.Pytester, how: str) -> None:
    """The user's word; warnings that are errors for one test at a time; a hook that sees every test."""
    suite, arguments = example(HEAD + PAIR), ["-Werror::UserWarning"] if how == "-W" else []
    if how == "ini":
        suite = suite.with_ini(llmrel_lookahead="off")
    elif how == "warnings":
        suite = suite.with_ini(filterwarnings="error::UserWarning")
    elif how == "conftest":
        suite = suite.with_files({"conftest.py": "def pytest_runtest_setup(item): pass\n"})
    outcome = suite.run(pytester, *arguments).outcomes(passed=2)
    assert not overlapped(outcome)
    assert ("conftest implements pytest_runtest_setup" in outcome.out) == (how == "conftest")


@pytest.mark.parametrize(
    "use", ["tmp_path", "tmp_path_factory.mktemp('own')", "request.getfixturevalue('tmp_path')"]
)
def test_folders_of_many_tests_at_once(pytester: pytest.Pytester, use: str) -> None:
    """The folder above them all is made once, whichever run is the first; pytest's factory is not thread-safe."""
    fixture = use.partition(".")[0]
    conftest = """
        import time
        import pytest
        from witness import note

        @pytest.fixture(autouse=True, scope="session")
        def slow_to_make():
            make = pytest.TempPathFactory.getbasetemp

            def slowly(factory):
                if factory._basetemp is None:
                    note("made")
                    time.sleep(0.1)
                return make(factory)

            pytest.TempPathFactory.getbasetemp = slowly
            yield
            pytest.TempPathFactory.getbasetemp = make
    """
    suite = example(f"""{HEAD}
@pytest.mark.parametrize("n", range(6))
@krun(2)
def test_it(n, {fixture}):
    assert together(6)
    {use}
    assert together(12)
""").with_files({"conftest.py": conftest})
    outcome = suite.run(pytester).outcomes(passed=6)
    assert len(outcome.log("made")) == 1
