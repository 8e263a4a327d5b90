"""The ``llmrel`` console script: finds the command and runs it.

Exit codes: 0 done, 1 the command found what it was to look for, 2 it was used wrongly.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from pytest_llmrel.cli import baseline, golden, judge, merge, paraphrase, power, simulator, tape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

__all__ = ["main"]

_DISTRIBUTION = "pytest-llmrel"


class _Command(NamedTuple):
    """One line of the table: how a command is called, what it is for, its arguments, its doing."""

    name: str
    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


_COMMANDS = (
    _Command(
        "baseline",
        "show, compare, accept and clean up what is remembered of tests",
        baseline.add_arguments,
        baseline.run,
    ),
    _Command(
        "golden",
        "look golden cases over before a test runs on them",
        golden.add_arguments,
        golden.run,
    ),
    _Command("judge", "calibrate a judge against labels of people", judge.add_arguments, judge.run),
    _Command(
        "merge",
        "put the reports of all shards of a suite together, and judge it as a whole",
        merge.add_arguments,
        merge.run,
    ),
    _Command(
        "paraphrase",
        "ask a model for wordings of a request, and review them",
        paraphrase.add_arguments,
        paraphrase.run,
    ),
    _Command(
        "power",
        "tell what a gate or a baseline can detect, and how many runs that takes",
        power.add_arguments,
        power.run,
    ),
    _Command(
        "simulator",
        "serve a simulated, OpenAI-compatible model on this machine",
        simulator.add_arguments,
        simulator.run,
    ),
    _Command("tape", "list, check and clean up recorded calls", tape.add_arguments, tape.run),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit code of the process.

    Args:
        argv: the arguments after the name of the program; those of the process if not given.
    """
    try:
        namespace = _build_parser().parse_args(argv)
    except SystemExit as leaving:
        # The parser leaves the process after --help and on mistakes; only a console script may do that.
        return leaving.code if isinstance(leaving.code, int) else 0
    run: Callable[[argparse.Namespace], int] = namespace.run
    return run(namespace)


class _Parser(argparse.ArgumentParser):
    """Answers a mistake with one line; the usage is one ``--help`` away."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see '{self.prog} --help')\n")


class _Version(argparse.Action):
    """Looks the version up when it is asked for, not on every start."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version(_DISTRIBUTION)
        except PackageNotFoundError:
            found = "unknown (not installed)"
        sys.stdout.write(f"{parser.prog} {found}\n")
        parser.exit()


def _build_parser() -> _Parser:
    parser = _Parser(
        prog="llmrel", description="Reliability regression testing of LLM features.", allow_abbrev=False
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in _COMMANDS:
        described = command.summary[0].upper() + command.summary[1:] + "."
        child = commands.add_parser(
            command.name, help=command.summary, description=described, allow_abbrev=False
        )
        command.add_arguments(child)
        child.set_defaults(run=command.run)
    return parser
