"""Gates on what a judge says: refused alone without a calibration, corrected with one, void when it changes."""

import json
from pathlib import Path

import pytest
from example import Outcome
from wire_example import Asking, fake_key

from pytest_llmrel.cli.main import main
from pytest_llmrel.simulator import Simulator

JUDGED = """
import os
from pytest_llmrel import Judge

CONTEXT = "Items can be returned within 30 days. The shop sells tea."
JUDGE = Judge("judge", os.environ["MODEL_URL"], "LLMREL_TEST_KEY")

@krun(24, gates=["faithful_rate >= 0.5"])
def test_a(llmrel):
    days = 45 if llmrel.index % 8 == 7 else 30
    llmrel.faithfulness(f"Items can be returned within {days} days.", context=CONTEXT, scorer=JUDGE)
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Asking:
    """A test that a judge alone decides."""
    monkeypatch.setenv("LLMREL_TEST_KEY", fake_key("judge"))
    return Asking(pytester, monkeypatch, JUDGED)


def calibrated(suite: Asking, model: Simulator, items: int = 120, judge: str = "judge") -> int:
    """Let ``llmrel judge calibrate`` write a record into the root of the suite; its exit code."""
    labels = suite.path / "labels.jsonl"
    with labels.open("w") as file:
        for number in range(items):
            good = number % 2 == 0
            row = {
                "answer": f"Items can be returned within {30 if good else 31 + number} days.",
                "context": f"Items can be returned within 30 days. This is shop {number}.",
                "label": int(good),
            }
            file.write(json.dumps(row) + "\n")
    arguments = ["judge", "calibrate", str(labels), "--model", judge, "--base-url", f"{model.root_url}/v1"]
    arguments += ["--api-key-env", "LLMREL_TEST_KEY", "--repeats", "1", "--root", str(suite.path)]
    return main(arguments)


def record_of(suite: Asking) -> Path:
    """The record that was written."""
    (path,) = (suite.path / "__judges__").glob("*.json")
    return path


def finding(outcome: Outcome) -> str:
    """What is said of the judge."""
    return next(found["explanation"] for found in outcome.test()["findings"] if found["metric"] == "judge")


def test_a_judge_without_a_record_does_not_decide_alone(suite: Asking) -> None:
    """INCONCLUSIVE with what to do; another gate, or the ini key, lifts it."""
    with Simulator(latency=0) as model:
        alone = suite.run(model)
        assert alone.test()["verdict"] == "INCONCLUSIVE"
        assert "it has not been calibrated" in finding(alone)
        assert "llmrel judge calibrate" in finding(alone)
        suite.edit({"test_it.py": JUDGED.replace('["faithful', '["pass_rate >= 0.5", "faithful')})
        assert suite.run(model).test()["verdict"] == "PASS"
        suite.edit({"test_it.py": JUDGED}, llmrel_uncalibrated_judges="allow")
        forced = suite.run(model).test()
    assert forced["verdict"] == "PASS"
    assert forced["metrics"]["faithful_rate"]["point"] == 21 / 24
    assert forced["scorings"]["faithfulness"]["judges"][0]["model"] == "judge"


def test_a_calibrated_judge_decides_and_is_corrected(suite: Asking) -> None:
    """The rate is that of Rogan and Gladen, with an interval that knows of the calibration."""
    with Simulator(latency=0) as model:
        assert calibrated(suite, model) == 0
        test = suite.run(model).test()
    assert test["verdict"] == "PASS"
    rate = test["metrics"]["faithful_rate"]
    assert "Rogan-Gladen" in rate["method"]
    assert "21 of 24 as judged" in rate["method"]
    # A judge that made no mistake changes nothing, but is not known to make none.
    assert rate["point"] == pytest.approx(21 / 24)
    assert rate["low"] < 21 / 24 < rate["high"]
    assert any("calibrated 20" in note for note in test["notes"])


def test_a_judge_that_was_calibrated_badly_does_not_decide(suite: Asking) -> None:
    """Too few labels are a reason, told in the verdict."""
    with Simulator(latency=0) as model:
        assert calibrated(suite, model, items=20) == 1
        outcome = suite.run(model)
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert "only 10 judged items" in finding(outcome)


def test_a_changed_judge_is_another_judge(suite: Asking) -> None:
    """Its record tells nothing any more, and counts with it are not comparable with the baseline."""
    with Simulator(latency=0) as model:
        calibrated(suite, model)
        suite.run(model, "--llmrel-baseline=new").outcomes(passed=1)
        again = suite.run(model)
        assert again.test()["baseline"]["status"] == "comparable"
        suite.edit({"test_it.py": JUDGED.replace('Judge("judge"', 'Judge("judge-careless"')})
        changed = suite.run(model)
    assert changed.test()["verdict"] == "INCONCLUSIVE"
    assert "model 'judge' -> 'judge-careless'" in finding(changed)
    assert changed.test()["baseline"]["status"] == "not comparable"
    assert "judges judge " in changed.test()["baseline"]["note"]


def test_a_damaged_record_is_none(suite: Asking) -> None:
    """The file is named; the judge does not decide alone."""
    with Simulator(latency=0) as model:
        calibrated(suite, model)
        record_of(suite).write_text("{")
        outcome = suite.run(model)
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert record_of(suite).name in finding(outcome)


def test_the_ini_key_is_checked(suite: Asking) -> None:
    """Any other word is a usage error."""
    suite.edit({}, llmrel_uncalibrated_judges="maybe")
    outcome = suite.run("http://127.0.0.1:9/v1")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    assert "it must be 'refuse' or 'allow'" in outcome.err


def test_what_is_cheap_may_be_wrong(suite: Asking) -> None:
    """Gates on time, money and errors say nothing of quality: the judge decides alone all the same."""
    for gates in ('["latency_p95 <= 10", "faithful', '["error_rate <= 1", "faithfulness >= 0", "faithful'):
        suite.edit({"test_it.py": JUDGED.replace('["faithful', gates)})
        with Simulator(latency=0) as model:
            outcome = suite.run(model)
        assert outcome.test()["verdict"] == "INCONCLUSIVE"
        assert "a judge that is not known to be right decides alone" in finding(outcome)


def test_gates_without_judges_are_none_of_their_business(suite: Asking) -> None:
    """A test may ask a judge only to know; what it is gated by decides."""
    suite.edit({"test_it.py": JUDGED.replace("faithful_rate >= 0.5", "latency_p95 <= 10")})
    with Simulator(latency=0) as model:
        test = suite.run(model).test()
    assert test["verdict"] == "PASS"
    assert test["notes"] == ["judge judge: it has not been calibrated"]


def test_a_record_with_another_threshold_tells_nothing(suite: Asking) -> None:
    """The rate counts answers that are supported as a whole; a judge that is right about four fifths is another."""
    with Simulator(latency=0) as model:
        calibrated(suite, model)
        path = record_of(suite)
        path.write_text(path.read_text().replace('"threshold": 1.0', '"threshold": 0.8'))
        outcome = suite.run(model)
    assert outcome.test()["verdict"] == "INCONCLUSIVE"
    assert "threshold 0.8 -> 1" in finding(outcome)
    assert "Rogan" not in outcome.test()["metrics"]["faithful_rate"]["method"]


def test_the_errors_of_a_judge_are_not_those_of_another_scorer(suite: Asking) -> None:
    """Where some runs were scored by context overlap, the rate stays as it was judged; all scorers are named."""
    mixed = JUDGED.replace("scorer=JUDGE", 'scorer=JUDGE if llmrel.index % 2 else "overlap"')
    suite.edit({"test_it.py": mixed})
    with Simulator(latency=0) as model:
        calibrated(suite, model)
        test = suite.run(model).test()
    assert test["metrics"]["faithful_rate"]["method"] == "Wilson 95 %"
    assert test["scorings"]["faithfulness"]["scorers"] == ["context overlap", "judge"]
    assert "faithful_rate (context overlap, judge) is 0.875" in test["findings"][0]["explanation"]


def test_judges_from_workers(suite: Asking) -> None:
    """Record, baseline and notes are the same under xdist as without."""
    files = {f"test_{name}.py": JUDGED.replace("test_a", f"test_{name}") for name in "abc"}
    suite.edit({"test_it.py": "", **files})
    with Simulator(latency=0) as model:
        calibrated(suite, model)
        suite.run(model, "-n2", "--llmrel-baseline=new", subprocess=True).outcomes(passed=3)
        apart = suite.run(model, "-n2", subprocess=True).outcomes(passed=3)
        together = suite.run(model).outcomes(passed=3)
    for outcome in (apart, together):
        for test in outcome.tests.values():
            assert test["baseline"]["status"] == "comparable"
            assert "Rogan-Gladen" in test["metrics"]["faithful_rate"]["method"]
            assert any("calibrated 20" in note for note in test["notes"])


def test_cases_are_what_the_rate_is_over(suite: Asking) -> None:
    """With a golden file the interval is one over cases, with and without a record; three cases give none."""
    tests = JUDGED.replace("import os", "import os\nfrom pytest_llmrel import golden").replace(
        "@krun(24", '@golden("faq.jsonl")\n@krun(4'
    )
    tests = tests.replace("(llmrel)", "(llmrel, case)").replace(
        "45 if llmrel.index % 8 == 7 else 30", "case.days"
    )
    rows = [json.dumps({"id": f"c{number}", "days": 30 + (number % 4 == 3)}) for number in range(12)]
    suite.edit({"test_it.py": tests, "faq.jsonl": "\n".join(rows)}, llmrel_uncalibrated_judges="allow")
    with Simulator(latency=0) as model:
        plain = suite.run(model).test()["metrics"]["faithful_rate"]
        calibrated(suite, model)
        corrected = suite.run(model).test()["metrics"]["faithful_rate"]
        suite.edit({"faq.jsonl": "\n".join(rows[:3])})
        few = suite.run(model).test()
    assert (plain["point"], plain["n"], plain["method"]) == (
        0.75,
        48,
        "mean of 12 cases; t 95 %, clustered by case",
    )
    assert corrected["point"] == pytest.approx(0.75)
    assert "clustered by 12 cases; 36 of 48 as judged" in corrected["method"]
    assert corrected["low"] < plain["low"]
    assert (few["verdict"], few["metrics"]["faithful_rate"]["low"]) == ("INCONCLUSIVE", None)
    assert "faithful_rate has no interval" in few["findings"][0]["explanation"]
