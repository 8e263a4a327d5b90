"""Where baselines are: beside the test modules."""

from pathlib import Path
from typing import Final

__all__ = ["FOLDER", "baseline_path"]

FOLDER: Final = "__baselines__"


def baseline_path(module: Path) -> Path:
    """Where the baselines of a test module are: ``tests/__baselines__/test_faq.json``."""
    return module.parent / FOLDER / f"{module.stem}.json"
