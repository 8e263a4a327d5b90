"""A model that stumbles over some wordings, and a hunt on it."""

import random
import re
from collections.abc import Callable, Mapping

from pytest_llmrel.perturb.edits import apply_edits
from pytest_llmrel.perturb.found import HuntResult
from pytest_llmrel.perturb.hunt import Hunt
from pytest_llmrel.perturb.perturbation import Perturbation
from pytest_llmrel.perturb.registry import PERTURBATIONS

QUESTION = "How long do I have to return an item?"
PLANTED: Mapping[str, Callable[[str], bool]] = {
    "all in lower case": lambda wording: not re.search("[A-Z]", wording),
    "a small first letter": lambda wording: wording[:1].islower(),
    "a typo in one word": lambda wording: "return" not in wording.lower(),
    "a trailing courtesy": lambda wording: bool(re.search(r"(?i)(thanks?|thank you|please)\W*$", wording)),
    "nothing": lambda wording: False,
}
"""Name of a sensitivity -> whether a wording meets it."""


def hunted(
    seed: int,
    planted: Callable[[str], bool],
    usual: float,
    broken: float,
    *,
    budget: int = 120,
    known: Mapping[str, Perturbation] = PERTURBATIONS,
) -> HuntResult:
    """The result of a hunt on a model with two pass rates, which spends at most the budget."""
    rng, calls = random.Random(f"model {seed}"), 0
    hunt = Hunt(QUESTION, seed=seed, budget=budget, known=known)
    while asked := hunt.next():
        wording, runs = asked
        rate = broken if planted(wording) else usual
        calls += runs
        hunt.tell(wording, sum(rng.random() < rate for _ in range(runs)), runs)
    result = hunt.result()
    assert result.calls == calls <= budget
    return result


def is_smallest(result: HuntResult, planted: Callable[[str], bool]) -> bool:
    """Whether a break was found that is one, and of whose edits none can be left out."""
    broken = result.broken
    return (
        broken is not None
        and result.shrunk
        and planted(broken.wording)
        and not any(planted(apply_edits(QUESTION, set(broken.edits) - {edit})) for edit in broken.edits)
    )
