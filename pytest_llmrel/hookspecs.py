"""Hooks that pytest_llmrel calls; implement them in ``conftest.py`` or a plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from decimal import Decimal
    from random import Random

    from pytest_llmrel.core.call import Exchange, Usage

__all__ = [
    "pytest_llmrel_outcome",
    "pytest_llmrel_perturbations",
    "pytest_llmrel_price",
    "pytest_llmrel_provenance",
    "pytest_llmrel_redact",
    "pytest_llmrel_scorer",
    "pytest_llmrel_usage",
]


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
def pytest_llmrel_perturbations(config: pytest.Config) -> Mapping[str, Callable[[str, Random], str]] | None:
    """Add perturbations: names for ``perturb=`` of the mark ``paraphrase``, and for hunting.

    Example::

        # conftest.py
        def shouting(text, rng):
            return text.upper()

        def pytest_llmrel_perturbations(config):
            return {"shouting": shouting}

    A function gets a wording and a ``random.Random``, and gives another text, the same for the same state of
    the generator, or an equal one where there is nothing for it to change.

    Args:
        config: of the session.

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


@pytest.hookspec(firstresult=True)
def pytest_llmrel_scorer(name: str) -> object | None:
    """Give the scorer that ``llmrel.faithfulness(..., scorer=name)`` means; the first answer counts.

    Called in the thread of the run. Example::

        # conftest.py
        JUDGE = Judge(model="gpt-4o")

        def pytest_llmrel_scorer(name):
            return JUDGE if name == "judge" else None

    Args:
        name: as the test wrote it; ``"overlap"`` is built in and never asked for.

    Returns:
        An object with a ``name`` and a method ``score(answer, context, question)`` that gives a
        ``Faithfulness``, or ``None``.

    .. versionadded:: 0.1
    """


@pytest.hookspec(firstresult=True)
def pytest_llmrel_usage(exchange: Exchange) -> Usage | None:
    """Read the tokens of a call whose provider is unknown; the first answer that is not ``None`` counts.

    Called for every answer below 400, in the thread of its run, before the built-in reading. Example::

        # conftest.py
        import json
        from pytest_llmrel import Usage

        def pytest_llmrel_usage(exchange):
            if exchange.url.startswith("https://models.intern/"):
                counted = json.loads(exchange.body)["counted"]
                return Usage("intern-7b", counted["in"], counted["out"])

    Args:
        exchange: the request and its answer, complete and decoded; not to be written down as it is.

    Returns:
        The usage, or ``None`` where the built-in reading is to be used.

    .. versionadded:: 0.1
    """


@pytest.hookspec(firstresult=True)
def pytest_llmrel_price(model: str, usage: Usage) -> Decimal | None:
    """Say what a call costs in US dollars; the first answer that is not ``None`` counts.

    Asked before the ini key ``llmrel_prices`` and the built-in prices. Example::

        # conftest.py
        from decimal import Decimal

        def pytest_llmrel_price(model, usage):
            if model.startswith("intern-"):
                return Decimal("0.0000002") * (usage.input_tokens + usage.output_tokens)

    Args:
        model: that answered, ``""`` where nobody named one.
        usage: of the call.

    Returns:
        US dollars of at least 0, or ``None`` where others are to be asked.

    .. versionadded:: 0.1
    """


@pytest.hookspec
def pytest_llmrel_redact(exchange: Exchange) -> Iterable[str] | None:
    """Name texts that must not be written anywhere: tape, report, terminal.

    Keys in headers, URLs and bodies that look like one are known already. Called for every answer, in the
    thread of its run. Example::

        # conftest.py
        import re

        def pytest_llmrel_redact(exchange):
            return re.findall(r"customer-[0-9]{8}", exchange.body.decode("utf-8", "replace"))

    Args:
        exchange: the request and its answer, complete and decoded.

    Returns:
        The texts, as they stand in it, or ``None``.

    .. versionadded:: 0.1
    """
