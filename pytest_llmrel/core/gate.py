"""Gates: bars on metrics, as the user writes them (``"pass^5 >= 0.6"``)."""

import difflib
import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pytest_llmrel.errors import GateError

__all__ = [
    "BETWEEN_WORDINGS",
    "BUILT_IN",
    "FAITHFULNESS",
    "FAITHFUL_RATE",
    "RATES",
    "SPENDING",
    "TIMES",
    "TOTALS",
    "UNDER_FAULTS",
    "Gate",
    "GateMode",
    "parse_gate",
]

RATES = frozenset({"abstention_rate", "error_rate", "pass_rate", "wrong_rate"})
"""Metrics between 0 and 1 that every test has."""
TIMES = frozenset({"call_latency_p50", "call_latency_p95", "latency_p50", "latency_p95"})
"""Metrics in seconds that every test has."""
BETWEEN_WORDINGS = frozenset({"sensitivity", "worst_variant"})
"""Metrics between 0 and 1 that tests with at least two wordings have."""
TOTALS = frozenset({"calls", "cost", "tokens"})
"""Sums over all runs of a test: US dollars, or counts."""
SPENDING = TOTALS | {"cost_per_pass"}
"""Metrics of at least 0 of what a test spends."""
UNDER_FAULTS = frozenset({"recovery_rate", "silent_failure_rate"})
"""Metrics between 0 and 1 of runs that met an injected fault."""
FAITHFULNESS = "faithfulness"
"""Name of the score that ``llmrel.faithfulness`` records, within 0..1."""
FAITHFUL_RATE = "faithful_rate"
"""Share of the scored runs, within 0..1, whose answer is supported as a whole."""
BUILT_IN = RATES | TIMES | BETWEEN_WORDINGS | SPENDING | UNDER_FAULTS | {FAITHFUL_RATE}
"""Names that no score can take."""

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_GATE = re.compile(r"\s*(?P<metric>[^\s<>=]+)\s*(?P<sign><=|>=|<|>)\s*(?P<bar>\S+)\s*")
_AT_K = re.compile(r"pass[@^](?P<k>[1-9]\d*)")


class GateMode(StrEnum):
    """What it takes to fail a gate, and what to pass it."""

    OBSERVED = "observed"
    """The observed value is compared with the bar."""
    EVIDENCE = "evidence"
    """Fails only when the runs show, with 95 % confidence, that the bar is missed."""
    PROOF = "proof"
    """Passes only when the runs show, with 95 % confidence, that the bar is met."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A bar on a metric.

    Attributes:
        metric: canonical name of the metric.
        sign: ``>=``, ``>``, ``<=`` or ``<``.
        bar: the number the observed value is compared with; rates are fractions, times seconds.
    """

    metric: str
    sign: str
    bar: float

    def __str__(self) -> str:
        return f"{self.metric} {self.limit}"

    @property
    def limit(self) -> str:
        """Sign and bar, the number as short as it is exact."""
        short = f"{self.bar:g}"
        return f"{self.sign} {short if float(short) == self.bar else repr(self.bar)}"

    @property
    def wants_more(self) -> bool:
        """Whether the bar is a lower one."""
        return self.sign in {">", ">="}

    def met_by(self, value: float) -> bool:
        """Whether ``value`` satisfies the bar."""
        return _OPERATORS[self.sign](value, self.bar)

    @property
    def k(self) -> int | None:
        """The K of ``pass@K`` or ``pass^K``; ``None`` for any other metric."""
        match = _AT_K.fullmatch(self.metric)
        return int(match["k"]) if match else None

    @property
    def is_score(self) -> bool:
        """Whether the metric is a score that the test itself has to record."""
        return self.metric not in BUILT_IN and self.k is None


def parse_gate(text: object, may_be_score: Callable[[str], bool]) -> Gate:
    """Read ``"metric >= number"``.

    Args:
        text: the gate as written.
        may_be_score: whether a name that is no built-in metric is a score the test records.

    Raises:
        GateError: not of that form, an unknown metric, or a bar outside the metric's range.
    """
    match = _GATE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise GateError(f"gate {text!r} cannot be read; write it as 'pass_rate >= 0.9'")
    gate = Gate(match["metric"], match["sign"], _number(match["bar"], match[0]))
    if gate.is_score and gate.metric != FAITHFULNESS:
        _check_score(gate, may_be_score)
    elif gate.metric in TIMES and gate.bar < 0:
        raise GateError(f"gate {text!r}: {gate.metric} is in seconds and cannot be negative")
    elif gate.metric in SPENDING and gate.bar < 0:
        raise GateError(f"gate {text!r}: {gate.metric} cannot be negative")
    elif gate.metric not in TIMES | SPENDING and not 0 <= gate.bar <= 1:
        raise GateError(f"gate {text!r}: the bar of a rate must be within 0..1")
    return gate


def _number(text: str, gate: str) -> float:
    try:
        bar = float(text)
    except ValueError:
        bar = math.nan
    if not math.isfinite(bar):
        raise GateError(f"gate {gate!r}: {text!r} is not a finite number")
    return bar


def _check_score(gate: Gate, may_be_score: Callable[[str], bool]) -> None:
    if gate.metric.isidentifier() and may_be_score(gate.metric):
        return
    known = [*sorted({*BUILT_IN, FAITHFULNESS}), "pass@K", "pass^K"]
    close = difflib.get_close_matches(gate.metric, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise GateError(
        f"gate '{gate}': unknown metric {gate.metric!r}; {hint}"
        f"Known are {', '.join(known)}, and every score that the test's own code records with "
        f"llmrel.score({gate.metric!r}, ...); "
        "declare one that is recorded elsewhere in the ini key llmrel_scores"
    )
