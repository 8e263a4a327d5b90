"""Garbage is collected more rarely for a while, and as before afterwards."""

import gc
from collections.abc import Iterator
from contextlib import suppress

import pytest

from pytest_llmrel.runtime.garbage import eased_collection


@pytest.fixture(autouse=True)
def as_in_a_new_process() -> Iterator[None]:
    """This suite freezes what it has collected."""
    threshold = gc.get_threshold()
    gc.unfreeze()
    yield
    gc.set_threshold(*threshold)
    gc.enable()
    gc.collect()
    gc.freeze()


def test_for_a_while() -> None:
    """What there was is not looked at, what is new more rarely; whatever ends it, all is as before."""
    gc.set_threshold(700, 11, 12)
    with suppress(KeyboardInterrupt), eased_collection():
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold() == (10_000, 11, 12)
        raise KeyboardInterrupt
    assert (gc.get_freeze_count(), gc.get_threshold()) == (0, (700, 11, 12))


def test_who_wants_it_rarer_still_has_it() -> None:
    """As many servers do."""
    gc.set_threshold(50_000, 20, 100)
    with eased_collection():
        assert gc.get_threshold() == (50_000, 20, 100)


@pytest.mark.parametrize("chosen", ["off", "never", "frozen"])
def test_who_has_decided_otherwise_is_left_in_peace(chosen: str) -> None:
    """No collection at all, or a heap that was frozen before: it stays so, within and afterwards."""
    if chosen == "off":
        gc.disable()
    elif chosen == "never":
        gc.set_threshold(0, 10, 10)
    else:
        gc.freeze()
    before = (gc.isenabled(), gc.get_threshold(), gc.get_freeze_count())
    with eased_collection():
        assert (gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()) == before
    assert (gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()) == before
