"""What a test is run with, by dataset and the user's hook: a comparison with other things means nothing."""

from collections.abc import Mapping
from hashlib import blake2b

import pytest

from pytest_llmrel.errors import PlanError
from pytest_llmrel.glue.dataset import dataset_hash

__all__ = ["provenance_of"]

_LONGEST = 80
"""Characters of a value that are written down; a prompt is remembered by its hash."""


def provenance_of(item: pytest.Item) -> Mapping[str, str]:
    """The hash of the dataset and the answers of all ``pytest_llmrel_provenance`` hooks, sorted by name.

    Raises:
        PlanError: an answer is no mapping of names to texts, or two answers contradict each other.
    """
    rows = dataset_hash(item)
    said: dict[str, str] = {"dataset": rows} if rows else {}
    for answer in item.ihook.pytest_llmrel_provenance(item=item):
        if not isinstance(answer, Mapping):
            raise PlanError(f"hook pytest_llmrel_provenance returned {answer!r}; it must be a dict")
        for name, value in answer.items():
            if not isinstance(name, str) or not isinstance(value, str):
                pair = f"{name!r}: {value!r}"
                raise PlanError(f"hook pytest_llmrel_provenance returned {pair}; both must be strings")
            if said.setdefault(name, _brief(value)) != _brief(value):
                raise PlanError(f"hooks pytest_llmrel_provenance contradict each other about {name!r}")
    return dict(sorted(said.items()))


def _brief(value: str) -> str:
    text = value.encode("utf-8", "backslashreplace")
    if len(value) <= _LONGEST and value.isprintable():
        return text.decode()
    return f"blake2b:{blake2b(text, digest_size=8).hexdigest()}"
