"""What a test is run over, read from its golden and paraphrase marks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from pytest_llmrel.core.case import Case
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Variant
from pytest_llmrel.core.plan import read_variants
from pytest_llmrel.errors import PlanError, UsageProblem
from pytest_llmrel.glue.closest import marks_of, parameter_marks
from pytest_llmrel.glue.dataset import chosen_cases, golden_of, own_case
from pytest_llmrel.glue.edits import edited
from pytest_llmrel.glue.runnode import fixture_functions

__all__ = ["inputs_of", "parametrize_inputs"]

_RESERVED = frozenset({"llmrel", "request"})
_MOST_PROBLEMS = 5
"""Cases that are told of; the same mistake may be in every row."""


def inputs_of(item: pytest.Function) -> Inputs:
    """Cases and wordings of a test.

    Raises:
        PlanError: with every mistake in its marks and in the files that they name.
    """
    problems: list[str] = []
    golden = _collected(problems, lambda: golden_of(item))
    cases: Sequence[Case] = ()
    argname = None
    if golden is not None:
        problems += _misnamed(item, "golden", golden.argname)
        marks = marks_of(item, "paraphrase")
        if marks and marks[0].args[:1] == (golden.argname,):
            problems.append(f"paraphrase: {golden.argname!r} is the argument of golden; choose another name")
        if not golden.each:
            cases, argname = chosen_cases(item, golden), golden.argname
    alone = None if golden is None else own_case(item, golden)
    made: Inputs | None = _collected(problems, lambda: _worded(item, tuple(cases), argname, alone))
    if problems or made is None:
        raise PlanError(*problems)
    return made


def parametrize_inputs(metafunc: pytest.Metafunc) -> None:
    """Let pytest know that the arguments of our marks have values; runs replace them by theirs.

    With ``golden(each=True)`` the values are the cases, and each is a test of its own.
    """
    marks = marks_of(metafunc.definition, "paraphrase")
    names = [marks[0].args[0]] if marks and marks[0].args else []
    try:
        golden = golden_of(metafunc.definition)
    except UsageProblem:
        # Told with all other mistakes, when the plan is made.
        marks = marks_of(metafunc.definition, "llmrel_golden")
        names += [marks[0].kwargs.get("argname", "case")]
    else:
        if golden is not None and golden.each and golden.argname in metafunc.fixturenames:
            cases = [pytest.param(case, id=case.id) for case in golden.cases]
            metafunc.parametrize(golden.argname, cases)
            names = [name for name in names if name != golden.argname]
        elif golden is not None:
            names += [golden.argname]
    for name in dict.fromkeys(names):
        if isinstance(name, str) and name in metafunc.fixturenames and name not in _RESERVED:
            metafunc.parametrize(name, [f"<{name}>"], ids=[pytest.HIDDEN_PARAM])


def _worded(
    item: pytest.Function, cases: tuple[Case, ...], case_argname: str | None, alone: Case | None
) -> Inputs:
    marks = marks_of(item, "paraphrase")
    if not marks:
        return Inputs(cases=cases, case_argname=case_argname)
    if sum(mark.name == "paraphrase" for mark in item.own_markers) > 1:
        raise PlanError("two paraphrase marks on one test; put all wordings into one")
    if marks[0] in parameter_marks(item):
        raise PlanError("paraphrase cannot stand in pytest.param; put it on the test")
    said = _Paraphrase(item, marks[0])
    edit = partial(edited, item.config, names=() if said.problems else said.perturb, times=said.n)
    is_shared = bool(said.wordings) or said.file is not None
    shared = _collected(said.problems, lambda: _shared(item, said, edit)) if is_shared else None
    if said.problems:
        raise PlanError(*said.problems)
    if shared is not None:
        return Inputs(shared, said.argname, cases, case_argname)
    if alone is not None:
        return Inputs(_of_case(alone, said, edit), said.argname)
    own = _of_each_case(cases, said, edit)
    union = dict.fromkeys(variant for variants in own.values() for variant in variants)
    return Inputs(tuple(union), said.argname, cases, case_argname, own)


def _shared(
    item: pytest.Function, said: "_Paraphrase", edit: Callable[[str], list[str]]
) -> tuple[Variant, ...]:
    """The wordings that are the same for all cases."""
    return _variants(said.wordings or _reviewed(item, said.file), edit)


class _Paraphrase:
    """A paraphrase mark, and what is wrong with it."""

    def __init__(self, item: pytest.Function, mark: pytest.Mark) -> None:
        argname, *wordings = mark.args or (None,)
        given = dict(mark.kwargs)
        self.argname = str(argname)
        self.wordings = wordings
        self.file, self.field = given.pop("file", None), given.pop("field", None)
        self.perturb, self.n = given.pop("perturb", None) or (), given.pop("n", None)
        self.problems = [f"paraphrase has no argument {name!r}" for name in given]
        self.problems += _misnamed(item, "paraphrase", argname)
        self.problems += _contradictions(self)
        if not self.problems and not (wordings or self.file) and not marks_of(item, "llmrel_golden"):
            self.problems.append("paraphrase needs at least one wording, a file, or the cases of golden")


def _contradictions(said: _Paraphrase) -> list[str]:
    sources = {
        "wordings": bool(said.wordings),
        "file": said.file is not None,
        "field": said.field is not None,
    }
    named = [name for name, is_there in sources.items() if is_there]
    found = [f"paraphrase: {' and '.join(named)} both say how to ask; keep one"] if len(named) > 1 else []
    if isinstance(said.perturb, str) or not all(isinstance(name, str) for name in said.perturb):
        found.append(f"paraphrase: perturb={said.perturb!r}; it must be a list such as ['typos', 'case']")
    if said.n is not None and (not isinstance(said.n, int) or isinstance(said.n, bool) or said.n < 1):
        found.append(f"paraphrase: n={said.n!r}; it must be a whole number of at least 1")
    if said.n is not None and not said.perturb:
        found.append("paraphrase: n is the number of wordings per perturbation; name some with perturb=")
    return found


def _misnamed(item: pytest.Function, mark: str, argname: object) -> list[str]:
    if not isinstance(argname, str):
        return [f"{mark} takes the name of an argument first, then the wordings"]
    if argname in _RESERVED:
        return [f"{mark}: {argname!r} is a fixture of its own meaning; choose another name"]
    if argname not in item.fixturenames:
        return [f"{mark}: {argname!r} is not in the signature of the test; mend the name"]
    if argname in fixture_functions(item) and argname not in _parameters(item):
        return [f"{mark}: {argname!r} is a fixture that is not replaced; choose another name"]
    return []


def _parameters(item: pytest.Function) -> Iterable[str]:
    callspec = getattr(item, "callspec", None)
    return callspec.params if callspec else ()


def _reviewed(item: pytest.Function, file: Any) -> Sequence[str]:
    from pytest_llmrel.datasets.wordings import variants_of
    from pytest_llmrel.datasets.wordingsread import read_wordings

    wordings = read_wordings(item.path.parent / str(file))
    # What a hunt appends must not keep the tests of a file from running that had the primary wording only.
    if not wordings.reviewed and not all(wording.is_hunted for wording in wordings.wordings):
        raise PlanError(
            f"{wordings.path}: no wording is reviewed yet; 'llmrel paraphrase review' goes through them"
        )
    return variants_of(wordings)


def _variants(texts: Sequence[object], edit: Callable[[str], list[str]]) -> tuple[Variant, ...]:
    variants = read_variants(texts)
    known = {variant.text for variant in variants}
    further = [text for text in dict.fromkeys(edit(variants[0].text)) if text not in known]
    return variants if not further else read_variants([*texts, *further])


def _of_each_case(
    cases: Sequence[Case], said: _Paraphrase, edit: Callable[[str], list[str]]
) -> Mapping[str, tuple[Variant, ...]]:
    """The wordings that stand in the dataset: the column of the argument's name first, then the list."""
    problems: list[str] = []
    own = {}
    for case in cases:
        own[case.id] = _collected(problems, partial(_of_case, case, said, edit)) or ()
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        raise PlanError(*problems[:_MOST_PROBLEMS], *([f"and {more} more like that"] if more > 0 else []))
    return own


def _of_case(case: Case, said: _Paraphrase, edit: Callable[[str], list[str]]) -> tuple[Variant, ...]:
    return _variants(_texts(case, said), edit)


def _texts(case: Case, said: _Paraphrase) -> list[object]:
    texts = [case[said.argname]] if said.argname in case else []
    if said.field is None:
        if not texts:
            raise PlanError(f"paraphrase: case {case.id!r} has no column {said.argname!r} to be asked")
        return texts
    # None says on purpose that there is nothing: a row of a JSONL file has to have the column.
    if said.field not in case or not isinstance(listed := case[said.field], list | tuple | None):
        raise PlanError(f"paraphrase: column {said.field!r} of case {case.id!r} is no list of wordings")
    return [*texts, *(listed or ())]


def _collected(problems: list[str], make: Callable[[], Any]) -> Any:
    try:
        return make()
    except UsageProblem as error:
        problems.extend(error.problems)
        return None
