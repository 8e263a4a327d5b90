"""Tapes on disk: JSON lines beside the test module, a line a track; read with suspicion."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from pytest_llmrel.baselines.document import parse, shown
from pytest_llmrel.core.files import write_atomically
from pytest_llmrel.errors import TapeError
from pytest_llmrel.wire.redaction import Redactor
from pytest_llmrel.wire.tape import Address, Recorded, Tape, Track

__all__ = ["read_tape", "write_tape"]

_SCHEMA: Final = 1
_RESTORE: Final = "restore it from version control, or delete it and record anew with --llmrel-tape=record"

_CONFLICT = (b"<<<<<<<", b"=======", b">>>>>>>", b"|||||||")


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Header(_Strict):
    tape: Literal[1]
    test: str
    pytest_llmrel: str


class _Binary(_Strict):
    base64: str


class _Call(_Strict):
    request: dict[str, str]
    status: Annotated[int, Field(ge=100, le=999)] | None
    headers: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = []
    body: str | _Binary = ""
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    error: Annotated[str, Field(pattern=r"^\w*$")] = ""
    retries: Annotated[int, Field(ge=0)] = 0


class _Track(_Strict):
    case: str
    variant: str
    run: Annotated[int, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    calls: list[_Call]


_HEADER, _TRACK = TypeAdapter(_Header), TypeAdapter(_Track)


def read_tape(path: Path) -> Tape | None:
    """The tape, ``None`` if there is none.

    Raises:
        TapeError: with file and line of what is wrong.
    """
    try:
        if path.exists() and not path.is_file():
            raise TapeError(f"{path}: not a regular file; move it away")
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TapeError(
            f"{path}: cannot be read ({error.strerror or error}); check its permissions"
        ) from error
    lines = data.split(b"\n")
    header: _Header = _line(path, 1, lines[0], _HEADER)
    if lines[-1]:
        raise TapeError(f"{path}:{len(lines)}: the last line is cut off; {_RESTORE}")
    tracks: dict[Address, Track] = {}
    for number, line in enumerate(lines[1:-1], 2):
        track = _value(path, number, _line(path, number, line, _TRACK))
        if track.address in tracks:
            raise TapeError(f"{path}:{number}: run {track.run} is there twice; {_RESTORE}")
        tracks[track.address] = track
    return Tape(header.test, header.pytest_llmrel, tracks)


def write_tape(path: Path, tape: Tape, redactor: Redactor) -> None:
    """Replace the file by the tape, all or nothing, without anything secret.

    Raises:
        OSError: it cannot be written; what was there before is untouched.
    """
    header = {"tape": _SCHEMA, "test": tape.test, "pytest_llmrel": tape.version}
    tracks = [_data(track, redactor) for _, track in sorted(tape.tracks.items())]
    encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False).encode
    write_atomically(path, "".join(f"{encode(line)}\n" for line in (header, *tracks)))


def _line(path: Path, number: int, line: bytes, adapter: TypeAdapter[Any]) -> Any:
    if line.startswith(_CONFLICT):
        raise TapeError(f"{path}:{number}: the marker of a merge conflict; {_RESTORE}")
    try:
        document = parse(line, _RESTORE)
    except ValueError as error:
        raise TapeError(f"{path}:{number}: {error}") from None
    if number == 1:
        _check_version(path, document)
    try:
        return adapter.validate_python(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "it"
        said = f"{place}: {first['msg']}, and is {shown(first['input'])}"
        raise TapeError(f"{path}:{number}: no {_KINDS[number == 1]} of a tape ({said}); {_RESTORE}") from None


_KINDS = {True: "first line", False: "track"}


def _check_version(path: Path, document: Any) -> None:
    version = document.get("tape") if isinstance(document, dict) else None
    if type(version) is int and version > _SCHEMA:
        raise TapeError(
            f"{path}:1: written by a newer pytest_llmrel (tape {shown(version)}, this one knows {_SCHEMA}); "
            "upgrade pytest_llmrel"
        )


def _value(path: Path, number: int, track: _Track) -> Track:
    return Track(
        track.case,
        track.variant,
        track.run,
        track.seconds,
        tuple(_recorded(path, number, call) for call in track.calls),
    )


def _recorded(path: Path, number: int, call: _Call) -> Recorded:
    if isinstance(call.body, str):
        body = call.body.encode("utf-8", "surrogatepass")
    else:
        try:
            body = base64.b64decode(call.body.base64, validate=True)
        except ValueError:
            raise TapeError(f"{path}:{number}: a body that is not base64; {_RESTORE}") from None
    headers = tuple((name, value) for name, value in call.headers)
    return Recorded(dict(call.request), call.status, headers, body, call.seconds, call.error, call.retries)


def _data(track: Track, redactor: Redactor) -> Mapping[str, Any]:
    return {
        "case": track.case,
        "variant": track.variant,
        "run": track.run,
        "seconds": round(track.seconds, 6),
        "calls": [_call(call, redactor) for call in track.calls],
    }


def _call(call: Recorded, redactor: Redactor) -> Mapping[str, Any]:
    said: dict[str, Any] = {"request": dict(call.request), "status": call.status}
    if call.headers:
        said["headers"] = [[name, redactor.clean(value)] for name, value in call.headers]
    if call.body:
        said["body"] = _body(redactor.clean_bytes(call.body))
    said["seconds"] = round(call.seconds, 6)
    if call.error:
        said["error"] = call.error
    if call.retries:
        said["retries"] = call.retries
    return said


def _body(data: bytes) -> str | Mapping[str, str]:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode("ascii")}
