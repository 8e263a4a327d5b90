"""pytest_llmrel: reliability regression tests for LLM features, as a pytest plugin.

Importing the package costs nothing: public names are loaded on first use (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_llmrel.clients.client import async_http_client, http_client
    from pytest_llmrel.core.call import Exchange, Usage
    from pytest_llmrel.core.run import Run
    from pytest_llmrel.errors import GateFailure, LlmrelError, UsageProblem
    from pytest_llmrel.faithfulness.judge import Judge
    from pytest_llmrel.faithfulness.nli import nli
    from pytest_llmrel.faithfulness.scorer import Claim, Faithfulness, Scorer, Support
    from pytest_llmrel.glue.marks import faults, golden, krun, paraphrase

__all__ = [
    "Claim",
    "Exchange",
    "Faithfulness",
    "GateFailure",
    "Judge",
    "LlmrelError",
    "Run",
    "Scorer",
    "Support",
    "Usage",
    "UsageProblem",
    "async_http_client",
    "faults",
    "golden",
    "http_client",
    "krun",
    "nli",
    "paraphrase",
]

_HOMES = {
    "Claim": "faithfulness.scorer",
    "Exchange": "core.call",
    "Faithfulness": "faithfulness.scorer",
    "GateFailure": "errors",
    "Judge": "faithfulness.judge",
    "LlmrelError": "errors",
    "Run": "core.run",
    "Scorer": "faithfulness.scorer",
    "Support": "faithfulness.scorer",
    "Usage": "core.call",
    "UsageProblem": "errors",
    "async_http_client": "clients.client",
    "faults": "glue.marks",
    "golden": "glue.marks",
    "http_client": "clients.client",
    "krun": "glue.marks",
    "nli": "faithfulness.nli",
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
