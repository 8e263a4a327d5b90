"""What spoils a dataset is found: repetitions, contradictions, gaps, leaks; and nothing where nothing is wrong."""

from typing import Any

import pytest

from pytest_llmrel.core.case import Case
from pytest_llmrel.datasets.lint import Finding, lint
from pytest_llmrel.datasets.roles import roles_of
from pytest_llmrel.errors import DatasetError


def cases(*rows: dict[str, Any]) -> list[Case]:
    """Rows as cases."""
    return [Case(str(number), tuple(row), tuple(row.values())) for number, row in enumerate(rows)]


def found(*rows: dict[str, Any], **columns: str) -> list[tuple[str, int, int | None]]:
    """Kind and cases of each finding."""
    return [(one.kind, one.case, one.other) for one in lint(cases(*rows), **columns)]


def ask(question: Any, expected: Any = "x", **more: Any) -> dict[str, Any]:
    """A row."""
    return {"question": question, "expected": expected, **more}


def test_nothing_wrong_is_nothing_found() -> None:
    """Cases that differ, with tags and contexts that are alike, as they may be."""
    shop = {"tags": ["shop"], "contexts": ["All about our shop."]}
    rows = [
        ask("How long may I keep it?", "30 days", wordings=["until when can I return it"], **shop),
        ask("Do you ship abroad?", "30 days", wordings=["is there shipping to France"], **shop),
        ask("What does it cost?", None, wordings=["price?"], **shop) | {"expected": "5 EUR"},
    ]
    assert found(*rows) == []
    assert lint([]) == []


def test_repetitions() -> None:
    """The same question twice is a duplicate, with another expectation a contradiction; told with the first case."""
    rows = [ask("How long?"), ask("Where?"), ask(" how LONG "), ask("How long", "y"), ask("Where", "X!")]
    assert found(*rows) == [("duplicate", 2, 0), ("contradiction", 3, 0), ("duplicate", 4, 1)]
    contradiction = lint(cases(*rows))[1]
    assert contradiction == Finding("contradiction", 3, 0, "expects something else than", "'y' and 'x'")


def test_the_same_question_about_something_else() -> None:
    """With another context it is another case, and what is expected may differ; with the same one it may not."""
    rows = [ask("How long?", "30 days", context="A"), ask("How long?", "14 days", context="B")]
    assert found(*rows) == []
    assert found(*rows, ask("How long", "1 day", context="b.")) == [("contradiction", 2, 1)]


def test_nothing_expected_contradicts_nothing() -> None:
    """A gap is told as one."""
    assert found(ask("How long?"), ask("how long", None)) == [("duplicate", 1, 0), ("empty", 1, None)]


def test_near_duplicates() -> None:
    """Nearly the same question is told, once, unless the context is another."""
    one, other = "How long do I have to return an item?", "How long do I have to retrun an item, please?"
    assert found(ask(one), ask(other)) == [("near-duplicate", 1, 0)]
    assert found(ask(one, context="a"), ask(other, context="b")) == []
    (finding,) = lint(cases(ask(one), ask(other)))
    assert finding.said == "(95% alike) asks nearly the same as"
    assert other in finding.detail


def test_gaps() -> None:
    """Empty texts and lists anywhere; null only where something must be, for elsewhere it is said on purpose."""
    rows = [
        ask("a", "x", note=None, tags=["t"]),
        ask(" ", None, note=" ", tags=[]),
        ask(None, "\n", note={}, tags=["", "t"]),
        ask([], 0, note=False, tags=[None]),
    ]
    gaps = [(one.case, one.detail) for one in lint(cases(*rows)) if one.kind == "empty"]
    assert gaps == [
        (1, "question, expected, note, tags"),
        (2, "question, expected, note, tags"),
        (3, "question, tags"),
    ]
    assert {one.kind for one in lint(cases(*rows))} == {"empty"}


def test_leaks() -> None:
    """A wording of one case that is the question, or a wording, of another: told once for each text."""
    rows = [
        ask("How long?", wordings=["until when?", "How long"]),
        ask("Where?", wordings=["Until WHEN", "until when", "how long"]),
        ask("Who?", wordings=["who", "where?"]),
    ]
    assert found(*rows) == [("leak", 1, 0), ("leak", 1, 0), ("leak", 2, 1)]
    said = [one.said for one in lint(cases(*rows))]
    assert said == ["has a wording that is one of", "has a wording that is the question of", said[1]]


def test_any_list_may_leak_a_question() -> None:
    """A list that is not called after wordings may hold what others hold, but not another case's question."""
    rows = [ask("How long?", alternatives=["a", "b"]), ask("Where?", alternatives=["b", "how long"])]
    assert found(*rows) == [("leak", 1, 0)]


def test_duplicates_do_not_leak() -> None:
    """Two cases that ask the same have the same wordings; that is told as a duplicate only."""
    assert found(ask("How long?", wordings=["a"]), ask("how long", wordings=["A"])) == [("duplicate", 1, 0)]


def test_columns_by_other_names() -> None:
    """The usual names in their order, else the first text; both can be named."""
    row = {"id": "1", "n": 3, "text": "a", "input": "b", "answer": "c", "reference": "d"}
    assert (roles_of(cases(row)).question, roles_of(cases(row)).expected) == ("input", "answer")
    roles = roles_of(cases(row), question="text", expected="reference")
    assert (roles.question, roles.expected, roles.others) == ("text", "reference", ("n", "input", "answer"))
    assert roles_of(cases({"id": "1", "n": 3, "text": "a"})).question == "text"
    assert roles_of(cases({"answer": "a", "text": "b"})).question == "text"
    assert roles_of(cases({"answer": "a", "text": "b"}), question="answer").expected == ""
    messages = [{"role": "user", "content": "How long?"}]
    assert found({"prompt": messages, "answer": "x"}, {"prompt": messages, "answer": "y"}) == [
        ("contradiction", 1, 0)
    ]


def test_columns_that_are_not_there() -> None:
    """Are told, all of them, with those there are; and a dataset without any text has no question."""
    with pytest.raises(DatasetError) as caught:
        lint(cases(ask("a")), question="q", expected="e")
    assert caught.value.problems == (
        "there is no column q; there are question, expected",
        "there is no column e; there are question, expected",
    )
    with pytest.raises(DatasetError, match="name one by --question"):
        lint(cases({"n": 1}))


def test_columns_that_are_called_like_methods() -> None:
    """Nothing here asks a case for anything but its fields."""
    rows = [{"get": "a?", "keys": "x", "items": ["b"]}, {"get": "A", "keys": "y", "items": []}]
    assert found(*rows, question="get", expected="keys") == [("contradiction", 1, 0), ("empty", 1, None)]


def test_details_are_short() -> None:
    """However long and hostile what is found is."""
    long = "\x1b[2J" + "word " * 10**5
    rows = [ask(long, "a" * 10**5, wordings=[long[:-2]]), ask(long, "b" * 10**5, wordings=[long[:-2]])]
    for one in lint(cases(*rows, ask("x", wordings=[long]))):
        assert len(one.detail) < 200
        assert one.detail.isprintable()
