"""The plan of one test: what its marks, the command line and the ini file say, resolved and validated.

Precedence, decided here and nowhere else: command line > mark > ini > default. Among marks the closest
one wins, argument by argument. A mark's ``concurrency`` is an upper bound that nothing raises.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_llmrel.core.attempts import Attempts
from pytest_llmrel.core.fault import FaultPlan
from pytest_llmrel.core.gate import BETWEEN_WORDINGS, UNDER_FAULTS, Gate, GateMode, parse_gate
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.model import Variant
from pytest_llmrel.core.seed import variant_key
from pytest_llmrel.errors import GateError, PlanError

__all__ = ["DEFAULTS", "RunPlan", "Settings", "attempts", "read_variants", "resolve"]

DEFAULTS: Mapping[str, Any] = {
    "k": 10,
    "pass_rate": None,
    "gates": (),
    "gate": "observed",
    "stop": "auto",
    "concurrency": 8,
    "timeout": 60.0,
    "task_minutes": None,
}
"""Every argument of ``krun`` with its default value, in the order of the signature."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line and the ini file say; ``None`` where they are silent.

    Attributes:
        k: runs per case and variant, from ``--llmrel-k``.
        concurrency: runs in flight, from ``--llmrel-concurrency``.
        ini_k: the same from ``llmrel_k``.
        ini_concurrency: the same from ``llmrel_concurrency``.
    """

    k: int | None = None
    concurrency: int | None = None
    ini_k: int | None = None
    ini_concurrency: int | None = None

    @property
    def most_in_flight(self) -> int:
        """Runs in flight over all tests, where no mark says more."""
        wanted: int = _first(self.concurrency, self.ini_concurrency, DEFAULTS["concurrency"])
        return wanted


@dataclass(frozen=True, slots=True)
class RunPlan:
    """How one test is run and judged.

    Attributes:
        k: runs per case and variant, at least 1.
        inputs: what it is run over.
        gates: the bars; empty means that every run must pass.
        concurrency: most runs in flight at once, at least 1.
        timeout: seconds one run may take.
        task_minutes: how long a person would need for the task, or ``None``.
        mode: what it takes to fail or pass a gate.
        may_stop: whether runs that can change no gate any more are left out.
        faults: what the calls of the runs meet, ``None`` for what comes of itself.
    """

    k: int
    inputs: Inputs
    gates: tuple[Gate, ...]
    concurrency: int
    timeout: float
    task_minutes: float | None = None
    mode: GateMode = GateMode.OBSERVED
    may_stop: bool = False
    faults: FaultPlan | None = None


def attempts(plan: RunPlan, nodeid: str, runs: range | None = None) -> Attempts:
    """The runs of a plan, run by run over cases and wordings.

    Args:
        plan: how the test is run.
        nodeid: pytest's name of the test.
        runs: numbers of the runs per case and variant, if not ``range(plan.k)``.
    """
    return Attempts(nodeid, plan.inputs.tasks, range(plan.k) if runs is None else runs)


def read_variants(wordings: Sequence[object]) -> tuple[Variant, ...]:
    """Turn the wordings of a ``paraphrase`` mark into variants; the first is the primary one.

    Raises:
        PlanError: no wording, an empty one, one that is no text, or the same one twice.
    """
    problems = [] if wordings else ["paraphrase needs at least one wording"]
    seen: set[str] = set()
    for number, wording in enumerate(wordings, 1):
        if not isinstance(wording, str):
            problems.append(f"paraphrase: wording {number} is {wording!r}; a wording is a string")
        elif not wording.strip():
            problems.append(f"paraphrase: wording {number} is empty; remove it or fill it in")
        elif wording in seen:
            problems.append(f"paraphrase: wording {number} ({wording!r}) is a duplicate; remove it")
        else:
            seen.add(wording)
    if problems:
        raise PlanError(*problems)
    return tuple(Variant(variant_key(text), text, text == wordings[0]) for text in map(str, wordings))


def resolve(
    marks: Iterable[tuple[tuple[object, ...], Mapping[str, object]]],
    settings: Settings,
    may_be_score: Callable[[str], bool],
    inputs: Inputs | None = None,
    faults: FaultPlan | None = None,
) -> RunPlan:
    """Make the plan of one test.

    Args:
        marks: ``(args, kwargs)`` of its ``krun`` marks, closest first.
        settings: command line and ini file.
        may_be_score: whether a name is a score the test records (see :func:`parse_gate`).
        inputs: what it is run over; one empty wording if not given.
        faults: what the calls of the runs meet.

    Raises:
        PlanError: with every mistake in all of the marks.
    """
    problems: list[str] = []
    said: dict[str, Any] = {}
    for args, kwargs in marks:
        given = _read(args, kwargs, problems)
        _check(given, problems)
        _gates(given, may_be_score, problems)
        said = given | said
    if problems:
        raise PlanError(*dict.fromkeys(problems))
    k = _first(settings.k, said.get("k"), settings.ini_k, DEFAULTS["k"])
    gates = _gates(said, may_be_score, problems)
    mode = GateMode(said.get("gate", DEFAULTS["gate"]))
    inputs = inputs or Inputs()
    _check_wordings(gates, inputs.most_wordings, mode)
    _check_faults(gates, faults)
    if settings.k is None:
        _check_reach(gates, k)
    return RunPlan(
        k=k,
        inputs=inputs,
        gates=gates,
        concurrency=_concurrency(said.get("concurrency"), settings),
        timeout=float(said.get("timeout", DEFAULTS["timeout"])),
        task_minutes=said.get("task_minutes"),
        mode=mode,
        may_stop=said.get("stop", DEFAULTS["stop"]) == "auto",
        faults=faults,
    )


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def _concurrency(bound: Any, settings: Settings) -> int:
    wanted: int = _first(settings.concurrency, bound, settings.ini_concurrency, DEFAULTS["concurrency"])
    return wanted if bound is None else min(int(bound), wanted)


def _read(args: tuple[object, ...], kwargs: Mapping[str, object], problems: list[str]) -> dict[str, Any]:
    """What one mark says; ``None`` is as good as silence."""
    if len(args) > 1:
        problems.append(f"krun takes one positional argument, k, and got {len(args)}; name the others")
    if args and "k" in kwargs:
        problems.append("krun got k twice, by position and by name")
    given = ({"k": args[0]} if args else {}) | dict(kwargs)
    unknown = given.keys() - DEFAULTS.keys()
    problems.extend(
        f"krun has no argument {name!r}; it takes {', '.join(DEFAULTS)}" for name in sorted(unknown)
    )
    return {name: value for name, value in given.items() if name in DEFAULTS and value is not None}


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_span(value: Any) -> bool:
    return _is_number(value) and 0 < value <= sys.float_info.max


def _is_rate(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


_CHECKS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "k": (_is_count, "it must be a whole number of at least 1"),
    "concurrency": (_is_count, "it must be a whole number of at least 1"),
    "timeout": (_is_span, "it must be a finite number above 0"),
    "task_minutes": (_is_span, "it must be a finite number above 0"),
    "pass_rate": (_is_rate, "a rate must be within 0..1"),
    "gate": (lambda value: value in tuple(GateMode), "it must be 'observed', 'evidence' or 'proof'"),
    "stop": (lambda value: value in ("auto", "never"), "it must be 'auto' or 'never'"),
}


def _check(given: Mapping[str, Any], problems: list[str]) -> None:
    for name, (is_valid, rule) in _CHECKS.items():
        if name in given and not is_valid(given[name]):
            problems.append(f"krun: {name}={given[name]!r}; {rule}")


def _gates(
    given: Mapping[str, Any], may_be_score: Callable[[str], bool], problems: list[str]
) -> tuple[Gate, ...]:
    texts: Any = given.get("gates", ())
    rate: Any = given.get("pass_rate")
    if isinstance(texts, str) or not isinstance(texts, Sequence):
        problems.append(f"krun: gates={texts!r}; it must be a list such as ['pass_rate >= 0.9']")
        return ()
    gates = [Gate("pass_rate", ">=", float(rate))] if _is_rate(rate) else []
    for text in texts:
        try:
            gates.append(parse_gate(text, may_be_score))
        except GateError as error:
            problems.extend(f"krun: {problem}" for problem in error.problems)
    return tuple(dict.fromkeys(gates))


def _check_wordings(gates: Iterable[Gate], wordings: int, mode: GateMode) -> None:
    between = [gate for gate in gates if gate.metric in BETWEEN_WORDINGS]
    problems = [
        f"krun: gate '{gate}' compares wordings; give the test at least two with paraphrase"
        for gate in between
        if wordings < 2  # noqa: PLR2004  # one cannot differ
    ]
    problems += [
        f"krun: gate '{gate}': nothing can prove a sensitivity; use gate='observed' or 'evidence'"
        for gate in between
        if gate.metric == "sensitivity" and mode is GateMode.PROOF
    ]
    if problems:
        raise PlanError(*problems)


def _check_faults(gates: Iterable[Gate], faults: FaultPlan | None) -> None:
    lost = [gate for gate in gates if gate.metric in UNDER_FAULTS and faults is None]
    if lost:
        raise PlanError(
            *(f"krun: gate '{gate}' is about runs that meet faults; add @faults" for gate in lost)
        )


def _check_reach(gates: Iterable[Gate], k: int) -> None:
    # With --llmrel-k, a quick look, the gate is inconclusive instead: the mark is not wrong.
    needed = {gate: 2 if gate.metric in BETWEEN_WORDINGS else gate.k or 0 for gate in gates}
    short = [gate for gate in gates if needed[gate] > k]
    if short:
        raise PlanError(
            *(
                f"krun: gate '{gate}' needs at least {needed[gate]} runs per wording, but k is {k}"
                for gate in short
            )
        )
