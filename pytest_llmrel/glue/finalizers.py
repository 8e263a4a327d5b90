"""Runs finalizers, last first, every one of them."""

from collections.abc import Callable

__all__ = ["run_finalizers"]


def run_finalizers(finalizers: list[Callable[[], object]], name: str) -> BaseException | None:
    """Empty the list, those included that are added in the meantime.

    Args:
        finalizers: first to last.
        name: of what they finish.

    Returns:
        What one of them raised; what several raised as a group.
    """
    raised: list[BaseException] = []
    while finalizers:
        try:
            finalizers.pop()()
        except BaseException as error:  # noqa: BLE001  returned below, after the others had their turn
            raised.append(error)
    if len(raised) > 1:
        return BaseExceptionGroup(f"errors while tearing down a run of {name}", raised)
    return raised[0] if raised else None
