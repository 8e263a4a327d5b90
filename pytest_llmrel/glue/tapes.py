"""Which tapes no test has any more."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pytest

from pytest_llmrel.glue.book import entry_name, relative_to_root
from pytest_llmrel.wire.tapeplace import FOLDER, tape_path

__all__ = ["orphaned_tapes"]


def orphaned_tapes(
    root: Path, complete: Collection[Path], tests: Mapping[Path, Sequence[pytest.Item]]
) -> list[str]:
    """The tapes beside these modules that belong to no test, relative to the root.

    Args:
        root: of the session.
        complete: modules of which all tests were collected.
        tests: the ``krun`` tests by module.
    """
    found = []
    for folder in sorted({module.parent / FOLDER for module in (*complete, *tests)}):
        for tapes in sorted(path for path in folder.glob("*") if path.is_dir()):
            module = folder.parent / f"{tapes.name}.py"
            if module in complete or not module.exists():
                used = {tape_path(module, entry_name(item)) for item in tests.get(module, ())}
                left = sorted(path for path in tapes.glob("*.jsonl") if path not in used)
                found += [relative_to_root(root, path) for path in left]
    return found
