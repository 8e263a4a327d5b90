"""``llmrel judge``: calibrates a judge against labels of people, and shows what is known of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_llmrel.cli.subcommands import Subcommands
from pytest_llmrel.cli.terminal import complain, perform, say
from pytest_llmrel.errors import CalibrationError

if TYPE_CHECKING:
    import argparse

    from pytest_llmrel.baselines.labels import Labels
    from pytest_llmrel.cli.judging import AnyJudge, Judgement
    from pytest_llmrel.core.calibration import Calibration

__all__ = ["add_arguments", "run"]

_INTERRUPTED = 130
"""What shells say of a command that Ctrl-C ended."""
_MOST_ERROR = 300


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the commands below the command."""
    command = Subcommands(parser).add
    child = command(
        "calibrate", "judge labelled answers, and record how often the judge is right", _calibrate
    )
    child.add_argument(
        "labels", metavar="LABELS", help="JSON lines with answer, context, label (1 or 0), maybe question"
    )
    child.add_argument("--model", required=True, help="the model that judges")
    child.add_argument(
        "--base-url",
        metavar="URL",
        help="OpenAI-compatible endpoint (default: OPENAI_BASE_URL, or that of OpenAI)",
    )
    child.add_argument(
        "--api-key-env",
        metavar="NAME",
        default="OPENAI_API_KEY",
        help="environment variable with the key (default: %(default)s)",
    )
    child.add_argument(
        "--threshold",
        type=_rate,
        default=1.0,
        help="lowest score that passes (default: 1, every claim supported)",
    )
    child.add_argument(
        "--repeats",
        type=_count,
        default=2,
        help="judgements of each answer; from the second on they tell of noise (default: %(default)s)",
    )
    child.add_argument(
        "--concurrency", type=_count, default=8, help="judgements at the same time (default: %(default)s)"
    )
    child.add_argument("--root", metavar="DIR", default=".", help="pytest's rootdir (default: here)")
    child.add_argument(
        "--out", metavar="FILE", help="record (default: __judges__/MODEL-PROMPT.json below the root)"
    )
    child.add_argument("--replace", action="store_true", help="replace the record that is there")
    show = command("show", "show a record", _show)
    show.add_argument("record", metavar="FILE", help="what 'llmrel judge calibrate' wrote")


def run(namespace: argparse.Namespace) -> int:
    """Runs the command; returns 0 if the judge may decide alone, 1 if not, and 2 if it cannot be told.

    Ctrl-C makes it 130.
    """
    return perform("judge", namespace)


class _Built(NamedTuple):
    """A judge, and what it is asked with."""

    judge: AnyJudge
    prompt_version: str
    prompt_hash: str


def _build(namespace: argparse.Namespace) -> _Built:
    """The one place that knows the judge."""
    from dataclasses import replace

    from pytest_llmrel.faithfulness.judge import Judge
    from pytest_llmrel.faithfulness.judge_prompt import PROMPT_VERSION, prompt_hash

    url = namespace.base_url or os.environ.get("OPENAI_BASE_URL")
    judge = Judge(namespace.model, api_key_env=namespace.api_key_env, concurrency=namespace.concurrency)
    judge = replace(judge, base_url=url) if url else judge
    return _Built(judge, PROMPT_VERSION, prompt_hash())


def _calibrate(namespace: argparse.Namespace) -> int:
    from pytest_llmrel.baselines.calibration import check_free, write_calibration
    from pytest_llmrel.baselines.labels import read_labels
    from pytest_llmrel.baselines.place import calibration_path

    labels = read_labels(Path(namespace.labels))
    built = _build(namespace)
    named = calibration_path(Path(namespace.root), namespace.model, built.prompt_hash)
    path = Path(namespace.out) if namespace.out else named
    check_free(path, replace=namespace.replace)  # before anything is paid for
    found: list[Judgement] = []
    try:
        _judge(namespace, labels, built.judge, found)
        record = _record(namespace, labels, built, found)
        write_calibration(path, record, replace=namespace.replace)
    except KeyboardInterrupt:
        complain(f"interrupted; {_done(namespace, labels, found)}", by="judge")
        return _INTERRUPTED
    code = _tell(record)
    say(f"written to {path}; commit it")
    return code


def _judge(namespace: argparse.Namespace, labels: Labels, judge: AnyJudge, found: list[Judgement]) -> None:
    """Adds the judgements to ``found``, so that they can be counted whatever happens."""
    from pytest_llmrel.cli.judging import judgements
    from pytest_llmrel.reports.safe import clipped

    for one in judgements(judge, labels.items, namespace.repeats, namespace.concurrency):
        if one.error is not None:
            notes = "; ".join(["", *getattr(one.error, "__notes__", [])])
            said = clipped(f"{type(one.error).__name__}: {one.error}{notes}", _MOST_ERROR)
            line = labels.items[one.item].line
            raise CalibrationError(
                f"{namespace.labels}:{line}: the judge failed ({said}); {_done(namespace, labels, found)}"
            ) from one.error
        found.append(one)


def _done(namespace: argparse.Namespace, labels: Labels, found: list[Judgement]) -> str:
    total = len(labels.items) * namespace.repeats
    return f"{len(found)} of {total} judgements were made; no record was written"


def _record(
    namespace: argparse.Namespace, labels: Labels, built: _Built, found: list[Judgement]
) -> Calibration:
    from datetime import UTC, datetime
    from importlib.metadata import version

    from pytest_llmrel.cli.judging import counted
    from pytest_llmrel.core.calibration import Calibration

    counts = counted(labels.items, found, namespace.threshold)
    if counts.unscored == len(labels.items):
        raise CalibrationError(
            f"{namespace.labels}: the judge gave no verdict on any of {counts.unscored} answers; "
            "no record was written"
        )
    return Calibration(
        model=namespace.model,
        prompt_version=built.prompt_version,
        prompt_hash=built.prompt_hash,
        threshold=namespace.threshold,
        recorded=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        version=version("pytest-llmrel"),
        labels_hash=labels.digest,
        **counts._asdict(),
    )


def _show(namespace: argparse.Namespace) -> int:
    from pytest_llmrel.baselines.calibration import read_calibration

    return _tell(read_calibration(Path(namespace.record)))


def _tell(record: Calibration) -> int:
    from pytest_llmrel.cli.judge_table import described
    from pytest_llmrel.verdict.judging import why_not_usable

    say(*described(record))
    return 1 if why_not_usable(record) else 0


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:  # noqa: PLR2004  # as the name below says
        raise ValueError(text)
    return int(text)


def _rate(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError(text)
    return value


_count.__name__ = "whole number from 1 to 100"
_rate.__name__ = "rate within 0..1"
