"""``--llmrel-shard``: the tests that this machine runs, and what ``llmrel merge`` has to know of them."""

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from math import ceil
from typing import Any

import pytest

from pytest_llmrel.core.shard import Shard, balanced, read_shard
from pytest_llmrel.glue.book import node_id
from pytest_llmrel.glue.collect import plan_of
from pytest_llmrel.glue.forecast import expected
from pytest_llmrel.glue.guards import SessionGuards
from pytest_llmrel.glue.identity import identity_of

__all__ = ["ShardLog", "shard_of", "take_shard"]

_DECIDED = frozenset({pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED})
_SETTINGS = ("llmrel_alpha", "llmrel_max_error_rate", "llmrel_inconclusive", "llmrel_uncalibrated_judges")


def shard_of(config: pytest.Config) -> Shard | None:
    """The shard that this session runs, ``None`` if it runs all tests."""
    text = config.getoption("llmrel_shard")
    return None if text is None else read_shard(text)


def take_shard(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave only the tests of this shard, after the baselines of all tests have been read.

    A ``krun`` test is a piece of its own. The other tests of a file stay together, so that what they share is
    set up once.

    Raises:
        PlanError: the provenance hook is wrong.
    """
    shard = shard_of(config)
    if shard is None:
        return
    krun = {node_id(item): item for item in items if _is_krun(item) and isinstance(item, pytest.Function)}
    weights: dict[str, int] = {}
    for item in items:
        piece = _piece(item)
        weights[piece] = _weight(krun[piece]) if piece in krun else weights.get(piece, 0) + 1
    parts = balanced(weights, shard.count)
    kept = [item for item in items if parts[_piece(item)] == shard.index]
    ShardLog.of(config).part = {
        "assigned": sorted({node_id(item) for item in kept if node_id(item) in krun}),
        "tests": len(krun),
        **_selection(config, items, krun),
        "is_empty": bool(items) and not kept,
    }
    if hasattr(config, "workeroutput"):  # of xdist, whose controller collects nothing itself
        config.workeroutput["llmrel_shard"] = ShardLog.of(config).part
    others = [item for item in items if parts[_piece(item)] != shard.index]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = kept


class ShardLog:
    """What becomes of the tests of a shard.

    Attributes:
        part: what was made of the collected tests, JSON-simple; ``None`` before, and if nothing could be.
    """

    _KEY = pytest.StashKey["ShardLog"]()

    def __init__(self) -> None:
        self.part: Mapping[str, Any] | None = None
        self._failed: dict[str, None] = {}
        self._ended: set[str] = set()

    @classmethod
    def of(cls, config: pytest.Config) -> "ShardLog":
        """That of the session, made on first use."""
        found = config.stash.get(cls._KEY, None)
        if found is None:
            found = config.stash[cls._KEY] = cls()
        return found

    def note(self, report: pytest.TestReport) -> None:
        """Take the report of one phase of a test."""
        if report.failed:
            self._failed[report.nodeid] = None
        if report.when == "teardown":
            self._ended |= {report.nodeid, report.nodeid.rpartition("@")[0]}  # xdist appends a group

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing to run, with tests for others."""
        return self.part is not None and self.part["is_empty"]

    def entry(self, config: pytest.Config, exit_status: int) -> dict[str, Any] | None:
        """The key ``shard`` of the document, ``None`` without shards, and if nothing was collected.

        Args:
            config: of the session.
            exit_status: of the session, as far as it is known.
        """
        shard = shard_of(config)
        if self.part is None or shard is None:
            return None
        part = {name: value for name, value in self.part.items() if name != "is_empty"}
        return {
            "index": shard.index,
            "count": shard.count,
            **part,
            "missing": sorted(set(part["assigned"]) - self._ended),
            "failed": sorted(self._failed),
            "interrupted": exit_status not in _DECIDED,
        }

    def line(self, config: pytest.Config) -> str:
        """What the summary says of it."""
        shard = shard_of(config)
        part = self.part or {"assigned": (), "tests": 0}
        return (
            f"shard {shard}: {len(part['assigned'])} of {part['tests']} krun tests; "
            "the suite as a whole is judged by 'llmrel merge', from the reports (--llmrel-json) of all shards"
        )


def _is_krun(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and item.get_closest_marker("krun") is not None


def _piece(item: pytest.Item) -> str:
    return node_id(item) if _is_krun(item) else item.nodeid.partition("::")[0]


def _weight(item: pytest.Function) -> int:
    """Calls that its baseline lets expect, and where it does not tell one for each run."""
    forecast = expected(item)
    return max(forecast.runs, ceil(forecast.calls or 0), 1)


def _selection(
    config: pytest.Config, items: Sequence[pytest.Item], krun: Mapping[str, pytest.Function]
) -> Mapping[str, Any]:
    """What is the same for every shard of the same tests, with the same code, data and baselines."""
    rule = SessionGuards.of(config).rule
    contents = sorted((name, _content(item)) for name, item in krun.items())
    options = {name: config.getini(name) for name in _SETTINGS}
    modes = {name: config.getoption(name) for name in ("llmrel_baseline", "llmrel_tape")}
    return {
        "selection": _fingerprint([sorted({node_id(item) for item in items}), contents]),
        "settings": _fingerprint([options, modes, sorted(map(_baseline, krun.values()))]),
        "rule": {"alpha": rule.alpha, "tests": rule.tests},
    }


def _content(item: pytest.Function) -> list[str]:
    plan = plan_of(item)
    judged = [str(plan.k), str(len(plan.inputs.tasks)), str(plan.mode), *map(str, plan.gates)]
    return [identity_of(item, plan, 0), *judged]


def _baseline(item: pytest.Function) -> tuple[str, str, list[str]]:
    standing = SessionGuards.of(item.config).standing(item)
    batches = [batch.id for batch in standing.entry.batches] if standing.entry else []
    return node_id(item), standing.status, batches


def _fingerprint(parts: Sequence[Any]) -> str:
    text = json.dumps(parts, sort_keys=True)
    return blake2b(text.encode(), digest_size=8).hexdigest()
