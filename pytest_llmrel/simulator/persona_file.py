"""Reads a persona from a TOML file, reporting every mistake in it at once."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_llmrel.simulator.faults import read_faults
from pytest_llmrel.simulator.judge import EVIDENCE, JudgeHabits
from pytest_llmrel.simulator.persona import Latency, Model, Persona, PersonaError, Sensitive, Topic
from pytest_llmrel.simulator.persona_fields import Fields

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

__all__ = ["BUNDLED", "load_persona"]

BUNDLED = Path(__file__).with_name("personas") / "shop.toml"


def load_persona(path: str | PathLike[str] | None = None) -> Persona:
    """Reads a persona file; the bundled shop assistant if no path is given.

    Raises:
        PersonaError: the file cannot be read, is not TOML, or has mistakes; all of them are named.
    """
    place = BUNDLED if path is None else Path(path)
    mistakes: list[str] = []
    fields = Fields(_read_toml(place), "", mistakes)
    persona = Persona(
        name=fields.text("name"),
        fallback=fields.text("fallback"),
        latency=_read_latency(fields.table("latency")),
        faults=read_faults(fields.table("faults")),
        topics=tuple([_read_topic(topic) for topic in fields.tables("topics", required=True)]),
        models=_read_models(fields.table("models")),
    )
    fields.finish()
    mistakes += _contradictions(persona)
    if mistakes:
        raise PersonaError(place, tuple(mistakes))
    return persona


def _read_toml(path: Path) -> dict[str, object]:
    try:
        # Editors on Windows begin a file with a byte order mark, which TOML does not know.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        mistake = f"it cannot be read ({error.strerror}); check the path"
    except UnicodeDecodeError as error:
        mistake = f"it is not text in UTF-8 ({error}); save it as UTF-8"
    except tomllib.TOMLDecodeError as error:
        mistake = f"it is not valid TOML: {error}"
    raise PersonaError(path, (mistake,))


def _read_latency(fields: Fields) -> Latency:
    median = fields.number("median", 0.0)
    latency = Latency(median, fields.number("jitter", 0.0))
    if latency.jitter > median:
        fields.note("jitter", f"{latency.jitter:g} is above the median; write a number from 0 to {median:g}")
    fields.finish()
    return latency


def _read_topic(fields: Fields) -> Topic:
    topic = Topic(
        name=fields.text("name"),
        patterns=fields.patterns("patterns", re.IGNORECASE),
        answers=fields.texts("answers", required=True),
        wrong=fields.texts("wrong"),
        pass_rate=fields.number("pass_rate", 1.0, most=1.0),
        sensitive=tuple([_read_sensitive(sensitive) for sensitive in fields.tables("sensitive")]),
    )
    fields.finish()
    return topic


def _read_sensitive(fields: Fields) -> Sensitive:
    sensitive = Sensitive(fields.pattern("wording"), fields.rate("pass_rate"), fields.texts("models"))
    fields.finish()
    return sensitive


def _read_models(tables: Fields) -> tuple[Model, ...]:
    if not tables.names():
        tables.note("NAME", "missing; write at least one table [models.NAME], which may be empty")
    return tuple([_read_model(name, tables.table(name)) for name in tables.names()])


def _read_model(name: str, fields: Fields) -> Model:
    rates = fields.table("pass_rates")
    model = Model(
        name=name,
        pass_rate_factor=fields.number("pass_rate_factor", 1.0),
        latency_factor=fields.number("latency_factor", 1.0),
        pass_rates=MappingProxyType({topic: rates.rate(topic) for topic in rates.names()}),
        aliases=fields.texts("aliases"),
        judge=_read_judge(fields),
    )
    fields.finish()
    return model


def _read_judge(model: Fields) -> JudgeHabits | None:
    fields = model.table("judge")
    if "judge" not in model.names():
        return None
    obeys = fields.text("obeys") if "obeys" in fields.names() else ""
    if obeys not in EVIDENCE:
        known = ", ".join(filter(None, EVIDENCE))
        fields.note("obeys", f"{obeys!r} will not do; write one of {known}, or leave it out")
    habits = JudgeHabits(
        sensitivity=fields.number("sensitivity", 1.0, most=1.0),
        specificity=fields.number("specificity", 1.0, most=1.0),
        malformed=fields.number("malformed", 0.0, most=1.0),
        obeys=obeys,
    )
    fields.finish()
    return habits


def _contradictions(persona: Persona) -> list[str]:
    """Mistakes that show only when the parts are seen together."""
    topics = {topic.name for topic in persona.topics}
    models = {model.name for model in persona.models}
    found = _repeated("topics", [topic.name for topic in persona.topics])
    found += _repeated("models", [name for model in persona.models for name in (model.name, *model.aliases)])
    for index, topic in enumerate(persona.topics):
        found += _unknown(f"topics[{index}].sensitive.models", _sensitive_models(topic), models, "model")
        if not topic.wrong and _may_fail(persona, topic):
            found.append(f"topics[{index}].wrong: missing; a pass rate below 1 needs wrong answers to give")
    for model in persona.models:
        found += _unknown(f"models.{model.name}.pass_rates", model.pass_rates, topics, "topic")
    return found


def _repeated(key: str, names: list[str]) -> list[str]:
    twice = sorted({name for name in names if name and names.count(name) > 1})
    return [f"{key}: the name {name!r} is used twice; rename one" for name in twice]


def _sensitive_models(topic: Topic) -> list[str]:
    return [model for sensitive in topic.sensitive for model in sensitive.models]


def _unknown(key: str, names: Iterable[str], known: set[str], kind: str) -> list[str]:
    listed = ", ".join(sorted(known))
    return [f"{key}: there is no {kind} {name!r}; there are {listed}" for name in names if name not in known]


def _may_fail(persona: Persona, topic: Topic) -> bool:
    rates = [model.pass_rates.get(topic.name, topic.pass_rate) for model in persona.models]
    rates += [sensitive.pass_rate for sensitive in topic.sensitive]
    rates += [model.pass_rate_factor for model in persona.models]
    return min(rates) < 1
