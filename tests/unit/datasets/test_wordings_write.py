"""Paraphrase files are written in one way, all or nothing, and keep what people wrote into them."""

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_llmrel.core.seed import variant_key
from pytest_llmrel.datasets import wordingswrite
from pytest_llmrel.datasets.wordings import Wording, Wordings
from pytest_llmrel.datasets.wordingsread import read_wordings
from pytest_llmrel.datasets.wordingswrite import append_wording, rendered, write_wordings
from pytest_llmrel.errors import WordingsError

CANONICAL = """\
# Wordings of one request. Only reviewed ones run.
primary = "How?"
hash = "5a3e8b9f"  # of the primary wording: when it changes, the wordings must be reviewed again

[[wording]]
text = "how??"
origin = "written"
reviewed = true

[[wording]]
text = "a\\"b\\\\\\n\\t\\u001B\\u00A0\\u202E\\U000E0041é"
origin = "hunted (typos)"
reviewed = false
""".replace("5a3e8b9f", variant_key("How?"))
MADE = (Wording("how??", "written", True), Wording('a"b\\\n\t\x1b\u00a0\u202e\U000e0041é', "hunted (typos)"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is to be, in a folder that is not there yet."""
    return tmp_path / "wordings" / "how.toml"


def test_the_canonical_form(path: Path) -> None:
    """A table a wording, one line a value; whatever hides in a diff is spelled out."""
    write_wordings(path, Wordings(path, "How?", MADE))
    assert path.read_text("utf-8") == CANONICAL
    assert read_wordings(path).wordings == MADE


def test_comments_are_kept(path: Path) -> None:
    """At the head, with its empty lines, and above a wording; the file is not touched elsewhere."""
    text = "# Ours.\n\n# Ask Anna.\n\n" + CANONICAL.partition("\n")[2]
    text = text.replace('[[wording]]\ntext = "how', '# hm\n# hm?\n[[wording]]\ntext = "how')
    path.parent.mkdir()
    path.write_text(text, "utf-8")
    write_wordings(path, read_wordings(path))
    assert path.read_text("utf-8") == text
    assert append_wording(path, "new", "hunted (case)")
    assert path.read_text("utf-8") == (
        text + '\n[[wording]]\ntext = "new"\norigin = "hunted (case)"\nreviewed = false\n'
    )


def test_a_file_without_head_gets_none(path: Path) -> None:
    """Our own comment is for files that we begin."""
    path.parent.mkdir()
    path.write_text(CANONICAL.partition("\n")[2], "utf-8")
    write_wordings(path, read_wordings(path))
    assert path.read_text("utf-8").startswith("primary")


@pytest.mark.parametrize(
    "wordings",
    [
        (Wording("a"), Wording("a")),
        (Wording("How?"),),
        (Wording(" "),),
        (Wording("\ud800"),),
        (Wording("a", "\ud800"),),
        (Wording("a", remark="no comment"),),
    ],
)
def test_what_could_not_be_read_is_not_written(path: Path, wordings: tuple[Wording, ...]) -> None:
    """What stood there before is untouched."""
    write_wordings(path, Wordings(path, "How?", MADE))
    with pytest.raises(WordingsError):
        write_wordings(path, Wordings(path, "How?", wordings))
    assert path.read_text("utf-8") == CANONICAL
    assert list(path.parent.iterdir()) == [path]


def test_writing_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is a problem in one sentence; the file is as it was."""

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    write_wordings(path, Wordings(path, "How?", MADE))
    monkeypatch.setattr(wordingswrite, "write_atomically", refuse)
    with pytest.raises(WordingsError, match=r"cannot be written \(No space left on device\)"):
        append_wording(path, "new", "written")
    assert path.read_text("utf-8") == CANONICAL


def test_appending_begins_a_file(path: Path) -> None:
    """With the primary wording; the new wording waits for a review."""
    assert append_wording(path, "HOW?", "hunted (case)", primary="How?")
    found = read_wordings(path)
    assert found.primary == "How?"
    assert found.wordings == (Wording("HOW?", "hunted (case)", False),)


def test_appending_what_is_there(path: Path) -> None:
    """Nothing happens, and a review is not undone by finding the wording again."""
    write_wordings(path, Wordings(path, "How?", MADE))
    before = path.stat().st_mtime_ns
    assert not append_wording(path, "how??", "hunted (case)", primary="How?")
    assert (path.stat().st_mtime_ns, path.read_text("utf-8")) == (before, CANONICAL)


@pytest.mark.parametrize(
    ("text", "primary", "why"),
    [
        ("new", "Why?", r"these are the wordings of 'How\?', not of 'Why\?'"),
        ("How?", "How?", "it is the primary wording"),
        ("", None, "it is empty"),
        ("\ud800", None, "halves of characters"),
    ],
)
def test_what_cannot_be_appended(path: Path, text: str, primary: str | None, why: str) -> None:
    """It is said why, and the file is untouched."""
    write_wordings(path, Wordings(path, "How?", MADE))
    with pytest.raises(WordingsError, match=why):
        append_wording(path, text, "written", primary=primary)
    assert path.read_text("utf-8") == CANONICAL


def test_appending_needs_a_sound_file(path: Path) -> None:
    """To nothing without a primary wording, and to a stale file: that would hide that it is stale."""
    with pytest.raises(WordingsError, match="no such file"):
        append_wording(path, "new", "written")
    write_wordings(path, Wordings(path, "How?", MADE))
    stale = path.read_text("utf-8").replace("How?", "How")
    path.write_text(stale, "utf-8")
    with pytest.raises(WordingsError, match="was changed after"):
        append_wording(path, "new", "written")
    assert path.read_text("utf-8") == stale


def test_writing_a_stale_file_reviews_nothing() -> None:
    """Read for review and written with the new hash, its wordings are unreviewed ones."""
    stale = Wordings(Path("w.toml"), "How?", tuple(replace(it, reviewed=False) for it in MADE), stale="0")
    assert "reviewed = true" not in rendered(stale)
