"""File names of tapes: each test its own, in the folder of its module, on every system."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.wire.tapeplace import FOLDER, tape_path, tapes_below

MODULE = Path("/project/tests/test_shop.py")
identifiers = st.from_regex(r"\A[a-zA-Z_]\w{0,20}\Z")
parameters = st.text(st.characters(codec=None), max_size=200) | st.sampled_from(
    [
        "..",
        "../..",
        "/etc/passwd",
        "C:\\x",
        "\x00",
        "\ud800",
        "a" * 500,
        "é" * 300,
        "東" * 200,
        ".",
        "-",
        " ",
        "CON",
    ]
)
names = st.one_of(
    identifiers,
    st.builds("{}::{}".format, identifiers, identifiers),
    st.builds("{}[{}]".format, identifiers, parameters),
    st.builds("{}::{}[{}]".format, identifiers, identifiers, parameters),
)
"""Names of tests within a module, as pytest makes them or could make them."""


@given(st.lists(names, unique=True, max_size=20))
def test_names_never_collide(tests: list[str]) -> None:
    """Whatever stands in the brackets of a parametrized test, no two tests have one file."""
    assert len({tape_path(MODULE, test) for test in tests}) == len(tests)


@given(names)
def test_a_name_is_a_name(test: str) -> None:
    """One part of a path, short enough in bytes for every system and for the file it is written through first."""
    path = tape_path(MODULE, test)
    assert path.parent == Path("/project/tests") / FOLDER / "test_shop"
    assert len(path.name.encode()) < 160
    assert not path.name.startswith((".", "-"))
    assert path.suffix == ".jsonl"
    assert not set(path.name) & set('<>:"/\\|?*\x00\n\r\t ')
    assert tape_path(MODULE, test) == path


@pytest.mark.parametrize(
    ("test", "name"),
    [
        ("test_a", "test_a.jsonl"),
        ("TestShop::test_a", "TestShop.test_a.jsonl"),
        ("test_größe", "test_größe.jsonl"),
        ("x" * 120, "x" * 120 + ".jsonl"),
    ],
)
def test_a_usual_name_stays_as_it_is(test: str, name: str) -> None:
    """A reader finds the tape of a test without a table."""
    assert tape_path(MODULE, test).name == name


@pytest.mark.parametrize("test", ["test_a[x]", "test_a[1.5]", "x" * 121, "é" * 61])
def test_an_unusual_name_is_told_apart_by_a_hash(test: str) -> None:
    """What is replaced or cut off is still in the name, as eight hexadecimal digits."""
    stem, _, digest = tape_path(MODULE, test).stem.rpartition("-")
    assert len(stem.encode()) <= 120
    assert len(digest) == 8
    assert set(digest) <= set("0123456789abcdef")


@pytest.mark.parametrize("test", ["test_" + "東" * 60, "é" * 300, "test_a[" + "\U0001f600" * 100 + "]"])
def test_a_long_name_can_be_written(tmp_path: Path, test: str) -> None:
    """A file system counts bytes, not characters."""
    path = tape_path(tmp_path / "test_shop.py", test)
    path.parent.mkdir(parents=True)
    path.write_text("", "utf-8")
    assert tapes_below(tmp_path) == [path]


def test_modules_have_folders_of_their_own(tmp_path: Path) -> None:
    """The same test in two modules has two tapes; all are found below a folder, sorted, and no folder is a tape."""
    paths = [tape_path(tmp_path / module, "test_a") for module in ("b/test_x.py", "test_x.py", "test_y.py")]
    for path in paths:
        path.parent.mkdir(parents=True)
        path.write_text("{}", "utf-8")
    (tmp_path / FOLDER / "test_x" / "folder.jsonl").mkdir()
    (tmp_path / FOLDER / "stray.jsonl").write_text("{}", "utf-8")
    assert tapes_below(tmp_path) == sorted(paths)
    assert tapes_below(tmp_path / "nowhere") == []
