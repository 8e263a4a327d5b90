"""The judge of faithfulness in a suite: its calls are counted apart, taped, and lost to the infrastructure alone."""

import pytest
from wire_example import STYLES, Asking, fake_key

from pytest_llmrel.simulator import Simulator

JUDGED = """
import os
from pytest_llmrel.faithfulness.judge import Judge

CONTEXT = "Items can be returned within 30 days. The shop sells tea."


def judge(**options):
    return Judge("judge", os.environ["MODEL_URL"], "LLMREL_TEST_KEY", **options)


@krun(6, gates=["grounded >= 0.5", "cost <= 1"])
DEF test_a(llmrel):
    ASK()
    answer = f"Items can be returned within {30 + llmrel.index % 2} days."
    found = SCORE(answer, CONTEXT)
    llmrel.score("grounded", found.score)
    assert found.scorer == "judge"
"""


def suite_of(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str) -> Asking:
    """Asks the model, and then the judge, in every run."""
    monkeypatch.setenv("LLMREL_TEST_KEY", fake_key("judge"))
    call = "await judge().ascore" if style == "async" else "judge().score"
    return Asking(pytester, monkeypatch, JUDGED.replace("SCORE", call), style=style)


@pytest.mark.parametrize("style", STYLES)
def test_judging_is_counted_apart_and_replayed(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """Six calls of the feature, six of the judge; a replay of the tape asks nobody and finds the same."""
    suite = suite_of(pytester, monkeypatch, style)
    with Simulator(latency=0.01) as model:
        outcome = suite.run(model, "--llmrel-tape=record")
        assert model.served == {"ok": 12}
    again = suite.run("http://127.0.0.1:9/v1", "--llmrel-tape=replay")
    for found in (outcome, again):
        test = found.test()
        assert (test["verdict"], test["metrics"]["grounded"]["point"]) == ("PASS", 0.5)
        assert (test["cost"]["calls"], test["cost"]["judge"]["calls"]) == (6, 6)
    assert fake_key("judge") not in suite.tape().read_text()


def test_a_judge_that_is_busy_is_no_failure_of_the_model(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every run is an error, and the verdict INCONCLUSIVE."""
    suite = suite_of(pytester, monkeypatch, "threads")
    suite.edit(llmrel_retries="0")
    suite.edit({"test_it.py": JUDGED.replace("SCORE", "judge().score").replace("    ASK()\n", "")})
    with Simulator(faults={"503": 1.0}) as model:
        test = suite.run(model).test()
    assert (test["verdict"], test["errors"], test["failed"]) == ("INCONCLUSIVE", 6, 0)


@pytest.mark.parametrize("style", STYLES)
def test_no_fault_is_injected_into_a_judge(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """It is the feature whose recovery is tested: here it has a second model, and every run is judged."""
    suite = suite_of(pytester, monkeypatch, style)
    tests = JUDGED.replace("SCORE", "await judge().ascore" if style == "async" else "judge().score")
    tests = tests.replace("@krun(6", '@faults("500", "malformed", "timeout")\n@krun(6').replace(
        "    ASK()\n", "    with pytest.raises(Exception): ASK()\n"
    )
    tests = tests.replace('"cost <= 1"', '"recovery_rate >= 0.3"')
    suite.edit({"test_it.py": tests})
    with Simulator(latency=0) as model:
        test = suite.run(model).test()
    assert (test["passed"], test["recovery"]["recovered"]) == (6, 6)
    assert test["cost"]["judge"]["calls"] == 6
