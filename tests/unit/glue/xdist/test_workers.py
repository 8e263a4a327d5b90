"""What workers and controller tell each other: shares of the concurrency, payments, tests."""

from collections.abc import Callable
from typing import Any

import execnet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.errors import BudgetSpent
from pytest_llmrel.glue.xdist.workers import Desk, Link
from pytest_llmrel.wire.budget import Budget


class Wire:
    """One end of a channel, delivered at once; what comes before anybody listens is lost, as with execnet."""

    def __init__(self) -> None:
        self.other: Wire
        self.is_closed = False
        self._hear: Callable[[Any], None] = lambda message: None

    def setcallback(self, hear: Callable[[Any], None]) -> None:
        """Listen."""
        self._hear = hear

    def send(self, message: Any) -> None:
        """Deliver what execnet can carry."""
        if self.is_closed:
            raise OSError("cannot send to <Channel closed>")
        self.other._hear(execnet.loads(execnet.dumps(message)))


class Node:
    """A worker as xdist's controller knows it."""

    def __init__(self, workers: int) -> None:
        self.gateway = self
        self.workerinput: dict[str, Any] = {"workercount": workers}
        self.far = Wire()

    def newchannel(self) -> Wire:
        """The near end of a new channel."""
        near = Wire()
        near.other, self.far.other = self.far, near
        return near

    def start(self) -> Link:
        """The worker's end, as the worker makes it."""
        return Link({**self.workerinput, "llmrel_channel": self.far})


def started(workers: int) -> tuple[Desk, list[Node], list[Link]]:
    """A session whose workers have all begun."""
    desk, nodes = Desk(), [Node(workers) for _ in range(workers)]
    for node in nodes:
        desk.open(node)
    return desk, nodes, [node.start() for node in nodes]


@given(st.integers(1, 9), st.integers(1, 70), st.data())
def test_shares_add_up_to_what_is_wanted(workers: int, wanted: int, data: st.DataObject) -> None:
    """Whoever has left, those that are there have all of it, as evenly as can be, and nobody less than one."""
    desk, nodes, links = started(workers)
    present = list(range(workers))
    for leaving in data.draw(st.lists(st.integers(0, workers - 1), max_size=workers - 1, unique=True)):
        desk.close(nodes[leaving])
        present.remove(leaving)
        shares = [links[place].share(wanted) for place in present]
        assert sum(shares) == max(wanted, len(present))
        assert max(shares) - min(shares) <= 1
        assert min(shares) >= 1
    assert sum(links[place].share(wanted) for place in present) == max(wanted, len(present))


def test_a_worker_leaves_room_for_those_that_have_not_started() -> None:
    """The first of four workers has a quarter from the first moment, before anybody has answered it."""
    desk, node = Desk(), Node(4)
    desk.open(node)
    node.far.other.is_closed = True
    assert node.start().share(8) == 2


def test_a_crashed_worker_and_the_one_that_replaces_it() -> None:
    """The replacement has the share and the knowledge of what was spent; a closed channel harms nobody."""
    desk, nodes, links = started(2)
    links[0].tell(3.0, "m")
    for end in (nodes[0].far, nodes[0].far.other):
        end.is_closed = True
    links[1].tell(2.0, "m")
    links[0].tell(99.0, "nobody hears it")
    assert links[1].share(8) == 4
    desk.close(nodes[0])
    assert links[1].share(8) == 8
    desk.open(clone := Node(2))
    late = clone.start()
    assert (links[1].share(8), late.share(8)) == (4, 4)
    assert (late.dollars, links[1].dollars) == (5.0, 3.0)


def test_a_budget_is_spent_by_all_together() -> None:
    """Each knows what the others paid, and what has no price ends it for everybody."""
    _, _, links = started(3)
    budgets = [Budget(10.0, link) for link in links]
    for budget in budgets:
        budget.pay(3.0, "m")
    assert [budget.spent for budget in budgets] == [3.0, 3.0, 3.0]
    assert not any(budget.reason for budget in budgets)
    budgets[2].pay(1.0, "m")
    assert {budget.reason for budget in budgets} == {"the budget of $10 is spent"}


def test_what_has_no_price_ends_the_budget_of_all() -> None:
    """A call of unknown cost in one worker keeps the others from spending more."""
    _, _, links = started(2)
    mine, other = (Budget(10.0, link) for link in links)
    mine.pay(None, "secret-model")
    with pytest.raises(BudgetSpent, match="what secret-model costs is unknown"):
        other.check()


def test_news_come_in_their_order() -> None:
    """What a worker says of its tests is kept for the session's own thread, with the worker that said it."""
    desk, nodes, links = started(2)
    links[1].send("tests", {"a": [1, b"2"]})
    links[0].send("chunk", "a", 0, "{}")
    assert desk.news.get_nowait() == ("tests", nodes[1], {"a": [1, b"2"]})
    assert desk.news.get_nowait() == ("chunk", nodes[0], "a", 0, "{}")
    assert desk.most == 2
