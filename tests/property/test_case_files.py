"""Laws of files of cases: the same rows are the same cases in every format, and no bytes do any harm."""

import csv
import io
import json
import tempfile
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.core.case import Case
from pytest_llmrel.datasets.lint import lint
from pytest_llmrel.datasets.read import read_cases
from pytest_llmrel.errors import DatasetError

SUFFIXES = ["jsonl", "json", "csv", "toml"]
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
names = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters=";"),
    min_size=1,
    max_size=6,
)
"""Without the semicolon: CSV with one column whose name has one is taken for columns separated by it."""


def is_name(name: str) -> bool:
    """Whether a column may be called so."""
    return name == name.strip() and all(unicodedata.category(one)[0] != "C" for one in name)


@st.composite
def rows(draw: st.DrawFn, values: st.SearchStrategy[Any] = texts) -> list[dict[str, Any]]:
    """Different rows with the same columns, none of which is the id."""
    columns = draw(
        st.lists(
            names.filter(lambda name: is_name(name) and name != "id"), min_size=1, max_size=4, unique=True
        )
    )
    made = draw(st.lists(st.fixed_dictionaries(dict.fromkeys(columns, values)), min_size=1, max_size=5))
    return list({json.dumps(row, sort_keys=True): row for row in made}.values())


def written(suffix: str, made: list[dict[str, Any]]) -> str:
    """The rows in that format."""
    if suffix == "jsonl":
        return "".join(f"{json.dumps(row)}\n" for row in made)
    if suffix == "json":
        return json.dumps(made, ensure_ascii=False, indent=1)
    if suffix == "csv":
        file = io.StringIO()
        writer = csv.DictWriter(file, list(made[0]), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(made)
        return file.getvalue()
    quoted = [{quote(name): quote(value) for name, value in row.items()} for row in made]
    tables = ("".join(f"{name} = {value}\n" for name, value in row.items()) for row in quoted)
    return "".join(f"[[case]]\n{table}" for table in tables)


def quote(text: str) -> str:
    """A text of TOML: as in JSON, but that characters beyond 65,535 are written as they are."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", r"\u007f")


def read(suffix: str, data: bytes) -> tuple[Case, ...]:
    """The cases of a file with these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"a.{suffix}")
        path.write_bytes(data)
        return read_cases(path)


@given(rows())
def test_every_format_gives_the_same_cases(made: list[dict[str, str]]) -> None:
    """Rows of texts written in any format are read as the same cases, ids included."""
    found = [read(suffix, written(suffix, made).encode()) for suffix in SUFFIXES]
    assert [{name: case[name] for name in case} for case in found[0]] == made
    assert all(cases == found[0] for cases in found[1:])


@given(rows(), st.randoms(use_true_random=False))
def test_the_order_of_columns_and_rows_changes_no_id(made: list[dict[str, str]], rng: Any) -> None:
    """An id stands for the content of its row alone."""
    before = {case.id for case in read("jsonl", written("jsonl", made).encode())}
    shuffled = []
    for row in made:
        items = list(row.items())
        rng.shuffle(items)
        shuffled.append(dict(items))
    rng.shuffle(shuffled)
    assert {case.id for case in read("json", written("json", shuffled).encode())} == before


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@given(rows(json_values))
def test_json_is_read_as_it_was_written(made: list[dict[str, Any]]) -> None:
    """Values of every kind, on lines and in a list alike."""
    lines, listed = (read(suffix, written(suffix, made).encode()) for suffix in ("jsonl", "json"))
    assert lines == listed
    assert [{name: case[name] for name in case} for case in lines] == made


pieces = st.sampled_from(
    [
        b"\n", b"\r\n", b"\r", b'"', b"'", b",", b":", b"[", b"]", b"{", b"}", b"[[case]]", b"q", b" ", b"- ", b"id", b"=", b"#",
        b"1", b"e999", b"NaN", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xed\xa0\x80", b"\\ud800", b"\\u0000",
        b"&a ", b"*a", b"!!binary ", b"!!timestamp ", b"---", b"'''", b'"""', b'{"q": "x"}', b"q = 1\n", b"2026-02-30", b"0x", b"%",
    ]
)  # fmt: skip
anything = st.binary(max_size=60) | st.lists(pieces, max_size=14).map(b"".join)


@pytest.mark.parametrize("suffix", [*SUFFIXES, "yaml"])
@given(data=anything)
def test_no_bytes_do_any_harm(suffix: str, data: bytes) -> None:
    """Any file gives cases or a list of problems; the cases have unique, visible ids and can be shown and linted."""
    if suffix == "yaml":
        pytest.importorskip("yaml")
    cases, problems = read_or_refused(suffix, data)
    assert bool(cases) != bool(problems)
    assert len(problems) <= 51
    assert all(f"a.{suffix}" in problem and len(problem) < 1000 for problem in problems)
    assert len({case.id for case in cases}) == len(cases)
    assert all(case.id.strip() == case.id != "" and case.id.isprintable() for case in cases)
    assert all(repr(case).isprintable() for case in cases)
    if any(isinstance(case[name], str) for case in cases for name in case):
        question = next(name for case in cases for name in case if isinstance(case[name], str))
        assert all(finding.detail.isprintable() for finding in lint(cases, question=question))


def read_or_refused(suffix: str, data: bytes) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """The cases of a file with these bytes, or its problems."""
    try:
        return read(suffix, data), ()
    except DatasetError as error:
        return (), error.problems


questions = st.lists(
    st.sampled_from("how long may i keep an item a or the thing not 30 60 days".split()), max_size=9
)


@given(st.lists(st.tuples(questions, st.sampled_from(["x", "y", ""])), min_size=1, max_size=9))
def test_a_case_is_told_with_an_earlier_one(made: list[tuple[list[str], str]]) -> None:
    """Repetitions lead from a case to one before it, once for each; equal questions are always told."""
    cases = [
        Case(str(number), ("question", "expected"), (" ".join(words), said))
        for number, (words, said) in enumerate(made)
    ]
    found = [one for one in lint(cases) if one.other is not None]
    assert all(one.other is not None and one.other < one.case for one in found)
    assert len({one.case for one in found}) == len(found)
    asked = [case.question for case in cases]
    repeated = {number for number, text in enumerate(asked) if text and text in asked[:number]}
    assert repeated == {one.case for one in found if one.kind in {"duplicate", "contradiction"}}
