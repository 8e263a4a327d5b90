"""Golden cases are read from every format to the same cases, with ids that stay."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_llmrel.core.case import Case
from pytest_llmrel.datasets.read import Dataset, read_cases, read_dataset
from pytest_llmrel.errors import DatasetError

Write = Callable[[str, bytes | str], Path]
FILES = {
    "a.jsonl": '{"question": "How long?", "expected": "30 days"}\n\n{"question": "Grüße", "expected": ""}\n',
    "a.json": '[{"question": "How long?", "expected": "30 days"},\n{"expected": "", "question": "Grüße"}]',
    "a.csv": 'question,expected\nHow long?,30 days\n"Grüße",\n',
    "a.toml": '[[case]]\nquestion = "How long?"\nexpected = "30 days"\n[[ case ]] # c\nexpected = ""\nquestion = \'Grüße\'',
    "a.yaml": '- question: How long?\n  expected: 30 days\n- {question: Grüße, expected: ""}\n',
    "a.YML": "---\n- question: How long?\n  expected: 30 days\n-\n  expected: ''\n  question: Grüße\n",
}
LINES = {
    "a.jsonl": [1, 3],
    "a.json": [1, 2],
    "a.csv": [2, 3],
    "a.toml": [1, 4],
    "a.yaml": [1, 3],
    "a.YML": [2, 5],
}


def read(write: Write, name: str, content: bytes | str) -> tuple[Case, ...]:
    """The cases of a file that is made for it."""
    if name.lower().endswith((".yaml", ".yml")):
        pytest.importorskip("yaml")
    return read_cases(write(name, content))


@pytest.mark.parametrize("name", FILES)
def test_every_format_gives_the_same(name: str, write: Write) -> None:
    """The same fields, and the same ids, whatever the format and the order of the columns."""
    cases = read(write, name, FILES[name])
    assert [case.question for case in cases] == ["How long?", "Grüße"]
    assert [case.expected for case in cases] == ["30 days", ""]
    assert [case.id for case in cases] == ["a76ed34c824f", "70f68f3284d3"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("change", ["bom", "crlf", "both"])
def test_a_mark_at_the_start_and_other_line_ends_are_no_matter(name: str, change: str, write: Write) -> None:
    """Editors on other systems write them; cases and lines are the same."""
    content = FILES[name].replace("\n", "\r\n") if change != "bom" else FILES[name]
    data = (b"\xef\xbb\xbf" if change != "crlf" else b"") + content.encode()
    assert read(write, name, data) == read(write, name, FILES[name])


@pytest.mark.parametrize("name", FILES)
def test_every_case_has_its_line(name: str, write: Write) -> None:
    """The one in which it begins."""
    if name.lower().endswith((".yaml", ".yml")):
        pytest.importorskip("yaml")
    dataset = read_dataset(write(name, FILES[name]))
    assert isinstance(dataset, Dataset)
    assert list(dataset.lines) == LINES[name]
    assert dataset.path.name == name


def test_ids_are_those_of_the_column(write: Write) -> None:
    """As text, also whole numbers; the field itself stays what it is."""
    cases = read(write, "a.jsonl", '{"id": "x-1", "q": 1}\n{"id": 7, "q": 1}\n')
    assert [case.id for case in cases] == ["x-1", "7"]
    assert cases[1]["id"] == 7


def test_an_id_from_content_does_not_hang_on_its_neighbours(write: Write) -> None:
    """Rows may be moved, added and removed; each keeps its id. One more column changes it."""
    rows = [f'{{"q": "{number}"}}\n' for number in range(5)]
    before = {case.q: case.id for case in read(write, "a.jsonl", "".join(rows))}
    after = {case.q: case.id for case in read(write, "a.jsonl", "".join(rows[3:0:-1]))}
    assert after.items() <= before.items()
    assert read(write, "a.jsonl", '{"q": "1", "n": null}')[0].id not in before.values()


def test_types_are_those_of_the_format(write: Write) -> None:
    """JSON, TOML and YAML have numbers, lists and objects; a date counts in the id as its ISO text does."""
    (toml,) = read(write, "a.toml", '[[case]]\nn = 1\nx = 0.5\nlist = ["a"]\n[case.meta]\nday = 2026-01-31')
    (json,) = read(write, "a.json", '[{"n": 1, "x": 0.5, "list": ["a"], "meta": {"day": "2026-01-31"}}]')
    assert (toml.n, toml.x, toml.list, toml.meta["day"].year) == (1, 0.5, ["a"], 2026)
    assert toml.id == json.id
    (csv,) = read(write, "a.csv", "n,x\n1,\n")
    assert (csv.n, csv.x) == ("1", "")


def test_csv_has_cells_over_several_lines(write: Write) -> None:
    """Quotes, commas and line breaks within quotes; lines are counted as an editor counts them."""
    path = write("a.csv", '\n"a","b"\n"x, ""y""\nz",2\n\nq,"\r\n"\nlast,3')
    dataset = read_dataset(path)
    assert [(case.a, case.b) for case in dataset.cases] == [('x, "y"\nz', "2"), ("q", "\r\n"), ("last", "3")]
    assert list(dataset.lines) == [3, 6, 8]


def test_toml_may_speak_of_toml(write: Write) -> None:
    """A text of several lines in which one looks like the header of a case is a text; lines are right behind it."""
    content = '# ours\n[[case]]\nq = """\n[[case]]\nq = 1\n"""\n[[case]]\nq = [\n  [["case"]]\n]\n\n[[case]]\nq = "c"\n'
    dataset = read_dataset(write("a.toml", content))
    assert [case.q for case in dataset.cases] == ["[[case]]\nq = 1\n", [[["case"]]], "c"]
    assert list(dataset.lines) == [2, 7, 12]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.toml", "a.yaml"])
def test_a_field_of_ten_megabytes(name: str, write: Write) -> None:
    """Is a field like any other, and leaves no trace in the process."""
    import csv

    former = csv.field_size_limit(99)
    long = "long € " * 1_250_000
    content = {
        "a.jsonl": f'{{"q": "{long}"}}\n',
        "a.json": f'[{{"q": "{long}"}}]',
        "a.csv": f'q\n"{long}"\n',
        "a.toml": f'[[case]]\nq = "{long}"\n',
        "a.yaml": f'- q: "{long}"\n',
    }[name]
    (case,) = read(write, name, content)
    assert case.q == long
    assert csv.field_size_limit(former) == 99
    assert len(repr(case)) < 100


def test_rows_share_their_names(write: Write) -> None:
    """A hundred thousand rows do not have a hundred thousand lists of columns."""
    cases = read(write, "a.jsonl", "".join(f'{{"a": {number}, "b": 1}}\n' for number in range(50)))
    assert len({id(case._Case__names) for case in cases}) == 1


def test_yaml_without_pyyaml_says_how_to_get_it(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra; the message is the command."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.delitem(sys.modules, "pytest_llmrel.datasets.yamlrows", raising=False)
    with pytest.raises(
        DatasetError, match=r"a\.yaml: YAML needs PyYAML; run: pip install pytest-llmrel\[yaml\]"
    ):
        read_cases(write("a.yaml", "- q: 1"))


def test_yaml_runs_nothing_and_multiplies_nothing(write: Write) -> None:
    """Tags that make objects are refused; so are aliases, wherever they stand, at their place."""
    pytest.importorskip("yaml")
    laughs = "- a: &a [x, x]\n- a: &b [*a, *a]\n- a: [*b, *b]\n- &r [*r]\n- a: !!python/object/apply:os.system [ls]\n"
    with pytest.raises(DatasetError) as caught:
        read_cases(write("a.yaml", laughs))
    places = [problem.rpartition("/")[2].partition(": ")[0] for problem in caught.value.problems]
    assert places[:5] == ["a.yaml:2:10", "a.yaml:2:14", "a.yaml:3:7", "a.yaml:3:11", "a.yaml:4:7"]
    assert sum("an alias ('*name') is not read" in problem for problem in caught.value.problems) == 5
    assert "could not determine a constructor for the tag" in str(caught.value)
