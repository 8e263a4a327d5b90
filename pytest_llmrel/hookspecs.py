"""Hooks that pytest_llmrel calls; implement them in ``conftest.py`` or a plugin."""

import pytest

__all__ = ["pytest_llmrel_outcome"]


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
