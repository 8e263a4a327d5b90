"""Laws of paraphrase files: what is written is read again, and no bytes break the reader."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from pytest_llmrel.datasets.wordings import Wording, Wordings, comparable, variants_of
from pytest_llmrel.datasets.wordingsread import parse_wordings, read_wordings
from pytest_llmrel.datasets.wordingswrite import append_wording, rendered, write_wordings
from pytest_llmrel.errors import WordingsError

PLACE = Path("w.toml")
texts = st.one_of(
    st.text(max_size=60),
    st.text(st.sampled_from("\"\"\"'''\\\n\r\t[]#= abwording\x00\x1b\x7f\x85\u00a0\u202e\u2028\ufeff\U000e0041é"), max_size=60),
).filter(str.strip)  # fmt: skip
"""Any text that UTF-8 knows, rich in what TOML takes for something else."""
made = st.builds(Wording, texts, texts, st.booleans())
files = st.builds(
    lambda primary, wordings: Wordings(
        PLACE, primary, tuple(it for it in wordings if comparable(it.text) != comparable(primary))
    ),
    texts,
    st.lists(made, max_size=4, unique_by=lambda it: comparable(it.text)),
)


@given(files)
def test_what_is_written_is_read_again(file: Wordings) -> None:
    """Every text, origin and mark, in the same order, and in the same bytes when it is written once more."""
    text = rendered(file)
    found = parse_wordings(PLACE, text.encode())
    assert found == file
    assert rendered(found) == text
    assert variants_of(found) == variants_of(file)


@given(files)
def test_a_wording_stands_where_its_line_says(file: Wordings) -> None:
    """And whatever it holds stays on one line, so that a diff shows one line a change."""
    lines = rendered(file).split("\n")
    assert len(lines) == 4 + 5 * len(file.wordings)
    for wording in parse_wordings(PLACE, "\n".join(lines).encode()).wordings:
        assert lines[wording.line - 1] == "[[wording]]"


@given(st.binary(max_size=200))
@example(b"\x00")
@example(b"\xff\xfe\x00")
@example(b"wording = " + b"[" * 5_000)
@example(b"x = 1979-13-99T99:99:99+99:99")
@example(b'hash = """')
def test_no_bytes_break_the_reader(data: bytes) -> None:
    """They are wordings, or it is said what is wrong with them."""
    _read(lambda: parse_wordings(PLACE, data))


@given(files, st.data())
def test_no_damage_breaks_the_reader(file: Wordings, data: st.DataObject) -> None:
    """A piece of a good file replaced by something else; what is read then could be written, too."""
    good = rendered(file).encode()
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, len(good)))
    pieces = st.sampled_from([b'"', b"'''", b"[[wording]]\n", b"\n", b"[", b"= ", b"#", b"\xff"])
    damaged = good[:start] + data.draw(pieces | st.binary(max_size=4)) + good[end:]
    found = _read(lambda: parse_wordings(PLACE, damaged, for_review=True))
    if found is not None:
        assert parse_wordings(PLACE, rendered(found).encode()) == found


@given(files, st.text(st.characters(codec=None), max_size=40))
def test_appending_adds_or_refuses(file: Wordings, text: str) -> None:
    """Whatever the text: afterwards it is there, unreviewed if it is new, or the file is as it was."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "w.toml")
        write_wordings(path, file)
        before = path.read_bytes()
        added = _read(lambda: append_wording(path, text, "hunted"))
        if not added:
            assert path.read_bytes() == before
        else:
            assert read_wordings(path).wordings == (*file.wordings, Wording(text, "hunted", False))


def _read(act: Callable[[], Any]) -> Any:
    """What comes out; ``None`` if it was refused in the one way that is allowed."""
    try:
        return act()
    except WordingsError:
        return None
