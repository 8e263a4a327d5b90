"""The baselines of a session: the standing of every test, and the rule that they are judged by."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_llmrel.core.baseline import Standing
from pytest_llmrel.glue.book import ModuleBook, node_id, orphans
from pytest_llmrel.glue.collect import plan_of
from pytest_llmrel.glue.tapes import orphaned_tapes
from pytest_llmrel.verdict.regression import Rule

__all__ = ["SessionGuards"]

_RECORDS = {
    ("none", "new"): "begin",
    ("none", "update"): "begin",
    ("none", "reset"): "begin",
    ("comparable", "update"): "append",
    ("comparable", "reset"): "replace",
    ("not comparable", "update"): "append",  # which is refused, aloud
    ("not comparable", "reset"): "replace",
}
"""What a session records: by what it found, and by ``--llmrel-baseline``."""


class SessionGuards:
    """What the session knows of baselines before its first run.

    Attributes:
        rule: the regression rule, for as many tests as there are to compare.
        has_tests: whether any ``krun`` test was collected.
        unused: ``(file, entry)`` of the entries that no test has, of modules that were collected in full.
        unused_tapes: the same of tapes.
    """

    _KEY = pytest.StashKey["SessionGuards"]()

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._mode: str = config.getoption("llmrel_baseline")
        self._standings: dict[str, Standing] = {}
        self.rule = Rule(float(config.getini("llmrel_alpha")), 1)
        self.unused: list[tuple[str, str]] = []
        self.unused_tapes: list[str] = []
        self.has_tests = False

    @classmethod
    def of(cls, config: pytest.Config) -> "SessionGuards":
        """Those of the session that ``config`` belongs to, made on first use."""
        found = config.stash.get(cls._KEY, None)
        if found is None:
            found = config.stash[cls._KEY] = cls(config)
        return found

    def standing(self, item: pytest.Item) -> Standing:
        """That of one test."""
        return self._standings.get(node_id(item), Standing("off"))

    def prepare(self, collected: Sequence[pytest.Item], chosen: Sequence[pytest.Item]) -> None:
        """Read the baselines of all tests before any of them runs.

        Args:
            collected: all tests, also those that are deselected.
            chosen: those that will run.

        Raises:
            PlanError: the provenance hook is wrong.
        """
        modules = _krun_tests(collected)
        self.has_tests = bool(modules)
        complete = {path for path in {item.path for item in collected} if self._is_complete(path)}
        self.unused_tapes = orphaned_tapes(self._config.rootpath, complete, modules)
        if self._mode == "off":
            return
        root, running = self._config.rootpath, set(chosen)
        for path, items in modules.items():
            book = ModuleBook(root, items, complete=self._is_complete(path))
            self.unused += [(book.file, name) for name in book.unused]
            for item in items:
                if item in running:
                    self._standings[node_id(item)] = self._wanted(book.standing(item, plan_of(item)))
        self.unused += orphans(root, complete, modules.keys())
        compared = sum(standing.compare for standing in self._standings.values())
        self.rule = Rule(self.rule.alpha, max(1, compared))

    def _wanted(self, standing: Standing) -> Standing:
        compare = standing.status == "comparable" and self._mode != "reset"
        return replace(standing, record=_RECORDS.get((standing.status, self._mode), ""), compare=compare)

    def _is_complete(self, module: Path) -> bool:
        """Whether all tests of a module were collected: none was named, and none left out by --lf."""
        config = self._config
        files = [argument.partition("::")[0] for argument in config.args if "::" in argument]
        named = [config.invocation_params.dir / file for file in files]
        # What is no file is a package (--pyargs), and may be any module.
        is_named = any(not path.exists() or path.samefile(module) for path in named)
        return not is_named and not config.getoption("lf", default=False)


def _krun_tests(items: Sequence[pytest.Item]) -> dict[Path, list[pytest.Function]]:
    modules: dict[Path, list[pytest.Function]] = {}
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("krun") is not None:
            modules.setdefault(item.path, []).append(item)
    return modules
