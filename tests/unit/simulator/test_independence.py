"""The simulator stands apart: the standard library is all it needs, and importing it is nearly free."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest_llmrel.simulator as package

ROOT = Path(package.__file__).parents[2]


def modules_after(code: str) -> set[str]:
    """The modules loaded after running code in a fresh interpreter."""
    code += "\nimport sys, json; sys.stdout.write(json.dumps(list(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout))


def test_it_needs_the_standard_library_only() -> None:
    """A running server has loaded nothing third-party, and of this package nothing but its own room."""
    before = modules_after("")
    loaded = modules_after("from pytest_llmrel.simulator import Simulator\nwith Simulator(): pass") - before
    foreign = {name.split(".")[0] for name in loaded} - set(sys.stdlib_module_names) - {"pytest_llmrel"}
    rooms = {name.split(".")[1] for name in loaded if name.startswith("pytest_llmrel.")}
    assert (foreign, rooms) == (set(), {"simulator"})


def test_importing_it_loads_nothing_heavy() -> None:
    """Names are loaded when they are used."""
    loaded = modules_after("import pytest_llmrel.simulator")
    assert "asyncio" not in loaded
    assert not any(name.startswith("pytest_llmrel.simulator.") for name in loaded)


def test_the_public_names_are_there_and_sorted() -> None:
    """Every exported name can be had, and no other."""
    assert package.__all__ == sorted(package.__all__) == dir(package)
    assert all(getattr(package, name) for name in package.__all__)
    assert not hasattr(package, "Nonsense")
