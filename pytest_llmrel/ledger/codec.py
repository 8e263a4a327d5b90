"""A finished run as plain data and back: what a ledger holds, and what may travel between processes.

The data is made of ``None``, ``bool``, ``int``, ``float``, ``str``, ``list`` and ``dict`` only, of exactly
these types. Defaults are left out; what has many fields and is written often is a list of them, in a fixed
order.
"""

from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

from pytest_llmrel.core.call import Call, Traffic, Usage
from pytest_llmrel.core.fault import Recovery
from pytest_llmrel.core.model import Attempt, Evidence, Failure, FailureKey, Outcome, Sample
from pytest_llmrel.core.score import JudgeId, Score
from pytest_llmrel.errors import LedgerError

__all__ = ["decode", "described", "encode"]

_Member = TypeVar("_Member", Outcome, Recovery)
_Kinds = tuple[type, ...]
_NONE: Final = type(None)
_TEXT: Final = (str,)
_FLAG: Final = (bool,)
_WHOLE: Final = (int,)
_REAL: Final = (float,)
_TOKENS: Final = (int, float)
_USAGE: Final = (_TEXT, _TOKENS, _TOKENS, _TOKENS, _TOKENS, _TOKENS, (list,))
_CALL: Final = (
    _TEXT, _TEXT, (_NONE, int), _REAL, (_NONE, float), (_NONE, list), _TEXT, _TEXT, _FLAG, _FLAG,
)  # fmt: skip
_SCORE: Final = (_TEXT, (_NONE, float), _TEXT, (_NONE, list), _TEXT, _TEXT)
_KEY: Final = (_TEXT, _TEXT, _TEXT, _TEXT)
_EVIDENCE: Final = (_TEXT, _TEXT, (_NONE, str), (list,))
_SAMPLE: Final[dict[str, _Kinds]] = {
    "outcome": _TEXT,
    "duration": _REAL,
    "scores": (list,),
    "failure": (dict,),
    "teardown": (dict,),
    "fatal": _FLAG,
    "timed_out": _FLAG,
    "calls": (list,),
    "injected": _WHOLE,
    "retries": _WHOLE,
    "counted": _WHOLE,
    "recovery": _TEXT,
    "cut_off": _TEXT,
}


def described(sample: Sample) -> Sample:
    """The same with the evidence of its failures made, so that whoever asks for it later has it at once."""
    return replace(sample, failure=_settled(sample.failure), teardown=_settled(sample.teardown))


def encode(sample: Sample, *, evidence: bool = True) -> dict[str, Any]:
    """A run as plain data; its attempt is left out, as the address that it is kept under.

    Args:
        sample: of the run.
        evidence: whether to describe its failures, which is slow; without it there is only their kind.
    """
    traffic = sample.traffic
    data: dict[str, Any] = {"outcome": sample.outcome.value, "duration": float(sample.duration)}
    if traffic.calls:
        data["calls"] = [_from_call(call) for call in traffic.calls]
    if sample.scores:
        data["scores"] = [_from_score(score) for score in sample.scores]
    if sample.failure is not None:
        data["failure"] = _from_failure(sample.failure, evidence=evidence)
    if sample.teardown is not None:
        data["teardown"] = _from_failure(sample.teardown, evidence=evidence)
    if sample.recovery is not None:
        data["recovery"] = sample.recovery.value
    more = {
        "fatal": sample.fatal,
        "timed_out": sample.timed_out,
        "cut_off": sample.cut_off,
        "injected": traffic.injected,
        "retries": traffic.retries,
        "counted": traffic.counted,
    }
    data.update({name: value for name, value in more.items() if value})
    return data


def decode(data: object, attempt: Attempt) -> Sample:
    """The run that was encoded.

    A failure that was written without evidence is described by the words that its kind is known by.

    Args:
        data: as :func:`encode` made it.
        attempt: whose run it was.

    Raises:
        LedgerError: it is nothing that :func:`encode` makes; says what is wrong with it.
    """
    given = _named(data, "the run", _SAMPLE)
    for name in ("outcome", "duration"):
        if name not in given:
            raise LedgerError(f"the run has no {name}")
    scores, calls, recovery = given.get("scores", ()), given.get("calls", ()), given.get("recovery")
    return Sample(
        attempt=attempt,
        outcome=_member(Outcome, given["outcome"], "outcome"),
        duration=given["duration"],
        scores=tuple(_to_score(each, f"scores[{n}]") for n, each in enumerate(scores)),
        failure=_to_failure(given.get("failure"), "failure", attempt),
        teardown=_to_failure(given.get("teardown"), "teardown", attempt),
        fatal=given.get("fatal", False),
        timed_out=given.get("timed_out", False),
        traffic=Traffic(
            tuple(_to_call(each, f"calls[{n}]") for n, each in enumerate(calls)),
            given.get("injected", 0),
            given.get("retries", 0),
            given.get("counted", 0),
        ),
        recovery=None if recovery is None else _member(Recovery, recovery, "recovery"),
        cut_off=given.get("cut_off", ""),
    )


def _settled(failure: Failure | None) -> Failure | None:
    return None if failure is None else _known(failure.key, failure.describe())


def _known(key: FailureKey, evidence: Evidence) -> Failure:
    return Failure(key, lambda: evidence)


def _from_call(call: Call) -> list[Any]:
    cost, usage = call.cost, call.usage
    return [
        _text(call.host),
        _text(call.path),
        call.status,
        float(call.seconds),
        None if cost is None else float(cost),
        None if usage is None else _from_usage(usage),
        call.error,
        call.damage,
        call.judge,
        call.replayed,
    ]


def _to_call(data: object, where: str) -> Call:
    host, path, status, seconds, cost, usage, error, damage, judge, replayed = _row(data, where, _CALL)
    tokens = None if usage is None else _to_usage(usage, f"{where}[5]")
    return Call(host, path, status, seconds, tokens, cost, error, damage, judge, replayed)


def _from_usage(usage: Usage) -> list[Any]:
    return [
        _text(usage.model),
        _number(usage.input_tokens),
        _number(usage.output_tokens),
        _number(usage.cache_read_tokens),
        _number(usage.cache_write_tokens),
        _number(usage.reasoning_tokens),
        [[_text(name), _number(count)] for name, count in usage.units],
    ]


def _to_usage(data: object, where: str) -> Usage:
    model, read, written, cached, kept, reasoned, units = _row(data, where, _USAGE)
    pairs = (_row(unit, f"{where}[6][{place}]", (_TEXT, _TOKENS)) for place, unit in enumerate(units))
    named = tuple((name, count) for name, count in pairs)
    return Usage(model, read, written, cached, kept, reasoned, named)


def _from_score(score: Score) -> list[Any]:
    value, judge = score.value, score.judge
    return [
        _text(score.name),
        None if value is None else float(value),
        _text(score.scorer),
        None if judge is None else [_text(judge.model), _text(judge.prompt_hash)],
        _text(score.said),
        _text(score.text),
    ]


def _to_score(data: object, where: str) -> Score:
    name, value, scorer, judge, said, text = _row(data, where, _SCORE)
    judged_by = None if judge is None else JudgeId(*_row(judge, f"{where}[3]", (_TEXT, _TEXT)))
    return Score(name, value, scorer, judged_by, said, text)


def _from_failure(failure: Failure, *, evidence: bool) -> dict[str, Any]:
    key = failure.key
    data: dict[str, Any] = {"key": [key.outcome.value, key.type, key.location, key.message]}
    if evidence:
        found = failure.describe()
        captured = [[_text(title), _text(text)] for title, text in found.captured]
        data["evidence"] = [_text(found.message), _text(found.traceback), found.output, captured]
    return data


def _to_failure(data: object, where: str, attempt: Attempt) -> Failure | None:
    if data is None:
        return None
    given = _named(data, where, {"key": (list,), "evidence": (list,)})
    outcome, kind, location, message = _row(given.get("key"), f"{where}.key", _KEY)
    key = FailureKey(_member(Outcome, outcome, f"{where}.key[0]"), kind, location, message)
    if "evidence" not in given:
        return Failure(key, partial(Evidence, attempt, message))
    said, traceback, output, captured = _row(given["evidence"], f"{where}.evidence", _EVIDENCE)
    streams = (_row(each, f"{where}.evidence[3][{n}]", (_TEXT, _TEXT)) for n, each in enumerate(captured))
    pairs = tuple((title, text) for title, text in streams)
    return _known(key, Evidence(attempt, said, traceback, output, pairs))


def _text(value: Any) -> str:
    """Exactly a ``str``, which a name that the user's code gave need not be."""
    return value if type(value) is str else str.__str__(value) if isinstance(value, str) else str(value)


def _number(value: Any) -> Any:
    """Exactly an ``int`` or a ``float``: numbers of numpy are as good as others in what a test reports."""
    if type(value) is int:
        return value
    return int(value) if value == int(value) else float(value)


def _named(data: object, where: str, kinds: dict[str, _Kinds]) -> dict[str, Any]:
    """An object with no other keys than these, each of its kind."""
    if not isinstance(data, dict):
        raise LedgerError(f"{where} is {_shown(data)}; it must be an object")
    for name, value in data.items():
        if name not in kinds:
            raise LedgerError(f"{where} has an unknown key {_shown(name)}; there may be {', '.join(kinds)}")
        if type(value) not in kinds[name]:
            raise LedgerError(f"{name} of {where} is {_shown(value)}; it must be {_called(kinds[name])}")
    return data


def _row(data: object, where: str, kinds: tuple[_Kinds, ...]) -> list[Any]:
    """A list of as many values, each of its kind."""
    if not isinstance(data, list) or len(data) != len(kinds):
        raise LedgerError(f"{where} is {_shown(data)}; it must be a list of {len(kinds)}")
    for place, (value, allowed) in enumerate(zip(data, kinds, strict=True)):
        if type(value) not in allowed:
            raise LedgerError(f"{where}[{place}] is {_shown(value)}; it must be {_called(allowed)}")
    return data


def _member(kind: type[_Member], value: str, where: str) -> _Member:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(kind)
        raise LedgerError(f"{where} is {_shown(value)}; it must be one of {known}") from None


def _called(kinds: _Kinds) -> str:
    return " or ".join("none" if kind is _NONE else kind.__name__ for kind in kinds)


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:60]}..."  # noqa: PLR2004  as much as fits into a line
