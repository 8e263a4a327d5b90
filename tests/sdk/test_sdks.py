"""Every SDK, as its users use it: each run is charged for its own calls, live, retried and replayed."""

import pytest
from account import Session, check_live, check_retried, check_taped

SUITES = {
    "openai_chat.py": "openai",
    "openai_responses.py": "openai",
    "openai_embeddings.py": "openai",
    "anthropic_messages.py": "anthropic",
    "mistral_chat.py": "mistralai.client",
    "google_content.py": "google.genai",
    "groq_chat.py": "groq",
    "cohere_chat.py": "cohere",
    "pydantic_agents.py": "pydantic_ai",
}
every_sdk = pytest.mark.parametrize(("suite", "module"), SUITES.items(), ids=SUITES)


@every_sdk
def test_calls_tokens_and_dollars_belong_to_their_run(suite: str, session: Session) -> None:
    """With 32 runs in flight every run has one call, of just the tokens that the SDK told it."""
    check_live(session, suite)


@every_sdk
def test_tapes_answer_in_place_of_the_server(suite: str, session: Session) -> None:
    """Plain and streamed, what the SDK reads from a tape is what it read from the server."""
    check_taped(session, suite)


@every_sdk
def test_what_the_sdk_tries_again_counts(suite: str, session: Session) -> None:
    """A 500 that the SDK itself answers with another request makes two calls of one run."""
    check_retried(session, suite, by_sdk=True)


@every_sdk
def test_what_the_plugin_tries_again_stays_unseen(suite: str, session: Session) -> None:
    """An SDK that tries nothing again gets its answer all the same, and both calls are counted."""
    check_retried(session, suite, by_sdk=False)
