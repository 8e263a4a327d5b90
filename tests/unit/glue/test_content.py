"""The hash of what a test does: the same for other names, marks and comments, another for other code."""

import functools
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Variant
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.glue.content import content_of

BASE = "def test_a(llmrel):\n    answer = 1\n    assert answer\n"


@pytest.fixture
def hashed(tmp_path: Path) -> Callable[..., str]:
    """Hashes the last function of a source text."""
    number = 0

    def make(source: str, name: str = "", parameters: str = "", wordings: tuple[str, ...] = ("",)) -> str:
        nonlocal number
        number += 1
        path = tmp_path / f"module_{number}.py"
        path.write_text(source, encoding="utf-8")
        scope: dict[str, Any] = {"mark": lambda *_, **__: lambda function: function, "__name__": "module"}
        exec(compile(source, str(path), "exec"), scope)  # noqa: S102
        found = (
            functools.reduce(getattr, name.split("."), SimpleNamespace(**scope))
            if name
            else list(scope.values())[-1]
        )
        item: Any = SimpleNamespace(function=found)
        if parameters:
            item.callspec = SimpleNamespace(id=parameters)
        variants = tuple(Variant(key, key) for key in wordings)
        return content_of(item, RunPlan(10, Inputs(variants), (), 8, 60.0))

    return make


@pytest.mark.parametrize(
    "source",
    [
        BASE.replace("test_a", "test_b"),
        "# before\n\n\n" + BASE,
        "@mark(10)\n" + BASE,
        "@mark(10)\n@mark(\n    5,\n)\n" + BASE,
        BASE.replace("    answer = 1\n", "    'What it is.'\n    answer = 1  # one\n"),
        BASE.replace("assert answer", "assert (answer)"),
        BASE.replace("answer = 1", "answer=1").replace("    ", "  "),
        "x = 1\n" + BASE,
    ],
    ids=["name", "place", "mark", "marks", "docstring", "brackets", "space", "module"],
)
def test_what_does_not_count(hashed: Callable[..., str], source: str) -> None:
    """It is the same test."""
    assert hashed(source) == hashed(BASE)


@pytest.mark.parametrize(
    "source",
    [
        BASE.replace("answer = 1", "answer = 2"),
        BASE.replace("def", "async def"),
        BASE.replace("(llmrel)", "(llmrel, bot)"),
        BASE + "    assert 2\n",
        BASE.replace("answer = 1", "answer = '1'"),
        BASE.replace("llmrel)", "llmrel, n=3)"),
    ],
    ids=["value", "async", "fixture", "more", "type", "default"],
)
def test_what_counts(hashed: Callable[..., str], source: str) -> None:
    """It is another test."""
    assert hashed(source) != hashed(BASE)


def test_parameters_and_wordings_count(hashed: Callable[..., str]) -> None:
    """Each parameter set is a test of its own; the order of the wordings is nothing."""
    assert len({hashed(BASE, parameters=name) for name in ("", "a", "b")}) == 3
    assert len({hashed(BASE, wordings=keys) for keys in (("",), ("a", "b"), ("a",))}) == 3
    assert hashed(BASE, wordings=("a", "b")) == hashed(BASE, wordings=("b", "a"))


def test_methods_and_their_texts(hashed: Callable[..., str]) -> None:
    """A method is what it does in any class, also with text at the margin."""
    method = 'class {0}:\n    def {1}(self):\n        assert """\nhow?\n"""\n'
    one = hashed(method.format("A", "test_a"), "A.test_a")
    assert one == hashed(method.format("B", "test_b"), "B.test_b")
    assert one != hashed(method.format("A", "test_a").replace("how", "who"), "A.test_a")
    nested = "class A:\n    class B:\n        def test_a(self):\n            assert 1\n"
    assert hashed(nested, "A.B.test_a") == hashed(
        "class A:\n    def test_a(self):\n        assert 1\n", "A.test_a"
    )


def test_wrappers_are_looked_through(hashed: Callable[..., str]) -> None:
    """A decorator that keeps to functools.wraps hides nothing."""
    wrapped = "import functools\ndef twice(f):\n    @functools.wraps(f)\n    def inner(*a): return f(*a)\n    return inner\n"
    assert hashed(wrapped + "@twice\n" + BASE) == hashed(BASE)


def test_functions_without_a_source(hashed: Callable[..., str]) -> None:
    """Made at run time: their names are all there is, and two of them are not the same."""
    made = "exec('def test_{0}(): pass')\n"
    assert hashed(made.format("a"), "test_a") != hashed(made.format("b"), "test_b")
    assert hashed(made.format("a"), "test_a") == hashed(made.format("a"), "test_a")
    for source in (
        "import functools\ntest_p = functools.partial(print, 1)\n",
        "test_l = lambda: 1\n",
        "test_x = len\n",
    ):
        assert len(hashed(source)) == 16


def test_sixteen_hex_digits(hashed: Callable[..., str]) -> None:
    """Fit for a baseline file, whatever the texts: even halves of characters."""
    found = hashed('def test_a():\n    assert "\\ud800é"\n', parameters="\ud800")
    assert len(found) == 16
    assert set(found) <= set("0123456789abcdef")
