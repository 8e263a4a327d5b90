"""Hooks that pytest_llmrel calls; implement them in ``conftest.py`` or a plugin."""

from collections.abc import Mapping

import pytest

__all__ = ["pytest_llmrel_outcome", "pytest_llmrel_provenance"]


@pytest.hookspec(firstresult=True)
def pytest_llmrel_outcome(exception: BaseException) -> str | None:
    """Say what a run that raised ``exception`` amounts to; the first answer that is not ``None`` counts.

    Called for every failing run, in the thread of that run, before the built-in rules. Example::

        # conftest.py
        def pytest_llmrel_outcome(exception):
            if isinstance(exception, VectorStoreDown):
                return "error"      # the infrastructure's fault, not the model's

    Args:
        exception: what set-up or body of the run raised.

    Returns:
        ``"failed"``, ``"error"``, ``"abstained"``, ``"skipped"`` or ``None``.

    .. versionadded:: 0.1
    """


@pytest.hookspec
def pytest_llmrel_provenance(item: pytest.Item) -> Mapping[str, str] | None:
    """Say what a test is run with; its baseline is compared only with runs of the same.

    Called for every ``krun`` test when all tests are collected; the answers of all implementations are put
    together. Long texts are remembered by their hash. Example::

        # conftest.py
        def pytest_llmrel_provenance(item):
            return {"model": os.environ["LLM_MODEL"], "judge": JUDGE_MODEL}

    Leave out what a change of is to be guarded against: a prompt that is named here can be changed without
    a test turning red.

    Args:
        item: the test.

    Returns:
        Names (``"model"``, ``"prompt"``, ``"dataset"``, ``"judge"``) to texts, or ``None``.

    .. versionadded:: 0.1
    """
