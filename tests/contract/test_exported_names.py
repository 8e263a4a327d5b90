"""What a module exports is what it says it exports, and the package root is lazy."""

import ast
import re
import subprocess
import sys

import pytest

import pytest_llmrel

from .house import PACKAGE, ROOT, Module, modules


def exported(module: Module) -> list[str] | None:
    """``__all__`` as written, ``None`` without one."""
    for node in module.tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return list(ast.literal_eval(node.value))  # type: ignore[union-attr]
    return None


def defined(module: Module) -> set[str]:
    """The public names defined at the top of a module; type variables apart."""
    names: set[str] = set()
    for node in module.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            is_variable = node.value is not None and re.match(
                r"(TypeVar|ParamSpec)\(", ast.unparse(node.value)
            )
            names |= {target.id for target in targets if isinstance(target, ast.Name) and not is_variable}
    return {name for name in names if not name.startswith("_")}


def order(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest: the order of the linter."""
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2), name


def test_all_is_sorted() -> None:
    """So that a missing or doubled name is seen."""
    lists = {module.place: exported(module) or [] for module in modules()}
    assert {place: names for place, names in lists.items() if names != sorted(set(names), key=order)} == {}


def test_all_is_what_is_public() -> None:
    """A name without underscore is exported, an exported one is defined; lazy roots are checked below."""
    wrong = {}
    for module in modules():
        if module.path.name in {"__init__.py", "__main__.py"}:
            continue
        names = defined(module)
        if module.room == "plugin":  # pytest finds hooks and fixtures by their names
            names = {name for name in names if not name.startswith("pytest_")} - {"llmrel"}
        if difference := names ^ set(exported(module) or []):
            wrong[module.place] = difference
    assert wrong == {}


def test_every_name_of_the_root_is_there() -> None:
    """And is what its home calls by that name."""
    for name in pytest_llmrel.__all__:
        assert getattr(pytest_llmrel, name).__name__ == name


def test_dir_shows_the_api() -> None:
    """Tab completion offers what is public."""
    assert dir(pytest_llmrel) == sorted(pytest_llmrel.__all__)


def test_star_import() -> None:
    """``import *`` gives the same names."""
    names: dict[str, object] = {}
    exec(f"from {PACKAGE} import *", names)  # noqa: S102
    assert names.keys() - {"__builtins__"} == set(pytest_llmrel.__all__)


def test_the_version_is_the_installed_one() -> None:
    """Looked up when it is asked for."""
    from importlib.metadata import version

    assert pytest_llmrel.__version__ == version("pytest-llmrel")


@pytest.mark.parametrize("name", ["nonsense", "_private", "Nonsense"])
def test_another_name_is_an_attribute_error(name: str) -> None:
    """As of any module, so that ``hasattr`` and ``from ... import`` work."""
    with pytest.raises(AttributeError, match=name):
        getattr(pytest_llmrel, name)
    with pytest.raises(ImportError):
        exec(f"from {PACKAGE} import {name}", {})  # noqa: S102


def test_the_root_and_its_type_checked_imports_agree() -> None:
    """What type checkers see is what is there at run time."""
    (root,) = (module for module in modules() if module.name == PACKAGE)
    seen = {
        alias.name
        for node in root.tree.body
        if isinstance(node, ast.If)
        for statement in node.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    assert seen == set(pytest_llmrel.__all__)


def test_importing_the_root_loads_nothing_else() -> None:
    """Not one other module of the package, and nothing that is heavy."""
    code = (
        f"import sys; before = set(sys.modules); import {PACKAGE}; print(*sorted(set(sys.modules) - before))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split()) - {PACKAGE}
    assert {name for name in loaded if name.startswith(PACKAGE)} == set()
    assert loaded & {"pytest", "asyncio", "dataclasses", "importlib.metadata"} == set()
