"""A schema: rows become the user's model, and its complaints problems with a line."""

import pickle
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from pytest_llmrel.datasets.read import read_cases
from pytest_llmrel.errors import DatasetError

Write = Callable[[str, bytes | str], Path]


class Person(BaseModel):
    """Something within a row."""

    name: str
    age: Annotated[int, Field(ge=0)]


class Faq(BaseModel):
    """A row."""

    question: str
    expected: list[str] = []
    asked: date | None = None
    person: Person | None = None

    @property
    def prompt(self) -> str:
        """What is sent."""
        return f"Q: {self.question}"

    @field_validator("question")
    @classmethod
    def is_asked(cls, value: str) -> str:
        """Fails in three ways."""
        if value == "crash":
            raise KeyError(value)
        if value == "long":
            raise ValueError("x\n" * 10_000)
        return value.strip()


class Open(BaseModel):
    """Lets other columns in."""

    model_config = ConfigDict(extra="allow")
    question: str


def problems_of(path: Path, schema: type[BaseModel]) -> list[str]:
    """What is told, without the folder."""
    with pytest.raises(DatasetError) as caught:
        read_cases(path, schema)
    return [problem.removeprefix(f"{path.parent}/") for problem in caught.value.problems]


def test_fields_are_those_of_the_model(write: Write) -> None:
    """Converted, with defaults, nested models and properties; rows need not have the same columns."""
    path = write(
        "a.jsonl",
        '{"id": 1, "question": " Who? ", "asked": "2026-01-31"}\n'
        '{"id": 2, "question": "x", "expected": ["a"], "person": {"name": "A", "age": 3}}\n',
    )
    first, second = read_cases(path, Faq)
    assert (first.id, first.question, first["asked"], first.expected) == ("1", "Who?", date(2026, 1, 31), [])
    assert (first.prompt, second.person.age, second.asked) == ("Q: Who?", 3, None)
    assert list(first) == ["question", "expected", "asked", "person"]
    first.expected.append("x")
    assert first.expected == []
    assert pickle.loads(pickle.dumps(second)) == second  # noqa: S301 - our own bytes


def test_csv_is_converted(write: Write) -> None:
    """Every cell is text; a schema makes numbers of them."""
    path = write("a.csv", "name,age\nA,3\n")
    (case,) = read_cases(path, Person)
    assert case.age == 3


def test_a_model_that_lets_columns_in_has_them(write: Write) -> None:
    """They are fields like the others."""
    (case,) = read_cases(write("a.jsonl", '{"question": "x", "keys": 2}'), Open)
    assert list(case) == ["question", "keys"]
    assert (case.keys, case["keys"]) == (2, 2)


def test_the_schema_does_not_change_ids(write: Write) -> None:
    """They are of what the file says: a new default is no new case."""
    path = write("a.jsonl", '{"question": " x "}')
    assert read_cases(path, Faq)[0].id == read_cases(path)[0].id


def test_every_complaint_has_line_and_field(write: Write) -> None:
    """All of them, those of a validator that crashes included; values are quoted in short."""
    path = write(
        "a.jsonl",
        '{"expected": "a"}\n{"question": 3, "asked": "never"}\n\n'
        '{"question": "x", "person": {"name": "A", "age": -1}, "expected": ["a", 1]}\n'
        '{"question": "crash"}\n{"question": "long"}\n{"question": ["' + "y" * 1000 + '"]}\n',
    )
    problems = problems_of(path, Faq)
    assert problems[0].startswith("a.jsonl:1: expected: Input should be a valid list, and is 'a'")
    assert problems[1] == "a.jsonl:1: question: Field required"
    assert problems[2].startswith("a.jsonl:2: asked: Input should be a valid date")
    assert problems[3] == "a.jsonl:2: question: Input should be a valid string, and is 3"
    assert problems[4].startswith("a.jsonl:4: expected.1: Input should be a valid string")
    assert problems[5].startswith(
        "a.jsonl:4: person.age: Input should be greater than or equal to 0, and is -1"
    )
    assert problems[6].startswith("a.jsonl:5: Faq cannot validate it (KeyError")
    assert problems[7].startswith("a.jsonl:6: question: Value error, x x x")
    assert problems[8].startswith("a.jsonl:7: question: Input should be a valid string, and is a list")
    assert len(problems) == 9
    assert all(len(problem) < 450 and problem.isprintable() for problem in problems)


def test_what_is_wrong_in_any_file_is_wrong_here(write: Write) -> None:
    """Duplicate ids, doubled keys and the like are told beside the complaints of the schema."""
    path = write(
        "a.jsonl", '{"id": 1, "question": 5}\n{"id": 1, "question": "b"}\n{"question": 1, "q": 1, "q": 2}'
    )
    schemas, first, second = problems_of(path, Faq)
    assert schemas.startswith("a.jsonl:1: question: Input should be a valid string")
    assert first.startswith("a.jsonl:2: id '1' is that of line 1, too")
    assert second.startswith("a.jsonl:3: key 'q' is there twice")


@pytest.mark.parametrize("schema", [dict, "Faq", Faq(question="x"), list[int]])
def test_a_schema_that_is_none(schema: object, write: Write) -> None:
    """Is told before anything is read."""
    with pytest.raises(DatasetError, match=r"give a subclass of pydantic\.BaseModel"):
        read_cases(write("a.jsonl", "nonsense"), schema)  # type: ignore[arg-type]
