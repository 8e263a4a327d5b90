"""Where tapes are: beside the test modules, a folder a module and a file a test."""

import re
from hashlib import blake2b
from pathlib import Path
from typing import Final

__all__ = ["FOLDER", "tape_path", "tapes_below"]

FOLDER: Final = "__tapes__"
_UNSAFE = re.compile(r"[^\w.=+-]+")
_MOST_NAME = 120
"""Bytes: the systems count those, and most take 255."""


def tape_path(module: Path, test: str) -> Path:
    """Where the tape of a test is: ``tests/__tapes__/test_faq/test_refund.jsonl``.

    Args:
        module: file of the test.
        test: its name within the module; what cannot stand in a file name is replaced, and told apart by a
            hash.
    """
    dotted = test.replace("::", ".")
    name = _UNSAFE.sub("-", dotted).strip("-.")
    if name != dotted or len(name.encode()) > _MOST_NAME:
        digest = blake2b(test.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
        name = f"{name.encode()[:_MOST_NAME].decode(errors='ignore')}-{digest}"
    return module.parent / FOLDER / module.stem / f"{name}.jsonl"


def tapes_below(folder: Path) -> list[Path]:
    """All tapes in a folder and below it, sorted."""
    return sorted(path for path in folder.rglob(f"{FOLDER}/*/*.jsonl") if path.is_file())
