"""Laws of the draws: reproducible, independent of interleaving, uniform."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.simulator import draws as module
from pytest_llmrel.simulator.draws import Draws

if TYPE_CHECKING:
    import random

questions = st.text(max_size=20)


@given(st.integers(), st.lists(st.tuples(st.sampled_from("ab"), questions), max_size=30), st.randoms())
def test_interleaving_changes_nothing(seed: int, asked: list[tuple[str, str]], rng: random.Random) -> None:
    """The n-th draw of a question is the same whatever else is asked in between."""
    shuffled = list(asked)
    rng.shuffle(shuffled)
    first, second = Draws(seed), Draws(seed)
    found = [
        sorted((pair, one.next(*pair).name) for pair in order)
        for one, order in ((first, asked), (second, shuffled))
    ]
    assert found[0] == found[1]


@given(st.integers(), questions, st.integers(), st.integers(0, 5))
def test_a_seeded_draw_depends_on_its_seed_only(
    seed: int, question: str, given_seed: int, before: int
) -> None:
    """Neither earlier questions nor the seed of the server have a part in it."""
    asked = Draws(seed)
    for _ in range(before):
        asked.next("m", question)
    assert asked.seeded("m", question, given_seed) == Draws(seed + 1).seeded("m", question, given_seed)


def test_a_seeded_draw_leaves_the_sequence_alone() -> None:
    """Requests with a seed of their own do not move the others on."""
    plain, mixed = Draws(0), Draws(0)
    expected = [plain.next("m", "q") for _ in range(5)]
    found = []
    for number in range(5):
        mixed.seeded("m", "q", number)
        found.append(mixed.next("m", "q"))
    assert found == expected


def test_draws_of_another_purpose_are_others() -> None:
    """Luck for faults says nothing about luck for answers."""
    assert Draws(0, "fault").next("m", "q") != Draws(0).next("m", "q")


def test_everything_that_should_matter_does() -> None:
    """Seed, model, question, repetition, request seed and position each give another draw."""
    base = Draws(0)
    names = [
        base.next("m", "q").name,
        base.next("m", "q").name,
        base.next("m", "p").name,
        base.next("n", "q").name,
    ]
    names.append(Draws(1).next("m", "q").name)
    names += [base.seeded("m", "q", 0).name, base.seeded("m", "q", 1).name, base.seeded("m", "q", 0, 1).name]
    # Glued together, these two would read the same.
    names += [Draws(0).next("mq", "").name, Draws(0).next("", "mq").name]
    assert len(set(names)) == len(names)


def test_draws_are_uniform_and_independent() -> None:
    """Means and correlations of twenty thousand draws are those of independent uniform numbers."""
    source = Draws(3)
    drawn = [source.next("m", "q") for _ in range(20_000)]
    columns = [[getattr(draw, name) for draw in drawn] for name in ("outcome", "choice", "latency")]
    for column in columns:
        assert abs(sum(column) / len(column) - 0.5) < 0.01
        assert min(column) >= 0
        assert max(column) < 1
    for one, other in ((0, 1), (0, 2), (1, 2)):
        products = [(a - 0.5) * (b - 0.5) for a, b in zip(columns[one], columns[other], strict=True)]
        assert abs(sum(products) / len(products)) * 12 < 0.04
    assert len({draw.name for draw in drawn}) == len(drawn)


def test_lone_surrogates_can_be_asked() -> None:
    """A question that is no valid Unicode has its draw like any other."""
    assert Draws(0).next("m", "\ud800") != Draws(0).next("m", "\ud801")


def test_draws_are_the_same_in_every_process() -> None:
    """No salted hash has a part in it: processes with other hash seeds draw the same."""
    code = "from pytest_llmrel.simulator.draws import Draws; print(Draws(7).next('m', 'q\\u00e9'))"
    root = Path(module.__file__).parents[2]
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for salt in ("1", "2")
    }
    assert printed == {f"{Draws(7).next('m', 'qé')}\n"}


def test_draws_never_change() -> None:
    """The numbers are frozen: recorded expectations of users depend on them."""
    draw = Draws(0).next("shop-assistant", "How long do I have to return an item?")
    assert (round(draw.outcome, 12), draw.name) == (0.83865874579, "4a912c82509577a7")
