"""All the APIs of the simulator in one application, answering with one voice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_llmrel.simulator.anthropic import anthropic_routes, refuse_as_anthropic
from pytest_llmrel.simulator.application import Application
from pytest_llmrel.simulator.cohere import cohere_routes, refuse_as_cohere
from pytest_llmrel.simulator.gemini import gemini_routes, refuse_as_gemini
from pytest_llmrel.simulator.openai import OpenAIApi
from pytest_llmrel.simulator.openai_errors import refuse
from pytest_llmrel.simulator.voice import Voice

if TYPE_CHECKING:
    from pytest_llmrel.simulator.faults import Faults
    from pytest_llmrel.simulator.persona import Persona

__all__ = ["application"]

_SHAPES = (
    ("/v1/messages", refuse_as_anthropic),
    ("/v1beta", refuse_as_gemini),
    ("/v1alpha", refuse_as_gemini),
    ("/v2", refuse_as_cohere),
    ("", refuse),
)


def application(persona: Persona, seed: int, faults: Faults) -> Application:
    """Returns what answers every request, with all luck and all counts at their beginning."""
    voice = Voice(persona, seed, faults)
    routes = {
        **OpenAIApi(voice).routes(),
        **anthropic_routes(voice),
        **gemini_routes(voice),
        **cohere_routes(voice),
    }
    return Application(routes, _SHAPES)
