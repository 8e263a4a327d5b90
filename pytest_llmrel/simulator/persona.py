"""Who the simulated model pretends to be: what it knows, how often it is right, how long it takes.

Values and pure functions: a persona and a draw in, an answer out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from string import Template
from typing import TYPE_CHECKING

from pytest_llmrel.simulator.faults import Faults
from pytest_llmrel.simulator.judge import judge

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_llmrel.simulator.draws import Draw
    from pytest_llmrel.simulator.judge import JudgeHabits

__all__ = ["Answer", "Latency", "Model", "Persona", "PersonaError", "Sensitive", "Topic"]

_RECOGNISED_CHARACTERS = 8000


class PersonaError(ValueError):
    """A persona file cannot be used; the text names every mistake in it and what to write instead.

    Attributes:
        path: the file.
        mistakes: one sentence per mistake, each beginning with the key.
    """

    def __init__(self, path: Path, mistakes: tuple[str, ...]) -> None:
        """Words the error from the file and its mistakes."""
        count = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "a mistake"
        super().__init__("\n  ".join((f"persona file {path} has {count}:", *mistakes)))
        self.path = path
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Latency:
    """Answers take ``median`` seconds, give or take up to ``jitter`` seconds, evenly spread."""

    median: float = 0.0
    jitter: float = 0.0


@dataclass(frozen=True, slots=True)
class Sensitive:
    """A wording on which the pass rate of its topic changes, for the named models or, with none, for all."""

    wording: re.Pattern[str]
    pass_rate: float
    models: tuple[str, ...] = ()

    def applies(self, model: str, question: str) -> bool:
        """Whether this wording is in the question, and ``model`` stumbles over it."""
        return (not self.models or model in self.models) and self.wording.search(question) is not None


@dataclass(frozen=True, slots=True)
class Topic:
    """Something the persona can be asked about.

    ``pass_rate`` is the share of right answers, from 0 to 1. Answers may quote what a pattern captured in a
    named group: ``(?P<item>mugs?)`` makes ``$item`` known.
    """

    name: str
    patterns: tuple[re.Pattern[str], ...]
    answers: tuple[str, ...]
    wrong: tuple[str, ...] = ()
    pass_rate: float = 1.0
    sensitive: tuple[Sensitive, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """One model the persona answers as.

    ``pass_rates`` replaces the rate of the topics it names; ``pass_rate_factor`` and ``latency_factor``
    multiply whatever rate and latency apply. ``aliases`` are other names that it answers to. A model with
    the habits of a ``judge`` judges answers, and knows no topics.
    """

    name: str
    pass_rate_factor: float = 1.0
    latency_factor: float = 1.0
    pass_rates: Mapping[str, float] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    judge: JudgeHabits | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the persona says, and after how many seconds."""

    text: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Persona:
    """A simulated model family: its models, its topics, and what it says to anything else."""

    name: str
    models: tuple[Model, ...]
    topics: tuple[Topic, ...]
    fallback: str
    latency: Latency = Latency()
    faults: Faults = field(default_factory=Faults)

    def model(self, name: str) -> Model | None:
        """Returns the model of that name or alias, or None."""
        return next((model for model in self.models if name == model.name or name in model.aliases), None)

    def with_latency(self, seconds: float) -> Persona:
        """Returns the same persona with another median latency, in seconds, and no jitter."""
        return replace(self, latency=Latency(seconds))

    def answer(self, model: Model, question: str, draw: Draw) -> Answer:
        """Returns what ``model`` says to ``question`` with the luck of ``draw``.

        Only the last 8000 characters of the question are read, unless ``model`` is a judge.
        """
        if model.judge is not None:
            return Answer(judge(model.judge, question, draw), self._seconds(model, draw))
        heard = question[-_RECOGNISED_CHARACTERS:]
        return Answer(self._text(model, heard, draw), self._seconds(model, draw))

    def pass_rate(self, model: Model, topic: Topic, question: str) -> float:
        """Returns the probability of a right answer.

        The first sensitive wording found in the question decides, else the model's own rate for the
        topic, else the rate of the topic; the factor of the model applies to each.
        """
        rate = model.pass_rates.get(topic.name, topic.pass_rate)
        for sensitive in topic.sensitive:
            if sensitive.applies(model.name, question):
                rate = sensitive.pass_rate
                break
        return min(1.0, rate * model.pass_rate_factor)

    def _text(self, model: Model, question: str, draw: Draw) -> str:
        topic, match = self._recognise(question)
        if topic is None or match is None:
            return self.fallback
        right = draw.outcome < self.pass_rate(model, topic, question) or not topic.wrong
        phrasings = topic.answers if right else topic.wrong
        text = phrasings[int(draw.choice * len(phrasings))]
        captured = match.groupdict("")
        return Template(text).safe_substitute(captured) if captured else text

    def _recognise(self, question: str) -> tuple[Topic | None, re.Match[str] | None]:
        """The first topic, in the order of the file, with a pattern found in the question."""
        for topic in self.topics:
            for pattern in topic.patterns:
                if match := pattern.search(question):
                    return topic, match
        return None, None

    def _seconds(self, model: Model, draw: Draw) -> float:
        spread = self.latency.jitter * (2 * draw.latency - 1)
        return max(0.0, self.latency.median + spread) * model.latency_factor
