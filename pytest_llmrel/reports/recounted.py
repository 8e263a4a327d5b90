"""The result of one test computed again from its counts, and where what it says contradicts them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from math import isclose
from typing import Any, Final

from pytest_llmrel.core.counted import Counted, Outcomes
from pytest_llmrel.core.model import Outcome, Variant
from pytest_llmrel.reports.result import Result, estimate_entry, worst_verdict
from pytest_llmrel.reports.spending import RECOVERY_KEYS
from pytest_llmrel.stats.histogram import PRECISION, bucketed_quantile
from pytest_llmrel.stats.stratified import Stratum
from pytest_llmrel.verdict.recount import Known, Recount, recount
from pytest_llmrel.verdict.regression import Rule, judge_test

__all__ = ["recounted"]

_INVALID: Final = {"errors": Outcome.ERROR, "skipped": Outcome.SKIPPED, "xfailed": Outcome.XFAILED}
_ALWAYS: Final = frozenset({"abstention_rate", "error_rate", "latency_p50", "latency_p95", "pass_rate"})
"""Metrics that every test has."""
_SHARES: Final = {"latency_p50": 0.5, "latency_p95": 0.95}
_LEAST_SECONDS: Final = 1e-5


def recounted(result: Mapping[str, Any], rule: Rule) -> tuple[Result, list[str]]:
    """The entry of a test with its numbers computed again, and all contradictions in it.

    What a test was scored, took and cost does not follow from its counts and stays as it is.

    Args:
        result: an entry of schema 1 with its ``counts``.
        rule: by which its session compared it with its baseline.
    """
    if impossible := _impossible(result):
        return dict(result), [impossible]
    again = recount(_known(result), frozenset(result["metrics"]))
    metrics = {name: estimate_entry(estimate) for name, estimate in again.metrics.items()}
    contradictions = [
        *_outcomes(result, again),
        *(f"metric {name}" for name in metrics if _differs(result["metrics"][name], metrics[name])),
        *_latencies(result, again),
        *_parts(result, again),
        *_comparison(result, rule),
    ]
    return {**result, "metrics": {**result["metrics"], **metrics}}, contradictions


def _known(result: Mapping[str, Any]) -> Known:
    counts, stopped = result["counts"], result["stopped"]
    kinds = {key: kind for kind, key in RECOVERY_KEYS.items()}
    return Known(
        counted=Counted(tuple(Outcomes(*cell) for cell in counts["cells"]), counts["injected_errors"]),
        variants=_variants(result),
        invalid=tuple((outcome, result[name]) for name, outcome in _INVALID.items()),
        recoveries=tuple((kinds[key], count) for key, count in (result["recovery"] or {}).items()),
        early=bool(stopped and stopped["saved"]),
    )


def _variants(result: Mapping[str, Any]) -> tuple[Variant, ...]:
    found = [Variant(each["key"], each["text"], place == 0) for place, each in enumerate(result["variants"])]
    return tuple(found) or (Variant(),)


def _impossible(result: Mapping[str, Any]) -> str:
    """Why the counts of a test cannot even be counted again, ``""`` if they can."""
    addresses = Counter((case, variant) for case, variant, *_ in result["counts"]["cells"])
    if not addresses.keys() <= {(case, each.key) for case, _ in addresses for each in _variants(result)}:
        return "a wording of its counts is none of its variants"
    if twice := [case for (case, _), times in addresses.items() if times > 1]:
        return f"counts of case {twice[0]!r} are there twice"
    if result["counts"]["injected_errors"] > result["errors"]:
        return "more injected errors than errors"
    if missing := _ALWAYS - result["metrics"].keys():
        return f"metric {min(missing)} is missing"
    return ""


def _outcomes(result: Mapping[str, Any], again: Recount) -> Iterator[str]:
    cells = [Outcomes(*cell) for cell in result["counts"]["cells"]]
    valid = ("passed", "failed", "abstained")
    for name in valid:
        if result[name] != sum(getattr(cell, name) for cell in cells):
            yield name
    if result["runs"] != again.valid + sum(result[name] for name in _INVALID):
        yield "runs"
    said = [finding["status"] for finding in result["findings"]]
    if said and result["verdict"] != worst_verdict(said):
        yield "verdict"


def _latencies(result: Mapping[str, Any], again: Recount) -> Iterator[str]:
    """Durations are kept in buckets only; a quantile must be in the right one."""
    buckets = {int(bucket): count for bucket, count in result["latency_buckets"]["runs"].items()}
    if sum(buckets.values()) != again.valid:
        yield "latency buckets"
        return
    for name, share in _SHARES.items():
        told = result["metrics"][name]
        if not again.valid or told["point"] is None:
            fits = told["point"] is None and not again.valid
        else:
            about = bucketed_quantile(buckets, share)
            near = isclose(told["point"], about, rel_tol=2 * PRECISION, abs_tol=_LEAST_SECONDS)
            fits = near and told["n"] == again.valid
        if not fits:
            yield f"metric {name}"


def _parts(result: Mapping[str, Any], again: Recount) -> Iterator[str]:
    if result["variants"] and tuple(map(_tally, result["variants"])) != again.variants:
        yield "variants"
    cases = {name: counts for name, counts in again.cases.items() if name}
    if {each["id"]: _tally(each) for each in result["cases"]} != cases:
        yield "cases"
    for name, found in (("sensitivity", again.sensitivity), ("clustering", again.clustering)):
        if _differs(result[name], None if found is None else asdict(found)):
            yield name


def _tally(each: Mapping[str, Any]) -> tuple[int, int]:
    return each["passed"], each["n"]


def _comparison(result: Mapping[str, Any], rule: Rule) -> Iterator[str]:
    """Whether the test was compared with its baseline as the rule of the session has it."""
    baseline = result["baseline"] or {"comparison": None}
    told = baseline["comparison"]
    found = [finding["status"] for finding in result["findings"] if finding["metric"] == "regression"]
    if told is None:
        return
    strata = _strata(told["strata"])
    cells = iter([(passed, passed + failed + none) for _, _, passed, failed, none in _in_order(result)])
    pooled = None if told["pooled"] is None else _strata(told["pooled"])
    possible = all(0 <= x0 <= n0 and 0 <= x1 <= n1 for x0, n0, x1, n1 in (*strata, *(pooled or ())))
    if not possible or not all((stratum.x1, stratum.n1) in cells for stratum in strata):
        yield "strata of the comparison"
        return
    p, finding = judge_test(strata, pooled, rule)
    if not baseline["n"] or (pooled is None) is not (told["escalation"] is None):
        yield "baseline"
    if _differs(told["p"], p):
        yield "p-value of the comparison"
    if [told["status"], *found] != [str(finding.status)] * 2:
        yield "finding of the comparison"


def _in_order(result: Mapping[str, Any]) -> list[Outcomes]:
    """As a session counts: cases by name, wordings as they were written."""
    places = {variant.key: place for place, variant in enumerate(_variants(result))}
    cells = [Outcomes(*cell) for cell in result["counts"]["cells"]]
    return sorted(cells, key=lambda cell: (cell.case, places[cell.variant]))


def _strata(told: Sequence[Sequence[int]]) -> tuple[Stratum, ...]:
    return tuple(Stratum(*counts) for counts in told)


def _differs(told: Any, again: Any) -> bool:
    """Whether two values are not the same, but for the last digits; what is said in words may differ."""
    if isinstance(told, Mapping) and isinstance(again, Mapping):
        return any(_differs(told.get(name), value) for name, value in again.items() if name != "method")
    if isinstance(told, float | int) and isinstance(again, float | int):
        return not isclose(told, again, rel_tol=1e-6, abs_tol=1e-12)
    return bool(told != again)
