"""Where the baselines of a test module are, in a folder of its own."""

from pathlib import Path

import pytest

from pytest_llmrel.baselines.place import baseline_path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The baseline file of ``tests/test_faq.py``; it does not exist."""
    (tmp_path / "tests").mkdir()
    return baseline_path(tmp_path / "tests" / "test_faq.py")
