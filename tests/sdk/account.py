"""What the account of a session has to be: the sum of what its runs noted."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from example import Outcome

RUNS = 32
"""Of each test, all of them in flight at once."""

Session = Callable[..., Outcome]


def spent(outcome: Outcome, runs: int = RUNS) -> Mapping[str, dict[str, Any]]:
    """Check of each test that its account is that of its runs, as they noted it; the accounts, by test."""
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
        assert cost["unpriced_calls"] == cost["idle_runs"] == cost["retries"] == 0
    return accounts
