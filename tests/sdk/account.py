"""What has to hold of every suite: the account of a session is the sum of what its runs noted, and each run's is its own."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from example import Outcome

from pytest_llmrel.simulator import Simulator

RUNS = 32
"""Of each test, all of them in flight at once."""
FEWER = 8
"""The same while recording and replaying."""

Session = Callable[..., Outcome]


def spent(outcome: Outcome, runs: int) -> Mapping[str, dict[str, Any]]:
    """The accounts by test, after the comparison with the notes of the runs."""
    assert outcome.ret == 0, outcome.out + outcome.err
    accounts = {}
    for nodeid, test in outcome.tests.items():
        name = nodeid.partition("::")[2]
        noted = outcome.log(name)
        assert len(noted) == test["passed"] == runs, outcome.out
        assert len({tokens for tokens, _, _ in noted}) == runs, "each run asks its own question"
        cost = accounts[name] = test["cost"]
        assert cost["input_tokens"] == sum(int(tokens) for tokens, _, _ in noted)
        assert cost["output_tokens"] == sum(int(tokens) for _, tokens, _ in noted)
        assert cost["usd"] == pytest.approx(sum(float(dollars) for _, _, dollars in noted))
        assert cost["usd"] > 0
        assert cost["unpriced_calls"] == cost["idle_runs"] == 0
    return accounts


def check_live(session: Session, suite: str) -> None:
    """One call a run, whatever else is in flight, and every request of the server is among them."""
    with Simulator(latency=0.05) as simulator:
        accounts = spent(session(suite, simulator.root_url), RUNS)
        assert {account["calls"] for account in accounts.values()} == {RUNS}
        assert simulator.served == {"ok": RUNS * len(accounts)}
        assert simulator.peak > RUNS // 4


def check_taped(session: Session, suite: str) -> None:
    """Recorded, then replayed with the server gone: the same accounts, and nobody is paid."""
    fewer = f"--llmrel-k={FEWER}"
    with Simulator(latency=0) as simulator:
        root_url = simulator.root_url
        recorded = spent(session(suite, root_url, fewer, "--llmrel-tape=record"), FEWER)
    replayed = spent(session(suite, root_url, fewer, "--llmrel-tape=replay"), FEWER)
    assert {account.pop("replayed_calls") for account in recorded.values()} == {0}
    assert {account.pop("replayed_calls") for account in replayed.values()} == {FEWER}
    assert replayed == recorded


def check_retried(session: Session, suite: str, *, by_sdk: bool) -> None:
    """A call that is sent again, by the SDK or before it notices, is one more of the same run; a refusal costs nothing."""
    with Simulator(latency=0, script=("500", "ok") * 9) as simulator:
        # One test after the other: the script says what the next request gets, whoever sends it.
        in_order = ["-o", "llmrel_lookahead=off"]
        arguments = ["--llmrel-k=1", "-k", "not stream", "-o", f"llmrel_retries={int(not by_sdk)}", *in_order]
        outcome = session(suite, simulator.root_url, *arguments, retries=int(by_sdk), refusals=1)
        accounts = spent(outcome, 1)
        assert {(account["calls"], account["retries"]) for account in accounts.values()} == {
            (2, int(not by_sdk))
        }
        assert simulator.served == {"500": len(accounts), "ok": len(accounts)}
