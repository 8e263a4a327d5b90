"""What inner sessions import late is imported here first.

pytester forgets the modules that a session imported, and a module imported again is another module: httpx would
look for the exceptions of an httpcore that is gone, a patch would change a copy that nobody uses, and numpy and
pydantic cannot be imported twice at all.
"""

import importlib
import pkgutil
from importlib.util import find_spec

import genai_prices.data  # noqa: F401
import httpcore  # noqa: F401
import httpcore2  # noqa: F401
import numpy as np  # noqa: F401
import pydantic  # noqa: F401

import pytest_llmrel

_MISSING = {"pytest_llmrel.datasets.yamlrows"} if find_spec("yaml") is None else set()
"""Modules of an extra that is not installed."""

for _module in pkgutil.walk_packages(pytest_llmrel.__path__, "pytest_llmrel."):
    # Importing the other one runs the command.
    if not _module.name.endswith("__main__") and _module.name not in _MISSING:
        importlib.import_module(_module.name)
