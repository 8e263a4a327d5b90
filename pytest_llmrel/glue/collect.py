"""From marks to plans, and all the mistakes in them as one usage error."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_llmrel.core.model import Variant
from pytest_llmrel.core.plan import RunPlan, Settings, read_variants, resolve
from pytest_llmrel.errors import PlanError
from pytest_llmrel.glue.runnode import fixture_functions, marked_fixtures

__all__ = ["check_all", "parametrize_wording", "plan_of"]

_OURS = frozenset({"krun", "paraphrase"})
_PLAN = pytest.StashKey[RunPlan]()


def plan_of(item: pytest.Item) -> RunPlan:
    """The plan of a test marked ``krun``, made once.

    Raises:
        PlanError: with every mistake in its marks.
    """
    plan = item.stash.get(_PLAN, None)
    if plan is None:
        plan = item.stash[_PLAN] = _resolve(item)
    return plan


def check_all(session: pytest.Session, items: Iterable[pytest.Item]) -> None:
    """Make all plans now.

    Raises:
        pytest.UsageError: with every mistake of every test, each with file and line.
    """
    found: dict[str, None] = {}
    for function, mark in marked_fixtures(session, _OURS):
        code = function.__code__
        said = f"{mark} on fixture {function.__name__!r}; mark the tests that use it instead"
        found[f"{_relative(session, code.co_filename)}:{code.co_firstlineno}: {said}"] = None
    for item in items:
        if any(item.get_closest_marker(name) for name in _OURS):
            try:
                plan_of(item)
            except PlanError as error:
                path, line, _ = item.location
                for problem in error.problems:
                    found[f"{path}:{(line or 0) + 1}: {_bare_name(item)}: {problem}"] = None
    if found:
        many = "1 mistake" if len(found) == 1 else f"{len(found)} mistakes"
        raise pytest.UsageError("\n  ".join([f"pytest_llmrel: {many} in krun and paraphrase marks", *found]))


def parametrize_wording(metafunc: pytest.Metafunc) -> None:
    """Let pytest know that the argument of a ``paraphrase`` mark has a value; runs replace it by theirs."""
    mark = metafunc.definition.get_closest_marker("paraphrase")
    argname = mark.args[0] if mark and mark.args else None
    if isinstance(argname, str) and argname in metafunc.fixturenames:
        metafunc.parametrize(argname, ["<wording>"], ids=[pytest.HIDDEN_PARAM])


def _resolve(item: pytest.Item) -> RunPlan:
    if not isinstance(item, pytest.Function) or _is_unittest(item):
        what = f"a {type(item).__name__}"
        if isinstance(item, pytest.Function):
            what = "a unittest.TestCase method"
        raise PlanError(f"krun cannot run {what}; write it as a plain pytest function or method")
    problems: list[str] = []
    argname, variants = _collected(problems, lambda: _wordings(item)) or (None, (Variant(),))
    marks = [(mark.args, mark.kwargs) for mark in item.iter_markers("krun")]
    if not marks:
        problems.append("paraphrase without krun runs nothing; add @krun")
    config = item.config
    plan: RunPlan | None = _collected(
        problems,
        lambda: resolve(marks, settings(config), lambda name: _records(item, name), variants, argname),
    )
    if problems or plan is None:
        raise PlanError(*problems)
    return plan


def settings(config: pytest.Config) -> Settings:
    """What the command line and the ini file say.

    Raises:
        PlanError: an ini value is no whole number of at least 1.
    """
    return Settings(
        k=config.getoption("llmrel_k"),
        concurrency=config.getoption("llmrel_concurrency"),
        ini_k=_ini_count(config, "llmrel_k"),
        ini_concurrency=_ini_count(config, "llmrel_concurrency"),
    )


def _ini_count(config: pytest.Config, name: str) -> int | None:
    text = config.getini(name).strip()
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise PlanError(f"ini key {name} = {text}; it must be a whole number of at least 1")
    return int(text)


def _collected(problems: list[str], make: Callable[[], Any]) -> Any:
    try:
        return make()
    except PlanError as error:
        problems.extend(error.problems)
        return None


def _wordings(item: pytest.Function) -> tuple[str | None, tuple[Variant, ...]]:
    marks = list(item.iter_markers("paraphrase"))
    if not marks:
        return None, (Variant(),)
    own = [mark for mark in item.own_markers if mark.name == "paraphrase"]
    if len(own) > 1:
        raise PlanError("two paraphrase marks on one test; put all wordings into one")
    return _read_paraphrase(item, marks[0])


def _read_paraphrase(item: pytest.Function, mark: pytest.Mark) -> tuple[str, tuple[Variant, ...]]:
    argname, *wordings = mark.args or (None,)
    problems = [f"paraphrase has no argument {name!r}" for name in mark.kwargs]
    if not isinstance(argname, str):
        problems.append("paraphrase takes the name of an argument first, then the wordings")
    elif argname not in item.fixturenames:
        problems.append(f"paraphrase: {argname!r} is not in the signature of the test; mend the name")
    elif argname in fixture_functions(item) and argname not in _parameters(item):
        problems.append(f"paraphrase: {argname!r} is a fixture that is not replaced; choose another name")
    variants: Sequence[Variant] = _collected(problems, lambda: read_variants(wordings)) or ()
    if problems:
        raise PlanError(*problems)
    return str(argname), tuple(variants)


def _parameters(item: pytest.Function) -> Iterable[str]:
    callspec = getattr(item, "callspec", None)
    return callspec.params if callspec else ()


def _records(item: pytest.Function, name: str) -> bool:
    """Whether the module of the test or of a fixture, or the ini file, names ``name`` as a score."""
    if name in item.config.getini("llmrel_scores"):
        return True
    functions = [item.function, *(function for _, function in fixture_functions(item).values())]
    files = {code.co_filename for code in (getattr(f, "__code__", None) for f in functions) if code}
    quoted = re.compile(rf"""(["']){re.escape(name)}\1""")
    return any(quoted.search(_source(filename)) for filename in files)


def _source(filename: str) -> str:
    try:
        return Path(filename).read_text("utf-8", "replace")
    except OSError:
        return ""


def _is_unittest(item: pytest.Function) -> bool:
    return any(kind.__module__ == "unittest.case" for kind in getattr(item.cls, "__mro__", ()))


def _bare_name(item: pytest.Item) -> str:
    # One mistake in the mark of a parametrised test is one mistake.
    return item.nodeid.rpartition("::")[2].partition("[")[0]


def _relative(session: pytest.Session, filename: str) -> str:
    path = Path(filename)
    root = session.config.rootpath
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
