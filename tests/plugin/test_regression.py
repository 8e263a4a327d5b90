"""The regression rule in real sessions: one test against its baseline, and what is made of few passes."""

import json
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from functools import partial

import pytest
from baseline_example import Scripted, fails, gate, plain, worse
from example import PLAIN
from scipy.stats import hypergeom

LEVEL = 0.01 / 3
"""Of a single test in a session with one."""


@pytest.fixture
def scripted(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """One test of ten runs without a gate."""
    return Scripted(pytester, monkeypatch, plain("a"))


def stratified(*strata: tuple[int, int, int, int]) -> float:
    """One-sided p-value of the total of passes now over all ways to share them out; nothing of ours."""
    chances = {0: 1.0}
    for x0, n0, x1, n1 in strata:
        law = hypergeom(n0 + n1, x0 + x1, n1)
        chances = {
            total: sum(chances.get(total - x, 0.0) * law.pmf(x) for x in range(n1 + 1))
            for total in range(max(chances) + n1 + 1)
        }
    return sum(chance for total, chance in chances.items() if total <= sum(s[2] for s in strata))


# --- one test -----------------------------------------------------------------------------------------------


def test_ten_runs_are_a_baseline(scripted: Scripted) -> None:
    """10 of 10 falling to 2 of 10 is red at once, although so small a baseline is called weak."""
    scripted.run("p", "--llmrel-baseline=new", "--llmrel-baseline-runs=10")
    outcome = scripted.run(fails(8, 10))
    assert (outcome.ret, len(outcome.log("call"))) == (1, 10)
    outcome.outcomes(failed=2)
    found = outcome.test()["baseline"]["comparison"]
    assert found["p"] == pytest.approx(worse(10, 10, 2, 10), rel=1e-9)
    assert found["p"] == pytest.approx(hypergeom.cdf(2, 20, 12, 10), rel=1e-9)
    assert (found["strata"], found["status"], found["guard"]) == ([[10, 10, 2, 10]], "FAIL", "weak")
    assert "worse than its baseline: 2 of 10 runs passed, against 10 of 10 in the baseline" in outcome.out
    assert (
        "weakly guarded, with fewer than 50 baseline runs: test_it.py::test_a (sees a drop of" in outcome.out
    )


@pytest.mark.parametrize(("runs", "kind"), [(49, "weak"), (50, "guarded"), (10, "weak"), (1, "blind")])
@pytest.mark.parametrize("args", [(), ("-q",)])
def test_how_well_a_test_is_guarded(scripted: Scripted, runs: int, kind: str, args: tuple[str, ...]) -> None:
    """Weak and blind tests are shown with their smallest visible drop, however quiet the session."""
    scripted.edit({"test_it.py": plain("a", mark="1")})
    scripted.run("p", "--llmrel-baseline=new", f"--llmrel-baseline-runs={runs}")
    scripted.edit({"test_it.py": plain("a")})
    outcome = scripted.run("p", *args)
    found = outcome.test()["baseline"]["comparison"]
    assert found["guard"] == kind
    assert ("weakly guarded" in outcome.out) is (kind == "weak")
    assert ("blind, no result of so few runs could turn it red: test_it.py::test_a" in outcome.out) is (
        kind == "blind"
    )
    assert (found["detectable_drop"] is None) is (kind == "blind")
    if kind == "weak":
        assert f"{100 * found['detectable_drop']:.0f} points" in outcome.out


def test_one_run_is_blind_only_if_nothing_could_help(scripted: Scripted) -> None:
    """With --llmrel-k=1 a failing run is followed by three more, and four failures of four are red."""
    scripted.run("p", "--llmrel-baseline=new")
    green = scripted.run("p", "--llmrel-k=1").outcomes(passed=1).test()
    assert (green["runs"], green["baseline"]["comparison"]["guard"]) == (1, "guarded")
    red = scripted.run("f", "--llmrel-k=1")
    assert (red.ret, len(red.log("call"))) == (1, 4)
    assert gate(red)["observed"] == f"p = {worse(50, 50, 0, 4):.2g}"


# --- escalation ---------------------------------------------------------------------------------------------

STEPS = [
    (0, 0), (1, 0), (2, 0), (2, 3), (2, 5), (2, 6), (2, 7), (2, 30), (3, 0), (3, 4), (3, 5), (4, 0), (10, 0),
]  # fmt: skip


@pytest.mark.parametrize(("first", "later"), STEPS)
def test_a_suspicious_test_runs_on(scripted: Scripted, first: int, later: int) -> None:
    """Raw p within (level, .10]: thirty runs more at once, and all forty decide, exactly as Fisher says."""
    scripted.run("p", "--llmrel-baseline=new")
    outcome = scripted.run(fails(first, 10) + fails(later, 30))
    p = hypergeom.cdf(10 - first, 60, 60 - first, 10)
    escalated = bool(LEVEL < p <= 0.10)
    calls = [int(index) for _, index in outcome.log("call")]
    assert sorted(calls) == list(range(40 if escalated else 10)), "each run once"
    last = hypergeom.cdf(40 - first - later, 90, 90 - first - later, 40) if escalated else p
    assert outcome.test()["verdict"] == ("FAIL" if last <= LEVEL else "PASS")
    assert (outcome.ret == 1) is bool(last <= LEVEL)
    found = outcome.test()["baseline"]["comparison"]
    assert found["p"] == pytest.approx(p, rel=1e-9)
    assert gate(outcome)["observed"] == f"p = {last:.2g}"
    assert gate(outcome)["expected"] == f"p > {LEVEL:.2g}"
    assert (found["escalation"] is not None) is escalated
    if escalated:
        assert found["escalation"] == {"runs": 30, "passed": 30 - later, "n": 30, "unfinished": 0}


def test_further_runs_are_seen_by_the_rule_alone(scripted: Scripted) -> None:
    """Counts, metrics, properties, drift, min-p and what update appends are those of the first ten runs."""
    scripted.run("p", "--llmrel-baseline=new")
    outcome = scripted.run("ppppppppff" + "f" * 30, "--llmrel-baseline=update", "--junitxml=j.xml")
    found = outcome.test()
    assert outcome.counts() == {"passed": 8, "failed": 2}
    assert found["metrics"]["pass_rate"]["point"] == 0.8
    assert found["metrics"]["pass_rate"]["n"] == 10
    assert found["baseline"]["batch"]["cells"] == [{"case": "", "variant": "", "passed": 8, "n": 10}]
    assert scripted.counts() == [(50, 50), (8, 10)]
    suite = outcome.report["suite"]
    assert [finding["status"] for finding in suite["findings"]] == ["PASS", "PASS"]
    assert all(f"p = {worse(50, 50, 8, 10):.2g}" in finding["observed"] for finding in suite["findings"])
    assert (suite["verdict"], suite["named"], outcome.ret) == ("FAIL", [], 1)
    tree = ET.parse(scripted.path / "j.xml")  # noqa: S314 (our own)
    properties = {node.get("name"): node.get("value") for node in tree.iter("property")}
    assert (properties["llmrel_runs"], properties["llmrel_pass_rate"]) == ("10", "0.8")


@pytest.mark.parametrize("bad", ["e", "t"])
def test_what_went_wrong_in_the_further_runs_is_told(scripted: Scripted, bad: str) -> None:
    """Errors make the verdict INCONCLUSIVE, a raising tear-down FAIL, and both are shown with a sample."""
    fixture = (
        "\n@pytest.fixture\ndef late(llmrel):\n    yield\n    assert llmrel.index < 10 or {0!r} != 't', 'too late'\n"
        "\n@krun(10)\ndef test_a(late, llmrel):\n    play(llmrel, 'a')\n"
    )
    scripted.edit({"test_it.py": fixture.format(bad)})
    scripted.run("p", "--llmrel-baseline=new", "--llmrel-baseline-runs=10")
    scripted.edit({"test_it.py": fixture.format(bad) + "    # all are there\n"})
    scripted.run(
        "p", "--llmrel-baseline=reset", "--llmrel-baseline-runs=10", "-o", "llmrel_inconclusive=warn"
    )
    scripted.file().write_text(scripted.file().read_text().replace('"n": 10', '"n": 50').replace(
        '"passed": 10', '"passed": 50'))  # fmt: skip
    outcome = scripted.run("ppppppppff" + ("e" if bad == "e" else "p") * 30)
    assert len(outcome.log("call")) == 40
    assert outcome.test()["verdict"] == ("INCONCLUSIVE" if bad == "e" else "FAIL")
    said = "30 of 30 runs ended in an error" if bad == "e" else "the tear-down of 30 of 30 runs raised"
    assert said in outcome.out
    raised = ("ConnectionError", "down") if bad == "e" else ("AssertionError", "too late")
    groups = [(group["type"], group["count"]) for group in outcome.test()["failures"]]
    assert (raised[0], 30) in groups
    assert raised[1] in outcome.out


def test_ctrl_c_in_the_further_runs(scripted: Scripted) -> None:
    """Never green: the first runs are kept and may be recorded, the test is INCONCLUSIVE."""
    scripted.run("p", "--llmrel-baseline=new")
    slow = (
        plain("a", mark="10, concurrency=2") + "    import time\n    time.sleep(60 * (llmrel.index >= 10))\n"
    )
    scripted.edit({"test_it.py": slow})
    scripted.write({"a": "ppppffpppp" + "p" * 30})
    (scripted.path / "log.txt").unlink()
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *PLAIN, "--llmrel-json=r.json"],
        cwd=scripted.path, stdout=subprocess.PIPE, text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (ignored in background jobs)
    ) as process:  # fmt: skip
        until = time.monotonic() + 30
        log = scripted.path / "log.txt"
        while time.monotonic() < until and not (log.exists() and len(log.read_text().splitlines()) > 10):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, said
    (test,) = json.loads((scripted.path / "r.json").read_text())["tests"]
    assert (test["verdict"], test["passed"], test["failed"]) == ("INCONCLUSIVE", 8, 2)
    assert test["baseline"]["comparison"]["escalation"]["unfinished"] > 0
    assert scripted.counts() == [(50, 50)]


# --- wordings -----------------------------------------------------------------------------------------------

WORDINGS = '\n@krun(10{0})\n@paraphrase("q", {1})\ndef test_a(llmrel, q):\n    play(llmrel, "a")\n'


def test_wordings_are_strata(scripted: Scripted) -> None:
    """Each wording is compared with itself: what is common to both is the exact stratified p-value."""
    scripted.edit({"test_it.py": WORDINGS.format("", '"one", "two"')})
    scripted.run({"a": {"one": "p", "two": "pf"}}, "--llmrel-baseline=new", "--llmrel-baseline-runs=40")
    outcome = scripted.run({"a": {"one": "ppppppppfp", "two": "pfpfpfpfff"}})
    found = outcome.test()["baseline"]["comparison"]
    strata = [(20, 20, 9, 10), (10, 20, 4, 10)]
    assert found["strata"] == [list(stratum) for stratum in strata]
    assert found["p"] == pytest.approx(stratified(*strata), rel=1e-9)
    red = scripted.run({"a": {"one": "f", "two": "pf"}})
    assert gate(red)["observed"] == f"p = {stratified((20, 20, 0, 10), (10, 20, 5, 10)):.2g}"
    assert red.ret == 1


def test_a_wording_was_added(scripted: Scripted) -> None:
    """What is new has nothing to be compared with; the other is judged, with the drop that it can see."""
    scripted.edit({"test_it.py": WORDINGS.format("", '"one", "two"')})
    both = {"a": {"one": "p", "two": "p", "three": "p"}}
    scripted.run(both, "--llmrel-baseline=new")
    scripted.edit({"test_it.py": WORDINGS.format("", '"one", "three"')})
    found = scripted.run(both).test()["baseline"]["comparison"]
    assert found["strata"] == [[25, 25, 10, 10]]
    alone = Scripted(scripted.pytester, pytest.MonkeyPatch(), plain("a"))
    alone.file().unlink()
    alone.run("p", "--llmrel-baseline=new", "--llmrel-baseline-runs=25")
    expected = alone.run("p").test()["baseline"]["comparison"]["detectable_drop"]
    assert found["detectable_drop"] == pytest.approx(expected)


def test_a_wording_was_added_and_fails(scripted: Scripted) -> None:
    """The old wording decides; update remembers the new one from then on."""
    scripted.edit({"test_it.py": WORDINGS.format(", pass_rate=0.3", '"one"')})
    scripted.run({"a": {"one": "p", "two": "f"}}, "--llmrel-baseline=new")
    scripted.edit({"test_it.py": WORDINGS.format(", pass_rate=0.3", '"one", "two"')})
    outcome = scripted.run({"a": {"one": "p", "two": "f"}}, "--llmrel-baseline=update").outcomes(passed=1)
    assert outcome.test()["baseline"]["comparison"]["strata"] == [[50, 50, 10, 10]]
    assert scripted.counts() == [(50, 50), (10, 20)]
    again = scripted.run({"a": {"one": "p", "two": "f"}}).test()["baseline"]["comparison"]
    assert again["strata"] == [[60, 60, 10, 10], [0, 10, 0, 10]]


@pytest.mark.parametrize("mark", ["", ", pass_rate=0.2"])
def test_nothing_in_common_with_the_baseline_is_said(scripted: Scripted, mark: str) -> None:
    """All wordings are new: inconclusive without a gate, and with one at least said, however quietly."""
    scripted.edit({"test_it.py": WORDINGS.format(mark, '"one", "two"')})
    scripted.run("p", "--llmrel-baseline=new")
    scripted.edit({"test_it.py": WORDINGS.format(mark, '"three", "four"')})
    outcome = scripted.run("ppppffffff", "-q")
    assert outcome.test()["baseline"]["comparison"] is None
    assert outcome.test()["verdict"] == ("PASS" if mark else "INCONCLUSIVE")
    assert "not compared with their baselines: test_it.py::test_a" in outcome.out
