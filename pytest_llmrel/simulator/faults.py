"""Which faults happen instead of answers: the setting as a value, and a reader that names every mistake."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_llmrel.simulator.persona_fields import Fields

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["KINDS", "Faults", "FaultsError", "load_faults", "read_faults"]

KINDS = ("429", "500", "503", "529", "reset", "truncated", "malformed", "html", "slow")
_NORMAL = "ok"
_PAGES = (200, 502)
_ROUNDING = 1e-9


class FaultsError(ValueError):
    """Faults are set in a way that makes no sense; the text names every mistake and what to write instead.

    Attributes:
        mistakes: one sentence per mistake, each beginning with the key.
    """

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        """Words the error from its mistakes."""
        count = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "a mistake"
        super().__init__("\n  ".join((f"the faults of the simulator have {count}:", *mistakes)))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Faults:
    """How often which fault happens, and how it looks.

    Attributes:
        rates: the share of requests, 0 to 1, by kind; together at most 1.
        script: what happens to the first requests in order of arrival: a kind, or ``ok``; the rates hold for
            the others.
        retry_after: the seconds that a 429 asks to wait, in its ``Retry-After`` header.
        slow_seconds: how long a slow request waits before it is looked at.
        html_status: the status, 200 or 502, under which a page of HTML is sent.
    """

    rates: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    script: tuple[str, ...] = ()
    retry_after: float = 1.0
    slow_seconds: float = 2.0
    html_status: int = 502


def load_faults(given: str | Mapping[str, object], script: Sequence[str] | None = None) -> Faults:
    """Reads faults from a mapping, or from a text such as ``429=0.1,reset=0.05,retry_after=0``.

    Raises:
        FaultsError: there are mistakes; all of them are named.
    """
    mistakes: list[str] = []
    table = _split(given, mistakes) if isinstance(given, str) else {str(key): given[key] for key in given}
    if script is not None:
        table["script"] = script
    if isinstance(table.get("script"), tuple):
        table["script"] = list(table["script"])  # type: ignore[call-overload]
    faults = read_faults(Fields(table, "", mistakes))
    if mistakes:
        raise FaultsError(tuple(mistakes))
    return faults


def read_faults(fields: Fields) -> Faults:
    """Reads the table of faults, and notes every mistake in it."""
    rates = {kind: fields.number(kind, 0.0, most=1.0) for kind in KINDS}
    total = math.fsum(rates.values())
    if total > 1 + _ROUNDING:
        fields.note("rates", f"together they are {total:g}; lower them until they are at most 1")
    page = fields.number("html_status", _PAGES[1])
    if page not in _PAGES:
        fields.note("html_status", f"{page:g} will not do; write 200 or 502")
    faults = Faults(
        rates=MappingProxyType({kind: rate for kind, rate in rates.items() if rate > 0}),
        script=_read_script(fields),
        retry_after=fields.number("retry_after", 1.0),
        slow_seconds=fields.number("slow_seconds", 2.0),
        html_status=int(page),
    )
    fields.finish()
    return faults


def _read_script(fields: Fields) -> tuple[str, ...]:
    script = fields.texts("script")
    for step in dict.fromkeys(script):
        if step not in {*KINDS, _NORMAL}:
            known = ", ".join((_NORMAL, *KINDS))
            fields.note("script", f"there is no fault {step!r}; there are {known}")
    return script


def _split(text: str, mistakes: list[str]) -> dict[str, object]:
    """The table that a text stands for: ``kind=rate`` with commas between; a script has blanks."""
    table: dict[str, object] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        key, found, value = (piece.strip() for piece in part.partition("="))
        if not found:
            mistakes.append(f"{key}: no value; write {key}=0.1")
        elif key in table:
            mistakes.append(f"{key}: set twice; remove one")
        else:
            table[key] = value.split() if key == "script" else _number(value)
    return table


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
