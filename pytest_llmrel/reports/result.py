"""The results of tests and session as JSON-simple data, schema 1.

Keys may be added, never changed; an undefined number is ``null`` and its reason stands beside it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from pytest_llmrel.core.model import Estimate, FailureGroup, Finding, Outcome, Status, Summary, Verdict
from pytest_llmrel.core.score import Scoring
from pytest_llmrel.reports.spending import cost_entry, recovery_entry
from pytest_llmrel.verdict.regression import Suite

__all__ = [
    "SCHEMA",
    "Result",
    "canonical",
    "estimate_entry",
    "result_entry",
    "session_document",
    "suite_entry",
    "worst_verdict",
]

SCHEMA: Final = 1

Result = dict[str, Any]


def result_entry(
    nodeid: str,
    summary: Summary,
    verdict: Verdict,
    notes: Sequence[str] = (),
    *,
    baseline: Mapping[str, Any] | None = None,
    escalation: Summary | None = None,
    tape: Mapping[str, Any] | None = None,
) -> Result:
    """The entry of one test.

    Args:
        nodeid: pytest's name of the test.
        summary: what happened.
        verdict: how it was judged.
        notes: what a reader should know of how it was run.
        baseline: what there is to say of its baseline.
        escalation: further runs; only what went wrong beside the model, and what they cost, is told of them.
        tape: what there is to say of its tape.
    """
    counts = summary.counts
    entry = {
        "nodeid": nodeid,
        "verdict": str(verdict.status),
        "runs": summary.runs,
        "passed": counts[Outcome.PASSED],
        "failed": counts[Outcome.FAILED],
        "errors": counts[Outcome.ERROR],
        "abstained": counts[Outcome.ABSTAINED],
        "skipped": counts[Outcome.SKIPPED],
        "xfailed": counts[Outcome.XFAILED],
        "unfinished": summary.unfinished,
        "stopped": {"reason": summary.stop_reason, "saved": summary.saved} if summary.stop_reason else None,
        "metrics": {name: estimate_entry(estimate) for name, estimate in summary.metrics.items()},
        "variants": [asdict(tally) for tally in summary.variants],
        "cases": [{"id": tally.key, "passed": tally.passed, "n": tally.n} for tally in summary.cases],
        "counts": _counts(summary),
        "findings": [_finding(finding) for finding in verdict.findings],
        "failures": [_group(group) for group in (*summary.groups, *summary.teardowns, *_mishaps(escalation))],
        "scorings": {name: _scoring(scoring) for name, scoring in summary.scorings.items()},
        "sensitivity": None if summary.sensitivity is None else asdict(summary.sensitivity),
        "clustering": None if summary.clustering is None else asdict(summary.clustering),
        "baseline": None if baseline is None else dict(baseline),
        "notes": list(notes),
        "cost": cost_entry(summary, escalation),
        "recovery": recovery_entry(summary),
        "tape": None if tape is None else dict(tape),
        "latency_buckets": {
            "runs": {str(bucket): count for bucket, count in summary.run_seconds.items()},
            "calls": {str(bucket): count for bucket, count in summary.call_seconds.items()},
        },
    }
    return entry if _is_encodable(entry) else {name: _encodable(value) for name, value in entry.items()}


def session_document(
    results: Mapping[str, Result],
    provenance: Mapping[str, str],
    suite: Mapping[str, Any] | None = None,
    shard: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The document of a whole session, tests in the order of their node ids.

    Args:
        results: entries by node id.
        provenance: of the session.
        suite: what :func:`suite_entry` made of the judgement on all tests.
        shard: which part of all tests these are, ``None`` if they are all there are.
    """
    tests = [results[nodeid] for nodeid in sorted(results)]
    suite = suite_entry(None) if suite is None else suite
    verdicts = [test["verdict"] for test in tests] or [str(Status.INCONCLUSIVE)]
    verdicts += [finding["status"] for finding in suite["findings"]]
    return {
        "schema": SCHEMA,
        "tests": tests,
        "suite": {"verdict": worst_verdict(verdicts), **suite},
        "provenance": dict(provenance),
        **({} if shard is None else {"shard": _encodable(dict(shard))}),
    }


def worst_verdict(verdicts: Iterable[str]) -> str:
    """The one that decides of several, at least one."""
    order = [str(status) for status in (Status.PASS, Status.INCONCLUSIVE, Status.FAIL)]
    return max(verdicts, key=order.index)


def suite_entry(
    judged: Suite | None, unused: Sequence[tuple[str, str]] = (), unused_tapes: Sequence[str] = ()
) -> dict[str, Any]:
    """What there is to say of all tests of a session together.

    Args:
        judged: by the regression rule; ``None`` if no test was compared with a baseline.
        unused: ``(file, entry)`` of the baselines that no test has.
        unused_tapes: files of the tapes that no test has.
    """
    return {
        "findings": [] if judged is None else [_finding(finding) for finding in judged.findings],
        "named": [] if judged is None else list(judged.named),
        "compared": 0 if judged is None else len(judged.adjusted),
        "unused": [{"file": file, "entry": name} for file, name in unused],
        "unused_tapes": list(unused_tapes),
    }


def canonical(document: Mapping[str, Any]) -> str:
    """The one way to write a document: sorted keys, ASCII, two spaces, a final newline.

    Raises:
        ValueError: it holds a number that JSON does not know (NaN, infinity).
    """
    return json.dumps(document, sort_keys=True, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _is_encodable(entry: Mapping[str, Any]) -> bool:
    try:
        json.dumps(entry, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _encodable(value: Any) -> Any:
    """The same without lone surrogates, which a model can answer with and no wire can carry."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return [_encodable(item) for item in value] if isinstance(value, list) else value


def estimate_entry(estimate: Estimate) -> dict[str, Any]:
    """One metric."""
    # dataclasses.asdict copies deeply, which takes longer than all the rest.
    return {name: getattr(estimate, name) for name in Estimate.__slots__}


def _counts(summary: Summary) -> dict[str, Any] | None:
    counted = summary.counted
    if counted is None:
        return None
    return {"cells": [list(cell) for cell in counted.cells], "injected_errors": counted.injected_errors}


def _mishaps(escalation: Summary | None) -> Iterator[FailureGroup]:
    if escalation is not None:
        yield from (group for group in escalation.groups if group.key.outcome is Outcome.ERROR)
        yield from escalation.teardowns


def _scoring(scoring: Scoring) -> dict[str, Any]:
    return {
        "scorers": list(scoring.scorers),
        "judges": [judge._asdict() for judge in scoring.judges],
        "not_applicable": dict(scoring.not_applicable),
        "lowest": None if scoring.lowest is None else asdict(scoring.lowest),
        "highest": None if scoring.highest is None else asdict(scoring.highest),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {**asdict(finding), "status": str(finding.status)}


def _group(group: FailureGroup) -> dict[str, Any]:
    evidence = group.evidence
    return {
        "outcome": str(group.key.outcome),
        "type": group.key.type,
        "location": group.key.location,
        "message": group.key.message,
        "count": group.count,
        "variants": dict(group.variants),
        "sample": {
            "case": evidence.attempt.case,
            "variant": evidence.attempt.variant.text,
            "run": evidence.attempt.run,
            "seed": evidence.attempt.seed,
            "message": evidence.message,
            "traceback": evidence.traceback,
            "output": evidence.output,
            "captured": dict(evidence.captured),
        },
    }
