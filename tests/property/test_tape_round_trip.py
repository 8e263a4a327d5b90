"""Laws of tapes: what is written is read again, and every run gets its own answers in any order."""

import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hypothesis import example, given
from hypothesis import strategies as st

from pytest_llmrel.wire.fingerprint import difference, fingerprint
from pytest_llmrel.wire.redaction import Redactor
from pytest_llmrel.wire.steps import Request
from pytest_llmrel.wire.tape import Player, Recorded, Recorder, Tape, Track
from pytest_llmrel.wire.tapefile import read_tape, write_tape

text = st.text(st.characters(categories=["L", "N", "P", "Z", "Cc"]), max_size=30)
calls = st.builds(
    Recorded,
    st.dictionaries(text, text, max_size=3),
    st.integers(100, 999) | st.none(),
    st.lists(st.tuples(text, text), max_size=2).map(tuple),
    st.binary(max_size=40)
    | text.map(str.encode)
    | st.text(max_size=20).map(lambda it: it.encode("utf-16", "surrogatepass"))
    | st.text(st.characters(codec=None), max_size=20).map(lambda it: it.encode("utf-8", "surrogatepass")),
    st.floats(0, 1e4).map(lambda value: round(value, 6)),
    st.sampled_from(["", "ReadError"]) | st.from_regex(r"\A[a-zA-Z_]\w{0,10}\Z").filter(str.isidentifier),
)
tracks = st.builds(
    Track,
    st.sampled_from(["", "case 1"]),
    st.sampled_from(["", "0a1b2c3d"]),
    st.integers(0, 9),
    st.floats(0, 100).map(lambda value: round(value, 6)),
    st.lists(calls, max_size=3).map(tuple),
)


@given(st.lists(tracks, max_size=6, unique_by=lambda track: track.address), text)
def test_what_is_written_is_read_again(made: list[Track], name: str) -> None:
    """Whatever a model has answered, text or not."""
    tape = Tape(name, "0.1.0", {track.address: track for track in made})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.jsonl")
        write_tape(path, tape, Redactor())
        assert read_tape(path) == tape


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec=None), max_size=80),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec=None), max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
"""Bodies of requests, with halves of characters in names and texts, as JSON may have them."""


@example({"\ud800": {"\udfff": 1}}, "")
@given(
    json_values | st.binary(max_size=30),
    st.text(st.characters(codec=None, exclude_characters="#"), max_size=20),
)
def test_what_was_asked_is_read_again(asked: Any, query: str) -> None:
    """Whatever the request held, its fingerprint can be printed and written, and is the same when it is read."""
    body = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    url = f"http://h/v1?a={quote(query, errors='surrogatepass')}&{quote(query, errors='surrogatepass')}=b"
    fields = fingerprint(Request("POST", url, (), body), Redactor())
    assert all(text.isprintable() for field in fields.items() for text in field)
    assert difference(fields, fingerprint(Request("POST", url, (), body), Redactor())) == ""
    track = Track("", "", 0, 0, (Recorded(fields, 200),))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.jsonl")
        write_tape(path, Tape("t", "1", {track.address: track}), Redactor())
        read = read_tape(path)
    assert read is not None
    assert read.tracks[track.address].calls[0].request == fields


@given(st.permutations(range(8)))
def test_every_run_gets_its_own_answers(order: Sequence[int]) -> None:
    """Eight runs ask the same three questions; whichever goes first, each hears what it heard."""
    request = {"body": "the same"}
    players = {
        run: Player(
            Track("", "", run, 0, tuple(Recorded(request, 200, body=b"%d.%d" % (run, n)) for n in range(3)))
        )
        for run in range(8)
    }

    def ask(run: int) -> list[bytes]:
        return [players[run].play(request).body for _ in range(3)]

    with ThreadPoolExecutor(4) as pool:
        heard = dict(zip(order, pool.map(ask, order), strict=True))
    assert heard == {run: [b"%d.%d" % (run, n) for n in range(3)] for run in range(8)}


@given(st.permutations(range(6)))
def test_a_recording_is_in_the_order_of_the_beginnings(order: Sequence[int]) -> None:
    """In whatever order the calls end."""
    recorder = Recorder()
    places = [recorder.begin() for _ in range(6)]
    for number in order:
        assert recorder.calls is None
        recorder.end(places[number], Recorded({}, 200, body=b"%d" % number))
    assert recorder.calls is not None
    assert [call.body for call in recorder.calls] == [b"%d" % number for number in range(6)]
