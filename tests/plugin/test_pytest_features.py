"""A krun test is still an ordinary item: parameters, overrides, xunit set-up and `request` work as ever."""

from collections import Counter

import pytest
from example import PLAIN, Example, example

PARAMETRISED = """
import pytest
from witness import note


@pytest.fixture(params=["gpt", "llama"], ids=str.upper)
def model(request):
    return request.param


@pytest.fixture(scope="module", params=[1, 2])
def server(request):
    note("up", request.param)
    yield request.param
    note("down", request.param)


@pytest.fixture
def tripled(request):
    return request.param * 3


@KRUN
@pytest.mark.parametrize("a", [1, pytest.param(2, id="two")])
@pytest.mark.parametrize("tripled", [4], indirect=True)
def test_many(model, server, a, tripled):
    assert tripled == 12 and a in (1, 2) and server in (1, 2)
    note("run", model, server, a)


class TestOuter:
    class TestInner:
        @KRUN
        @pytest.mark.parametrize("b", ["x y", "é"])
        def test_nested(self, b):
            pass
"""


def _node_ids(pytester: pytest.Pytester, text: str) -> list[str]:
    done = example(text).run(pytester, "--collect-only", "-q")
    return [line for line in done.out.splitlines() if "::" in line]


def test_node_ids_are_those_of_the_test_without_krun(pytester: pytest.Pytester) -> None:
    """Parametrised, nested and indirect tests have the same ids, in the same order, with and without krun."""
    plain = _node_ids(pytester, PARAMETRISED.replace("@KRUN", "@pytest.mark.filterwarnings('default')"))
    marked = _node_ids(pytester, PARAMETRISED.replace("@KRUN", "@pytest.mark.krun(3)"))
    assert len(plain) == 10
    assert marked == plain


def test_parameters_reach_every_run_and_shared_ones_are_set_up_once(pytester: pytest.Pytester) -> None:
    """Each of the eight items makes three runs with its parameters; module parameters are set up once."""
    done = example(PARAMETRISED.replace("@KRUN", "@pytest.mark.krun(3)")).run(pytester).outcomes(passed=10)
    assert Counter(tuple(words) for words in done.log("run")) == {
        (model, server, a): 3 for model in ("gpt", "llama") for server in "12" for a in "12"
    }
    assert done.log("up") == done.log("down") == [["1"], ["2"]]
    assert len(done.tests) == 10


def test_paraphrase_adds_nothing_to_node_ids(pytester: pytest.Pytester) -> None:
    """Wordings fan out inside the item, also beside parameters whose ids they must not touch."""
    text = """
    import pytest

    @pytest.mark.krun(2)
    @pytest.mark.paraphrase("question", "a?", "b?")
    @pytest.mark.parametrize("size", [1, 2])
    def test_it(question, size):
        assert question in ("a?", "b?")

    @pytest.mark.krun(2)
    @pytest.mark.paraphrase("question", "a?", "b?")
    def test_bare(question):
        assert question in ("a?", "b?")
    """
    done = example(text).run(pytester).outcomes(passed=3)
    assert sorted(done.tests) == ["test_it.py::test_bare", "test_it.py::test_it[1]", "test_it.py::test_it[2]"]
    assert {test["runs"] for test in done.tests.values()} == {4}


def test_indirect_parameters_are_set_up_per_run(pytester: pytest.Pytester) -> None:
    """An indirect function-scoped yield fixture with a parameter is fresh in every run."""
    suite = example(
        """
        import pytest
        from witness import note

        @pytest.fixture
        def bot(request, llmrel):
            note("up", request.param, llmrel.index)
            yield [request.param]
            note("down", request.param, llmrel.index)

        @pytest.mark.krun(4)
        @pytest.mark.parametrize("bot", ["x", "y"], indirect=True)
        def test_it(bot):
            assert len(bot) == 1
            bot.append("used")
        """
    )
    done = suite.run(pytester).outcomes(passed=2)
    assert sorted(done.log("up")) == sorted(done.log("down")) == [[p, i] for p in "xy" for i in "0123"]


def test_a_parametrised_fixture_can_be_requested_dynamically(pytester: pytest.Pytester) -> None:
    """getfixturevalue() on an indirectly parametrised fixture gives the parameter's value in each run."""
    suite = example(
        """
        import pytest

        @pytest.fixture(params=[1, 2])
        def number(request):
            return request.param

        @pytest.fixture
        def twice(request):
            return 2 * request.getfixturevalue("number")

        @pytest.mark.krun(3)
        def test_it(number, twice, request):
            assert twice == 2 * number == 2 * request.node.callspec.params["number"]
        """
    )
    suite.run(pytester).outcomes(passed=2)


def test_fixture_override_chains_are_followed_in_every_run(pytester: pytest.Pytester) -> None:
    """Class over module over conftest, each on top of the next; every level is executed once per run."""
    conftest = """
    import pytest

    @pytest.fixture
    def prompt():
        return ["conftest"]

    @pytest.fixture(scope="session")
    def model():
        return ["conftest"]
    """
    body = """
    import pytest

    @pytest.fixture
    def prompt(prompt):
        return prompt + ["module"]

    @pytest.fixture(scope="module")
    def model(model):
        return model + ["module"]

    class TestIt:
        @pytest.fixture
        def prompt(self, prompt):
            return prompt + ["class"]

        @pytest.fixture
        def model(self, model):
            return model + ["class"]

        @pytest.mark.krun(6, concurrency=3)
        def test_named(self, prompt, model):
            assert prompt == model == ["conftest", "module", "class"]
            prompt.clear(), model.clear()

        @pytest.mark.krun(6, concurrency=3)
        def test_dynamic(self, request):
            model = request.getfixturevalue("model")
            assert request.getfixturevalue("prompt") == model == ["conftest", "module", "class"]
            model.clear()

    @pytest.mark.krun(2)
    def test_module(prompt, model):
        assert prompt == model == ["conftest", "module"]
    """
    Example({"conftest.py": conftest, "test_it.py": body}).run(pytester).outcomes(passed=3)


def test_xunit_style_set_up_happens_at_its_scope(pytester: pytest.Pytester) -> None:
    """setup_method and setup_function per run on the run's instance; setup_class and setup_module once."""
    suite = example(
        """
        import threading
        import pytest
        from witness import note

        gate = threading.Barrier(3, timeout=10)

        def setup_module(module): note("setup_module")
        def teardown_module(module): note("teardown_module")
        def setup_function(function): note("setup_function", function.__name__)
        def teardown_function(function): note("teardown_function", function.__name__)

        class TestIt:
            @classmethod
            def setup_class(cls): note("setup_class")
            @classmethod
            def teardown_class(cls): note("teardown_class")

            def setup_method(self, method):
                note("setup_method", method.__name__)
                assert not vars(self)
                self.mine = object()

            def teardown_method(self, method):
                note("teardown_method", method.__name__)
                assert self.mine is self.seen

            @pytest.mark.krun(6, concurrency=3)
            def test_it(self):
                self.seen = self.mine
                gate.wait()

        @pytest.mark.krun(4)
        def test_plain():
            pass
        """
    )
    done = suite.run(pytester).outcomes(passed=2)
    assert Counter(" ".join(words) for words in done.log()) == {
        "setup_module": 1,
        "teardown_module": 1,
        "setup_class": 1,
        "teardown_class": 1,
        "setup_method test_it": 6,
        "teardown_method test_it": 6,
        "setup_function test_plain": 4,
        "teardown_function test_plain": 4,
    }


def test_usefixtures_and_autouse_fixtures_happen_in_every_run(pytester: pytest.Pytester) -> None:
    """Fixtures named by usefixtures (function, class, ini file) and autouse ones are set up per run."""
    suite = example(
        """
        import pytest
        from witness import note

        @pytest.fixture
        def by_mark(): note("by_mark")

        @pytest.fixture
        def by_class(): note("by_class")

        @pytest.fixture
        def by_ini(): note("by_ini")

        @pytest.fixture(autouse=True)
        def by_itself(request):
            note("by_itself")
            yield
            note("down", request.node.name)

        @pytest.mark.usefixtures("by_class")
        class TestIt:
            @pytest.mark.krun(5)
            @pytest.mark.usefixtures("by_mark")
            def test_it(self):
                pass
        """,
        usefixtures="by_ini",
    )
    done = suite.run(pytester).outcomes(passed=1)
    seen = Counter(words[0] for words in done.log())
    assert seen == {"by_mark": 5, "by_class": 5, "by_ini": 5, "by_itself": 5, "down": 5}


def test_request_describes_the_item(pytester: pytest.Pytester) -> None:
    """request.node, .function, .cls, .module, .fixturenames, markers and keywords are those of the item."""
    suite = example(
        """
        import pytest

        key = pytest.StashKey()

        @pytest.fixture
        def check(request):
            node = request.node
            assert isinstance(node, pytest.Function)
            assert node.nodeid == "test_it.py::TestIt::test_it[7]" and node.name == "test_it[7]"
            assert node.originalname == "test_it" and node.path.name == "test_it.py"
            assert node.location[2] == "TestIt.test_it[7]"
            assert node.get_closest_marker("owner").args == ("me",)
            assert [mark.name for mark in node.iter_markers()].count("krun") == 1
            assert "owner" in node.keywords and "test_it[7]" in node.keywords
            assert node.callspec.params == {"x": 7}
            assert request.cls is node.cls and request.cls.__name__ == "TestIt"
            assert request.function.__name__ == "test_it" and request.module.__name__ == "test_it"
            assert {"check", "x", "request"} <= set(request.fixturenames)
            assert request.config is node.config and node.session is request.session
            assert isinstance(request.session, pytest.Session)
            assert node.session.items[0].nodeid == node.nodeid
            assert node.getparent(pytest.Module).name == "test_it.py"
            assert key not in node.stash
            node.stash[key] = 1
            yield
            assert node.stash[key] == 1

        @pytest.mark.owner("me")
        class TestIt:
            @pytest.mark.krun(5)
            @pytest.mark.parametrize("x", [7])
            def test_it(self, check, x, request):
                assert request.node.funcargs["x"] == 7
                assert request.node.function is TestIt.test_it
                assert request.node.instance is self is request.instance
        """,
        markers="owner: whose test it is",
    )
    suite.run(pytester).outcomes(passed=1)


def test_the_run_is_the_same_in_fixture_and_test(pytester: pytest.Pytester) -> None:
    """Fixture `llmrel` is one object per run; index, seed and variant are the run's, seeds all differ."""
    suite = example(
        """
        import pytest
        from witness import note

        @pytest.fixture
        def early(llmrel, question):
            return llmrel, question

        @pytest.mark.krun(4)
        @pytest.mark.paraphrase("question", "one?", "two?")
        def test_it(early, llmrel, question, request):
            assert early == (llmrel, question) and early[0] is llmrel is request.getfixturevalue("llmrel")
            assert llmrel.variant == question
            note(llmrel.seed, llmrel.index, question)
        """
    )
    done = suite.run(pytester, *PLAIN).outcomes(passed=1)
    assert len({seed for seed, _, _ in done.log()}) == 8
    assert sorted(words[1:] for words in done.log()) == [[i, q] for i in "0123" for q in ("one?", "two?")]
