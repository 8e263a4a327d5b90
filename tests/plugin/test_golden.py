"""Tests over the rows of a dataset: one item, cases x wordings x runs, judged by case."""

import json
import os
from typing import Any

import pytest
from example import Example, Outcome

ROWS = [
    {"id": "refund", "question": "How long?", "expected": "30 days"},
    {"id": "ship", "question": "How fast?", "expected": "two days"},
    {"id": "warranty", "question": "Is there a warranty?", "expected": "two years"},
]
HEAD = "from pytest_llmrel import golden, krun, paraphrase\nfrom witness import note\n\n"
FAQ = """
@krun(4, pass_rate=0.5, stop="never")
@golden("faq.jsonl")
def test_faq(case, llmrel):
    note(case.id, llmrel.case, llmrel.index, case.expected.replace(" ", "_"))
    assert case.id != "ship"
"""


def suite(source: str = FAQ, rows: Any = ROWS, **files: str) -> Example:
    """A test module and ``faq.jsonl`` beside it."""
    lines = rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows)
    return Example({"test_it.py": HEAD + source, "faq.jsonl": lines, **files})


def refused(pytester: pytest.Pytester, example: Example, *args: str) -> str:
    """What a session says that runs nothing."""
    outcome = example.run(pytester, *args)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR, outcome.out + outcome.err
    assert outcome.log() == []
    return outcome.out + outcome.err


def test_every_case_is_run_k_times_in_one_item(pytester: pytest.Pytester) -> None:
    """Columns are attributes; cases are counted apart, and the rate is the mean over them."""
    outcome = suite().run(pytester).outcomes(passed=1)
    assert sorted(outcome.log()) == sorted(
        [row["id"], row["id"], str(run), row["expected"].replace(" ", "_")]
        for row in ROWS
        for run in range(4)
    )
    test = outcome.test()
    assert test["cases"] == [
        {"id": "refund", "passed": 4, "n": 4},
        {"id": "ship", "passed": 0, "n": 4},
        {"id": "warranty", "passed": 4, "n": 4},
    ]
    assert test["metrics"]["pass_rate"]["point"] == pytest.approx(2 / 3)
    assert test["metrics"]["pass_rate"]["low"] is None, "three cases have no interval"
    assert test["clustering"]["cases"] == 3


def test_intervals_are_over_cases(pytester: pytest.Pytester) -> None:
    """Twenty cases of which five never pass: as sure as twenty things, not as a hundred; pass^k likewise."""
    source = """
        @krun(5, gates=["pass_rate >= 0.5"])
        @golden("faq.jsonl")
        def test_it(case): assert case.number >= 5
    """
    test = (
        suite(source.replace("\n        ", "\n"), [{"number": number} for number in range(20)])
        .run(pytester)
        .test()
    )
    for metric in ("pass_rate", "pass^5"):
        estimate = test["metrics"][metric]
        assert estimate["point"] == 0.75
        # Student's t with 19 degrees of freedom over twenty zeros and ones.
        half = 2.093 * (0.75 * 0.25 * 20 / 19 / 20) ** 0.5
        assert estimate["low"] == pytest.approx(0.75 - half, abs=1e-3)
        assert "clustered by case" in estimate["method"]


@pytest.mark.parametrize("style", ["def", "async def"])
def test_cases_wordings_and_runs_multiply(pytester: pytest.Pytester, style: str) -> None:
    """Wordings of the mark are asked about every case; each run gets both arguments."""
    source = f"""
@krun(2)
@golden("faq.jsonl", "row")
@paraphrase("q", "tell me", "pray tell")
{style} test_it(row, q, llmrel): note(row.id, q.replace(" ", "_"), llmrel.seed)
"""
    outcome = suite(source).run(pytester, "-p", "no:asyncio", "-p", "no:anyio").outcomes(passed=1)
    seen = outcome.log()
    assert len({tuple(line) for line in seen}) == len(seen) == 3 * 2 * 2
    assert outcome.test()["runs"] == 12
    assert [tally["n"] for tally in outcome.test()["variants"]] == [6, 6]


def test_each_case_a_test_of_its_own(pytester: pytest.Pytester) -> None:
    """Named by the id of the case, with a verdict of its own."""
    outcome = suite(FAQ.replace('"faq.jsonl"', '"faq.jsonl", each=True')).run(pytester)
    outcome.outcomes(passed=2, failed=1)
    assert list(outcome.tests) == [f"test_it.py::test_faq[{row['id']}]" for row in ROWS]
    assert outcome.test("[ship]")["verdict"] == "FAIL"
    assert outcome.test("[refund]")["runs"] == 4


def test_fixtures_may_ask_for_the_case(pytester: pytest.Pytester) -> None:
    """A function-scoped fixture gets the case of its run."""
    source = """
import pytest

@pytest.fixture
def question(case):
    return case.question

@krun(2)
@golden("faq.jsonl")
def test_it(question, case): assert question == case.question
"""
    suite(source).run(pytester).outcomes(passed=1)


def test_a_schema_gives_its_own_attributes(pytester: pytest.Pytester) -> None:
    """Rows are validated by pydantic; what does not fit is told by line and field, and nothing runs."""
    source = """
import pydantic

class Row(pydantic.BaseModel):
    id: str
    number: int = 7

@krun(1)
@golden("faq.jsonl", schema=Row)
def test_it(case): note("ran", case.number + 1)
"""
    rows = [{"id": "a", "number": "41"}, {"id": "b"}]
    assert sorted(suite(source, rows).run(pytester).outcomes(passed=1).log("ran")) == [["42"], ["8"]]
    text = refused(pytester, suite(source, [{"id": "a", "number": "x"}, {"id": "b"}, {"id": "b"}]))
    assert "faq.jsonl:1" in text
    assert "number" in text
    assert "faq.jsonl:3" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"faq.jsonl": ""}, "faq.jsonl"),
        ({"faq.jsonl": '{"id": "a"}\n{"id": "a"}\nnonsense\n'}, "faq.jsonl:3"),
        ({"faq.jsonl": '{"id": "a"}\n{"id": "a"}\nnonsense\n'}, "faq.jsonl:2"),
        ({"test_it.py": HEAD + FAQ.replace("faq.jsonl", "gone.jsonl")}, "gone.jsonl"),
        ({"test_it.py": HEAD + FAQ.replace('"faq.jsonl"', "3")}, "golden: path=3"),
        ({"test_it.py": HEAD + FAQ.replace('"faq.jsonl"', '"faq.jsonl", "row"')}, "golden: 'row' is not in the signature"),
        ({"test_it.py": HEAD + FAQ.replace("@golden", "@golden('faq.jsonl')\n@golden")}, "two golden marks"),
        ({"test_it.py": HEAD + FAQ.replace('@krun(4, pass_rate=0.5, stop="never")', "")}, "golden without krun"),
        ({"test_it.py": HEAD + FAQ.replace("@golden", "@paraphrase('case', 'a')\n@golden")}, "'case' is the argument of golden"),
        ({"test_it.py": "import pytest\n" + HEAD + FAQ.replace('@golden("faq.jsonl")', "@pytest.mark.llmrel_golden('faq.jsonl', size=3)")}, "golden has no argument 'size'"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("each", [False, True])
def test_what_cannot_be_read_runs_nothing(
    pytester: pytest.Pytester, change: dict[str, str], said: str, each: bool
) -> None:
    """A dataset that is missing or damaged, and a mark that is wrong, are usage errors, never fewer cases."""
    example = suite().with_files(change)
    if each:
        source = example.files["test_it.py"].replace('.jsonl")', '.jsonl", each=True)')
        example = example.with_files({"test_it.py": source})
    assert said in refused(pytester, example)


def test_one_case_again(pytester: pytest.Pytester) -> None:
    """The failing test says how; then only tests with that case run, and only it; the seeds are the same."""
    other = "\n@krun(2)\ndef test_other(): note('other')\n"
    failing = FAQ.replace("pass_rate=0.5", "pass_rate=0.9").replace("llmrel.index", "llmrel.seed")
    whole = suite(failing + other).run(pytester)
    assert "run one again with --llmrel-case=ship" in whole.out
    assert "2 of 3 cases passed always" in whole.out
    assert "of case ship:" in whole.out
    again = suite(failing + other).run(pytester, "--llmrel-case=ship").outcomes(failed=1, deselected=1)
    assert sorted(again.log()) == sorted(line for line in whole.log() if line[0] == "ship")
    both = suite(failing).run(pytester, "--llmrel-case=ship", "--llmrel-case=refund")
    assert both.test()["runs"] == 8
    each = suite(failing.replace('"faq.jsonl"', '"faq.jsonl", each=True'))
    each.run(pytester, "--llmrel-case=refund").outcomes(passed=1, deselected=2)


def test_a_case_that_there_is_not(pytester: pytest.Pytester) -> None:
    """Running nothing would look like success: it is a usage error that names what is near."""
    assert "did you mean refund?" in refused(pytester, suite(), "--llmrel-case=refnd")
    assert "no test has such a case" in refused(pytester, suite(), "--llmrel-case=zzz")
    mode = refused(pytester, suite(), "--llmrel-case=refund", "--llmrel-baseline=new")
    assert "would record some cases only" in mode


def test_some_cases_under_xdist(pytester: pytest.Pytester) -> None:
    """Workers choose the same cases; a wrong one is told by the controller."""
    outcome = suite().run(pytester, "-n2", "--llmrel-case=refund", subprocess=True)
    assert outcome.test()["runs"] == 4
    wrong = suite().run(pytester, "-n2", "--llmrel-case=refnd", subprocess=True)
    assert wrong.ret == pytest.ExitCode.USAGE_ERROR
    assert "did you mean refund?" in wrong.out + wrong.err


def test_baselines_are_by_case(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A case that gets worse is found; another dataset is not comparable, in another order or format it is."""
    monkeypatch.setenv("BAD", "")
    source = FAQ.replace('case.id != "ship"', "case.id != __import__('os').environ['BAD']")
    suite(source).run(pytester, "--llmrel-baseline=new", "--llmrel-baseline-runs=90").outcomes(passed=1)
    document = json.loads((pytester.path / "__baselines__/test_it.json").read_text())
    text = json.dumps(document)
    assert all(row["id"] in text for row in ROWS)

    def again(example: Example) -> Outcome:
        return example.run(pytester)

    assert again(suite(source, ROWS[::-1])).test()["baseline"]["status"] == "comparable"
    monkeypatch.setitem(os.environ, "BAD", "ship")
    worse = again(suite(source))
    assert worse.test()["verdict"] == "FAIL"
    monkeypatch.setitem(os.environ, "BAD", "")
    changed = again(suite(source, [*ROWS, {"id": "new", "question": "?", "expected": "x"}]))
    assert changed.test()["baseline"]["status"] == "not comparable"
    assert "dataset" in changed.test()["baseline"]["note"] + " ".join(changed.test()["notes"])


@pytest.mark.parametrize("stop", ["auto", "never"])
def test_cases_never_stop_early(pytester: pytest.Pytester, stop: str) -> None:
    """What the cases differ by is not known before all of them have run."""
    source = FAQ.replace('4, pass_rate=0.5, stop="never"', f"20, pass_rate=0.9, stop='{stop}'")
    assert suite(source).run(pytester).test()["runs"] == 60


def test_a_row_more_is_no_other_dataset_for_the_tests_of_single_rows(
    pytester: pytest.Pytester,
) -> None:
    """With ``each=True`` a baseline belongs to its row: it survives new rows, and not a changed one."""
    source = FAQ.replace('"faq.jsonl"', '"faq.jsonl", each=True').replace('case.id != "ship"', "True")
    suite(source).run(pytester, "--llmrel-baseline=new", "--llmrel-baseline-runs=4").outcomes(passed=3)
    changed = [ROWS[0] | {"expected": "14 days"}, *ROWS[1:], {"id": "new", "question": "?", "expected": "x"}]
    outcome = suite(source, changed).run(pytester).outcomes(passed=4)
    status = {
        name: outcome.test(f"[{name}]")["baseline"]["status"] for name in ("refund", "ship", "warranty")
    }
    assert status == {"refund": "not comparable", "ship": "comparable", "warranty": "comparable"}
