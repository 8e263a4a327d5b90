"""x."""

import pytest
from account import RUNS, Session, spent

from pytest_llmrel.simulator import Simulator

SUITES = {"litellm_completions.py": "litellm"}
every_sdk = pytest.mark.parametrize(("suite", "module"), SUITES.items(), ids=SUITES)


@every_sdk
def test_calls_tokens_and_dollars_belong_to_their_run(suite: str, session: Session) -> None:
    """With 32 runs in flight every run has one call, of just the tokens that the SDK told it."""
    with Simulator(latency=0.05) as simulator:
        accounts = spent(session(suite, simulator.root_url))
        assert {account["calls"] for account in accounts.values()} == {RUNS}
        assert simulator.served == {"ok": RUNS * len(accounts)}
        assert simulator.peak > RUNS // 4


@every_sdk
def test_tapes_answer_in_place_of_the_server(suite: str, session: Session) -> None:
    """Recorded, then replayed with the server gone: plain and streamed, the account is the same, and paid by nobody."""
    with Simulator(latency=0) as simulator:
        root_url = simulator.root_url
        recorded = spent(session(suite, root_url, "--llmrel-k=8", "--llmrel-tape=record"), 8)
    replayed = spent(session(suite, root_url, "--llmrel-k=8", "--llmrel-tape=replay"), 8)
    assert {account.pop("replayed_calls") for account in recorded.values()} == {0}
    assert {account.pop("replayed_calls") for account in replayed.values()} == {8}
    assert replayed == recorded


@every_sdk
def test_what_the_sdk_tries_again_counts(suite: str, session: Session) -> None:
    """A call that the SDK itself sends again is a call more of the same run; the refusal cost nothing."""
    with Simulator(latency=0, script=("500", "ok") * 9) as simulator:
        arguments = ("--llmrel-k=1", "-k", "not stream")
        accounts = spent(session(suite, simulator.root_url, *arguments, retries=1, refusals=1), runs=1)
        assert {account["calls"] for account in accounts.values()} == {2}
        assert simulator.served == {"500": len(accounts), "ok": len(accounts)}


@every_sdk
def test_what_the_plugin_tries_again_stays_unseen(suite: str, session: Session) -> None:
    """Where the plugin sends it again first, the SDK notices nothing; the calls are counted all the same."""
    with Simulator(latency=0, script=("500", "ok") * 9) as simulator:
        arguments = ("--llmrel-k=1", "-k", "not stream", "-o", "llmrel_retries=1")
        outcome = session(suite, simulator.root_url, *arguments, refusals=1)
        assert outcome.ret == 0, outcome.out
        for test in outcome.tests.values():
            assert (test["runs"], test["cost"]["calls"], test["cost"]["retries"]) == (1, 2, 1)
