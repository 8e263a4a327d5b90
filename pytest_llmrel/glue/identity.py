"""What makes a run of an earlier session a run of this test: all that is known to shape its outcome."""

import ast
import json
from functools import lru_cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

import pytest

from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.glue.content import content_of
from pytest_llmrel.glue.provenance import provenance_of

__all__ = ["identity_of"]


def identity_of(item: pytest.Function, plan: RunPlan, turn: int) -> str:
    """Thirty-two hex digits that are others as soon as the runs of a test might be.

    The test itself, what stands around it in its module (prompts, fixtures, helpers; not the other tests),
    the ``conftest.py`` files above it, its wordings, dataset, faults and time limit, the answers of the
    provenance hook, what tapes are used for, and this plugin's version. How many runs there are, and how
    they are judged, does not matter.

    Args:
        item: the test.
        plan: of it.
        turn: how often it has been run before in this session.

    Raises:
        PlanError: the provenance hook is wrong.
    """
    folders = [folder for folder in item.path.parents if folder.is_relative_to(item.config.rootpath)]
    parts = [
        version("pytest-llmrel"),
        item.nodeid,
        turn,
        content_of(item, plan),
        *(_surroundings(path) for path in (item.path, *(folder / "conftest.py" for folder in folders))),
        dict(provenance_of(item)),
        [variant.text for variant in plan.inputs.variants],
        plan.inputs.dataset,
        plan.timeout,
        None if plan.faults is None else [plan.faults.names, plan.faults.rate],
        item.config.getoption("llmrel_tape"),
    ]
    text = json.dumps(parts, default=repr)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


@lru_cache(maxsize=1024)
def _surroundings(path: Path) -> str:
    """A hash of the code of a file without its test functions, comments and layout; ``""`` without a file."""
    try:
        source = path.read_bytes()
    except OSError:
        return ""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return blake2b(source, digest_size=8).hexdigest()
    return blake2b(ast.unparse(_WithoutTests().visit(tree)).encode("utf-8", "surrogatepass")).hexdigest()


class _WithoutTests(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef | None:
        return None if node.name.startswith("test") else node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef | None:
        return None if node.name.startswith("test") else node
