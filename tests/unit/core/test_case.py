"""A case: its fields by attribute and by item, whatever they are called, and nobody can change it."""

import copy
import pickle
from typing import Any

import pytest

from pytest_llmrel.core.case import Case

AWKWARD = (
    "id",
    "keys",
    "items",
    "get",
    "values",
    "names",
    "model",
    "count",
    "index",
    "copy",
    "_x",
    "__model",
)


def make(**fields: Any) -> Case:
    """A case called ``a``."""
    return Case("a", tuple(fields), tuple(fields.values()))


def test_fields_are_attributes_and_items() -> None:
    """Either way gives the value of the row."""
    case = make(question="How long?", expected=30)
    assert (case.question, case["question"]) == ("How long?", "How long?")
    assert (case.expected, case["expected"]) == (30, 30)


@pytest.mark.parametrize("name", AWKWARD)
def test_no_name_of_a_column_is_in_the_way(name: str) -> None:
    """A column that is called like a method of a mapping, or like something of ours, is a column."""
    case = make(**{name: "of the row", "other": 1})
    assert case[name] == "of the row"
    assert getattr(case, name) == ("a" if name == "id" else "of the row")
    assert (list(case), case.other) == ([name, "other"], 1)


def test_names_of_python_stay_its_own() -> None:
    """A row cannot make a case into something else; such columns are had as items."""
    case = make(__class__="str", __fspath__="/etc", __html__="x", __len__=7)
    assert (case["__class__"], case["__html__"], len(case)) == ("str", "x", 4)
    assert type(case) is case.__class__ is Case
    assert not hasattr(case, "__html__")
    assert not hasattr(case, "__fspath__")


def test_it_is_iterated_like_a_mapping() -> None:
    """Over its names, and with what else follows from that."""
    case = make(b=1, a=2)
    assert list(case) == ["b", "a"]
    assert (len(case), "a" in case, "c" in case, [] in case) == (2, True, False, False)
    assert "{a}-{b}".format_map(case) == "2-1"
    assert dir(case) == ["a", "b", "id"]


def test_a_missing_field_is_told_with_those_there_are() -> None:
    """As an attribute error or a key error, with the case and a bounded list of names."""
    case = make(question="?", expected="!")
    told = "case 'a' has no field 'expcted'; it has question, expected"
    with pytest.raises(AttributeError, match=told) as caught:
        _ = case.expcted
    assert (caught.value.name, caught.value.obj) == ("expcted", case)
    with pytest.raises(KeyError, match=told):
        case["expcted"]
    wide = make(**{f"column{number}": 1 for number in range(500)})
    with pytest.raises(AttributeError) as caught:
        getattr(wide, "x" * 10_000)
    assert len(str(caught.value)) < 300


def test_nobody_can_change_it() -> None:
    """Neither a field nor the id, nor can anything be added or deleted."""
    case = make(question="?")
    for name in ("question", "id", "new"):
        with pytest.raises(AttributeError, match="a case cannot be changed"):
            setattr(case, name, 1)
        with pytest.raises(AttributeError, match="a case cannot be changed"):
            delattr(case, name)
    with pytest.raises(TypeError):
        case["question"] = 1  # type: ignore[index]
    assert not hasattr(case, "__dict__")


def test_what_one_run_does_no_other_run_sees() -> None:
    """Lists and objects are given out as copies, all the way down; by attribute and by item."""
    case = make(wordings=["a", ["b"]], meta={"tags": []})
    case.wordings.append("c")
    case.wordings[1].append("d")
    case["meta"]["tags"].append("x")
    assert case.wordings == ["a", ["b"]]
    assert case.meta == {"tags": []}


def test_equality_and_hash() -> None:
    """Equal are cases with the same id and fields, in any order; the hash is that of the id."""
    one, other = Case("a", ("x", "y"), (1, [2])), Case("a", ("y", "x"), ([2], 1))
    assert one == other
    assert len({one, other, Case("b", ("x",), (1,))}) == 2
    assert one != Case("a", ("x", "y"), (1, [3]))
    assert one != Case("b", ("x", "y"), (1, [2]))
    assert one != "a"


def test_it_travels() -> None:
    """Pickled (to a worker of xdist) and back it is the same; a copy is the case itself."""
    case = make(question="?", keys=[1], __reduce__=3)
    assert pickle.loads(pickle.dumps(case)) == case  # noqa: S301 - our own bytes
    assert copy.copy(case) is case
    assert copy.deepcopy([case])[0] is case


def test_its_repr_is_short_and_safe() -> None:
    """On one line, bounded whatever the fields hold, without anything that a terminal obeys."""
    case = make(question="x\x1b[31m\n\u202e" + "y" * 10**7, tags=["t"] * 10**5, n=1, none=None, flag=True)
    shown = repr(case)
    assert shown.startswith(r"Case('a', question='x\x1b[31m\n\u202eyyy")
    assert shown.endswith("…', tags=<list of 100000>, n=1, none=None, flag=True)")
    assert len(shown) < 150
    assert shown.isprintable()
    wide = make(**{f"column {number}\n": "z" * 100 for number in range(500)})
    assert len(repr(wide)) < 1200
    assert repr(wide).isprintable()


def test_names_and_values_are_one_each() -> None:
    """A case that was made wrong is told at once."""
    with pytest.raises(ValueError, match="2 names and 1 values"):
        Case("a", ("x", "y"), (1,))


class Model:
    """Stands for a validated row: any object with attributes."""

    def __init__(self) -> None:
        self.question, self.tags = "?", ["x"]

    def prompt(self) -> str:
        """Something of the model's own."""
        return f"Q: {self.question}"


def test_a_case_with_a_model_has_what_the_model_has() -> None:
    """Fields by attribute and by item, methods by attribute; lists are copies here, too."""
    case = Case("a", ("question", "tags"), model=Model())
    assert (case.question, case["question"], case.prompt()) == ("?", "?", "Q: ?")
    case.tags.append("y")
    assert case.tags == ["x"]
    assert list(case) == ["question", "tags"]
    assert pickle.loads(pickle.dumps(case)).prompt() == "Q: ?"  # noqa: S301 - our own bytes
    with pytest.raises(AttributeError, match="has no field 'nope'; it has question, tags"):
        _ = case.nope
    with pytest.raises(KeyError):
        case["prompt"]
