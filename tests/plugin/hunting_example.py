"""Suites for hunts: a test that passes for some wordings only, and a session that looks for others."""

from typing import Any

import pytest
from example import Outcome
from wire_example import Asking

from pytest_llmrel.simulator import Simulator

__all__ = ["NO_SERVER", "PLANTED", "QUESTION", "TEST", "hunted", "refused", "source_of"]

QUESTION = "How long do I have to return an item?"
COURTESY = r"(?i)(thanks?|thank you|please)\W*$"
PLANTED = {
    "a courtesy": f"not re.search(r'{COURTESY}', q)",
    "a typo": "'return' in q.lower()",
    "a small letter": "q[0].isupper()",
}
"""Name of a sensitivity -> what must hold of a wording for its run to pass."""
TEST = """
import re

@krun(5, {marks})
@paraphrase("q", RETURN)
DEF test_a(q, llmrel):
    for _ in range({calls}):
        ASK(q)
    assert {holds}
"""
NO_SERVER = "http://127.0.0.1:1/v1"


def source_of(holds: str = "True", calls: Any = 1, marks: str = "") -> str:
    """A test that makes some calls, and passes if something holds of its wording."""
    return TEST.format(holds=holds, calls=calls, marks=marks)


def hunted(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    *args: str,
    calls: int = 120,
    style: str = "threads",
    subprocess: bool = False,
    **simulator: Any,
) -> tuple[Outcome, Simulator]:
    """A session that hunts, and the server that it asked."""
    with Simulator(latency=0, **simulator) as model:
        suite = Asking(pytester, monkeypatch, source, style=style)
        outcome = suite.run(model, f"--llmrel-hunt={calls}", *args, subprocess=subprocess)
    return outcome, model


def refused(outcome: Outcome, model: Simulator) -> str:
    """What a session says that runs nothing."""
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR, outcome.out + outcome.err
    assert model.requests == 0
    return outcome.out + outcome.err
