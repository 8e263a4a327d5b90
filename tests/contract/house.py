"""The package as source: its modules, who imports whom and where, read from the syntax tree."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = "pytest_llmrel"


@dataclass(frozen=True)
class Module:
    """One file of the package."""

    path: Path
    tree: ast.Module
    text: str

    @property
    def name(self) -> str:
        """Dotted, without ``__init__``."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def room(self) -> str:
        """The part of the name behind the package; ``""`` for the package itself."""
        return room_of(self.name)

    @property
    def place(self) -> str:
        """Path within the repository."""
        return self.path.relative_to(ROOT).as_posix()

    def at(self, node: ast.AST) -> str:
        """``path:line`` of a node."""
        return f"{self.place}:{getattr(node, 'lineno', 0)}"


@dataclass(frozen=True)
class Import:
    """One name of an import statement.

    Attributes:
        target: the module or the attribute that is named, absolute and dotted.
        lazy: it stands in a function.
        typing: it stands under ``if TYPE_CHECKING``.
    """

    module: Module
    target: str
    line: int
    lazy: bool
    typing: bool

    @property
    def top(self) -> str:
        """The top-level package."""
        return self.target.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.module.place}:{self.line} imports {self.target}"


def room_of(name: str) -> str:
    """The room that a dotted name of the package is in."""
    return name.removeprefix(PACKAGE).lstrip(".").partition(".")[0]


def read(path: Path) -> Module:
    """A file, parsed."""
    text = path.read_text(encoding="utf-8")
    return Module(path, ast.parse(text), text)


@cache
def modules() -> tuple[Module, ...]:
    """All modules of the package."""
    return tuple(read(path) for path in sorted((ROOT / PACKAGE).rglob("*.py")))


@cache
def test_files() -> tuple[Module, ...]:
    """All Python files of the tests and the example."""
    folders = (ROOT / "tests", ROOT / "example_suite")
    return tuple(read(path) for folder in folders for path in sorted(folder.rglob("*.py")))


test_files.__test__ = False  # type: ignore[attr-defined]


@cache
def imports() -> tuple[Import, ...]:
    """Every import of the package, wherever it stands."""
    return tuple(
        found for module in modules() for found in _imports(module, module.tree, lazy=False, typing=False)
    )


def _imports(module: Module, node: ast.AST, *, lazy: bool, typing: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(module, alias.name, child.lineno, lazy, typing) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = _base(module, child)
            for alias in child.names:
                yield Import(module, f"{base}.{alias.name}", child.lineno, lazy, typing)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for part in child.body:
                yield from _imports(module, ast.Module([part], []), lazy=lazy, typing=True)
            for part in child.orelse:
                yield from _imports(module, ast.Module([part], []), lazy=lazy, typing=typing)
        else:
            is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(module, child, lazy=lazy or is_function, typing=typing)


def _base(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    if module.path.name != "__init__.py":
        parts = parts[:-1]
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, node.module] if node.module else parts)


def imported_module(found: Import) -> str | None:
    """The module of this package that an import loads, ``None`` if it is another's."""
    names = {module.name for module in modules()}
    parts = found.target.split(".")
    if parts[0] != PACKAGE:
        return None
    while ".".join(parts) not in names:
        parts.pop()
    return ".".join(parts)


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods, nested ones included."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def calls(module: Module) -> Iterator[tuple[ast.Call, str]]:
    """All calls with what is called, as written."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def page(path: str) -> str:
    """The text of a page of the documentation."""
    return (ROOT / path).read_text(encoding="utf-8")


def sections(text: str) -> dict[str, str]:
    """Heading -> what stands below it, up to the next heading of any level."""
    parts = re.split(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {heading.strip(): body for heading, body in zip(parts[1::2], parts[2::2], strict=True)}


def rows(text: str) -> list[list[str]]:
    """The code spans in the first cell of each row of the tables in a text."""
    cells = re.findall(r"^\|([^|]*)\|", text, flags=re.MULTILINE)
    found = [re.findall(r"`([^`]+)`", cell) for cell in cells]
    return [spans for spans in found if spans]
