"""Wordings made by named edits of the primary one: built in, or a user's own by hook."""

from collections.abc import Sequence

import pytest

__all__ = ["edited"]


def edited(config: pytest.Config, text: str, *, names: Sequence[str], times: int | None) -> list[str]:
    """The text after each of these edits, those left out that found nothing to change.

    Args:
        config: of the session, whose hooks may know more edits.
        text: the primary wording.
        names: of the edits.
        times: wordings per edit; one if ``None``.

    Raises:
        PlanError: an edit is unknown.
    """
    raise NotImplementedError
