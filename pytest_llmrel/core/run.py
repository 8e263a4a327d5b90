"""The run in progress: what the fixture ``llmrel`` hands to the test, and where the rest finds it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from io import StringIO
from math import isfinite
from typing import Any, Final, Protocol

from pytest_llmrel.core.call import Call, Usage
from pytest_llmrel.core.cut import cut
from pytest_llmrel.core.gate import BUILT_IN, FAITHFULNESS
from pytest_llmrel.core.model import Attempt
from pytest_llmrel.core.score import Score
from pytest_llmrel.errors import Abstained, ScorerError

__all__ = ["BY_HAND", "OUTPUT_LIMIT", "SCORED_LIMIT", "Run", "Scorers", "current_run", "judging", "replaying"]

OUTPUT_LIMIT: Final = 20_000
"""Characters kept of each text a run leaves behind; model output may be arbitrarily long."""


SCORED_LIMIT: Final = 2_000
"""Characters kept of a text that was scored."""
BY_HAND: Final = "by hand"
"""Host of the calls that a test reports itself, with ``llmrel.usage``."""
judging: ContextVar[bool] = ContextVar("pytest_llmrel_judging", default=False)
"""Whether the running code judges an answer: its calls are counted apart."""
replaying: ContextVar[bool] = ContextVar("pytest_llmrel_replaying", default=False)
"""Whether a tape answers the calls of the running code: it needs no key."""


class Scorers(Protocol):
    """Finds scorers and asks them; what a run has to know of it."""

    def score(self, scorer: Any, answer: str, context: str, question: str) -> Score:
        """The score of an answer."""

    async def ascore(self, scorer: Any, answer: str, context: str, question: str) -> Score:
        """The same, without blocking the event loop where the scorer can do so."""


class Run:
    """One execution of a test, as its author sees it (fixture ``llmrel``).

    Attributes:
        attempt: the full address of this run.
        scores: what was recorded so far.
        recorded_output: what :meth:`output` was given last, or ``None``.
        captured: what the run printed and logged, by stream.
        reported: calls that the test reported itself, with :meth:`usage`.
    """

    __slots__ = ("_scorers", "attempt", "captured", "recorded_output", "reported", "scores")

    def __init__(self, attempt: Attempt, scorers: Scorers | None = None) -> None:
        self.attempt = attempt
        self._scorers = scorers
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

    def score(self, name: str, value: float | Callable[[str], float], text: str = "") -> None:
        """Record a number; its mean over the runs can be gated by ``name``.

        A value that is not finite makes the mean undefined and a gate on it INCONCLUSIVE.

        Args:
            name: an identifier such as ``"politeness"``.
            value: the number, or a function that gives it for ``text``.
            text: that was scored; it is shown with a failing run, and with the lowest value.

        Raises:
            ScorerError: the function raised, or gave no number; the run ends in an error, which is not the
                model's doing.
            TypeError: ``value`` is not a real number.
            ValueError: ``name`` is no identifier, that of a built-in metric, or recorded in this run already;
                or it is ``faithfulness``, and the number not within 0..1.
        """
        self._check_name(name)
        found = _asked(name, value, text) if callable(value) else value
        number = _as_number(found)
        if number is None:
            said = f"score {name!r} must be a number, not {found!r}"
            raise ScorerError(f"{said}; the function gave it") if callable(value) else TypeError(said)
        if name == FAITHFULNESS and (number < 0 or number > 1):
            raise ValueError(f"score {name!r} is {number!r}; it must be within 0..1")
        self._record(Score(name, number, text=cut(text, SCORED_LIMIT)), text)

    def faithfulness(
        self, answer: str, *, context: str, question: str = "", scorer: object = "overlap"
    ) -> float | None:
        """Score whether an answer stays inside its context; the mean can be gated by ``faithfulness``.

        Args:
            answer: what the model said.
            context: everything that it was given to know.
            question: that it was asked, for scorers that read it.
            scorer: ``"overlap"`` (context overlap: offline, a tripwire), the name of one that the hook
                ``pytest_llmrel_scorer`` knows, or a scorer such as a :class:`Judge`.

        Returns:
            0..1, or ``None`` where it is not applicable, as with an answer that claims nothing.

        Raises:
            ScorerError: there is no such scorer, or it failed, or the context is no text; the run ends in an
                error.
            TypeError: the answer is no text.
            ValueError: faithfulness was recorded in this run already.
        """
        self._check_scored(answer, context)
        return self._record(self._asked_scorers.score(scorer, answer, context, question), answer)

    async def afaithfulness(
        self, answer: str, *, context: str, question: str = "", scorer: object = "overlap"
    ) -> float | None:
        """As :meth:`faithfulness`, without blocking the event loop while a judge makes up its mind."""
        self._check_scored(answer, context)
        found = await self._asked_scorers.ascore(scorer, answer, context, question)
        self._check_name(FAITHFULNESS)  # another task of this run may have been faster
        return self._record(found, answer)

    @property
    def _asked_scorers(self) -> Scorers:
        if self._scorers is None:
            raise ScorerError("there are no scorers outside of a krun test; call llmrel.faithfulness in one")
        return self._scorers

    def _record(self, score: Score, text: str) -> float | None:
        self.scores.append(score)
        if text and self.recorded_output is None:
            self.output(text)
        if score.said:
            self.capture(score.scorer or score.name, f"{score.said}\n")
        return score.value

    def _check_scored(self, answer: object, context: object) -> None:
        self._check_name(FAITHFULNESS)
        if not isinstance(context, str):
            raise ScorerError(
                f"faithfulness: the context is of type {type(context).__name__}; join its parts into one text"
            )
        if not isinstance(answer, str):  # as None where a model called a tool: its doing
            raise TypeError(f"faithfulness: the answer is of type {type(answer).__name__}, not a text")

    def _check_name(self, name: str) -> None:
        given: object = name  # not every caller is typed
        if not isinstance(given, str) or not given.isidentifier():
            raise ValueError(f"score name {name!r} is not an identifier such as 'politeness'")
        if name in BUILT_IN:
            raise ValueError(f"score name {name!r} is that of a built-in metric; choose another")
        if any(score.name == name for score in self.scores):
            raise ValueError(f"score {name!r} was recorded in this run already")

    def output(self, text: object) -> None:
        """Keep what the model said, to be shown if this run fails (the first 20,000 characters)."""
        self.recorded_output = cut(str(text), OUTPUT_LIMIT)

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


def _as_number(found: object) -> float | None:
    if isinstance(found, str | bytes | bytearray):
        return None
    try:
        return float(found)  # type: ignore[arg-type]  # whatever can be
    except (OverflowError, TypeError, ValueError):
        return None


def _asked(name: str, function: Callable[[str], float], text: str) -> float:
    try:
        return function(text)
    except Exception as error:
        raise ScorerError(f"score {name!r}: the function raised {type(error).__name__}: {error}") from error


current_run: ContextVar[Run | None] = ContextVar("pytest_llmrel_current_run", default=None)
"""The run that the running code belongs to; set in the run's own context, thread or task."""
