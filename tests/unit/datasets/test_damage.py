"""Files that are damaged: every mistake is told with its line, and nothing of the file is used."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_llmrel.datasets.read import read_cases
from pytest_llmrel.errors import DatasetError, UsageProblem

Write = Callable[[str, bytes | str], Path]
Told = Callable[[str, bytes | str], list[str]]


def starts(problems: list[str], *beginnings: str) -> None:
    """There are so many problems, and each begins like that."""
    assert len(problems) == len(beginnings), problems
    for problem, beginning in zip(problems, beginnings, strict=True):
        assert problem.startswith(beginning), (problem, beginning)


def test_all_mistakes_of_a_jsonl_file(told: Told) -> None:
    """Of every kind, in the order of the lines, the bytes and columns where they mean something."""
    rows = [
        b'{"id": "a", "q": "x"}',
        b'{"id": "a", "q": "y"}',
        b'{"id": "c"}',
        b'{"id": "d", "q": "x", "expcted": 1}',
        b'{"id": "e", "q": 1, "q": 2}',
        b'{"id": "f", "q": {"n": NaN, "m": -Infinity}}',
        b'{"id": "g", "q": "\xff\xfe"}',
        b'{"id": "h", "q": "\x00"}',
        b'["i", "x"]',
        b'{"id": "j", "q": "x"} {}',
        b'{"id": "k", "q": ',
        b"<<<<<<< HEAD",
        b'{"id": true, "q": 1e999}',
        b"[" * 100_000,
        b'{"id": "o", "q": ' + b"1" * 5000 + b"}",
        b"{}",
        b'{"id": " p", "q": "x", "": 1, "a\\tb": 2}',
        b'{"id": "q", "q": ' + b"[" * 200 + b"]" * 200 + b"}",
    ]
    starts(
        told("a.jsonl", b"\r\n".join(rows)),
        "a.jsonl:2: id 'a' is that of line 1, too; give each case its own",
        "a.jsonl:3: without q, as line 1 has; write null or an empty text for none",
        "a.jsonl:4: with expcted, which most rows have not: give it to all, or rename it",
        "a.jsonl:5: key 'q' is there twice in one object; remove one",
        "a.jsonl:6: -Infinity is no number in JSON; write null, or a text",
        "a.jsonl:6: NaN is no number in JSON; write null, or a text",
        "a.jsonl:7:19: byte 0xff is not UTF-8 (invalid start byte); save the file as UTF-8",
        "a.jsonl:8:19: a NUL byte: is this a text file?",
        "a.jsonl:9: a list is no object; each line of a .jsonl file is one object",
        "a.jsonl:10:23: more after the end of the object",
        "a.jsonl:11:18: not JSON (Expecting value)",
        "a.jsonl:12: the marker of a merge conflict; resolve it",
        "a.jsonl:13: id is true; give a text or a whole number",
        "a.jsonl:13: q: inf is no number",
        "a.jsonl:14: not readable as JSON (nested too deeply)",
        "a.jsonl:15: not readable as JSON (a number is too long)",
        "a.jsonl:16: a row without columns",
        "a.jsonl:17: column '' has no name that can be typed",
        r"a.jsonl:17: column 'a\tb' has no name that can be typed",
        "a.jsonl:17: id ' p' has spaces around it",
        r"a.jsonl:17: with '', 'a\tb', which most rows have not",
        "a.jsonl:18: q: nested deeper than 100 levels",
    )


def test_all_mistakes_of_a_json_file(told: Told) -> None:
    """Up to the first place that is no JSON at all; rows in one line are told apart by their columns."""
    content = '[{"q": 1}, {"q": 1},\n  {"q": 1}, 3, {"q": 1, "q": 2},\n {"r": 3}, {"q": [NaN]}\n {"q": 5}]'
    starts(
        told("a.json", content),
        "a.json:1:12: the same as case 1 of this line; remove one of them, or give each case an id",
        "a.json:2: key 'q' is there twice in one object",
        "a.json:2:3: the same as line 1; remove one of them",
        "a.json:2:13: 3 is no object; a .json file is one list of objects",
        "a.json:3: NaN is no number in JSON",
        "a.json:3:2: without q, as line 1 has",
        "a.json:4:2: not JSON (no ',' or ']' after a row)",
    )


def test_places_are_characters_and_names_are_as_they_are_written(told: Told) -> None:
    """Whatever alphabets stand before a mistake, and however many rows there are in one line."""
    starts(
        told("a.json", '[{"名": "é😀"},\n {"名": 1, "名": 2}, {"名": "é"}, {"名": "é😀"}, {"名": "ß"} "é"]'),
        "a.json:2: key '名' is there twice in one object",
        "a.json:2:32: the same as line 1",
        "a.json:2:56: not JSON (no ',' or ']' after a row)",
    )
    starts(told("a.json", '[{"名": "é😀", x}]'), "a.json:1:14: not JSON (Expecting property name")
    starts(told("a.json", "é"), "a.json:1:1: begins with 'é'")
    starts(told("a.jsonl", '{"名": "é😀", x}'), "a.jsonl:1:13: not JSON (Expecting property name")
    starts(told("a.toml", '[[case]]\n"名" = "é😀" x'), "a.toml:2:12: not TOML (")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"cases": []}', "a.json:1:1: begins with '{'; a .json file is one list of objects"),
        ("\n\n 3", "a.json:3:2: begins with '3'"),
        ('[{"q": 1},\n]', "a.json:2:1: not JSON (Expecting value)"),
        ('[{"q": 1}', "a.json:1:10: not JSON (the list has no end)"),
        ('[{"q": 1},', "a.json:1:11: not JSON (Expecting value)"),
        ('[{"q": 1}]\n]', "a.json:2:1: more after the end of the list"),
        ('[\n{"q":\n tru}]', "a.json:3:2: not JSON (Expecting value)"),
        ('[\n{"q": 1}, {"q": "\n"}]', "a.json:2:18: not JSON (Invalid control character at)"),
        ("[\n" + "[" * 100_000, "a.json:2: not readable as JSON (nested too deeply)"),
        (b'[\n{"q": "\xe9"}]', "a.json:2:8: byte 0xe9 is not UTF-8"),
        ('[\n{"q": "\0"}]', "a.json:2:8: a NUL byte"),
        ("[]", "a.json: holds no cases; write one at least"),
    ],
)
def test_json_that_is_none(content: bytes | str, problem: str, told: Told) -> None:
    """Line and column of where it ceases to be a list of objects."""
    starts(told("a.json", content), problem)


def test_all_mistakes_of_a_csv_file(told: Told) -> None:
    """Short and long rows, quotes at the wrong place, and what any format may have."""
    rows = [
        b"id,q",
        b"1,x",
        b"2",
        b"3,y,z",
        b'4,"a"b',
        b"1,\xc3",
        b"5,\x00",
        b",x",
        b"1,z",
        b'6,"x',
        b"",
        b"7,x",
    ]
    starts(
        told("a.csv", b"\r\n".join(rows)),
        "a.csv:3: has 1 of 2 cells: without q",
        "a.csv:4: has 3 cells, and there are 2 columns: 'z' is in none; a cell with quotes, commas",
        "a.csv:5: not CSV (',' expected after '\"')",
        "a.csv:6: id '1' is that of line 2, too",
        "a.csv:6:3: byte 0xc3 is not UTF-8",
        "a.csv:7:3: a NUL byte",
        "a.csv:8: id is empty; give one, or remove the column",
        "a.csv:9: id '1' is that of line 2, too",
        "a.csv:10: not CSV (a quoted cell has no end)",
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("id;q\n1;x\n", "a.csv:1: the columns are separated by ';'; separate them by commas"),
        ("id\tq\n1\tx\n", r"a.csv:1: the columns are separated by '\t'"),
        ("id,q,id\n1,x,2\n", "a.csv:1: column 'id' is there twice; rename one"),
        ("id,q\n", "a.csv: holds no cases"),
        ("id, q\n1,x\n", "a.csv:2: column ' q' has no name that can be typed; rename it"),
        ("a,b\n1,2\n3,4\n1,2\n", "a.csv:4: the same as line 2; remove one of them, or give each case an id"),
    ],
)
def test_csv_that_is_meant_otherwise(content: str, problem: str, told: Told) -> None:
    """Another separator, two columns of one name, no rows, and spaces that nobody sees."""
    starts(told("a.csv", content), problem)


def test_all_mistakes_of_a_toml_file(told: Told) -> None:
    """Each table is read by itself, so one that is none does not hide the next."""
    content = 'x = 1\n[[case]]\nq = "a"\n[[case]]\nq =\n[[case]]\nq = 1\nq = 2\n[[case]]\nq = inf\n[z]\n[[case]]\nq = "b'
    starts(
        told("a.toml", content),
        "a.toml:1: x belongs to no case; write [[case]] before each case",
        "a.toml:5:4: not TOML (Invalid value)",
        "a.toml:8:6: not TOML (Cannot overwrite a value)",
        "a.toml:9: q: inf is no number",
        "a.toml:9: z belongs to no case",
        "a.toml:13: not TOML (",
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("case = 3", "a.toml:1: 'case' is written in another way; write [[case]] before each case"),
        ("case = [{q = 1}]", "a.toml:1: 'case' is written in another way"),
        ("[case]\nq = 1", "a.toml:1: 'case' is written in another way"),
        ("# nothing", "a.toml: holds no cases"),
        ("[[case]]\nq = '''\n[[case]]\n", "a.toml:3: not TOML (Expected \"'''\")"),
        ("[[case]]\nq = 0x" + "f" * 5000, "a.toml:1: q: a number is too long; write it as a text"),
        ("[[case]]\nq = " + "[" * 50_000, "a.toml:1: not TOML (nested too deeply"),
        ("[[case]]\nd = 2026-02-30", "a.toml:2:5: not TOML (Invalid date or datetime)"),
        (b"[[case]]\nq = '\xff'", "a.toml:2:6: byte 0xff is not UTF-8"),
    ],
)
def test_toml_that_is_none(content: bytes | str, problem: str, told: Told) -> None:
    """With its line, as far as there is one."""
    starts(told("a.toml", content), problem)


def test_all_mistakes_of_a_yaml_file(told: Told) -> None:
    """What a loader would take without a word, too: keys that are there twice or no texts."""
    pytest.importorskip("yaml")
    content = "- q: 1\n- {q: 1}\n- {q: 1, q: 2}\n- x\n- q: {yes: 2, 3: 4}\n- q: .nan\n- q: !!set {a}\n- q: !!timestamp a\n- q: 1\n  r: 2\n- q: [\n"
    starts(
        told("a.yaml", content),
        "a.yaml:2: the same as line 1; remove one of them",
        "a.yaml:3:10: key 'q' is there twice in one mapping; remove one",
        "a.yaml:4:3: a scalar is no mapping; a YAML file of cases is one list of mappings",
        "a.yaml:5:7: key 'yes' is no text; put it in quotes",
        "a.yaml:5:15: key '3' is no text; put it in quotes",
        "a.yaml:6: q: nan is no number",
        "a.yaml:7: q: a set can be in no other format",
        "a.yaml:8: not readable as YAML (AttributeError",
        "a.yaml:9: with r, which most rows have not",
        "a.yaml:12:1: not readable as YAML (",
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("# nothing\n", "a.yaml: holds no cases"),
        ("a: 1\nb: 2", "a.yaml:1:1: holds no list"),
        ("- q: 1\n---\n- q: 2\n", "a.yaml:2: a second document begins"),
        ("- q: 1\n- q: 2026-13-45", "a.yaml:2: not readable as YAML (ValueError: month must be in 1..12)"),
        ("- q: 1\n- q: \x07", "a.yaml:2: not readable as YAML ("),
        ("- q: " + "[" * 50_000, "a.yaml"),
        (b"- q: 1\n- q: \xff", "a.yaml:2:6: byte 0xff is not UTF-8"),
    ],
)
def test_yaml_that_is_none(content: bytes | str, problem: str, told: Told) -> None:
    """With its line, as far as there is one."""
    pytest.importorskip("yaml")
    starts(told("a.yaml", content), problem)


def test_a_row_of_yaml_that_fails_leaves_nothing_to_the_next(told: Told) -> None:
    """What was half made of it is forgotten: the next row is sound, and is not told."""
    pytest.importorskip("yaml")
    starts(
        told("a.yaml", "- a: {b: [!!timestamp x], c: !!timestamp x}\n- a: {b: []}\n"),
        "a.yaml:1: not readable as YAML (Attr",
    )


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.toml", "a.yaml"])
@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_a_file_without_cases(name: str, content: bytes, told: Told) -> None:
    """Is never a dataset of no cases: a test over it would pass without having run."""
    if name == "a.yaml":
        pytest.importorskip("yaml")
    (problem,) = told(name, content)
    assert "no cases" in problem or ("column ' '" in problem and name == "a.csv")


def test_places_where_there_is_no_file(tmp_path: Path, write: Write) -> None:
    """A missing file, a folder, a pipe (which nobody waits for), a suffix that says nothing."""
    os.mkfifo(tmp_path / "pipe.jsonl")
    for path, said in (
        (tmp_path / "no.jsonl", "no such file; write the cases there, or correct the path"),
        (tmp_path / "\0.jsonl", "no such file"),
        (tmp_path, "a folder; name the file of the cases"),
        (tmp_path / "pipe.jsonl", "not a regular file"),
        (
            write("a.xlsx", "x"),
            "nothing is known of such a suffix; there are .csv, .json, .jsonl, .toml, .yaml, .yml",
        ),
        (write("a.jsonl", '{"q": 1}') / "x.jsonl", "no such file"),
    ):
        with pytest.raises(DatasetError) as caught:
            read_cases(path)
        assert caught.value.problems == (str(caught.value),)
        assert str(caught.value).startswith(f"{path}: {said}")
        assert isinstance(caught.value, UsageProblem)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(write: Write) -> None:
    """Says so, and what to look at."""
    path = write("a.jsonl", '{"q": 1}')
    path.chmod(0)
    with pytest.raises(DatasetError, match=r"cannot be read .*; check its permissions"):
        read_cases(path)


def test_many_mistakes_are_told_in_part(told: Told) -> None:
    """The first fifty, and how many more there are."""
    problems = told("a.jsonl", "[]\n" * 1234)
    assert len(problems) == 51
    assert problems[49].startswith("a.jsonl:50: a list is no object")
    assert problems[50] == "a.jsonl: and 1184 more problems"


def test_nothing_is_quoted_whole(told: Told) -> None:
    """Whatever the file holds, a message stays short and without anything that a terminal obeys."""
    long = "\\u001b[31m" * 100_000
    rows = [
        f'{{"id": "{long}", "q": 1}}',
        f'"{long}"',
        f'{{"{long}": 1, "{long}": 2}}',
        f'{{"id": "a\\n", "q": "{long}"}}',
        f'{{"id": "{"a" * 201}", "q": 1}}',
    ]
    problems = told("a.jsonl", "\n".join(rows))
    assert len(problems) >= 5
    assert max(map(len, problems)) < 400
    assert all(problem.isprintable() for problem in problems)
    assert "a.jsonl:5: id 'aaaa" in problems[-2] + problems[-1]


def test_columns_that_no_two_rows_share(told: Told) -> None:
    """Then there is no row to compare with, and every row is told."""
    starts(
        told("a.jsonl", '{"a": 1}\n{"b": 2}\n'),
        "a.jsonl:1: without b, as line 2 has",
        "a.jsonl:2: without a, as",
    )
    problems = told("a.jsonl", '{"a": 1, "x": 1}\n{"b": 2, "x": 1}\n{"c": 2, "x": 1}\n')
    assert [problem[:9] for problem in problems] == ["a.jsonl:1", "a.jsonl:2", "a.jsonl:3"]
