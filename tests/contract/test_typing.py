"""The public API has the types it promises."""

import subprocess
import sys

import pytest

from .house import ROOT


def test_the_api_type_checks() -> None:
    """``tests/typing/api.py`` under mypy --strict: right use is accepted, wrong use refused."""
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "tests/typing/api.py"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stdout + run.stderr == ""


def test_the_package_says_that_it_is_typed() -> None:
    """Without the marker file, type checkers of users would look away."""
    assert (ROOT / "pytest_llmrel" / "py.typed").is_file()
