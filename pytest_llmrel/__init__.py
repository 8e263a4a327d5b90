"""pytest_llmrel: reliability regression tests for LLM features, as a pytest plugin.

Importing the package costs nothing: public names are loaded on first use (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_llmrel.core.call import Exchange, Usage
    from pytest_llmrel.core.run import Run
    from pytest_llmrel.errors import GateFailure, LlmrelError, UsageProblem
    from pytest_llmrel.glue.marks import faults, golden, krun, paraphrase

__all__ = [
    "Exchange",
    "GateFailure",
    "LlmrelError",
    "Run",
    "Usage",
    "UsageProblem",
    "faults",
    "golden",
    "krun",
    "paraphrase",
]

_HOMES = {
    "Exchange": "core.call",
    "GateFailure": "errors",
    "LlmrelError": "errors",
    "Run": "core.run",
    "Usage": "core.call",
    "UsageProblem": "errors",
    "faults": "glue.marks",
    "golden": "glue.marks",
    "krun": "glue.marks",
    "paraphrase": "glue.marks",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("pytest-llmrel")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return __all__
