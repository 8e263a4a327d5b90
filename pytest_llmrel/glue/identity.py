"""What makes a run of an earlier session a run of this test: all that is known to shape its outcome."""

import ast
import json
from functools import cache, lru_cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

import pytest

from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.glue.book import node_id
from pytest_llmrel.glue.content import content_of, decorators_of
from pytest_llmrel.glue.provenance import provenance_of

__all__ = ["identity_of"]

_SURROUNDINGS = pytest.StashKey[dict[Path, list[str]]]()
_OURS = frozenset({"faults", "golden", "krun", "llmrel_faults", "llmrel_golden", "paraphrase"})


def identity_of(item: pytest.Function, plan: RunPlan, turn: int) -> str:
    """Thirty-two hex digits that are others as soon as the runs of a test might be.

    The test itself, its marks, what stands around it in its module (prompts, fixtures, helpers; not the
    other tests), the ``conftest.py`` files above it, its wordings, dataset, faults and time limit, the
    answers of the provenance hook, what tapes are used for, and this plugin's version. How many runs there
    are, and how they are judged, does not matter.

    Args:
        item: the test.
        plan: of it.
        turn: how often it has been run before in this session.

    Raises:
        PlanError: the provenance hook is wrong.
    """
    parts = [
        _version(),
        node_id(item),
        turn,
        content_of(item, plan),
        [text for name, text in decorators_of(item.function) if name not in _OURS],
        *_surroundings(item),
        dict(provenance_of(item)),
        [variant.text for variant in plan.inputs.variants],
        plan.inputs.dataset,
        plan.timeout,
        None if plan.faults is None else [plan.faults.names, plan.faults.rate],
        item.config.getoption("llmrel_tape"),
    ]
    text = json.dumps(parts, default=repr)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


@cache
def _version() -> str:
    return version("pytest-llmrel")  # reads a file, and there may be hundreds of tests


def _surroundings(item: pytest.Function) -> list[str]:
    """Hashes of its module and of each ``conftest.py`` above it; read once, as they were imported once."""
    known = item.config.stash.setdefault(_SURROUNDINGS, {})
    if item.path not in known:
        folders = [folder for folder in item.path.parents if folder.is_relative_to(item.config.rootpath)]
        known[item.path] = [
            _hash(path) for path in (item.path, *(folder / "conftest.py" for folder in folders))
        ]
    return known[item.path]


def _hash(path: Path) -> str:
    """Of the code of a file without its test functions, comments and layout; ``""`` without a file."""
    try:
        state = path.stat()
        return _code_in(path, state.st_mtime_ns, state.st_size)
    except OSError:
        return ""


@lru_cache(maxsize=1024)
def _code_in(path: Path, _changed: int, _size: int) -> str:
    source = path.read_bytes()
    try:
        code = ast.unparse(_WithoutTests().visit(ast.parse(source))).encode("utf-8", "surrogatepass")
    except (SyntaxError, ValueError):
        code = source
    return blake2b(code, digest_size=8).hexdigest()


class _WithoutTests(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef | None:
        return None if node.name.startswith("test") else node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef | None:
        return None if node.name.startswith("test") else node
