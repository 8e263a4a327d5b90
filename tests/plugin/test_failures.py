"""Equal failures are shown once, with a count, the wordings they hit and one sample."""

from typing import Any

import pytest
from example import Outcome, example

HEAD = """
import logging
import pytest
from pytest_llmrel import krun, paraphrase

"""


def body(text: str, mark: str, pytester: pytest.Pytester, *args: str) -> Outcome:
    """A test with this body."""
    indented = "\n".join(f"    {line}" for line in text.strip("\n").splitlines())
    return example(f"{HEAD}\n@krun({mark})\ndef test_it(llmrel):\n{indented}\n").run(pytester, *args)


def shape(outcome: Outcome) -> list[tuple[int, str]]:
    """Count and type of each group, as reported."""
    return [(group["count"], group["type"]) for group in outcome.test()["failures"]]


@pytest.mark.parametrize(
    "message",
    [
        "f'got {llmrel.index} items'",
        "f'took {llmrel.index}.{llmrel.index}5 s'",
        "f'<object at 0x{llmrel.index + 1000:x}>'",
        "f'answer {\"abcdefgh\"[llmrel.index]!r} is wrong'",
        "f'id 0000000{llmrel.index}-1111-2222-3333-444444444444'",
        "f'same first line\\n{llmrel.index} more'",
    ],
)
def test_what_differs_from_run_to_run_is_left_out(pytester: pytest.Pytester, message: str) -> None:
    """Numbers, addresses, quoted text, ids and later lines make no new kind of failure."""
    outcome = body(f"raise ValueError({message})", "8", pytester)
    assert shape(outcome) == [(8, "ValueError")]
    assert "8 runs failed: ValueError at test_it.py:8:" in outcome.out


def test_a_different_answer_is_the_same_assertion(pytester: pytest.Pytester) -> None:
    """The same assertion on different answers is one group; the sample shows one answer as pytest would."""
    outcome = body(
        "answer = 'It is ' + 'abcdefgh'[llmrel.index] * 5\nassert '30 days' in answer", "8", pytester
    )
    assert shape(outcome) == [(8, "AssertionError")]
    assert "assert '30 days' in 'It is aaaaa'" in outcome.out
    assert "bbbbb" not in outcome.out


def test_kinds_are_told_apart(pytester: pytest.Pytester) -> None:
    """Type, line and words of the message each make a kind of their own, most frequent first."""
    text = """
if llmrel.index < 1: raise ValueError("cold")
if llmrel.index < 3: raise KeyError("cold")
if llmrel.index < 6: raise ValueError("hot")
if llmrel.index < 10: raise ValueError("hot")
"""
    outcome = body(text, "10", pytester)
    assert shape(outcome) == [(4, "ValueError"), (3, "ValueError"), (2, "KeyError"), (1, "ValueError")]
    places = [group["location"] for group in outcome.test()["failures"]]
    assert places == ["test_it.py:11", "test_it.py:10", "test_it.py:9", "test_it.py:8"]


def test_the_line_is_the_users(pytester: pytest.Pytester) -> None:
    """A failure in a library is located at the innermost line of the project's own code."""
    outcome = body("import json\njson.loads('no json')", "2", pytester)
    (group,) = outcome.test()["failures"]
    assert (group["type"], group["location"]) == ("JSONDecodeError", "test_it.py:9")


def test_wordings_hit(pytester: pytest.Pytester) -> None:
    """A group says which wordings it hit, and how often."""
    source = f"""{HEAD}
@krun(3)
@paraphrase("q", "fine", "terse", "rude")
def test_it(q, llmrel):
    llmrel.output(f"answer to {{q}}")
    assert q == "fine" or (q == "rude" and llmrel.index == 0)
"""
    outcome = example(source).run(pytester)
    (group,) = outcome.test()["failures"]
    assert group["variants"] == {"terse": 3, "rude": 2}
    assert group["sample"]["variant"] in {"terse", "rude"}
    outcome.session.stdout.fnmatch_lines_random(['*3 in wording "terse"*', '*2 in wording "rude"*'])


def test_one_sample_of_everything(pytester: pytest.Pytester) -> None:
    """The sample has run, seed, message, traceback, output and captured text of one and the same run."""
    text = """
llmrel.output(f"I cannot say ({llmrel.index})")
print("asked", llmrel.index)
logging.getLogger("bot").warning("slow %s", llmrel.index)
assert llmrel.index == 0, f"answer {llmrel.index}, seed {llmrel.seed}"
"""
    (group,) = body(text, "5", pytester).test()["failures"]
    sample: dict[str, Any] = group["sample"]
    run = sample["run"]
    assert run > 0
    assert sample["message"].startswith(f"answer {run}, seed {sample['seed']}")
    assert sample["output"] == f"I cannot say ({run})"
    assert sample["captured"]["stdout"] == f"asked {run}\n"
    assert f"slow {run}" in sample["captured"]["log"]
    assert "def test_it(llmrel):" in sample["traceback"]


def test_the_last_output_counts(pytester: pytest.Pytester) -> None:
    """``llmrel.output`` keeps the last text of a run, and takes what is no text."""
    outcome = body("llmrel.output('first')\nllmrel.output({'answer': 42})\nassert 0", "2", pytester)
    assert outcome.test()["failures"][0]["sample"]["output"] == "{'answer': 42}"


def test_the_terminal_shows_the_largest_groups(pytester: pytest.Pytester) -> None:
    """Many kinds do not flood the terminal; it says how many it leaves out, and JSON has them."""
    outcome = body("raise type(f'Kind{llmrel.index:02}', (Exception,), {})", "12", pytester)
    assert len(outcome.test()["failures"]) == 12
    assert outcome.out.count("1 run failed: Kind") == 5
    assert "and 7 more kinds of failure" in outcome.out


def test_endless_kinds_are_bounded(pytester: pytest.Pytester) -> None:
    """A thousand kinds of failure share a bounded report, and every run is counted."""
    outcome = body("raise type(f'Kind{llmrel.index}', (Exception,), {})", "1000", pytester)
    groups = outcome.test()["failures"]
    assert len(groups) <= 60
    assert sum(group["count"] for group in groups) == 1000
    assert "failures of other kinds" in {group["message"] for group in groups}


def test_errors_and_failures_are_separate_groups(pytester: pytest.Pytester) -> None:
    """The same exception type as error and as failure is two kinds, named as what they are."""
    source = f"""{HEAD}
@pytest.fixture
def bot(llmrel):
    if llmrel.index == 0:
        raise ValueError("odd")

@krun(3)
def test_it(bot):
    raise ValueError("odd")
"""
    outcome = example(source).run(pytester)
    assert [(g["outcome"], g["count"]) for g in outcome.test()["failures"]] == [("failed", 2), ("error", 1)]
    assert "2 runs failed: ValueError" in outcome.out
    assert "1 run ended in an error: ValueError" in outcome.out


def test_tear_downs_are_shown_beside_failures(pytester: pytest.Pytester) -> None:
    """A run that fails in body and tear-down shows both, and is one failed run."""
    source = f"""{HEAD}
@pytest.fixture
def bot():
    yield
    raise OSError("cannot close")

@krun(3)
def test_it(bot):
    assert False, "wrong answer"
"""
    outcome = example(source).run(pytester)
    assert outcome.counts() == {"failed": 3}
    assert "wrong answer" in outcome.out
    assert "cannot close" in outcome.out
    assert "the tear-down of 3 of 3 runs raised" in outcome.out


def test_several_tear_downs_raise(pytester: pytest.Pytester) -> None:
    """All finalizers run although one raises, and none of the reasons is lost."""
    source = f"""{HEAD}
@pytest.fixture
def first():
    yield
    raise OSError("first cannot close")

@pytest.fixture
def second(first):
    yield
    raise KeyError("second cannot close")

@krun(2)
def test_it(second): pass
"""
    outcome = example(source).run(pytester)
    outcome.outcomes(failed=1)
    assert "first cannot close" in outcome.out
    assert "second cannot close" in outcome.out


@pytest.mark.parametrize("style", ["long", "short", "line", "native", "no", "auto"])
def test_traceback_styles(pytester: pytest.Pytester, style: str) -> None:
    """``--tb`` is honoured: with ``no`` nothing is shown, with ``line`` one line, else the explanation."""
    outcome = body("assert llmrel.index == 9, 'wrong'", "3", pytester, f"--tb={style}")
    outcome.outcomes(failed=1)
    failures = outcome.out.partition("= FAILURES =")[2].partition("= reliability")[0]
    assert ("for example run 0" in failures) == (style not in {"no", "line"})
    assert (
        "test_it.py:6: test_it: FAIL: 0 of 3 runs passed" in outcome.out.replace(str(pytester.path) + "/", "")
    ) == (style == "line")
