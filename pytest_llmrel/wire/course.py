"""How one call goes: a fault in its place, the answer of a tape, or the host's, asked kindly and again."""

from collections.abc import Generator
from email.utils import parsedate_to_datetime
from time import monotonic, time

from pytest_llmrel.core.run import judging
from pytest_llmrel.errors import BudgetSpent, Unreplayable
from pytest_llmrel.wire.bodies import pieces
from pytest_llmrel.wire.faults import SLOW_SECONDS, broken, in_place_of_call
from pytest_llmrel.wire.fingerprint import fingerprint
from pytest_llmrel.wire.run import Listening, RunWire
from pytest_llmrel.wire.steps import Answer, Course, Deliver, Fail, Head, Read, Request, Send, Wait
from pytest_llmrel.wire.tape import Recorded
from pytest_llmrel.wire.throttle import LONGEST_PAUSE, Throttle

__all__ = ["course_of"]

_TOO_MANY = 429
_RETRIED = frozenset({_TOO_MANY, 500, 502, 503, 504, 529})
_BROKEN_CONNECTIONS = frozenset({"NetworkError", "RemoteProtocolError"})
"""Classes of httpx, by name: the request may be sent again. Not timeouts: those have cost enough time."""
_FIRST_PAUSE = 0.1
_SERVER = 500
_End = Deliver | Answer | Fail


def course_of(wire: RunWire, request: Request) -> Course:
    """The course of one call.

    Raises:
        BudgetSpent: nothing more may be spent.
        Unreplayable: the tape has no answer.
    """
    wire.session.redactor.learn_request(request.url, request.headers)
    # How the feature takes a fault is what is asked; a judge that meets one would only be lost.
    fault = "" if wire.injector is None or judging.get() else wire.injector.draw()
    if fault and wire.injector is not None:
        wire.injected += 1
        instead = in_place_of_call(fault, connects=wire.injector.connects())
        if instead is not None:
            return instead
        if fault == "slow":
            late = yield from _slowly(request)
            if late is not None:
                return late
    try:
        final = _replayed(wire, request) if wire.player else (yield from _sent(wire, request))
    except (BudgetSpent, Unreplayable) as signal:
        raise wire.refuse(signal) from None
    return (yield from _spoiled(fault, final)) if fault in {"malformed", "truncated"} else final


def _slowly(request: Request) -> Generator[Wait, None, Fail | None]:
    patience = request.read_timeout
    if patience is not None and patience < SLOW_SECONDS:
        yield Wait(patience)
        return Fail("ReadTimeout", "timed out")
    yield Wait(SLOW_SECONDS)
    return None


def _spoiled(fault: str, final: _End) -> Generator[Read, bytes, _End]:
    if isinstance(final, Answer):
        return broken(fault, Head(final.status, final.headers), b"".join(final.chunks))
    if isinstance(final, Fail):
        return final
    try:
        body = yield Read()
    except BaseException as error:
        final.intake.finish(b"", error)
        raise
    final.intake.finish(body)
    return broken(fault, final.head, body)


def _replayed(wire: RunWire, request: Request) -> Answer | Fail:
    _count_call(wire, request)
    recorded = wire.replayed(request)
    for _ in range(recorded.retries):
        _count_call(wire, request)  # each was a call when it was recorded
    if recorded.status is None:
        return Fail(recorded.error, "recorded on the tape")
    head = Head(recorded.status, recorded.headers)
    chunks = tuple(pieces(head.content_type, recorded.body))
    return Answer(recorded.status, recorded.headers, chunks, recorded.error)


def _sent(wire: RunWire, request: Request) -> Generator[Wait | Send, Head, _End]:
    """The answer of the host; a model that is busy, or has lost the connection, is asked again."""
    session, throttle = wire.session, wire.session.throttle(request.origin)
    is_repeatable = request.body is not None and session.is_of_model(request)
    place = None if wire.recorder is None else wire.recorder.begin()
    for left in range(session.policy.retries if is_repeatable else 0, -1, -1):
        yield from _admitted(wire, throttle)
        _take_call(wire, request, throttle)
        began, pause = monotonic(), 0.0
        try:
            head = yield Send()
        except BaseException as error:
            throttle.release()
            _note_error(wire, request, began, error)
            if not left or not _is_broken_connection(error):
                _record_error(wire, request, place, error)
                raise
        else:
            session.redactor.learn_request(request.url, head.sent)
            pause = _note_head(throttle, began, head)
            if not left or head.status not in _RETRIED or pause > LONGEST_PAUSE:
                return Deliver(Listening(wire, request, head, throttle, began=began, place=place), head)
            throttle.release()
            wire.note(wire.metered(request, head, b"", monotonic() - began, judge=judging.get()))
        wire.retries += 1
        if place is not None and wire.recorder is not None:
            wire.recorder.again(place)
        yield from _held(wire, max(pause, _FIRST_PAUSE * 2 ** (session.policy.retries - left)))
    raise AssertionError("the last try returns or raises")


def _admitted(wire: RunWire, throttle: Throttle) -> Generator[Wait, None, None]:
    wire.session.budget.check()
    while pause := throttle.admit(holds_one=wire.is_listening):
        yield from _held(wire, pause)
        wire.session.budget.check()  # those before it may have spent the rest


def _take_call(wire: RunWire, request: Request, throttle: Throttle) -> None:
    try:
        _count_call(wire, request)
    except BudgetSpent:
        throttle.release()
        raise


def _count_call(wire: RunWire, request: Request) -> None:
    budget = wire.session.budget
    if budget.counts_calls and wire.session.is_counted(request):
        budget.take_call()
        wire.count()


def _held(wire: RunWire, seconds: float) -> Generator[Wait, None, None]:
    wire.hold()
    try:
        yield Wait(seconds)
    finally:
        wire.go_on()


def _note_head(throttle: Throttle, began: float, head: Head) -> float:
    """Tell the throttle what the host said; the pause that it wants, in seconds."""
    pause = _retry_after(head) if head.status in _RETRIED else 0.0
    if head.status == _TOO_MANY:
        # Whoever wants more than that gets nobody to wait: it is passed on, to this test and the next.
        throttle.refused(began, pause if pause <= LONGEST_PAUSE else 0.0)
    elif head.status < _SERVER:
        throttle.accepted()
    return pause


def _retry_after(head: Head) -> float:
    """Seconds that the host asks for (RFC 9110, 10.2.3; OpenAI's in ms); nonsense asks for none."""
    for name, per_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            return max(0.0, float(head.header(name)) / per_second)
        except ValueError:
            continue
    try:
        return max(0.0, parsedate_to_datetime(head.header("retry-after")).timestamp() - time())
    except (ValueError, OverflowError):
        return 0.0


def _is_broken_connection(error: BaseException) -> bool:
    return any(kind.__name__ in _BROKEN_CONNECTIONS for kind in type(error).__mro__)


def _note_error(wire: RunWire, request: Request, began: float, error: BaseException) -> None:
    seconds, name = monotonic() - began, type(error).__name__
    wire.note(wire.session.unanswered(request, seconds, name, judge=judging.get()))


def _record_error(wire: RunWire, request: Request, place: int | None, error: BaseException) -> None:
    if place is not None and wire.recorder is not None and isinstance(error, Exception):
        fields = fingerprint(request, wire.session.redactor)
        wire.recorder.end(place, Recorded(fields, None, error=type(error).__name__))
