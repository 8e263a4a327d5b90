"""How thorough the calibration is, and the published figures it is compared with."""

import csv
import os
from collections.abc import Callable
from pathlib import Path

import pytest

_DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_rows() -> Callable[[str], list[dict[str, str]]]:
    """Reads a CSV file of the folder ``shared/data`` beside the repository; no rows without it."""

    def read(name: str) -> list[dict[str, str]]:
        path = _DATA / name
        if not path.is_file():
            return []
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return read


@pytest.fixture(scope="session")
def is_full() -> bool:
    """Whether ``LLMREL_CALIBRATION=full`` asks for all repetitions."""
    return os.environ.get("LLMREL_CALIBRATION") == "full"
