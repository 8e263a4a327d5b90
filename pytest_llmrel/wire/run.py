"""The calls of one run, as the seam reports them: counted, recorded or replayed, and broken on purpose."""

from contextvars import ContextVar
from dataclasses import replace
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from pytest_llmrel.core.call import Call
from pytest_llmrel.core.run import judging
from pytest_llmrel.wire.faults import Injector
from pytest_llmrel.wire.fingerprint import fingerprint
from pytest_llmrel.wire.redaction import kept_headers
from pytest_llmrel.wire.session import SessionWire
from pytest_llmrel.wire.steps import Head, Request
from pytest_llmrel.wire.tape import Player, Recorded, Recorder
from pytest_llmrel.wire.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Listening", "RunWire", "current_wire"]


class RunWire:
    """What one run sends and gets; its methods may be called from several threads at once.

    Args:
        session: what is shared.
        injector: of faults, ``None`` for none.
        player: of the track that answers, ``None`` if calls are really made.
        recorder: of a new track, ``None`` if none is recorded.

    Attributes:
        calls: made so far, as they ended.
        injected: faults so far.
        refusal: the first signal that was raised in place of a call, whoever may have swallowed it.
        retries: calls that were sent again.
        counted: calls so far that count towards a limit of calls.
    """

    def __init__(
        self,
        session: SessionWire,
        injector: Injector | None = None,
        player: Player | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.session = session
        self.injector = injector
        self.player = player
        self.recorder = recorder
        self.calls: list[Call] = []
        self.injected = 0
        self.retries = 0
        self.counted = 0
        self.refusal: BaseException | None = None
        self._open: set[Listening] = set()
        self._lock = Lock()
        self._waiting = 0
        self._waiting_since = 0.0
        self._waited = 0.0

    @property
    def waited(self) -> float:
        """Seconds in which a call of this run was held back, for no fault of the application's."""
        with self._lock:
            return self._waited + (monotonic() - self._waiting_since if self._waiting else 0.0)

    def hold(self) -> None:
        """A call begins to be held back."""
        with self._lock:
            if not self._waiting:
                self._waiting_since = monotonic()
            self._waiting += 1

    def go_on(self) -> None:
        """A call is held back no longer."""
        with self._lock:
            self._waiting -= 1
            if not self._waiting:
                self._waited += monotonic() - self._waiting_since

    def refuse(self, signal: BaseException) -> BaseException:
        """Remember why a call was refused: a test that catches everything must not pass because of it."""
        self.refusal = self.refusal or signal
        return signal

    def count(self) -> None:
        """A call that counts towards a limit of calls is about to be made."""
        with self._lock:
            self.counted += 1

    def note(self, call: Call | None) -> None:
        """Keep a call that was really made."""
        if call is not None:
            self.calls.append(call)
            self.session.pay(call)

    def replayed(self, request: Request) -> Recorded:
        """The answer on the tape; it is counted as if it had been made, and paid by nobody.

        Raises:
            Unreplayable: the tape has none.
        """
        assert self.player is not None  # noqa: S101  the course asks only then
        recorded = self.player.play(fingerprint(request, self.session.redactor))
        self.calls += [replace(call, replayed=True) for call in self._metered(request, recorded)]
        return recorded

    def _metered(self, request: Request, recorded: Recorded) -> list[Call]:
        if recorded.status is None:
            call = self.session.unanswered(request, recorded.seconds, recorded.error, judge=judging.get())
        else:
            head = Head(recorded.status, recorded.headers)
            call = self.metered(
                request,
                head,
                recorded.body,
                recorded.seconds,
                judge=judging.get(),
                complete=not recorded.error,
            )
        return [] if call is None else [replace(call, error=recorded.error)]

    def metered(
        self, request: Request, head: Head, body: bytes, seconds: float, *, judge: bool, complete: bool = True
    ) -> Call | None:
        """What is kept of an answered call, see :meth:`SessionWire.meter`.

        A hook that raises makes its cost unknown and the run an error, whoever catches what: a call that is
        not counted would be free.
        """
        try:
            return self.session.meter(request, head, body, seconds, judge=judge, complete=complete)
        except Exception as error:  # noqa: BLE001  the hooks are the user's
            self.refuse(error)
            name = type(error).__name__
            return Call(request.host, request.path, head.status, seconds, None, None, error=name, judge=judge)

    def listen(self, listening: "Listening") -> None:
        """An answer begins to be read."""
        with self._lock:
            self._open.add(listening)

    @property
    def is_listening(self) -> bool:
        """Whether an answer is being read, or left open."""
        return bool(self._open)

    def heard(self, listening: "Listening") -> bool:
        """An answer was read; whether it is the first time that this is said."""
        with self._lock:
            if listening not in self._open:
                return False
            self._open.remove(listening)
            return True

    def end(self) -> None:
        """The run is over: what it left open is closed, as calls of which nobody knows what they used."""
        for listening in list(self._open):
            listening.abandon()


class Listening:
    """One answer on its way: takes the body when it has been read.

    Attributes:
        so_far: what the client has read of a stream, decoded.

    Args:
        wire: of the run.
        request: as sent.
        head: of the answer.
        throttle: that has admitted the call.
        began: when it was sent, by ``monotonic``.
        place: on the tape, ``None`` if it is not recorded.
    """

    def __init__(
        self,
        wire: RunWire,
        request: Request,
        head: Head,
        throttle: Throttle,
        *,
        began: float,
        place: int | None,
    ) -> None:
        self._wire = wire
        self._request = request
        self._head = head
        self._throttle = throttle
        self._place = place
        self._began = began
        self._judge = judging.get()
        self.so_far: Callable[[], bytes] = bytes
        wire.listen(self)

    def finish(self, body: bytes, error: BaseException | None = None, *, complete: bool = True) -> None:
        """The body has ended; one that was cancelled, which no replay could repeat, is on no tape.

        Args:
            body: decoded.
            error: what ended it, ``None`` for its end.
            complete: whether it is all that the server had to say.
        """
        if not self._wire.heard(self):
            return
        self._throttle.release()
        seconds, name = monotonic() - self._began, "" if error is None else type(error).__name__
        whole = complete and error is None
        call = self._wire.metered(self._request, self._head, body, seconds, judge=self._judge, complete=whole)
        self._wire.note(call if call is None or not name else replace(call, error=name))
        is_cancelled = error is not None and not isinstance(error, Exception)
        if self._place is not None and self._wire.recorder is not None and not is_cancelled:
            headers = tuple(kept_headers(self._head.headers))
            fields = fingerprint(self._request, self._wire.session.redactor)
            recorded = Recorded(fields, self._head.status, headers, body, seconds, name)
            self._wire.recorder.end(self._place, recorded)

    def abandon(self) -> None:
        """Nobody has closed it; who has read all that counts has ended it all the same."""
        body = self.so_far()
        if body and self._wire.session.is_whole(self._request, self._head, body):
            self.finish(body)
        elif self._wire.heard(self):
            self._throttle.release()
            seconds = monotonic() - self._began
            self._wire.note(
                self._wire.session.unanswered(self._request, seconds, "left open", judge=self._judge)
            )


current_wire: ContextVar[RunWire | None] = ContextVar("pytest_llmrel_current_wire", default=None)
"""The wire of the run that the running code belongs to."""
