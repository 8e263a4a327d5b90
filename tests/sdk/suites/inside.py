"""The ``conftest.py`` of every suite: where to ask what, and the proof that a run is charged for what it asked."""

import asyncio
import os
import threading
from weakref import WeakKeyDictionary

import pytest
from genai_prices import Usage, calc_price
from witness import note

from pytest_llmrel.wire.run import current_wire


@pytest.fixture(scope="session")
def root_url():
    return os.environ["SDK_URL"]


@pytest.fixture(scope="session")
def base_url(root_url):
    return f"{root_url}/v1"


@pytest.fixture(scope="session")
def retries():
    """How often the SDK tries again itself."""
    return int(os.environ["SDK_RETRIES"])


@pytest.fixture
def question(llmrel):
    """One of its own for each run, so that no two runs use the same number of tokens."""
    return "Can I return this?" + " really," * llmrel.index


@pytest.fixture
def turns(question):
    """The same as the messages of a chat."""
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}]


@pytest.fixture(scope="session")
def parties(pytestconfig):
    return pytestconfig.getoption("llmrel_k") or 32


@pytest.fixture(scope="session")
def meet(parties):
    """Wait until all runs have come here."""
    return threading.Barrier(parties, timeout=30).wait


@pytest.fixture(scope="session")
def ameet(parties):
    """The same for ``async def``."""
    barriers = WeakKeyDictionary()

    async def wait():
        barrier = barriers.setdefault(asyncio.get_running_loop(), asyncio.Barrier(parties))
        await asyncio.wait_for(barrier.wait(), 30)

    return wait


@pytest.fixture
def told(request):
    """Note what the SDK says that this run has used, and what that costs, for the sums of the report."""

    def note_down(provider, model, input_tokens, output_tokens):
        used = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
        cost = float(calc_price(used, model, provider_id=provider).total_price)
        note(request.node.name, input_tokens, output_tokens, cost)
        return cost

    return note_down


@pytest.fixture
def proven(told):
    """Compare what the SDK says that this run has used with what the plugin has seen of it."""
    refusals = int(os.environ["SDK_REFUSALS"])

    def compare(provider, model, input_tokens, output_tokens):
        *refused, call = current_wire.get().calls
        assert [other.status for other in refused] == [500] * refusals
        assert all((other.cost, other.usage.input_tokens) == (0, 0) for other in refused)
        assert (call.usage.input_tokens, call.usage.output_tokens) == (input_tokens, output_tokens)
        assert (call.usage.model, call.status, call.error, call.damage) == (model, 200, "", "")
        assert call.cost == pytest.approx(told(provider, model, input_tokens, output_tokens))

    return compare
