"""Commands with commands of their own, such as ``llmrel baseline show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

__all__ = ["Subcommands", "add_collection"]


class Subcommands:
    """Adds subcommands to the parser of a command; the one that is chosen is ``namespace.act``."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parsers = parser.add_subparsers(metavar="WHAT", required=True)

    def add(
        self, name: str, summary: str, act: Callable[[argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        """The parser of a new one."""
        said = f"{summary[0].upper()}{summary[1:]}."
        child = self._parsers.add_parser(name, help=summary, description=said, allow_abbrev=False)
        child.set_defaults(act=act)
        return child


def add_collection(parser: argparse.ArgumentParser) -> None:
    """Options of a subcommand that removes what no test has any more."""
    parser.add_argument("--dry-run", action="store_true", help="show them only")
    parser.add_argument(
        "arguments", metavar="PYTEST ARGUMENT", nargs="*", help="what to collect; options after a '--'"
    )
