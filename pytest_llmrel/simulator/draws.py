"""Seeded draws: the same question asked for the n-th time always has the same luck.

Nothing here depends on the order in which different questions arrive, on the process, or on the platform.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

__all__ = ["Draw", "Draws"]

_EXACT_BITS = 53


@dataclass(frozen=True, slots=True)
class Draw:
    """The luck of one answer: independent numbers uniform in [0, 1), and a name unique to the draw."""

    outcome: float
    choice: float
    latency: float
    name: str


class Draws:
    """Hands out draws; a question asked again without a seed of its own gets the next draw of its sequence.

    Args:
        seed: the seed of all sequences; any integer.
        purpose: what the draws are for; those of another purpose are independent.
    """

    def __init__(self, seed: int, purpose: str = "counted") -> None:
        """Starts every sequence at its beginning."""
        self._seed = seed
        self._purpose = purpose
        self._asked: dict[bytes, int] = {}

    def next(self, model: str, question: str) -> Draw:
        """Returns the next draw in the sequence of this model and question."""
        key = _digest(self._purpose, self._seed, model, question)
        count = self._asked.get(key, 0)
        self._asked[key] = count + 1
        return _draw(hashlib.blake2b(count.to_bytes(8, "big"), digest_size=32, key=key).digest())

    def seeded(self, model: str, question: str, seed: int, position: int = 0) -> Draw:
        """Returns the draw of a request that brings its own seed; it is the same however often it is asked.

        Args:
            model: the model asked.
            question: the last user message.
            seed: the seed in the request; the seed of the server plays no part.
            position: which of the choices of one request, from 0.
        """
        return _draw(_digest("seeded", seed, model, question, position))


def _digest(*parts: str | int) -> bytes:
    # JSON in ASCII is unambiguous, the same in every Python, and safe for lone surrogates.
    return hashlib.blake2b(json.dumps(parts).encode("ascii"), digest_size=32).digest()


def _draw(digest: bytes) -> Draw:
    outcome, choice, latency = (_unit(digest[start : start + 8]) for start in (0, 8, 16))
    return Draw(outcome, choice, latency, digest[24:].hex())


def _unit(chunk: bytes) -> float:
    """Eight bytes as a float in [0, 1), using as many bits as a float holds exactly."""
    return (int.from_bytes(chunk, "big") >> (64 - _EXACT_BITS)) / (1 << _EXACT_BITS)
