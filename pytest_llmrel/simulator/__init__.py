"""A simulated LLM server: real HTTP on loopback, answers drawn from a seed, no network and no price.

It stands apart: it imports nothing else of this package and nothing outside the standard library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_llmrel.simulator.faults import FaultsError
    from pytest_llmrel.simulator.persona import Persona, PersonaError
    from pytest_llmrel.simulator.persona_file import load_persona
    from pytest_llmrel.simulator.server import Simulator

__all__ = ["FaultsError", "Persona", "PersonaError", "Simulator", "load_persona"]

_HOMES = {
    "FaultsError": "faults",
    "Persona": "persona",
    "PersonaError": "persona",
    "Simulator": "server",
    "load_persona": "persona_file",
}


def __getattr__(name: str) -> object:
    """Imports a public name from its file the first time it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Lists the public names."""
    return __all__
