"""Labelled answers before a judge: many at a time, in threads that nobody waits for at the exit."""

from __future__ import annotations

import threading
from itertools import combinations
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_llmrel.baselines.labels import Labelled
    from pytest_llmrel.core.calibration import Retest

__all__ = ["AnyJudge", "Counts", "Judgement", "counted", "judgements"]

_POLL_SECONDS = 0.2
_LEAST_VERDICTS = 2


class _Found(Protocol):
    """What a judge finds; its score is ``None`` where there is none."""

    @property
    def score(self) -> float | None: ...


class AnyJudge(Protocol):
    """Whatever gives answers a score within 0..1; called from many threads at once."""

    def score(self, answer: str, context: str, question: str = "") -> _Found:
        """Say how much of ``answer``, given to ``question``, is supported by ``context``."""
        ...


class Judgement(NamedTuple):
    """One answer, judged once.

    Attributes:
        item: number of the answer.
        repeat: number of the judgement of this answer.
        score: within 0..1, ``None`` if there is none.
        error: what the judge raised instead.
    """

    item: int
    repeat: int
    score: float | None
    error: Exception | None = None


class Counts(NamedTuple):
    """Items by labels and first verdicts, as `Calibration` holds them."""

    tp: int
    fn: int
    tn: int
    fp: int
    unscored: int
    retest: Retest | None


def judgements(
    judge: AnyJudge, items: Sequence[Labelled], repeats: int, concurrency: int
) -> Iterator[Judgement]:
    """Every answer judged ``repeats`` times, as they come in, up to the first error.

    The judge is asked no further once it fails, or once nobody listens any more.

    Args:
        judge: it.
        items: the answers.
        repeats: judgements of each, at least 1.
        concurrency: how many judgements are under way at the same time, at most.
    """
    jobs = iter([(item, repeat) for repeat in range(repeats) for item in range(len(items))])
    total = repeats * len(items)
    done: SimpleQueue[Judgement] = SimpleQueue()
    lock, stop = threading.Lock(), threading.Event()

    def work() -> None:
        while not stop.is_set():
            with lock:
                job = next(jobs, None)
            if job is None:
                return
            one = _judged(judge, items[job[0]], *job)
            if one.error is not None:
                stop.set()
            done.put(one)

    for number in range(min(concurrency, total)):
        threading.Thread(target=work, name=f"llmrel-judge-{number}", daemon=True).start()
    try:
        for _ in range(total):
            one = _next(done)
            yield one
            if one.error is not None:
                return
    finally:
        stop.set()


def counted(items: Sequence[Labelled], found: Sequence[Judgement], threshold: float) -> Counts:
    """The judgements as counts; an answer without a first verdict is in none of the four cells.

    Args:
        items: the answers.
        found: their judgements, in any order.
        threshold: lowest score that passes.
    """
    verdicts: list[dict[int, bool]] = [{} for _ in items]
    for one in found:
        if one.score is not None:
            verdicts[one.item][one.repeat] = one.score >= threshold
    cells = [(item.faithful, said[0]) for item, said in zip(items, verdicts, strict=True) if 0 in said]
    return Counts(
        tp=cells.count((True, True)),
        fn=cells.count((True, False)),
        tn=cells.count((False, False)),
        fp=cells.count((False, True)),
        unscored=len(items) - len(cells),
        retest=_retest([list(said.values()) for said in verdicts if 0 in said]),
    )


def _judged(judge: AnyJudge, item: Labelled, number: int, repeat: int) -> Judgement:
    try:
        score = judge.score(item.answer, item.context, item.question).score
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told, and nothing is recorded
        return Judgement(number, repeat, None, error)
    return Judgement(number, repeat, score if score is not None and 0 <= score <= 1 else None)


def _next(done: SimpleQueue[Judgement]) -> Judgement:
    while True:
        try:
            # In slices, because some platforms deliver no signal during an endless wait.
            return done.get(timeout=_POLL_SECONDS)
        except Empty:
            continue


def _retest(verdicts: Sequence[Sequence[bool]]) -> Retest | None:
    from pytest_llmrel.core.calibration import Retest

    again = [said for said in verdicts if len(said) >= _LEAST_VERDICTS]
    if not again:
        return None
    pairs = [pair for said in again for pair in combinations(said, 2)]
    return Retest(
        items=len(again),
        differing=sum(len(set(said)) > 1 for said in again),
        pairs=len(pairs),
        differing_pairs=sum(one is not other for one, other in pairs),
    )
