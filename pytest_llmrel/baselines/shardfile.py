"""The JSON reports of shards, as untrusted as any file: all that merging them relies on is checked here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from pytest_llmrel.baselines.document import shown
from pytest_llmrel.baselines.report import Open, checked, read_document
from pytest_llmrel.baselines.schema import Hex, Text
from pytest_llmrel.errors import BaselineError, ShardError

__all__ = ["ShardReport", "read_shard_report"]

_MOST_RUNS: Final = 10**9


@dataclass(frozen=True, slots=True)
class ShardReport:
    """The report of one shard; the mappings are as they are in the file.

    Attributes:
        name: of the file.
        shard: which part it is, of what.
        tests: the entry of each test.
        suite: what is said of all of them.
        provenance: of the session.
    """

    name: str
    shard: Mapping[str, Any]
    tests: Sequence[Mapping[str, Any]]
    suite: Mapping[str, Any]
    provenance: Mapping[str, str]


def read_shard_report(path: Path, version: str) -> ShardReport:
    """The report of one shard.

    Args:
        path: of the file.
        version: of pytest_llmrel that it must have been written by, since no other counts the same.

    Raises:
        ShardError: it is no report of a shard, or not a trustworthy one.
    """
    try:
        document = read_document(path)
        written = checked(path, document, _Versioned).provenance.pytest_llmrel
        if written != version:
            raise ShardError(
                f"{path}: written by pytest_llmrel {shown(written)}, and this is {version}; "
                "merge with the version that ran the tests"
            )
        if document.get("shard") is None:
            raise ShardError(
                f"{path}: the report of a whole session, not of a shard; only sessions with "
                "--llmrel-shard=i/n are parts of one, and two sessions are no larger one"
            )
        checked(path, document, _Document)
    except BaselineError as error:
        raise ShardError(*error.problems) from None
    return ShardReport(
        str(path), document["shard"], document["tests"], document["suite"], document["provenance"]
    )


_Count = Annotated[int, Field(ge=0, le=_MOST_RUNS)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Amount = Annotated[_Number, Field(ge=0)]
_Probability = Annotated[_Number, Field(ge=0, le=1)]
_Status = Literal["PASS", "INCONCLUSIVE", "FAIL"]
# JSON has lists only, where these have a length.
_Cell = Annotated[tuple[Text, Text, _Count, _Count, _Count], Field(strict=False)]
_Strata = list[Annotated[tuple[_Count, _Count, _Count, _Count], Field(strict=False)]]
_Buckets = dict[Annotated[str, Field(pattern="^-?[0-9]{1,4}$")], _Count]


class _Version(Open):
    pytest_llmrel: Text
    pytest: Text
    python: Text


class _Versioned(Open):
    provenance: _Version


class _Rule(Open):
    alpha: Annotated[_Number, Field(gt=0, lt=1)]
    tests: Annotated[int, Field(ge=1)]


class _Shard(Open):
    index: Annotated[int, Field(ge=1)]
    count: Annotated[int, Field(ge=1)]
    selection: Hex
    settings: Hex
    tests: _Count
    assigned: list[Text]
    missing: list[Text]
    failed: list[Text]
    interrupted: bool
    rule: _Rule


class _Estimate(Open):
    point: _Number | None
    low: _Number | None
    high: _Number | None
    n: _Count
    method: Text


class _Variant(Open):
    key: Text
    text: Text
    passed: _Count
    n: _Count


class _Case(Open):
    id: Text
    passed: _Count
    n: _Count


class _Counts(Open):
    cells: list[_Cell]
    injected_errors: _Count


class _Finding(Open):
    metric: Text
    status: _Status
    explanation: Text
    straddles: bool


class _Stopped(Open):
    reason: Text
    saved: _Count


class _Sensitivity(Open):
    sd: _Number
    p: _Probability
    spread: _Number
    noise_spread: _Number
    worst: Text
    worst_rate: _Number


class _Clustering(Open):
    cases: _Count
    icc: _Number
    design_effect: _Number
    advice: Text


class _Escalation(Open):
    runs: _Count


class _Comparison(Open):
    strata: Annotated[_Strata, Field(min_length=1)]
    pooled: Annotated[_Strata, Field(min_length=1)] | None
    p: _Probability
    status: _Status
    guard: Literal["guarded", "weak", "blind"]
    detectable_drop: _Probability | None
    escalation: _Escalation | None

    @model_validator(mode="after")
    def _is_guarded(self) -> Self:
        if (self.guard == "blind") is not (self.detectable_drop is None):
            raise PydanticCustomError("impossible", "what is guarded detects a drop, and what is blind none")
        return self


class _Baseline(Open):
    status: Text
    record: Text
    passed: _Count | None
    n: Annotated[int, Field(ge=1)] | None
    comparison: _Comparison | None


class _Spent(Open):
    calls: _Count
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    unpriced_calls: _Count
    replayed_calls: _Count
    retries: _Count
    known_usd: _Amount
    usd: _Amount | None
    reason: Text | None = None

    @model_validator(mode="after")
    def _is_explained(self) -> Self:
        if self.usd is None and self.reason is None:
            raise PydanticCustomError("impossible", "what is unknown needs its reason")
        return self


class _Cost(_Spent):
    judge: _Spent
    idle_runs: _Count


class _Tape(Open):
    problem: Text


class _Latency(Open):
    runs: _Buckets
    calls: _Buckets


class _Test(Open):
    nodeid: Text
    verdict: _Status
    runs: _Count
    passed: _Count
    failed: _Count
    errors: _Count
    abstained: _Count
    skipped: _Count
    xfailed: _Count
    unfinished: _Count
    stopped: _Stopped | None
    metrics: dict[Text, _Estimate]
    variants: list[_Variant]
    cases: list[_Case]
    counts: _Counts
    findings: list[_Finding]
    sensitivity: _Sensitivity | None
    clustering: _Clustering | None
    baseline: _Baseline | None
    notes: list[Text]
    cost: _Cost
    recovery: dict[Literal["recovered", "failed_cleanly", "failed_silently", "hung"], _Count] | None
    tape: _Tape | None
    latency_buckets: _Latency


class _Unused(Open):
    file: Text
    entry: Text


class _Suite(Open):
    unused: list[_Unused]
    unused_tapes: list[Text]


class _Document(Open):
    tests: list[_Test]
    suite: _Suite
    shard: _Shard
