"""Published and measured figures to compare with, where they lie beside the repository."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_DATA = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Any]:
    """Reads a JSON or CSV file of the folder ``shared/data`` beside the repository; skips without it."""

    def read(name: str) -> Any:
        path = _DATA / name
        if not path.is_file():
            pytest.skip(f"there is no shared/data/{name} beside the repository")
        with path.open(encoding="utf-8", newline="") as file:
            return json.load(file) if path.suffix == ".json" else list(csv.DictReader(file))

    return read
