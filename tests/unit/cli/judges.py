"""A judge by rule, and the record that ``llmrel judge calibrate`` makes of it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_llmrel.baselines.calibration import read_calibration
from pytest_llmrel.baselines.place import calibration_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROMPT = "1a2b3c4d5e6f7081"


class Found(NamedTuple):
    """What a judge says."""

    score: float | None


class Fake:
    """A judge by rule, which counts how often it is asked and how many ask at once."""

    def __init__(self, rule: Callable[[str, int], float | None], seconds: float = 0.0) -> None:
        self.rule = rule
        self.seconds = seconds
        self.asked: list[tuple[str, str, str]] = []
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()

    def score(self, answer: str, context: str, question: str = "") -> Found:
        """The score of an answer, by the rule, which is told how often it was asked for this answer."""
        with self.lock:
            self.asked.append((answer, context, question))
            times = [asked[0] for asked in self.asked].count(answer)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self.seconds)
        with self.lock:
            self.at_once -= 1
        return Found(self.rule(answer, times))


def good_judge(answer: str, times: int) -> float:
    """Misses the first six good answers and is taken in by the first three bad ones; wavers about the last."""
    number = int(answer[1:])
    if number == 59 and times > 1:
        return 0.5
    if answer[0] == "g":
        return 0.5 if number < 6 else 1.0
    return 1.0 if number < 3 else 0.9


def record_of(root: Path) -> Any:
    """The record, in its place."""
    return read_calibration(calibration_path(root, "small-1", PROMPT))
