"""Persona files: what is read, and that every mistake is named, at once, with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_llmrel.simulator import PersonaError, load_persona
from pytest_llmrel.simulator.faults import Faults

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = r"""
name = "clerk"
fallback = "No idea."
[latency]
median = 1
jitter = 0.5
[models.big]
[models.small]
pass_rate_factor = 0.5
latency_factor = 2
pass_rates = { time = 0.25 }
aliases = ["gpt-x", "gpt-y"]
[faults]
429 = 0.1
reset = 0.05
retry_after = 0.5
script = ["ok", "500"]
[[topics]]
name = "time"
patterns = ['o.clock\b', "time"]
answers = ["Noon."]
wrong = ["Midnight."]
pass_rate = 0.75
[[topics.sensitive]]
wording = "(?i)now"
pass_rate = 0.5
models = ["small"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the persona file of the test is."""
    return tmp_path / "clerk.toml"


def mistakes_of(file: Path, text: str) -> tuple[str, ...]:
    """Writes the file, and returns what is wrong with it."""
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PersonaError) as caught:
        load_persona(file)
    assert caught.value.path == file
    assert str(file) in str(caught.value)
    assert all(mistake in str(caught.value) for mistake in caught.value.mistakes)
    return caught.value.mistakes


def test_a_whole_file_is_read(file: Path) -> None:
    """Every key ends up where it belongs."""
    file.write_text(WHOLE, encoding="utf-8")
    persona = load_persona(str(file))
    assert (persona.name, persona.fallback) == ("clerk", "No idea.")
    assert (persona.latency.median, persona.latency.jitter) == (1.0, 0.5)
    assert [model.name for model in persona.models] == ["big", "small"]
    assert persona.models[1].pass_rates == {"time": 0.25}
    assert persona.models[1].aliases == ("gpt-x", "gpt-y")
    assert persona.model("gpt-y") is persona.models[1]
    assert persona.faults.rates == {"429": 0.1, "reset": 0.05}
    assert (persona.faults.retry_after, persona.faults.script) == (0.5, ("ok", "500"))
    assert persona.topics[0].patterns[0].search("Five O'CLOCK?")
    assert persona.topics[0].sensitive[0].models == ("small",)


def test_only_the_necessary_is_necessary(file: Path) -> None:
    """A minimal persona is always right and takes no time."""
    file.write_text(
        'name="n"\nfallback="f"\n[models.m]\n[[topics]]\nname="t"\npatterns=["x"]\nanswers=["y"]\n'
    )
    persona = load_persona(file)
    assert (persona.topics[0].pass_rate, persona.latency.median) == (1.0, 0.0)
    assert (persona.models[0].aliases, persona.faults) == ((), Faults())


def test_a_byte_order_mark_is_no_mistake(file: Path) -> None:
    """Editors on Windows write one."""
    file.write_text(WHOLE, encoding="utf-8-sig")
    assert load_persona(file).name == "clerk"


def test_the_bundled_persona_is_the_default() -> None:
    """Without a path the shop answers, in a good and in a degraded version."""
    names = [model.name for model in load_persona().models]
    assert names[:2] == ["shop-assistant", "shop-assistant-degraded"]
    assert names[2:] == ["judge", "judge-careless", "judge-gullible"]


@pytest.mark.parametrize(
    ("found", "written", "mistake"),
    [
        ('name = "clerk"', "", "name: missing; write a string"),
        ('name = "clerk"', "name = 5", "name: 5 will not do; write a string"),
        ('fallback = "No idea."', 'fallback = " "', "fallback: ' ' will not do"),
        ("median = 1", 'median = "fast"', "latency.median: 'fast' will not do; write a number from 0"),
        ("median = 1", "median = nan", "latency.median: nan will not do"),
        ("median = 1", "median = inf", "latency.median: inf will not do"),
        ("median = 1", "median = true", "latency.median: True will not do"),
        ("jitter = 0.5", "jitter = 2", "latency.jitter: 2 is above the median; write a number from 0 to 1"),
        ("jitter = 0.5", "jiter = 0.5", "latency.jiter: unknown key; did you mean 'jitter'?"),
        (
            "[latency]\nmedian = 1\njitter = 0.5",
            "latency = 3",
            "latency: 3 will not do; write a table, [latency]",
        ),
        ("pass_rate_factor = 0.5", "pass_rate_factor = -1", "models.small.pass_rate_factor: -1 will not do"),
        (
            "{ time = 0.25 }",
            "{ tyme = 0.25 }",
            "models.small.pass_rates: there is no topic 'tyme'; there are time",
        ),
        (
            "{ time = 0.25 }",
            "{ time = 25 }",
            "models.small.pass_rates.time: 25 will not do; write a number from 0 to 1",
        ),
        ("patterns = ['o.clock\\b', \"time\"]", "patterns = []", "topics[0].patterns: [] will not do"),
        (
            "patterns = ['o.clock\\b', \"time\"]",
            "patterns = '('",
            "topics[0].patterns: '(' will not do; write a list",
        ),
        (
            "patterns = ['o.clock\\b', \"time\"]",
            "patterns = ['(']",
            "topics[0].patterns: '(' is not a regular expression",
        ),
        ('answers = ["Noon."]', "", "topics[0].answers: missing; write a list of strings"),
        ('answers = ["Noon."]', 'answers = ["", 1]', "topics[0].answers: ['', 1] will not do"),
        ('wrong = ["Midnight."]', "", "topics[0].wrong: missing; a pass rate below 1 needs wrong answers"),
        (
            "pass_rate = 0.75",
            "pass_rate = 75",
            "topics[0].pass_rate: 75 will not do; write a number from 0 to 1",
        ),
        ("pass_rate = 0.75", "colour = 1", "topics[0].colour: unknown key; known are name"),
        (
            'wording = "(?i)now"',
            'wording = "*"',
            "topics[0].sensitive[0].wording: '*' is not a regular expression",
        ),
        ('wording = "(?i)now"', "", "topics[0].sensitive[0].wording: missing"),
        ("pass_rate = 0.5\n", "", "topics[0].sensitive[0].pass_rate: missing; write a number from 0 to 1"),
        (
            'models = ["small"]',
            'models = ["tiny"]',
            "topics[0].sensitive.models: there is no model 'tiny'; there are big",
        ),
        ('"gpt-y"', '""', "models.small.aliases: ['gpt-x', ''] will not do; write a list of strings"),
        ('"gpt-y"', '"gpt-x"', "models: the name 'gpt-x' is used twice; rename one"),
        ('"gpt-y"', '"big"', "models: the name 'big' is used twice; rename one"),
        ("reset = 0.05", "reset = 1.5", "faults.reset: 1.5 will not do; write a number from 0 to 1"),
        ("reset = 0.05", "reset = 0.95", "faults.rates: together they are 1.05; lower them until"),
        ("reset = 0.05", "rest = 0.05", "faults.rest: unknown key; did you mean 'reset'?"),
        ('"500"', '"501"', "faults.script: there is no fault '501'; there are ok, 429"),
        ("[models.big]", "[models]\nbig = 1", "models.big: 1 will not do; write a table, [models.big]"),
        ("[[topics.sensitive]]", "[topics.sensitive]", "topics[0].sensitive: "),
    ],
)
def test_each_mistake_is_named(file: Path, found: str, written: str, mistake: str) -> None:
    """A mistake is reported by its key, with what is there and what to write."""
    assert found in WHOLE
    assert any(line.startswith(mistake) for line in mistakes_of(file, WHOLE.replace(found, written, 1)))


def test_an_empty_file_lacks_everything(file: Path) -> None:
    """All that is missing is named together."""
    keys = [mistake.split(":")[0] for mistake in mistakes_of(file, "")]
    assert keys == ["name", "fallback", "topics", "models.NAME"]


def test_a_name_used_twice(file: Path) -> None:
    """Rates are set by topic name, so a name must mean one topic."""
    twice = WHOLE + WHOLE[WHOLE.index("[[topics]]") :]
    assert mistakes_of(file, twice) == ("topics: the name 'time' is used twice; rename one",)


def test_all_mistakes_are_named_at_once(file: Path) -> None:
    """Nobody has to run again to learn of the second mistake."""
    broken = WHOLE.replace("median = 1", "median = -1").replace("0.75", "7.5").replace('"clerk"', "[]")
    assert len(mistakes_of(file, broken)) == 4


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe", b"a = 1\na = 2"])
def test_what_is_not_toml(file: Path, content: bytes) -> None:
    """A file that cannot be parsed is a mistake like any other."""
    file.write_bytes(content)
    with pytest.raises(PersonaError, match="it is not"):
        load_persona(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A wrong path, or a folder, is told by its name and what to do."""
    for path in (tmp_path / "missing.toml", tmp_path):
        with pytest.raises(PersonaError, match="check the path"):
            load_persona(path)
