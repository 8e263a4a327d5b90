"""The decorators ``krun``, ``paraphrase``, ``golden`` and ``faults``: typed names for marks of pytest."""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, Literal, TypeVar, overload

import pytest

__all__ = ["faults", "golden", "krun", "paraphrase"]


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


def paraphrase(
    argname: str,
    *wordings: str,
    file: str | PathLike[str] | None = None,
    field: str | None = None,
    perturb: Sequence[str] = (),
    n: int | None = None,
) -> pytest.MarkDecorator:
    """Run a ``krun`` test in several wordings of the same request, k times each.

    The wordings come from one place: this mark, a file, or the dataset of :func:`golden`.

    Args:
        argname: the argument of the test that receives the wording; fixtures may request it too. With
            ``golden`` and neither wordings nor file, the column of that name is the primary wording.
        wordings: the first is the primary one, the others rephrase it; each differs from the others.
        file: path of a paraphrase file (TOML), relative to the test file; its reviewed wordings run.
        field: the column of the dataset that holds the list of wordings of each case.
        perturb: names of edits that make further wordings of the primary one, the same in every session.
        n: wordings per edit, at least 1; default 1.
    """
    given = {"file": file, "field": field, "perturb": perturb or None, "n": n}
    said = {name: value for name, value in given.items() if value is not None}
    return pytest.mark.paraphrase(argname, *wordings, **said)


def golden(
    path: str | PathLike[str], argname: str = "case", *, schema: type | None = None, each: bool = False
) -> pytest.MarkDecorator:
    """Run a ``krun`` test over the rows of a dataset, k times each, and judge them together.

    Runs of the same case are not independent: intervals are over cases. The mark is named
    ``llmrel_golden``.

    Args:
        path: of a JSONL, JSON, CSV, TOML or YAML file, relative to the test file. Rows with a column ``id``
            are called by it, others by a hash of their content.
        argname: the argument of the test that receives the row; its columns are attributes.
        schema: a pydantic model that every row has to fit.
        each: whether every row is a test of its own.
    """
    given = {"schema": schema, "each": each or None}
    said = {name: value for name, value in given.items() if value is not None}
    return pytest.mark.llmrel_golden(path, argname, **said)


def faults(
    *names: Literal["429", "500", "timeout", "reset", "truncated", "malformed", "slow"], rate: float = 1.0
) -> pytest.MarkDecorator:
    """Let the calls over HTTP of a ``krun`` test meet faults, to see how the application recovers.

    The same run meets the same faults again, whatever else runs. ``recovery_rate`` and
    ``silent_failure_rate`` can be gated. The mark is named ``llmrel_faults``.

    Args:
        names: what a call may meet, each equally likely: ``"429"`` (with ``Retry-After``), ``"500"``,
            ``"timeout"`` (on connecting or reading), ``"reset"`` (of the connection), ``"truncated"`` (the
            body breaks off, and the client notices), ``"malformed"`` (half of the body as if it were all),
            ``"slow"`` (five seconds late).
        rate: chance that a call meets one, above 0 and at most 1.
    """
    return pytest.mark.llmrel_faults(*names, rate=rate)
