"""The decorators ``krun`` and ``paraphrase``: typed names for ``pytest.mark.krun`` and ``.paraphrase``."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar, overload

import pytest

__all__ = ["krun", "paraphrase"]


Test = TypeVar("Test", bound=Callable[..., Any] | type)


@overload
def krun(k: Test) -> Test: ...
@overload
def krun(
    k: int | None = None,
    *,
    pass_rate: float | None = None,
    gates: Sequence[str] | None = None,
    gate: Literal["observed", "evidence", "proof"] | None = None,
    stop: Literal["auto", "never"] | None = None,
    concurrency: int | None = None,
    timeout: float | None = None,
    task_minutes: float | None = None,
) -> pytest.MarkDecorator: ...
def krun(
    k: Any = None,
    *,
    pass_rate: float | None = None,
    gates: Sequence[str] | None = None,
    gate: Literal["observed", "evidence", "proof"] | None = None,
    stop: Literal["auto", "never"] | None = None,
    concurrency: int | None = None,
    timeout: float | None = None,
    task_minutes: float | None = None,
) -> Any:
    """Run a test ``k`` times, independently and concurrently, and judge all the runs at once.

    For functions, methods, classes and modules (``pytestmark``). What is not given here is taken from
    a mark farther out, then from the ini file, then from the default. Mistakes are reported together at
    collection.

    Args:
        k: runs per wording, at least 1; default 10.
        pass_rate: short for the gate ``pass_rate >= x``, within 0..1.
        gates: bars such as ``"pass^5 >= 0.6"``, ``"latency_p95 <= 2.5"`` (seconds) or
            ``"politeness >= 0.7"`` (mean of a recorded score). Without any, every run must pass.
        gate: ``"observed"`` compares the observed value with the bar; ``"evidence"`` fails only when the
            runs show, with 95 % confidence, that the bar is missed; ``"proof"`` passes only when they show
            that it is met.
        stop: ``"auto"`` leaves out runs that can change no gate any more; ``"never"`` makes all of them.
        concurrency: most runs in flight at once; an upper bound that nothing raises. With 1, everything
            happens in the main thread.
        timeout: seconds one run may take; default 60.
        task_minutes: how long a person would need for the task.
    """
    if callable(k):  # a bare @krun, without parentheses
        return pytest.mark.krun(k)
    given = {
        "k": k,
        "pass_rate": pass_rate,
        "gates": gates,
        "gate": gate,
        "stop": stop,
        "concurrency": concurrency,
        "timeout": timeout,
        "task_minutes": task_minutes,
    }
    said = {name: value for name, value in given.items() if value is not None}
    return pytest.mark.krun(**said)


def paraphrase(argname: str, *wordings: str) -> pytest.MarkDecorator:
    """Run a ``krun`` test in several wordings of the same request, k times each.

    Args:
        argname: the argument of the test that receives the wording; fixtures may request it too.
        wordings: the first is the primary one, the others rephrase it; each differs from the others.
    """
    return pytest.mark.paraphrase(argname, *wordings)
