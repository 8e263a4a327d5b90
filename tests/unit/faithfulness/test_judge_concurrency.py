"""Many answers at once: all right, never more under way than allowed, and no place lost on the way."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from pytest_llmrel.faithfulness.judge import Judge
from pytest_llmrel.faithfulness.judge_slots import Slots, slots_of

from .judging import CONTEXT, judge_at, serving

MANY = 32
ANSWERS = [
    f"Items can be returned within {days} days. Refunds are paid within 5 days." for days in range(30, 62)
]
WANTED = [1.0] + [0.5] * (MANY - 1)


def in_threads(judge: Judge) -> list[float | None]:
    """Scores by 32 threads."""
    with ThreadPoolExecutor(MANY) as pool:
        return list(pool.map(lambda answer: judge.score(answer, CONTEXT).score, ANSWERS))


def in_tasks(judge: Judge) -> list[float | None]:
    """Scores by 32 tasks of one loop."""

    async def gather() -> list[float | None]:
        return [found.score for found in await asyncio.gather(*(judge.ascore(a, CONTEXT) for a in ANSWERS))]

    return asyncio.run(gather())


@pytest.mark.parametrize("way", [in_threads, in_tasks])
def test_32_answers_in_flight_are_all_judged_right(way: object) -> None:
    """Each with its own result, none with that of another."""
    with serving(latency=1) as simulator:
        began = time.perf_counter()
        assert way(judge_at(simulator, concurrency=MANY)) == WANTED  # type: ignore[operator]
        seconds = time.perf_counter() - began
        assert simulator.peak == MANY
    assert seconds < 1 * MANY / 4


def test_threads_and_tasks_share_the_bound() -> None:
    """The most under way is that of the judge, whoever asks; equal judges are one."""
    with serving(latency=0.05) as simulator:
        crews = [
            threading.Thread(target=way, args=(judge_at(simulator, concurrency=4),))
            for way in (in_threads, in_tasks)
        ]
        for crew in crews:
            crew.start()
        for crew in crews:
            crew.join()
        assert simulator.served == {"ok": 2 * MANY}
        assert 2 <= simulator.peak <= 4


def test_judges_that_differ_do_not_wait_for_each_other() -> None:
    """Each has places of its own."""
    one, other = Judge("one"), Judge("other")
    assert slots_of(one, 3) is slots_of(Judge("one"), 3)
    assert slots_of(one, 3) is not slots_of(other, 3)


def test_errors_give_their_places_back() -> None:
    """Or the judge would be stuck after as many of them as it has places."""
    with serving(faults={"500": 1.0}) as simulator:
        judge = judge_at(simulator, concurrency=2)
        for _ in range(5):
            with pytest.raises(httpx.HTTPStatusError):
                judge.score(ANSWERS[0], CONTEXT)
        assert simulator.requests == 5


def test_cancelled_tasks_give_their_places_back() -> None:
    """Those under way and those that wait alike; what comes after them is judged."""

    async def story(judge: Judge) -> float | None:
        tasks = [asyncio.ensure_future(judge.ascore(answer, CONTEXT)) for answer in ANSWERS]
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return (await asyncio.wait_for(judge.ascore(ANSWERS[0], CONTEXT), 10)).score

    with serving(latency=0.3) as simulator:
        assert asyncio.run(story(judge_at(simulator, concurrency=2))) == 1.0


def test_a_place_that_comes_with_the_cancellation_is_passed_on() -> None:
    """Given and cancelled in the same breath of the loop: the place is free again."""

    async def story(slots: Slots) -> None:
        async def hold() -> None:
            async with slots.aheld():
                pytest.fail("it was cancelled")

        with slots.held():
            task = asyncio.ensure_future(hold())
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5), slots.aheld():
            pass

    asyncio.run(story(Slots(1)))


def test_who_gives_up_waiting_frees_no_place() -> None:
    """It had none: the one that is held stays the only one."""

    async def story(slots: Slots) -> None:
        async def hold() -> None:
            async with slots.aheld():
                pass

        with slots.held():
            for _ in range(3):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(hold(), 0.02)
        await asyncio.wait_for(hold(), 5)

    slots = Slots(1)
    asyncio.run(story(slots))
    assert (slots._free, len(slots._waiting)) == (1, 0)


def test_places_are_given_in_order() -> None:
    """Who asked first is first, so that nobody starves."""
    slots, order, asked = Slots(1), [], []

    def hold(number: int) -> None:
        asked.append(number)
        with slots.held():
            order.append(number)

    with slots.held():
        threads = []
        for number in range(8):
            threads.append(threading.Thread(target=hold, args=(number,)))
            threads[-1].start()
            while len(slots._waiting) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == asked == list(range(8))
    assert (slots._free, len(slots._waiting)) == (1, 0)


def test_each_loop_is_served() -> None:
    """A judge is not bound to the loop that asked first, as an asyncio semaphore would be."""
    with serving(latency=0.01) as simulator:
        judge = judge_at(simulator, concurrency=2)
        assert [in_tasks(judge) for _ in range(2)] == [WANTED, WANTED]
