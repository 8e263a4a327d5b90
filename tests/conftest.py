"""What inner sessions import late is imported here first.

pytester forgets the modules that a session imported, and a module imported again is another module: httpx would
look for the exceptions of an httpcore that is gone, a patch would change a copy that nobody uses, and numpy and
pydantic cannot be imported twice at all.
"""

import gc
import importlib
import pkgutil
import time
from collections.abc import Callable

import genai_prices.data  # noqa: F401
import httpcore  # noqa: F401
import httpcore2  # noqa: F401
import numpy as np  # noqa: F401
import pydantic  # noqa: F401
import pytest

import pytest_llmrel

# Importing ``__main__`` runs the command, and pytest 8 warns of a plugin that it did not import itself.
_LEFT_ALONE = {"pytest_llmrel.cli.__main__", "pytest_llmrel.plugin"}
for _module in pkgutil.walk_packages(pytest_llmrel.__path__, "pytest_llmrel."):
    if _module.name not in _LEFT_ALONE:
        importlib.import_module(_module.name)


def pytest_collection_finish() -> None:
    """Thousands of tests stay to the end; looking at them in every garbage collection takes minutes."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def busy_seconds() -> Callable[[Callable[[], object]], float]:
    """How long this thread alone is busy with something: tests before may have left others behind.

    Without garbage collection, whose time grows with all that the process holds.
    """

    def measure(work: Callable[[], object]) -> float:
        gc.disable()
        try:
            began = time.thread_time()
            work()
            return time.thread_time() - began
        finally:
            gc.enable()

    return measure
