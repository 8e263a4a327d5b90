"""Files of cases in a folder of their own, and what is told of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_llmrel.datasets.read import read_cases
from pytest_llmrel.errors import DatasetError


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, bytes | str], Path]:
    """Writes a file of that name."""

    def written(name: str, content: bytes | str) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


@pytest.fixture
def told(write: Callable[[str, bytes | str], Path]) -> Callable[[str, bytes | str], list[str]]:
    """All problems of such a file, without its folder; it has some."""

    def problems(name: str, content: bytes | str) -> list[str]:
        path = write(name, content)
        with pytest.raises(DatasetError) as caught:
            read_cases(path)
        assert all(problem.startswith(str(path)) for problem in caught.value.problems)
        return [problem.removeprefix(f"{path.parent}/") for problem in caught.value.problems]

    return problems
