"""However a suite is run, its verdicts, counts, metrics and costs are the same."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from example import Outcome
from resume_example import killed
from wire_example import Asking

from pytest_llmrel.cli.main import main
from pytest_llmrel.simulator import Simulator

Report = dict[str, Any]
Mode = Callable[[Asking, Simulator], Report]

SUITE = """
from pytest_llmrel import golden

@krun(12, pass_rate=0.5, stop="never", concurrency=4)
def test_returns(llmrel):
    answer = text(ask(seed=llmrel.seed))
    llmrel.score("length", len(answer))
    assert "30 days" in answer

@krun(6, gates=["pass_rate >= 0.9", "sensitivity <= 0.9", "cost <= 1"], stop="never", concurrency=4)
@paraphrase("question", RETURN, WARRANTY, "whats ur return policy??")
async def test_wordings(llmrel, question):
    assert "30 days" in text(await aask(question, seed=llmrel.seed))

@krun(4, pass_rate=0.2, stop="never", concurrency=4)
@golden("cases.jsonl")
def test_cases(llmrel, case):
    assert case.word in text(ask(case.question, seed=llmrel.seed))

class TestMore:
    @pytest.mark.parametrize("word", ["30 days", "kettle", "tea"])
    @krun(5, pass_rate=0.3, stop="never", concurrency=4)
    def test_word(self, word, llmrel, tmp_path):
        if llmrel.index == 4:
            raise ConnectionError("lost")
        assert word in text(ask(seed=llmrel.seed))
"""
CASES = "".join(
    f'{{"id": "c{number}", "question": "How long do I have to return item {number}?", "word": "{word}"}}\n'
    for number, word in enumerate(["30", "days", "return", "item", "30 days", "tea"] * 2)
)
PRICES = "\n    gpt-4o-mini: input 0.15, output 0.60"
_OF_THE_MOMENT = frozenset({"batch", "notes", "replayed_calls", "sample", "shard", "tape", "why_not"})
"""What is about this session, and not about the model: times, tracebacks with addresses, where calls went."""


def same(document: Any) -> Any:
    """The part of a result that must not depend on how it came about."""
    if isinstance(document, dict):
        kept = {key for key in document if key not in _OF_THE_MOMENT and "latency" not in key}
        return {key: same(document[key]) for key in sorted(kept)}
    if isinstance(document, list):
        return [same(value) for value in document]
    return round(document, 9) if isinstance(document, float) else document


def report_of(outcome: Outcome) -> Report:
    """The document of a session."""
    assert outcome.report is not None, outcome.out + outcome.err
    return dict(outcome.report)


def with_options(*options: str, subprocess: bool = False) -> Mode:
    """One session with these options."""
    return lambda asking, model: report_of(asking.run(model, *options, subprocess=subprocess))


def sharded(asking: Asking, model: Simulator) -> Report:
    """Three sessions, merged."""
    files = []
    for number in (1, 2, 3):
        asking.run(model, f"--llmrel-shard={number}/3")
        files.append(asking.path / f"shard-{number}.json")
        (asking.path / "llmrel-report.json").rename(files[-1])
    return merged(asking.path / "merged.json", files)


def merged(target: Path, files: list[Path]) -> Report:
    """What ``llmrel merge`` writes."""
    assert main(["merge", *map(str, files), "--json", str(target)]) == 1
    return dict(json.loads(target.read_text(encoding="utf-8")))


def resumed(asking: Asking, model: Simulator) -> Report:
    """A session that is killed in the middle, and the one that continues it."""
    before = model.requests
    killed(asking, model, after=before + 40)
    return report_of(asking.run(model, "--llmrel-resume"))


def replayed(asking: Asking, model: Simulator) -> Report:
    """A session that is recorded, and its replay without a network."""
    asking.run(model, "--llmrel-tape=record")
    return report_of(asking.run("http://127.0.0.1:9/v1", "--llmrel-tape=replay"))


MODES: dict[str, Mode] = {
    "looking ahead": with_options(),
    "with four workers": with_options("-n4", subprocess=True),
    "split": with_options("-n2", "--llmrel-split=5", subprocess=True),
    "sharded and merged": sharded,
    "resumed": resumed,
    "replayed": replayed,
}


def test_the_same_suite_in_every_way(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """One test after the other is what all the others are compared with."""
    asking = Asking(pytester, monkeypatch, SUITE, llmrel_prices=PRICES)
    asking.edit({"cases.jsonl": CASES})
    with Simulator(latency=0.01) as model:
        in_order = same(report_of(asking.run(model, "-o", "llmrel_lookahead=off")))
        assert len(in_order["tests"]) == 6
        assert {test["verdict"] for test in in_order["tests"]} == {"PASS", "FAIL", "INCONCLUSIVE"}
        for name, mode in MODES.items():
            other = same(mode(asking, model))
            for one, another in zip(in_order["tests"], other["tests"], strict=True):
                for key, value in one.items():
                    assert another[key] == value, (name, one["nodeid"], key)
            assert in_order["suite"] == other["suite"], name
