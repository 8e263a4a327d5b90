"""The rows of a golden dataset: read once a session, and some of them chosen on the command line."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from pytest_llmrel.core.case import Case
from pytest_llmrel.errors import PlanError
from pytest_llmrel.glue.closest import marks_of, parameter_marks

__all__ = ["Golden", "chosen_cases", "dataset_hash", "deselect_others", "golden_of", "own_case"]

_CASES = pytest.StashKey[dict[tuple[Path, object], tuple[Case, ...]]]()
_ARGUMENTS = ("path", "argname", "schema", "each")


@dataclass(frozen=True, slots=True)
class Golden:
    """A golden mark and what is in its file.

    Attributes:
        argname: the argument that receives a case.
        each: whether every case is a test of its own.
        cases: all rows of the file.
    """

    argname: str
    each: bool
    cases: tuple[Case, ...]


def golden_of(item: pytest.Item) -> Golden | None:
    """The dataset of a test, ``None`` if it has none.

    Raises:
        UsageProblem: what is wrong with the mark, or with its file, line by line.
    """
    marks = marks_of(item, "llmrel_golden")
    if not marks:
        return None
    if sum(mark.name == "llmrel_golden" for mark in item.own_markers) > 1:
        raise PlanError("two golden marks on one test; put all cases into one file")
    if marks[0] in parameter_marks(item):
        raise PlanError("golden cannot stand in pytest.param; put it on the test")
    said = dict(zip(_ARGUMENTS, marks[0].args, strict=False)) | dict(marks[0].kwargs)
    problems = [f"golden has no argument {name!r}" for name in said.keys() - set(_ARGUMENTS)]
    path, argname = said.get("path"), said.get("argname", "case")
    if not isinstance(path, str | Path):
        problems.append(f"golden: path={path!r}; it must be that of a file, relative to the test file")
    if not isinstance(argname, str):
        problems.append(f"golden: argname={argname!r}; it must be the name of an argument of the test")
    if problems:
        raise PlanError(*problems)
    cases = _read(item.config, item.path.parent / str(path), said.get("schema"))
    return Golden(str(argname), bool(said.get("each", False)), cases)


def chosen_cases(item: pytest.Item, golden: Golden) -> tuple[Case, ...]:
    """Those that ``--llmrel-case`` names, all without the option."""
    wanted = item.config.getoption("llmrel_case")
    return tuple(case for case in golden.cases if case.id in wanted) if wanted else golden.cases


def deselect_others(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave only tests that have one of the cases that ``--llmrel-case`` names, if there is that option.

    Raises:
        PlanError: no test has a case of that name.
    """
    wanted: Sequence[str] = config.getoption("llmrel_case") or ()
    if not wanted:
        return
    ids = {item: _ids(item) for item in items}
    known = list(dict.fromkeys(name for names in ids.values() for name in names))
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise PlanError(*(f"--llmrel-case={name}: {_nearest(name, known)}" for name in unknown))
    kept = [item for item in items if not set(wanted).isdisjoint(ids[item])]
    others = [item for item in items if set(wanted).isdisjoint(ids[item])]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = kept


def dataset_hash(item: pytest.Item) -> str:
    """Sixteen hex digits of all rows, whatever their order and format; ``""`` without a dataset.

    Of its own row only, where a test has one: it is none of its business what others are added.
    """
    golden = golden_of(item) if marks_of(item, "llmrel_golden") else None
    if golden is None:
        return ""
    own = own_case(item, golden)
    rows = sorted(_content(case) for case in (golden.cases if own is None else [own]))
    return blake2b("\n".join(rows).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _content(case: Case) -> str:
    return json.dumps([case.id, {name: case[name] for name in case}], sort_keys=True, default=repr)


def _read(config: pytest.Config, path: Path, schema: Any) -> tuple[Case, ...]:
    from pytest_llmrel.datasets.read import read_cases

    known = config.stash.setdefault(_CASES, {})
    if (path, schema) not in known:
        known[path, schema] = read_cases(path, schema)
    return known[path, schema]


def _ids(item: pytest.Item) -> list[str]:
    golden = golden_of(item)
    if golden is None:
        return []
    if not golden.each:
        return [case.id for case in golden.cases]
    own = own_case(item, golden)
    return [] if own is None else [own.id]


def own_case(item: pytest.Item, golden: Golden) -> Case | None:
    """The row of a test that is one of ``golden(each=True)``, else ``None``."""
    callspec = getattr(item, "callspec", None)
    given = callspec.params.get(golden.argname) if callspec else None
    return given if isinstance(given, Case) else None


def _nearest(name: str, known: Sequence[str]) -> str:
    if not known:
        return "no test has a dataset; mark one with @golden"
    near = get_close_matches(name, known, n=3)
    return f"no test has such a case{'; did you mean ' + ' or '.join(near) + '?' if near else ''}"
