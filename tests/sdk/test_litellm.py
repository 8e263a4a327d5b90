"""The same of litellm, which pins another openai, and whose own client has an asynchronous transport of aiohttp."""

import pytest
from account import Session, check_live, check_retried, check_taped

pytestmark = pytest.mark.parametrize("module", ["litellm"])
SUITE, OWN_STREAMS = "litellm_completions.py", "litellm_own_streams.py"


def test_calls_tokens_and_dollars_belong_to_their_run(session: Session) -> None:
    """By either of its clients, with 32 runs in flight."""
    check_live(session, SUITE)


def test_tapes_answer_in_place_of_the_server(session: Session) -> None:
    """By either of its clients, and without a server."""
    check_taped(session, SUITE)


def test_what_litellm_tries_again_counts(session: Session) -> None:
    """A 500 that litellm answers with another request makes two calls of one run."""
    check_retried(session, SUITE, by_sdk=True)


def test_what_the_plugin_tries_again_stays_unseen(session: Session) -> None:
    """Told to try nothing again, litellm gets its answer all the same, and both calls are counted."""
    check_retried(session, SUITE, by_sdk=False)


def test_streams_that_are_left_open_belong_to_their_run(session: Session) -> None:
    """What was read of a stream up to its last event says what it used, closed or not."""
    check_live(session, OWN_STREAMS)
