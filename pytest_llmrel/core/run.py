"""The run in progress: what the fixture ``llmrel`` hands to the test, and where the rest finds it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from io import StringIO
from math import isfinite
from typing import Final

from pytest_llmrel.core.call import Call, Usage
from pytest_llmrel.core.gate import BUILT_IN
from pytest_llmrel.core.model import Attempt, Score
from pytest_llmrel.errors import Abstained

__all__ = ["BY_HAND", "OUTPUT_LIMIT", "Run", "current_run", "judging"]

OUTPUT_LIMIT: Final = 20_000
"""Characters kept of each text a run leaves behind; model output may be arbitrarily long."""


BY_HAND: Final = "by hand"
"""Host of the calls that a test reports itself, with ``llmrel.usage``."""
judging: ContextVar[bool] = ContextVar("pytest_llmrel_judging", default=False)
"""Whether the running code judges an answer: its calls are counted apart."""


class Run:
    """One execution of a test, as its author sees it (fixture ``llmrel``).

    Attributes:
        attempt: the full address of this run.
        scores: what was recorded so far.
        recorded_output: what :meth:`output` was given last, or ``None``.
        captured: what the run printed and logged, by stream.
        reported: calls that the test reported itself, with :meth:`usage`.
    """

    __slots__ = ("attempt", "captured", "recorded_output", "reported", "scores")

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.scores: list[Score] = []
        self.recorded_output: str | None = None
        self.captured: dict[str, StringIO] = {}
        self.reported: list[Call] = []

    def __repr__(self) -> str:
        return f"<run {self.index}>"

    @property
    def case(self) -> str:
        """Id of the dataset row, ``""`` without a dataset."""
        return self.attempt.case

    @property
    def variant(self) -> str:
        """The wording of this run, ``""`` without ``paraphrase``."""
        return self.attempt.variant.text

    @property
    def index(self) -> int:
        """0-based number of this run among those of its case and variant."""
        return self.attempt.run

    @property
    def seed(self) -> int:
        """63-bit integer, the same for the same run of the same test on every machine."""
        return self.attempt.seed

    def score(self, name: str, value: float) -> None:
        """Record a number; its mean over the runs can be gated by ``name``.

        A value that is not finite makes the mean undefined and a gate on it INCONCLUSIVE.

        Raises:
            TypeError: ``value`` is not a real number.
            ValueError: ``name`` is no identifier, that of a built-in metric, or recorded in this run already.
        """
        given: object = name  # not every caller is typed
        if not isinstance(given, str) or not given.isidentifier():
            raise ValueError(f"score name {name!r} is not an identifier such as 'politeness'")
        if name in BUILT_IN:
            raise ValueError(f"score name {name!r} is that of a built-in metric; choose another")
        if any(score.name == name for score in self.scores):
            raise ValueError(f"score {name!r} was recorded in this run already")
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = None
        if number is None or isinstance(value, str):
            raise TypeError(f"score {name!r} must be a number, not {value!r}")
        self.scores.append(Score(name, number))

    def output(self, text: object) -> None:
        """Keep what the model said, to be shown if this run fails (the first 20,000 characters)."""
        self.recorded_output = str(text)[:OUTPUT_LIMIT]

    def usage(
        self,
        *,
        model: str = "",
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cost: float | None = None,
    ) -> None:
        """Report a call that does not go through httpx, and so is not seen by itself.

        Args:
            model: that answered; gives the price where ``cost`` is not given.
            input_tokens: all of the input, at least 0; ``None`` where unknown.
            output_tokens: all of the output, at least 0; ``None`` where unknown.
            cost: US dollars, at least 0; ``None`` to look the price up.

        Raises:
            ValueError: a number is negative or not finite.
        """
        given = {"input_tokens": input_tokens, "output_tokens": output_tokens, "cost": cost}
        for name, value in given.items():
            if value is not None and not (isfinite(value) and value >= 0):
                raise ValueError(f"usage: {name}={value!r}; it must be a finite number of at least 0")
        tokens = None
        if input_tokens is not None and output_tokens is not None:
            units = (("input_tokens", input_tokens), ("output_tokens", output_tokens))
            tokens = Usage(model, input_tokens, output_tokens, units=units)
        self.reported.append(Call(BY_HAND, "", None, 0.0, tokens, cost, judge=judging.get()))

    @contextmanager
    def judging(self) -> Iterator[None]:
        """In this block a model judges an answer: its calls are counted apart."""
        token = judging.set(True)
        try:
            yield
        finally:
            judging.reset(token)

    def abstain(self, reason: str = "") -> None:
        """End this run: the model declined to answer, which is neither a pass nor a wrong answer."""
        raise Abstained(reason)

    def capture(self, title: str, text: str) -> None:
        """Keep what this run printed or logged, up to a limit per stream."""
        buffer = self.captured.get(title)
        if buffer is None:
            buffer = self.captured.setdefault(title, StringIO())
        room = OUTPUT_LIMIT - buffer.tell()
        if room >= 0 and text:
            buffer.write(text[:room])
            if len(text) > room:
                buffer.write("\n[truncated]")


current_run: ContextVar[Run | None] = ContextVar("pytest_llmrel_current_run", default=None)
"""The run that the running code belongs to; set in the run's own context, thread or task."""
