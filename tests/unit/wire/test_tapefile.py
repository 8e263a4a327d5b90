"""Tapes on disk: what is written is read again, what is damaged is named, what was there before survives."""

import json
from pathlib import Path

import pytest

from pytest_llmrel.errors import TapeError
from pytest_llmrel.wire.redaction import REDACTED, Redactor
from pytest_llmrel.wire.tape import Recorded, Tape, Track
from pytest_llmrel.wire.tapefile import read_tape, write_tape
from pytest_llmrel.wire.tapeplace import tape_path, tapes_below

CALLS = (
    Recorded({"method": "POST", "path": "/v1"}, 200, (("content-type", "text/plain"),), "é\n".encode(), 0.5),
    Recorded({"method": "POST"}, None, error="ConnectTimeout", retries=3),
    Recorded({}, 200, body=b"\xff\x00\x80", seconds=0.25, error="ReadError"),
)
TAPE = Tape(
    "test_it",
    "0.1.0",
    {track.address: track for track in (Track("", "ab", 1, 0.5, CALLS), Track("", "ab", 0, 0.25, ()))},
)
HEADER = '{"tape": 1, "test": "t", "pytest_llmrel": "0.1.0"}'
TRACK = '{"case": "", "variant": "", "run": 0, "seconds": 0.1, "calls": []}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a tape is to be, in a folder that is not there yet."""
    return tmp_path / "__tapes__" / "test_shop" / "test_it.jsonl"


def test_what_is_written_is_read_again(path: Path) -> None:
    """Texts, bytes that are none, errors, runs without a call; a line a run, in order."""
    write_tape(path, TAPE, Redactor())
    assert read_tape(path) == TAPE
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [line.get("run") for line in lines] == [None, 0, 1]


def test_no_tape_is_none(path: Path) -> None:
    """And no error: it may have to be recorded."""
    assert read_tape(path) is None


def test_secrets_stay_out(path: Path) -> None:
    """Of bodies, in whatever encoding they stand there."""
    call = Recorded({}, 200, body=b'{"echo": "opaque-credential-1"}')
    write_tape(
        path,
        Tape("t", "1", {("", "", 0): Track("", "", 0, 0, (call,))}),
        Redactor(more=["opaque-credential-1"]),
    )
    assert "opaque-credential-1" not in path.read_text("utf-8")
    assert REDACTED in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "empty"),
        ("hello", 1, "not readable as JSON"),
        ("[]\n", 1, "no first line of a tape"),
        ('{"tape": 2, "test": "t", "pytest_llmrel": "9"}\n', 1, "newer pytest_llmrel"),
        ('{"schema": 1, "tests": {}}\n', 1, "no first line of a tape"),
        (f"{HEADER}\n{TRACK[:-5]}\n", 2, "not readable as JSON"),
        (f"{HEADER}\n{TRACK}\n{TRACK[:20]}", 3, "cut off"),
        (f"{HEADER}\n{TRACK}\n{TRACK}\n", 3, "run 0 is there twice"),
        (f'{HEADER}\n{TRACK.replace("0,", "-1,", 1)}\n', 2, "run"),
        (f'{HEADER}\n{TRACK.replace("[]", "{}")}\n', 2, "calls"),
        (f'{HEADER}\n{TRACK[:-1]}, "more": 1}}\n', 2, "more"),
        (f'{HEADER}\n{TRACK.replace("[]", """[{"request": {}, "status": 200, "body": {"base64": "?"}}]""")}\n', 2, "base64"),
        (f'{HEADER}\n{TRACK.replace("[]", """[{"request": {}, "status": 42}]""")}\n', 2, "status"),
        (f'{HEADER}\n{TRACK.replace("[]", """[{"request": {}, "status": null, "error": "os.system"}]""")}\n', 2, "error"),
        (f"{HEADER}\n<<<<<<< ours\n{TRACK}\n", 2, "merge conflict"),
        (f"{HEADER}\n\n{TRACK}\n", 2, "empty"),
    ],
)  # fmt: skip
def test_damage_is_named_with_file_and_line(path: Path, text: str, line: int, said: str) -> None:
    """And with what to do; the file is as it was."""
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf-8")
    with pytest.raises(TapeError, match=f"test_it.jsonl:{line}: .*{said}") as caught:
        read_tape(path)
    assert "record anew" in str(caught.value) or "upgrade" in str(caught.value)
    assert path.read_text("utf-8") == text


def test_invalid_utf_8(path: Path) -> None:
    """In any line."""
    path.parent.mkdir(parents=True)
    path.write_bytes(f"{HEADER}\n".encode() + b'{"case": "\xff"}\n')
    with pytest.raises(TapeError, match="jsonl:2: not UTF-8"):
        read_tape(path)


def test_a_folder_in_its_place(path: Path) -> None:
    """Is not waited for, nor taken for an empty tape."""
    path.mkdir(parents=True)
    with pytest.raises(TapeError, match="not a regular file"):
        read_tape(path)
    with pytest.raises(OSError, match="no regular file"):
        write_tape(path, TAPE, Redactor())


def test_a_disk_that_is_full(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old tape survives, and no half of a new one is left."""
    write_tape(path, TAPE, Redactor())
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fdopen", full)
    with pytest.raises(OSError, match="No space"):
        write_tape(path, Tape("t", "1", {}), Redactor())
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


NAMES = ["test_a", "TestX::test_a", "test_a[1]", "test_a[1 ]", "test_a[../../x]", "test_a[é]", "test_a[" + "x" * 300 + "]",
         "test_a[a/b]", "test_a[a\\b]", "test_a[a:b]", "test_a[\n]", "test_a[]", "TestX.test_a[1]"]  # fmt: skip


def test_names_never_collide_nor_lead_astray(tmp_path: Path) -> None:
    """Each test has a file of its own, in the folder of its module, with a name that every system takes."""
    module = tmp_path / "tests" / "test_shop.py"
    paths = [tape_path(module, name) for name in NAMES]
    assert len(set(paths)) == len(NAMES)
    for path in paths:
        assert path.parent == tmp_path / "tests" / "__tapes__" / "test_shop"
        assert len(path.name) < 150
    assert paths[0].name == "test_a.jsonl"
    assert paths[1].name == "TestX.test_a.jsonl"


def test_all_tapes_below_a_folder(path: Path, tmp_path: Path) -> None:
    """And nothing else that ends so."""
    write_tape(path, TAPE, Redactor())
    (tmp_path / "data.jsonl").write_text("{}")
    assert tapes_below(tmp_path) == [path]


@pytest.mark.parametrize("status", [100, 499, 600, 999])
def test_statuses_that_hosts_invent(path: Path, status: int) -> None:
    """What a client takes from a server is read again, registered or not."""
    tape = Tape("t", "1", {("", "", 0): Track("", "", 0, 0, (Recorded({}, status),))})
    write_tape(path, tape, Redactor())
    assert read_tape(path) == tape


@pytest.mark.parametrize("error", ["H2Error", "_Hidden", "Error_429", "Überlast"])
def test_errors_that_projects_invent(path: Path, error: str) -> None:
    """A hook of the application may raise a class of any name: a tape that holds it is not lost."""
    tape = Tape("t", "1", {("", "", 0): Track("", "", 0, 0, (Recorded({}, None, error=error),))})
    write_tape(path, tape, Redactor())
    assert read_tape(path) == tape


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), OSError(30, "Read-only file system")]
)
def test_a_folder_that_cannot_be_written(path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    """The old tape is as it was, and the error is told."""
    write_tape(path, TAPE, Redactor())

    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(OSError, match=error.strerror):
        write_tape(path, Tape("t", "1", {}), Redactor())
    assert read_tape(path) == TAPE


def test_a_crash_while_it_is_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C after the bytes, before the new file is in its place: the old tape, and nothing beside it."""
    write_tape(path, TAPE, Redactor())

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_tape(path, Tape("t", "1", {}), Redactor())
    assert read_tape(path) == TAPE
    assert list(path.parent.iterdir()) == [path]


def test_a_tape_that_cannot_be_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is damage that is named, not a tape that is missing."""
    write_tape(path, TAPE, Redactor())

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(
        TapeError, match=r"test_it.jsonl: cannot be read \(Permission denied\); check its permissions"
    ):
        read_tape(path)


def test_a_tape_of_another_system(path: Path) -> None:
    """Line ends of Windows, as git may make them, and a mark at the beginning change nothing."""
    write_tape(path, TAPE, Redactor())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_tape(path) == TAPE


def test_any_cut_is_noticed(path: Path) -> None:
    """Wherever a tape ends too soon but behind a whole line, and whatever byte is missing at its end."""
    write_tape(path, TAPE, Redactor())
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        if whole[:size].endswith(b"\n"):
            cut = read_tape(path)
            assert cut is not None
            assert len(cut.tracks) < len(TAPE.tracks)  # the missing run is missed by the replay
        else:
            with pytest.raises(TapeError, match=r"test_it\.jsonl:\d+: "):
                read_tape(path)
