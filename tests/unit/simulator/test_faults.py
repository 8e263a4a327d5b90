"""How faults are set: from a mapping, from a text, and with every mistake named at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_llmrel.simulator import FaultsError, Simulator, load_persona
from pytest_llmrel.simulator.faults import KINDS, Faults, load_faults

if TYPE_CHECKING:
    from pathlib import Path


def test_a_mapping_is_read() -> None:
    """Every key ends up where it belongs, keys may be numbers, and rates of zero are no rates."""
    given = {429: 0.1, "slow": 0.2, "500": 0, "retry_after": 0, "slow_seconds": 0.5, "html_status": 200}
    assert load_faults(given, ("ok", "reset")) == Faults(
        {"429": 0.1, "slow": 0.2}, ("ok", "reset"), retry_after=0.0, slow_seconds=0.5, html_status=200
    )


def test_a_text_is_read() -> None:
    """The option of the command line sets the same things, with blanks wherever one likes."""
    text = " 429=0.1, slow = 0.2 ,500=0,,retry_after=0,slow_seconds=0.5,html_status=200,script=ok reset "
    given = {"429": 0.1, "slow": 0.2, "retry_after": 0, "slow_seconds": 0.5, "html_status": 200}
    assert load_faults(text) == load_faults({**given, "script": ("ok", "reset")})


@pytest.mark.parametrize("nothing", ["", " ", {}])
def test_nothing_is_no_fault(nothing: str | dict[str, object]) -> None:
    """An empty setting is a setting."""
    assert load_faults(nothing) == Faults()


def test_certainty_may_be_shared_out() -> None:
    """Rates that make one on paper are accepted, whatever floating point makes of them."""
    assert len(load_faults(dict.fromkeys(KINDS, 1 / len(KINDS))).rates) == len(KINDS)
    load_faults("429=0.1,500=0.2,503=0.3,529=0.4")


@pytest.mark.parametrize(
    ("given", "mistake"),
    [
        ({"429": 1.5}, "429: 1.5 will not do; write a number from 0 to 1"),
        ({"429": -0.1}, "429: -0.1 will not do"),
        ({"429": "often"}, "429: 'often' will not do"),
        ({"429": True}, "429: True will not do"),
        ({"429": float("nan")}, "429: nan will not do"),
        ({"timeout": 0.1}, "timeout: unknown key; known are 429, 500"),
        ({"resett": 0.1}, "resett: unknown key; did you mean 'reset'?"),
        ({"429": 0.6, "500": 0.6}, "rates: together they are 1.2; lower them until they are at most 1"),
        ({"retry_after": -1}, "retry_after: -1 will not do; write a number from 0"),
        ({"slow_seconds": float("inf")}, "slow_seconds: inf will not do"),
        ({"html_status": 404}, "html_status: 404 will not do; write 200 or 502"),
        ({"html_status": 200.5}, "html_status: 200.5 will not do"),
        ({"script": "429"}, "script: '429' will not do; write a list of strings"),
        ({"script": ["429", 5]}, "script: ['429', 5] will not do"),
        ({"script": ("ok", "oops", "oops")}, "script: there is no fault 'oops'; there are ok, 429"),
        ("429", "429: no value; write 429=0.1"),
        ("429=", "429: '' will not do; write a number from 0 to 1"),
        ("429=0.1,429=0.2", "429: set twice; remove one"),
        ("=0.1", ": unknown key"),
        ("script=", None),
    ],
)
def test_each_mistake_is_named(given: str | dict[str, object], mistake: str | None) -> None:
    """A mistake is reported by its key, with what is there and what to write."""
    if mistake is None:
        assert load_faults(given) == Faults()
        return
    with pytest.raises(FaultsError) as caught:
        load_faults(given)
    assert len(caught.value.mistakes) == 1
    assert caught.value.mistakes[0].startswith(mistake)


def test_all_mistakes_are_named_at_once() -> None:
    """Rates, options and script are judged together, already by the constructor."""
    with pytest.raises(ValueError, match="have 3 mistakes") as caught:
        Simulator(faults={"429": 2, "rest": 0.1}, script=("bad",))
    assert isinstance(caught.value, FaultsError)
    assert [mistake.split(":")[0] for mistake in caught.value.mistakes] == ["429", "script", "rest"]


def test_what_holds_when_the_persona_has_faults_too(tmp_path: Path) -> None:
    """The argument replaces the table of the persona; a script alone leaves its rates as they are."""
    file = tmp_path / "p.toml"
    file.write_text(
        'name="n"\nfallback="f"\n[models.m]\n[faults]\n500 = 0.5\nscript = ["ok"]\n'
        '[[topics]]\nname="t"\npatterns=["x"]\nanswers=["y"]\n'
    )
    persona = load_persona(file)
    found = [
        Simulator(persona, **arguments)._faults  # type: ignore[arg-type]
        for arguments in ({}, {"faults": {}}, {"script": ["429"]}, {"faults": "429=1", "script": []})
    ]
    assert found[0] == Faults({"500": 0.5}, ("ok",))
    assert found[1] == Faults()
    assert found[2] == Faults({"500": 0.5}, ("429",))
    assert found[3] == Faults({"429": 1.0})
