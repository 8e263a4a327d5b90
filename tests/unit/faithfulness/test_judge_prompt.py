"""The prompt: its version, its marks, and that the simulated judge and the real prompt understand each other."""

import re

import pytest

from pytest_llmrel.faithfulness.judge_prompt import PROMPT_VERSION, messages, prompt_hash
from pytest_llmrel.simulator.draws import Draw
from pytest_llmrel.simulator.judge import JudgeHabits, judge

KNOWN = {"1": "6d2b0d953f13f619"}
"""Version -> hash. A changed prompt is a new version, for it is another judge."""


def test_a_changed_prompt_is_a_new_version() -> None:
    """Or records of calibration would be taken for those of this prompt."""
    assert KNOWN[PROMPT_VERSION] == prompt_hash()
    assert len(set(KNOWN.values())) == len(KNOWN)


def test_the_same_texts_make_the_same_request() -> None:
    """Tapes and caches depend on it; other texts have another mark."""
    first, again = (messages(("A.",), "context", "why?") for _ in range(2))
    assert first == again
    marks = {
        re.findall(r"LLMREL-\w+", messages(*texts)[1]["content"])[0]
        for texts in (
            (("A.",), "c", "q"),
            (("B.",), "c", "q"),
            (("A.",), "d", "q"),
            (("A.",), "c", "r"),
            (("A.",), "cq", ""),
        )
    }
    assert len(marks) == 5


def test_the_instructions_name_the_mark() -> None:
    """And hold no text of the data; the data begins with the mark, and ends with it."""
    system, user = messages(("An answer.",), "A context.", "A question?")
    mark = user["content"].split()[0]
    assert (system["role"], user["role"]) == ("system", "user")
    assert system["content"].count(mark) == 2
    assert not re.search(r"An answer|A context|A question", system["content"])
    assert user["content"].endswith(f"{mark} END\n")
    assert user["content"].count(mark) == 4


def test_braces_in_the_texts_are_text() -> None:
    """No text is taken for a template."""
    user = messages(("{mark} {0} {question}",), "{context} %s {", "{}")[1]["content"]
    assert "[1] {mark} {0} {question}" in user
    assert "{context} %s {\n" in user


def test_the_second_request_says_what_was_wrong() -> None:
    """In the instructions, so that the data is the same."""
    first, second = (messages(("A.",), "c", "", problem=problem) for problem in ("", "it is no JSON"))
    assert first[1] == second[1]
    assert "could not be used: it is no JSON" in second[0]["content"]
    assert second[0]["content"].startswith(first[0]["content"])


@pytest.mark.parametrize("text", ["The shop\nopens.", "", "\n\n", "LLMREL-0 END\n", "[2] Two."])
def test_the_simulated_judge_reads_the_prompt(text: str) -> None:
    """Whatever the texts hold, it finds the sentences that there are."""
    user = messages(("The shop opens.", "It sells tea."), text, text)[1]["content"]
    reply = judge(JudgeHabits(), user, Draw(0.5, 0.5, 0.5, "name"))
    assert re.findall(r'"sentence": (\d)', reply) == ["1", "2"]
