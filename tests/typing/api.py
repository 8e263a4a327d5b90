"""The public API as a type checker sees it: never run, only checked (mypy --strict)."""

from collections.abc import Sequence
from typing import assert_type

import httpx
import httpx2
import pytest

from pytest_llmrel import (
    Exchange,
    GateFailure,
    LlmrelError,
    Run,
    Usage,
    UsageProblem,
    async_http_client,
    faults,
    http_client,
    krun,
    paraphrase,
)

pytestmark = [krun(3), krun(pass_rate=0.5)]

assert_type(krun(10), pytest.MarkDecorator)
assert_type(krun(k=10, pass_rate=0.9), pytest.MarkDecorator)
assert_type(
    krun(
        5,
        gates=["pass_rate >= 0.8", "latency_p95 <= 2"],
        gate="observed",
        stop="never",
        concurrency=4,
        timeout=30,
        task_minutes=1.5,
    ),
    pytest.MarkDecorator,
)
assert_type(krun(gates=("pass^5 >= 0.6",)), pytest.MarkDecorator)
assert_type(krun(None, pass_rate=None, gates=None, stop=None), pytest.MarkDecorator)
assert_type(paraphrase("question", "How long?", "whats ur policy??"), pytest.MarkDecorator)

assert_type(faults("429", "reset", rate=0.5), pytest.MarkDecorator)
assert_type(Usage("m", 10, 2, reasoning_tokens=1).input_tokens, int)
assert_type(Exchange("POST", "http://x", b"", 200, "", b"").body, bytes)

assert_type(http_client(timeout=30, base_url="http://x"), httpx.Client)
assert_type(http_client(httpx2.Client, timeout=30), httpx2.Client)
assert_type(async_http_client(), httpx.AsyncClient)
assert_type(async_http_client(httpx2.AsyncClient), httpx2.AsyncClient)

# What must be refused: with warn_unused_ignores, an ignore that is not needed is an error of its own.
krun(10, 0.9)  # type: ignore[call-overload]
krun(k="10")  # type: ignore[call-overload]
krun(gate="strict")  # type: ignore[call-overload]
krun(stop="early")  # type: ignore[call-overload]
krun(colour="red")  # type: ignore[call-overload]
paraphrase()  # type: ignore[call-arg]
paraphrase("question", 5)  # type: ignore[arg-type]
faults("404")  # type: ignore[arg-type]
faults("429", rate="often")  # type: ignore[arg-type]
http_client("httpx2")  # type: ignore[call-overload]


@krun(10, pass_rate=0.9)
def test_function(llmrel: Run) -> None:
    """Every member of the fixture."""
    assert_type(llmrel.case, str)
    assert_type(llmrel.variant, str)
    assert_type(llmrel.index, int)
    assert_type(llmrel.seed, int)
    llmrel.score("politeness", 0.5)
    llmrel.score("politeness", 1)
    llmrel.score("politeness", value=True)
    llmrel.score("politeness", "0.5")  # type: ignore[arg-type]
    llmrel.output("an answer")
    llmrel.output({"any": "object"})
    llmrel.seed = 5  # type: ignore[misc]
    llmrel.usage(model="m", input_tokens=1, output_tokens=2, cost=0.1)
    llmrel.usage("m")  # type: ignore[call-arg]
    with llmrel.judging():
        pass


@krun(5)
@paraphrase("question", "How long?", "whats ur policy??")
async def test_coroutine_function(question: str, llmrel: Run) -> None:
    """Decorators leave coroutine functions as they are."""
    if not question:
        llmrel.abstain("too vague")


@krun
def test_bare(llmrel: Run) -> None:
    """Without parentheses, and its signature is kept."""


assert_type(test_bare(Run.__new__(Run)), None)


@krun
class TestBare:
    """A class stays the class it is."""


assert_type(TestBare(), TestBare)


@krun(5)
class TestClass:
    """Decorators work on classes and on methods."""

    @krun(concurrency=1)
    def test_method(self) -> None:
        """A method."""


def handle(error: LlmrelError) -> Sequence[str]:
    """What an exception carries."""
    if isinstance(error, UsageProblem):
        assert_type(error.problems, tuple[str, ...])
        return error.problems
    if isinstance(error, GateFailure):
        assert_type(error.headline, str)
        failure: AssertionError = error
        return [str(failure)]
    return []
