"""Why a test is not PASS, for the person who has to mend it: verdict, counts, wordings, cases, samples."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_llmrel.core.gate import FAITHFUL_RATE, FAITHFULNESS
from pytest_llmrel.reports.remarks import remarks
from pytest_llmrel.reports.safe import clipped, printable

__all__ = ["counts", "explain"]

_MOST_CASES = 10
_MOST_GROUPS = 5
_MOST_WORDINGS = 10
_FIRST_LINES, _LAST_LINES = 15, 25
"""Lines shown of a long traceback or output; the JSON report has more."""
_WORST_FIRST = ("FAIL", "INCONCLUSIVE", "PASS")
_SCORE_OF = {FAITHFUL_RATE: FAITHFULNESS}
_COUNTED = ("passed", "failed", "errors", "abstained", "skipped", "xfailed", "unfinished")


def explain(result: Mapping[str, Any]) -> str:
    """The explanation of one test's result (an entry of schema 1); its first line stands alone."""
    return printable("\n".join(_lines(result)))


def counts(result: Mapping[str, Any]) -> str:
    """For example ``10 runs: 4 passed, 6 failed``."""
    said = ", ".join(f"{result[name]} {_plural(name, result[name])}" for name in _COUNTED if result[name])
    return f"{result['runs']} runs: {said or 'none finished'}"


def _plural(name: str, count: int) -> str:
    return "error" if (name, count) == ("errors", 1) else name


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    path, bracket, parameters = result["nodeid"].partition("[")
    name = path.rpartition("::")[2] + bracket + parameters
    findings = sorted(result["findings"], key=lambda finding: _WORST_FIRST.index(finding["status"]))
    headline = findings[0]["explanation"] if findings else "nothing was judged"
    yield f"{name}: {result['verdict']}: {headline}"
    yield counts(result)
    if len(findings) > 1:
        yield ""
        yield "and:"
        yield from (f"  {finding['status']:<12}  {finding['explanation']}" for finding in findings[1:])
    if result["variants"]:
        yield ""
        yield "passes by wording:"
        for tally in result["variants"]:
            yield f"  {tally['passed']} of {tally['n']}  {_quoted(tally['text'])}"
    yield from _cases(result["cases"])
    yield from _scores(result)
    yield from _groups(result)
    yield from (f"note: {remark}" for remark in remarks(result))


def _cases(tallies: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The cases that did not always pass, those that passed least first."""
    missed = [tally for tally in tallies if tally["passed"] < tally["n"]]
    if not missed:
        return
    missed.sort(key=lambda tally: tally["passed"] / tally["n"])
    yield ""
    yield f"passes by case, {len(tallies) - len(missed)} of {len(tallies)} cases passed always:"
    yield from (f"  {tally['passed']} of {tally['n']}  {tally['id']}" for tally in missed[:_MOST_CASES])
    if len(missed) > _MOST_CASES:
        yield f"  and {len(missed) - _MOST_CASES} more; --llmrel-json has them all"
    yield f"run one again with --llmrel-case={shlex.quote(missed[0]['id'])}"


def _scores(result: Mapping[str, Any]) -> Iterator[str]:
    """The worst value of each gated score that misses its bar, and why it is not better."""
    missed = {
        _SCORE_OF.get(finding["metric"], finding["metric"]): finding["expected"]
        for finding in result["findings"]
        if finding["status"] != "PASS" and finding["observed"] != "n/a"
    }
    for name, scoring in result["scorings"].items():
        end = "highest" if missed.get(name, "").startswith("<") else "lowest"
        worst = scoring[end]
        if name not in missed or worst is None:
            continue
        case = f" of case {worst['case']}" if worst["case"] else ""
        yield ""
        yield f"{end} {name}: {worst['value']:.3g}, run {worst['run']}{case}"
        yield from (f"  | {line}" for title in ("said", "text") for line in _block("", worst[title]))


def _groups(result: Mapping[str, Any]) -> Iterator[str]:
    shown = [group for group in result["failures"] if group["outcome"] in {"failed", "error"}]
    for group in shown[:_MOST_GROUPS]:
        yield ""
        place = f" at {group['location']}" if group["location"] else ""
        kind = "failed" if group["outcome"] == "failed" else "ended in an error"
        many = "run" if group["count"] == 1 else "runs"
        yield f"{group['count']} {many} {kind}: {group['type']}{place}: {_first_line(group)}"
        yield from _wordings(group["variants"])
        yield from (f"  | {line}" for line in _sample(group["sample"]))
    if len(shown) > _MOST_GROUPS:
        yield ""
        yield f"and {len(shown) - _MOST_GROUPS} more kinds of failure; --llmrel-json has them all"


def _wordings(counts: Mapping[str, int]) -> Iterator[str]:
    """The wordings in which a failure occurred, most often first; a hunt may have tried a hundred."""
    if not any(counts):
        return
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    yield from (f"  {count} in wording {_quoted(text)}" for text, count in ranked[:_MOST_WORDINGS])
    if len(ranked) > _MOST_WORDINGS:
        yield f"  and in {len(ranked) - _MOST_WORDINGS} more; --llmrel-json has them all"


def _first_line(group: Mapping[str, Any]) -> str:
    return clipped(group["sample"]["message"].strip().partition("\n")[0], 200)


def _sample(sample: Mapping[str, Any]) -> Iterator[str]:
    case = f" of case {sample['case']}" if sample["case"] else ""
    yield f"for example run {sample['run']}{case}:"
    if sample["output"] is not None:
        yield from _block("output", sample["output"])
    if sample["traceback"]:
        yield from _block("", sample["traceback"])
    for title, text in sample["captured"].items():
        yield from _block(f"captured {title}", text)


def _block(title: str, text: str) -> Iterator[str]:
    lines = text.strip("\n").splitlines()
    if title:
        yield f"--- {title} ---"
    left_out = len(lines) - _FIRST_LINES - _LAST_LINES
    if left_out <= 1:
        yield from lines
    else:
        yield from (*lines[:_FIRST_LINES], f"[{left_out} lines left out]", *lines[-_LAST_LINES:])


def _quoted(text: str) -> str:
    return f'"{clipped(text, 100)}"'
