"""What every API asks of a model, and what the model says to it: the values between the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_llmrel.simulator.tokens import count_tokens, cut

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Asked", "Choice", "Said", "listen"]

_TOKENS_PER_TURN = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What the simulator reads of a request; every other parameter is accepted and has no effect."""

    model: str
    question: str
    input_tokens: int
    stream: bool = False
    seed: int | None = None
    choices: int = 1
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer text; ``whole`` is false if a limit on tokens cut it short."""

    text: str
    whole: bool = True

    @classmethod
    def under(cls, limit: int | None, text: str) -> Choice:
        """Returns the choice that ``text`` becomes under a limit on output tokens."""
        if limit is None or count_tokens(text) <= limit:
            return cls(text)
        return cls(cut(text, limit), whole=False)


@dataclass(frozen=True, slots=True)
class Said:
    """The answer to one request; ``identity`` is unique to it, and made from the draw."""

    choices: tuple[Choice, ...]
    identity: str

    @property
    def first(self) -> Choice:
        """The only choice, in APIs that have no more."""
        return self.choices[0]

    @property
    def tokens(self) -> int:
        """The number of output tokens of all choices."""
        return sum([count_tokens(choice.text) for choice in self.choices])


def listen(turns: Sequence[tuple[str, str]]) -> tuple[str, int]:
    """Returns the question in a conversation of roles and texts, and the number of input tokens.

    The question is the last user's text, without one the last text: some applications put everything into
    the system prompt.
    """
    asked = [text for role, text in turns if role == "user" and text]
    question = asked[-1] if asked else turns[-1][1]
    return question, sum([count_tokens(text) + _TOKENS_PER_TURN for _, text in turns])
