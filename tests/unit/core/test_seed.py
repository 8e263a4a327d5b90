"""Keys and seeds depend on nothing but the address: not on process, machine or order."""

import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest_llmrel
from pytest_llmrel.core.seed import run_seed, variant_key


def test_seeds_never_change() -> None:
    """Frozen numbers: a change would give every recorded seed of every user another meaning."""
    assert run_seed("tests/test_shop.py::test_refund", "", "", 0) == 4817639497559699937
    assert variant_key("How long do I have to return an item?") == "9577648b"


def test_every_part_of_the_address_matters() -> None:
    """Another test, case, wording or run has another seed; neighbours glued together do not collide."""
    parts = ("a", "b", "ab", "", "1")
    seeds = {run_seed(*address) for address in product(parts, parts, parts, (0, 1, 11))}
    assert len(seeds) == len(parts) ** 3 * 3


def test_seeds_fit_into_63_bits_and_use_them() -> None:
    """Signed 64-bit seeds are what model APIs take."""
    seeds = [run_seed("t", "", "", run) for run in range(2_000)]
    assert min(seeds) >= 0
    assert max(seeds) < 2**63
    assert max(seeds) > 2**62


def test_keys_are_eight_hex_digits_for_any_text() -> None:
    """The empty text and a lone surrogate have keys like any other."""
    keys = [variant_key(text) for text in ("", "a", "A", "é", "e\u0301", "\ud800", "\ud801", "a" * 10_000)]
    assert len(set(keys)) == len(keys)
    assert all(len(key) == 8 and not set(key) - set("0123456789abcdef") for key in keys)


def test_lone_surrogates_have_seeds() -> None:
    """A node id that is no valid Unicode does not stop the test."""
    assert run_seed("\ud800", "", "", 0) != run_seed("\ud801", "", "", 0)


def test_seeds_are_the_same_in_every_process() -> None:
    """No salted hash has a part in them."""
    code = (
        "from pytest_llmrel.core.seed import run_seed, variant_key; import sys;"
        "sys.stdout.write(f\"{run_seed('n', 'c', 'v', 3)} {variant_key('w')}\")"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(pytest_llmrel.__file__).parents[1],
            env={**os.environ, "PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for salt in ("1", "2")
    }
    assert said == {f"{run_seed('n', 'c', 'v', 3)} {variant_key('w')}"}
