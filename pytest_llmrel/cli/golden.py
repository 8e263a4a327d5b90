"""``llmrel golden``: whether golden cases can be read, and what about them should be looked at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_llmrel.cli.subcommands import Subcommands
from pytest_llmrel.cli.terminal import complain, perform, say
from pytest_llmrel.errors import DatasetError

if TYPE_CHECKING:
    import argparse

    from pytest_llmrel.datasets.lint import Finding
    from pytest_llmrel.datasets.read import Dataset

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    summary = "look for damage, repetitions, contradictions, gaps and leaks; exit code 1 if there is any"
    lint = Subcommands(parser).add("lint", summary, _lint)
    lint.add_argument(
        "files", metavar="FILE", nargs="+", help="golden cases: .jsonl, .json, .csv, .toml, .yaml"
    )
    lint.add_argument(
        "--question",
        metavar="COLUMN",
        help="what the model is asked (default: question, input, prompt or query, else the first text)",
    )
    lint.add_argument(
        "--expected",
        metavar="COLUMN",
        help="what it should answer (default: expected, answer or reference)",
    )


def run(namespace: argparse.Namespace) -> int:
    """Runs the command; returns 0 if all is well, 1 if something was found, and 2 if it cannot be done."""
    return perform("golden", namespace)


def _lint(namespace: argparse.Namespace) -> int:
    from pytest_llmrel.datasets.read import check_path, read_dataset

    paths = [Path(name) for name in namespace.files]
    for path in paths:
        check_path(path)
    cases = problems = 0
    for path in paths:
        try:
            dataset = read_dataset(path)
        except DatasetError as error:
            said = list(error.problems)
        else:
            said = _findings(dataset, namespace)
            cases += len(dataset.cases)
        problems += len(said)
        complain(*said)
    say(f"{_count(len(paths), 'file')}, {_count(cases, 'case')}, {_count(problems, 'problem')}")
    return 1 if problems else 0


def _findings(dataset: Dataset, namespace: argparse.Namespace) -> list[str]:
    from pytest_llmrel.datasets.lint import lint

    try:
        found = lint(dataset.cases, question=namespace.question, expected=namespace.expected)
    except DatasetError as error:
        raise DatasetError(*(f"{dataset.path}: {problem}" for problem in error.problems)) from None
    return [_told(finding, dataset) for finding in found]


def _told(finding: Finding, dataset: Dataset) -> str:
    case, line = dataset.cases[finding.case], dataset.lines[finding.case]
    other = ""
    if finding.other is not None:
        other = f" case {dataset.cases[finding.other].id} of line {dataset.lines[finding.other]}"
    detail = f": {finding.detail}" if finding.detail else ""
    return f"{dataset.path}:{line}: {finding.kind}: case {case.id} {finding.said}{other}{detail}"


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'s' * (number != 1)}"
