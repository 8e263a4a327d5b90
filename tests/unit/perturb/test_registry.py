"""Perturbations by name: what each does to a sentence, the same in every process, and those of users."""

import json
import random
import subprocess
import sys
import unicodedata

import pytest

from pytest_llmrel.errors import PerturbationError, UsageProblem
from pytest_llmrel.perturb.edits import Edit, apply_edits
from pytest_llmrel.perturb.perturbation import Perturbation
from pytest_llmrel.perturb.registry import PERTURBATIONS, edits_of, generator_of, perturbed, with_own

QUESTION = "How long do I have to return an item?"
LONGER = "Does Amazon Prime ship within 30 days? It's \"urgent\", I can't wait.\nThank you, Bob."
NAMES = (
    *(
        "case",
        "whitespace",
        "typos",
        "punctuation",
        "unicode",
        "filler",
        "polite",
        "distractor",
        "truncated",
        "speech",
    ),
)
SEEDS = range(60)


def results(name: str, text: str = QUESTION) -> set[str]:
    """What a perturbation makes of a text with several seeds."""
    return {perturbed(text, name, seed) for seed in SEEDS}


def test_there_are_ten_in_their_order() -> None:
    """Each under its own name, each with a sentence that says what it leaves alone."""
    assert tuple(PERTURBATIONS) == NAMES
    for name, found in PERTURBATIONS.items():
        assert found.name == name
        assert found.invariant.endswith(".")


def test_nobody_can_change_the_registry() -> None:
    """It is shared by all tests of a session."""
    with pytest.raises(TypeError):
        PERTURBATIONS["case"] = PERTURBATIONS["typos"]  # type: ignore[index]


@pytest.mark.parametrize("name", NAMES)
def test_every_seed_changes_the_question(name: str) -> None:
    """And other seeds give other wordings, but for speech, which leaves no choice."""
    found = results(name)
    assert QUESTION not in found
    assert len(found) > 1 or name == "speech"


@pytest.mark.parametrize(
    ("name", "wording"),
    [
        ("case", "how long do i have to return an item?"),
        ("case", "HOW LONG DO I HAVE TO RETURN AN ITEM?"),
        ("case", "How Long Do I Have To Return An Item?"),
        ("punctuation", "How long do I have to return an item"),
        ("punctuation", "How long do I have to return an item??"),
        ("polite", "Hi! How long do I have to return an item? Thanks!"),
        ("truncated", "How long do I have to"),
        ("speech", "how long do I have to return an item"),
    ],
)
def test_what_they_make(name: str, wording: str) -> None:
    """Examples that some seed gives."""
    assert wording in {perturbed(QUESTION, name, seed) for seed in range(300)}


def test_each_kind_of_typo_occurs() -> None:
    """A neighbouring key, a doubled, a dropped and two swapped letters."""
    found = {perturbed("return", "typos", seed) for seed in range(300)}
    assert {"retirn", "retturn", "retrn", "retrun"} <= found
    assert all(word[0] == "r" for word in found)


def test_each_look_alike_occurs() -> None:
    """No-break spaces, curly apostrophes, full-width letters and marks."""
    found = "".join(results("unicode", "Why can't I return it?"))
    assert {"\u00a0", "\u2019", "\uff1f", "\uff37"} <= set(found)
    assert unicodedata.normalize("NFKC", perturbed(QUESTION, "unicode", 1)) == QUESTION


def test_speech_runs_on() -> None:
    """No marks, no line breaks, no capitals where sentences begin; facts stay."""
    assert perturbed(LONGER, "speech", 0) == (
        "does Amazon Prime ship within 30 days it's \"urgent\" I can't wait thank you Bob"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *((name, "") for name in NAMES),
        *((name, "   ") for name in NAMES),
        ("case", "12 NASA 日本"),
        ("typos", "to be or 42"),
        ("truncated", "three words only"),
        ("speech", "no marks here"),
        ("unicode", "12 \t 日本"),
        ("punctuation", ""),
    ],
)
def test_where_nothing_can_change_the_text_comes_back(name: str, text: str) -> None:
    """And there is no edit, so that the caller can tell."""
    assert perturbed(text, name, 1) == text
    assert edits_of(name, text, random.Random(1)) == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_single_word_and_a_huge_text(name: str) -> None:
    """From one word to 20,000, nothing breaks and nothing takes long."""
    perturbed("Hello", name, 1)
    assert perturbed(f"{LONGER} " * 1500, name, 1) != f"{LONGER} " * 1500


def test_edits_that_cancel_each_other_are_not_all_made() -> None:
    """Something changes, if something can."""
    cancelling = (Edit(0, 1, "x", "", "odd"), Edit(1, 1, "", "x", "odd"))
    odd = Perturbation("odd", "Nothing is promised.", lambda anatomy, rng: cancelling)
    assert apply_edits("xax", cancelling) == "xax"
    assert odd.apply("xax", random.Random(1)) == "ax"


def test_other_processes_give_the_same() -> None:
    """Whatever the salt of their hashes."""
    code = (
        "import json, sys; from pytest_llmrel.perturb.registry import PERTURBATIONS, perturbed; "
        "print(json.dumps([perturbed(sys.argv[1], name, seed) for name in PERTURBATIONS for seed in range(5)]))"
    )
    here = [perturbed(LONGER, name, seed) for name in NAMES for seed in range(5)]
    for salt in ("1", "2"):
        command = [sys.executable, "-c", code, LONGER]
        run = subprocess.run(
            command, env={"PYTHONHASHSEED": salt}, capture_output=True, text=True, check=True
        )
        assert json.loads(run.stdout) == here


def test_an_unknown_name_is_told_with_all_that_there_are() -> None:
    """And with the one that was probably meant."""
    with pytest.raises(PerturbationError, match="did you mean 'typos'") as caught:
        perturbed(QUESTION, "typo", 1)
    assert all(name in str(caught.value) for name in NAMES)
    assert isinstance(caught.value, UsageProblem)


def pirate(text: str, rng: random.Random) -> str:
    """A user's own."""
    return text.replace("have", rng.choice(["haf", "hev"])) + " Arr!"


def test_own_perturbations_stand_beside_ours() -> None:
    """Behind them, with a seed of their own, and taken apart into edits."""
    known = with_own({"pirate": pirate})
    assert list(known) == [*NAMES, "pirate"]
    assert {perturbed(QUESTION, "pirate", seed, known) for seed in SEEDS} == {
        f"{QUESTION.replace('have', word)} Arr!" for word in ("haf", "hev")
    }
    edits = edits_of("pirate", QUESTION, generator_of("pirate", 1), known)
    assert [(edit.old, edit.new[:2], edit.name) for edit in edits] == [
        ("have", edits[0].new[:2], "pirate"),
        ("", " A", "pirate"),
    ]
    assert "pirate" not in PERTURBATIONS


def test_an_own_one_that_changes_nothing_is_told() -> None:
    """By the absence of edits, as with ours."""
    known = with_own({"idle": lambda text, _: text})
    assert perturbed(QUESTION, "idle", 1, known) == QUESTION
    assert edits_of("idle", QUESTION, random.Random(1), known) == ()


def test_all_mistakes_of_own_ones_are_told_at_once() -> None:
    """A name that is taken, a name that cannot be typed, something that is no function."""
    with pytest.raises(PerturbationError) as caught:
        with_own({"case": pirate, "a b": pirate, "three": 3, 4: pirate})  # type: ignore[dict-item]
    assert len(caught.value.problems) == 4
    assert "already" in caught.value.problems[0]
    assert "3" in caught.value.problems[2]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda text, rng: None, "gave None"),
        (lambda text, rng: text.encode(), "gave b'How"),
        (lambda text, rng: text + str(random.random()), "two results"),
        (lambda text, rng: text[999], "IndexError"),
        (lambda text: text, "TypeError"),
    ],
)
def test_an_own_one_that_does_not_work_is_named(function: object, words: str) -> None:
    """No text, other results for the same seed, an exception: which one, on what, and what came."""
    known = with_own({"mine": function})  # type: ignore[dict-item]
    with pytest.raises(PerturbationError, match="'mine'") as caught:
        perturbed(QUESTION, "mine", 1, known)
    assert words in str(caught.value)
