"""The calls of one test: a wire for each run, what a tape lacks, what belongs to no run."""

from collections.abc import Callable, Iterator

import pytest

from pytest_llmrel.core.fault import FaultPlan
from pytest_llmrel.core.model import Attempt, Variant
from pytest_llmrel.core.run import Run
from pytest_llmrel.wire.budget import Budget
from pytest_llmrel.wire.item import ItemWire
from pytest_llmrel.wire.run import current_wire
from pytest_llmrel.wire.session import Policy, SessionWire, TapeMode
from pytest_llmrel.wire.tape import Recorded, Tape, Track

Make = Callable[..., ItemWire]
PLAIN = Variant()
WORDING = Variant("0a1b2c3d", "How long?")


def attempts(k: int, variant: Variant = PLAIN) -> list[Attempt]:
    """The first k runs of a wording."""
    return [Attempt("", variant, run, run) for run in range(k)]


def tape(k: int, variant: str = "") -> Tape:
    """With so many runs of a wording."""
    tracks = (Track("", variant, run, 1.5, (Recorded({}, 200),)) for run in range(k))
    return Tape("t", "1", {track.address: track for track in tracks})


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes the wire of a test in a mode, with a tape."""

    def item(mode: TapeMode, known: Tape | None = None, faults: FaultPlan | None = None) -> ItemWire:
        return ItemWire(SessionWire(policy=Policy(mode=mode), budget=Budget(1.0)), faults, known)

    token = current_wire.set(None)
    yield item
    current_wire.reset(token)  # or whatever is called later in this thread would meet what was begun here


def test_a_tape_that_has_everything(make: Make) -> None:
    """Lacks nothing; and where calls are made, none is needed."""
    assert make(TapeMode.REPLAY, tape(3)).lacks(attempts(3)) == ""
    assert make(TapeMode.RECORD).lacks(attempts(3)) == ""
    assert make(TapeMode.OFF).lacks(attempts(3)) == ""


@pytest.mark.parametrize(
    ("known", "todo", "said"),
    [
        (None, attempts(3), "there is no tape"),
        (tape(2), attempts(5), "lacks 3 of 5 runs, first of all run 2"),
        (tape(5), attempts(5, WORDING), "lacks 5 of 5 runs, first of all run 0 of wording 'How long?'"),
    ],
)
def test_what_a_tape_lacks(make: Make, known: Tape | None, todo: list[Attempt], said: str) -> None:
    """Is told with what to do, before anything runs."""
    reason = make(TapeMode.REPLAY, known).lacks(todo)
    assert said in reason
    assert reason.endswith("record what is missing with --llmrel-tape=record")


def test_recording_makes_only_the_missing_runs(make: Make) -> None:
    """A run that is on the tape is played, the next one recorded."""
    item = make(TapeMode.RECORD, tape(1))
    first, second = (item.begin(Run(attempt)) for attempt in attempts(2))
    assert (first.player is not None, first.recorder) == (True, None)
    assert (second.player, second.recorder is not None) == (None, True)


def test_a_run_without_a_call_has_a_track(make: Make) -> None:
    """Or a replay would take it for missing."""
    item = make(TapeMode.RECORD)
    run = Run(attempts(1)[0])
    item.end(run, item.begin(run), 0.25)
    assert item.new_tracks == {("", "", 0): Track("", "", 0, 0.25, ())}


def test_a_run_with_an_open_call_has_none(make: Make) -> None:
    """It is told, for the tape is not complete then."""
    item = make(TapeMode.RECORD)
    run = Run(attempts(1)[0])
    wire = item.begin(run)
    assert wire.recorder is not None
    wire.recorder.begin()
    item.end(run, wire, 0.25)
    assert item.new_tracks == {}
    assert "1 runs are on no tape" in item.notes[0]


def test_the_wire_of_a_run_is_found_by_its_code(make: Make) -> None:
    """Through the context; and by everybody, where runs come one at a time."""
    item = make(TapeMode.OFF)
    run = Run(attempts(1)[0])
    wire = item.begin(run)
    assert current_wire.get() is wire
    assert item.only is None
    item.alone = True
    wire = item.begin(run)
    assert item.only is wire
    item.end(run, wire, 0.1)
    assert item.only is None


def test_what_a_test_reports_itself_is_priced_and_paid(make: Make) -> None:
    """By the list of prices, where it does not say the cost."""
    item = make(TapeMode.OFF)
    run = Run(attempts(1)[0])
    wire = item.begin(run)
    run.usage(model="gpt-4o-mini", input_tokens=1_000_000, output_tokens=0)
    run.usage(cost=0.25)
    traffic = item.end(run, wire, 0.1)
    assert [call.cost for call in traffic.calls] == [pytest.approx(0.15), 0.25]
    assert item.session.budget.spent == pytest.approx(0.4)


def test_a_model_that_nobody_knows_ends_the_budget(make: Make) -> None:
    """What it costs might be anything."""
    item = make(TapeMode.OFF)
    run = Run(attempts(1)[0])
    wire = item.begin(run)
    run.usage(model="intern-7b", input_tokens=1, output_tokens=1)
    item.end(run, wire, 0.1)
    assert "what intern-7b costs is unknown" in item.session.budget.reason


def test_faults_are_those_of_the_run(make: Make) -> None:
    """By its seed alone: the same run meets the same again, another one others."""
    drawn = []
    for seed in (1, 1, 2):
        item = make(TapeMode.OFF, None, FaultPlan(("429", "500", "reset"), 0.5))
        wire = item.begin(Run(Attempt("", Variant(), 0, seed)))
        assert wire.injector is not None
        drawn.append([wire.injector.draw() for _ in range(50)])
    assert drawn[0] == drawn[1] != drawn[2]
    assert 10 < drawn[0].count("") < 40
    assert set(drawn[0]) == {"", "429", "500", "reset"}


def test_a_budget_without_bounds() -> None:
    """Counts, and ends nothing."""
    budget = Budget()
    budget.pay(1e9, "x")
    budget.pay(None, "y")
    assert (budget.spent, budget.reason) == (1e9, "")
    budget.check()
