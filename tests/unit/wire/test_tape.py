"""Tracks that are played and recorded: by position alone, each call once, and every refusal says why."""

import threading
from collections import Counter
from collections.abc import Mapping

import pytest

from pytest_llmrel.errors import Unreplayable
from pytest_llmrel.wire.tape import Player, Recorded, Recorder, Track

ASKED: Mapping[str, str] = {"method": "POST", "body.model": "m", "body.user": "u-1"}


def track(*requests: Mapping[str, str], run: int = 4) -> Track:
    """Of calls whose answers are their positions."""
    calls = (Recorded(request, 200, body=b"%d" % place) for place, request in enumerate(requests))
    return Track("case", "key", run, 1.0, tuple(calls))


def test_equal_requests_get_their_own_answers() -> None:
    """In the order in which they were recorded, and what is left is counted."""
    player = Player(track(ASKED, ASKED, ASKED))
    for left in (2, 1, 0):
        assert player.play(ASKED).body == b"%d" % (2 - left)
        assert player.left == left


@pytest.mark.parametrize("calls", [0, 1, 3])
def test_a_call_behind_the_end(calls: int) -> None:
    """Names the call, the run, how many there are, and what to do; asking again does not begin anew."""
    player = Player(track(*[ASKED] * calls))
    for _ in range(calls):
        player.play(ASKED)
    for number in (calls + 1, calls + 2):
        with pytest.raises(Unreplayable) as caught:
            player.play(ASKED)
        said = str(caught.value)
        assert said.startswith(f"call {number} of run 4 is not on the tape, which ends after {calls}; ")
        assert "--llmrel-tape=record" in said


def test_another_request_than_was_recorded() -> None:
    """Names the call, the field and both values, and how to ignore it; the next call has its own place."""
    player = Player(track(ASKED, ASKED))
    with pytest.raises(Unreplayable) as caught:
        player.play({**ASKED, "body.model": "n"})
    said = str(caught.value)
    assert said.startswith("call 1 of run 4 is not the one on the tape: body.model was m and is n; ")
    assert "llmrel_tape_ignore" in said
    assert player.play(ASKED).body == b"1"


def test_fields_that_may_differ() -> None:
    """A changed user is no other question, where the project says so; a changed model still is."""
    player = Player(track(ASKED, ASKED), ["body.user"])
    assert player.play({**ASKED, "body.user": "u-2"}).body == b"0"
    with pytest.raises(Unreplayable, match=r"body\.model was m and is n;"):
        player.play({**ASKED, "body.user": "u-2", "body.model": "n"})


def test_the_signal_is_no_exception_that_a_test_swallows() -> None:
    """``except Exception`` in an application must not turn a missing answer into a fallback that passes."""
    assert not issubclass(Unreplayable, Exception)


def test_threads_of_one_run_share_the_track() -> None:
    """Forty threads ask at once: each position is played exactly once, and exactly the rest is refused."""
    player, heard = Player(track(*[ASKED] * 30)), Counter[bytes]()
    gate = threading.Barrier(40)

    def ask() -> None:
        gate.wait()
        try:
            heard[player.play(ASKED).body] += 1
        except Unreplayable:
            heard[b"refused"] += 1

    threads = [threading.Thread(target=ask) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {b"%d" % place: 1 for place in range(30)} | {b"refused": 10}


def test_places_of_a_recorder_are_each_given_once() -> None:
    """To threads that begin at once; all of them are on the track, in the order of their places."""
    recorder, gate = Recorder(), threading.Barrier(30)

    def call() -> None:
        gate.wait()
        place = recorder.begin()
        recorder.end(place, Recorded({}, 200, body=b"%d" % place))

    threads = [threading.Thread(target=call) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.body for one in recorder.calls or ()] == [b"%d" % place for place in range(30)]


def test_a_recorder_with_an_open_call_has_no_calls() -> None:
    """Not even those that ended: a track with a gap would answer the wrong calls."""
    recorder = Recorder()
    assert recorder.calls == ()
    first, second = recorder.begin(), recorder.begin()
    recorder.end(second, Recorded({}, 200))
    assert recorder.calls is None
    recorder.end(first, Recorded({}, 500))
    assert [one.status for one in recorder.calls or ()] == [500, 200]
