"""From marks to plans, and all the mistakes in them as one usage error."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_llmrel.core.fault import FaultPlan, read_faults
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Variant
from pytest_llmrel.core.plan import RunPlan, Settings, resolve
from pytest_llmrel.errors import PlanError, UsageProblem
from pytest_llmrel.glue.closest import marks_of
from pytest_llmrel.glue.inputs import inputs_of
from pytest_llmrel.glue.runnode import fixture_functions
from pytest_llmrel.verdict.feasible import infeasible_gates

__all__ = ["mistakes_in", "plan_of", "settings_of", "warn_of_infeasible_gates"]

_OURS = frozenset({"krun", "llmrel_faults", "llmrel_golden", "paraphrase"})
_PLAN = pytest.StashKey[RunPlan]()
_UNREAD = Inputs((Variant(), Variant("unread", primary=False)))
"""In place of wordings that cannot be read, so that no gate is said to lack what is in a damaged file."""


def plan_of(item: pytest.Item) -> RunPlan:
    """The plan of a test marked ``krun``, made once.

    Raises:
        PlanError: with every mistake in its marks.
    """
    plan = item.stash.get(_PLAN, None)
    if plan is None:
        plan = item.stash[_PLAN] = _resolve(item)
    return plan


def mistakes_in(session: pytest.Session, items: Iterable[pytest.Item]) -> str:
    """Make all plans now; every mistake of every test on a line with file and line number, or ``""``."""
    found: dict[str, None] = {}
    items = list(items)
    for function, mark in _marked_fixtures(session.config, items):
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
    many = "1 mistake" if len(found) == 1 else f"{len(found)} mistakes"
    headline = f"pytest_llmrel: {many} in krun, paraphrase, golden and faults marks"
    return "\n  ".join([headline, *found]) if found else ""


def warn_of_infeasible_gates(items: Iterable[pytest.Item]) -> str:
    """Warn of the gates that the planned runs can never decide.

    Returns:
        The warning, where warnings are errors.
    """
    for item in items:
        for sentence in infeasible_gates(plan_of(item)) if item.get_closest_marker("krun") else ():
            try:
                item.warn(pytest.PytestWarning(f"{item.nodeid}: {sentence}"))
            except pytest.PytestWarning as warning:
                return str(warning)
    return ""


def _resolve(item: pytest.Item) -> RunPlan:
    if not isinstance(item, pytest.Function) or _is_unittest(item):
        what = f"a {type(item).__name__}"
        if isinstance(item, pytest.Function):
            what = "a unittest.TestCase method"
        raise PlanError(f"krun cannot run {what}; write it as a plain pytest function or method")
    problems: list[str] = []
    inputs: Inputs | None = _collected(problems, lambda: inputs_of(item))
    marks = [(mark.args, mark.kwargs) for mark in marks_of(item, "krun")]
    if not marks:
        problems.append(f"{_lonely_mark(item)} without krun runs nothing; add @krun")
    faults: FaultPlan | None = _collected(problems, lambda: _faults(item))
    if _uses_subtests(item):
        problems.append("krun: fixture 'subtests' reports past the verdict; use assertions or llmrel.score")
    config = item.config
    plan: RunPlan | None = _collected(
        problems,
        lambda: resolve(
            marks, settings_of(config), lambda name: _records(item, name), inputs or _UNREAD, faults
        ),
    )
    if problems or plan is None:
        raise PlanError(*problems)
    return plan


def _faults(item: pytest.Function) -> FaultPlan | None:
    marks = marks_of(item, "llmrel_faults")
    return read_faults(marks[0].args, marks[0].kwargs) if marks else None


def _lonely_mark(item: pytest.Function) -> str:
    marks = {"paraphrase": "paraphrase", "golden": "llmrel_golden", "faults": "llmrel_faults"}
    return next(name for name, mark in marks.items() if marks_of(item, mark))


def settings_of(config: pytest.Config) -> Settings:
    """What the command line and the ini file say; both have been checked at the start of the session."""
    ini_k, ini_concurrency = config.getini("llmrel_k"), config.getini("llmrel_concurrency")
    return Settings(
        k=config.getoption("llmrel_k"),
        concurrency=config.getoption("llmrel_concurrency"),
        ini_k=int(ini_k) if ini_k else None,
        ini_concurrency=int(ini_concurrency) if ini_concurrency else None,
    )


def _collected(problems: list[str], make: Callable[[], Any]) -> Any:
    try:
        return make()
    except UsageProblem as error:
        problems.extend(error.problems)
        return None


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


def _marked_fixtures(
    config: pytest.Config, items: Iterable[pytest.Item]
) -> Iterator[tuple[Callable[..., Any], str]]:
    """Fixture functions that carry one of our marks; from version 9 on pytest itself refuses them."""
    modules = dict.fromkeys(item.module for item in items if isinstance(item, pytest.Function))
    owners: list[object] = [*config.pluginmanager.get_plugins(), *modules]
    owners += [value for owner in modules for value in vars(owner).values() if isinstance(value, type)]
    for owner in owners:
        for value in list(getattr(owner, "__dict__", {}).values()):
            if type(value).__name__ == "FixtureFunctionDefinition":
                for mark in getattr(value, "pytestmark", ()):
                    if mark.name in _OURS:
                        yield value.__wrapped__, mark.name


def _uses_subtests(item: pytest.Function) -> bool:
    # They swallow assertions and report them on their own: a run could pass that did not.
    _, function = fixture_functions(item).get("subtests", ("", None))
    return getattr(function, "__module__", "") in {
        "_pytest.subtests",
        "pytest_subtests",
        "pytest_subtests.plugin",
    }


def _bare_name(item: pytest.Item) -> str:
    # One mistake in the mark of a parametrised test is one mistake.
    return item.nodeid.partition("[")[0].rpartition("::")[2]


def _relative(session: pytest.Session, filename: str) -> str:
    path = Path(filename)
    root = session.config.rootpath
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
