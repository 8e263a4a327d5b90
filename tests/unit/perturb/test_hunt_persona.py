"""The hunt against the simulator's personas: its sensitive wordings can be planted, found and shrunk."""

from pathlib import Path

import pytest

from pytest_llmrel.perturb.hunt import Hunt
from pytest_llmrel.simulator.draws import Draws
from pytest_llmrel.simulator.persona import Persona
from pytest_llmrel.simulator.persona_file import load_persona

QUESTION = "How long do I have to return an item?"
PERSONA = """
name = "clerk"
fallback = "Pardon?"
[models.clerk]
[[topics]]
name = "returns"
patterns = ["."]
answers = ["You have 30 days."]
wrong = ["Any time."]
pass_rate = {usual}
[[topics.sensitive]]
wording = '{wording}'
pass_rate = {broken}
"""
SENSITIVE = {
    "lower-cased": r"^[^A-Z]*$",
    "one typo in one word": r"^(?i:(?!.*\breturn\b))",
    "a trailing courtesy": r"(?i)\b(thanks|thank you|please)\W*$",
}


def found(persona: Persona, seed: int) -> tuple[bool, tuple[str, ...], int]:
    """Whether a hunt shrank what it found, to which edits, by how many calls."""
    (model,) = persona.models
    draws, hunt, calls = Draws(seed), Hunt(QUESTION, seed=seed, budget=120), 0
    while asked := hunt.next():
        wording, runs = asked
        answers = [persona.answer(model, wording, draws.next("clerk", wording)).text for _ in range(runs)]
        calls += runs
        hunt.tell(wording, sum("30 days" in answer for answer in answers), runs)
    result = hunt.result()
    edits = result.broken.edits if result.broken else ()
    return result.shrunk, tuple(edit.name for edit in edits), calls


@pytest.fixture
def persona(tmp_path: Path, request: pytest.FixtureRequest) -> Persona:
    """A persona with one sensitive wording."""
    wording, usual, broken = request.param
    file = tmp_path / "clerk.toml"
    file.write_text(PERSONA.format(wording=SENSITIVE.get(wording, "^$"), usual=usual, broken=broken))
    return load_persona(file)


@pytest.mark.parametrize(
    "persona",
    [(wording, usual, broken) for wording in SENSITIVE for usual, broken in ((1.0, 0.0), (0.98, 0.1))],
    indirect=True,
    ids=str,
)
def test_the_planted_sensitivity_is_found(persona: Persona) -> None:
    """In nine of ten seeds, within 120 calls, shrunk to the edits of one perturbation; one typo, one courtesy."""
    results = [found(persona, seed) for seed in range(10)]
    assert sum(shrunk and len(edits) <= 2 for shrunk, edits, _ in results) >= 9
    assert max(calls for _, _, calls in results) <= 120
    if "A-Z" not in persona.topics[0].sensitive[0].wording.pattern:
        assert sum(len(edits) == 1 for _, edits, _ in results) >= 9


@pytest.mark.parametrize("persona", [("none", 1.0, 0.0), ("none", 0.9, 0.0)], indirect=True, ids=str)
def test_where_nothing_is_planted_nothing_is_found(persona: Persona) -> None:
    """In 95 of 100 seeds."""
    assert sum(found(persona, seed)[1] == () for seed in range(100)) >= 95
