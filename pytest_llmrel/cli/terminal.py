"""What the commands say: printable whatever it holds, complaints with the name of the command."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pytest_llmrel.errors import LlmrelError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

__all__ = ["complain", "perform", "say"]


def perform(command: str, namespace: argparse.Namespace) -> int:
    """The exit code of the subcommand that was chosen: 2 if it cannot be done, said with every reason."""
    act: Callable[[argparse.Namespace], int] = namespace.act
    try:
        return act(namespace)
    except LlmrelError as error:
        complain(*str(error).splitlines(), by=command)
        return 2


def say(*lines: str) -> None:
    """Writes lines to stdout."""
    from pytest_llmrel.reports.safe import printable

    for line in lines:
        sys.stdout.write(f"{printable(line)}\n")


def complain(*problems: str, by: str = "") -> None:
    """Writes problems to stderr, behind what was said before.

    Args:
        problems: a line each.
        by: the command that cannot go on; not given where problems are what it was to look for.
    """
    from pytest_llmrel.reports.safe import printable

    sys.stdout.flush()
    prefix = f"llmrel {by}: " if by else ""
    for problem in problems:
        sys.stderr.write(f"{prefix}{printable(problem)}\n")
