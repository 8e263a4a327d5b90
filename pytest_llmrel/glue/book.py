"""The baseline file of one test module, as the tests of that module find it."""

import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path

import pytest

from pytest_llmrel.baselines.place import FOLDER, baseline_path
from pytest_llmrel.core.baseline import BaselineEntry, Standing
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.errors import BaselineError
from pytest_llmrel.glue.collect import plan_of
from pytest_llmrel.glue.content import content_of
from pytest_llmrel.glue.provenance import provenance_of

__all__ = ["ModuleBook", "entry_name", "node_id", "orphans", "relative_to_root"]


def entry_name(item: pytest.Item) -> str:
    """Name of a test within its module, as in its node id."""
    return node_id(item).partition("::")[2]


def node_id(item: pytest.Item) -> str:
    """Node id of a test without the group that xdist appends: so seeds, baselines and results know it."""
    plain = f"{item.parent.nodeid}::{item.name}" if item.parent else item.nodeid
    return plain if item.nodeid.startswith(f"{plain}@") else item.nodeid


class ModuleBook:
    """One baseline file and the tests it is for.

    Attributes:
        file: the file, relative to the root of the session where it is below it.
        unused: entries that no test has; empty unless all tests of the module are known.
    """

    def __init__(self, root: Path, items: Sequence[pytest.Function], *, complete: bool) -> None:
        """Read the file, if there is one.

        Args:
            root: of the session.
            items: the ``krun`` tests of one module that were collected.
            complete: whether these are all there are.
        """
        path = baseline_path(items[0].path)
        self.file = relative_to_root(root, path)
        self._module = items[0].module
        self._entries: Mapping[str, BaselineEntry] = {}
        self._problems: Mapping[str, str] = {}
        self._damage = _obstacle(root, path)
        if not self._damage and os.path.lexists(path):
            self._read(path)
        names = {entry_name(item) for item in items}
        left = sorted((self._entries.keys() | self._problems.keys()) - names)
        self._former = self._renamed([name for name in left if complete or not self._is_there(name)], items)
        self.unused = [name for name in left if complete and name not in self._former.values()]

    def standing(self, item: pytest.Function, plan: RunPlan) -> Standing:
        """What is known of the baseline of a test.

        Raises:
            PlanError: the provenance hook is wrong.
        """
        name, content, provenance = entry_name(item), content_of(item, plan), provenance_of(item)
        found = Standing("none", self.file, name, content, provenance)
        if damage := self._damage or self._problems.get(name, ""):
            return replace(found, status="damaged", note=damage)
        former = self._former.get(name)
        entry = self._entries.get(name if former is None else former)
        if entry is None:
            return found
        note = _note(former, entry, content)
        recorded = _without_judges(entry.provenance)
        if recorded == provenance:
            return replace(found, status="comparable", entry=entry, former=former, note=note)
        from pytest_llmrel.baselines.provenance import difference

        changed = f"not comparable with its baseline: {difference(recorded, provenance)}"
        return replace(found, status="not comparable", entry=entry, former=former, note=changed)

    def _read(self, path: Path) -> None:
        from pytest_llmrel.baselines.store import read_baselines

        try:
            baselines = read_baselines(path)
        except BaselineError as error:
            self._damage = str(error)
        else:
            self._entries, self._problems = baselines.entries, baselines.problems

    def _renamed(self, gone: Sequence[str], items: Sequence[pytest.Function]) -> Mapping[str, str]:
        """New name -> entry of a test that is gone and did the same; none where that is ambiguous."""
        old = [(self._entries[name].content, name) for name in gone if name in self._entries]
        new = [item for item in items if old and entry_name(item) not in self._entries]
        names: dict[str, list[str]] = {}
        for item in new:
            names.setdefault(content_of(item, plan_of(item)), []).append(entry_name(item))
        times = Counter(content for content, _ in old)
        return {
            names[content][0]: name
            for content, name in old
            if times[content] == len(names.get(content, ())) == 1
        }

    def _is_there(self, name: str) -> bool:
        """Whether the module still has a test function of that name, whatever its parameters."""
        parts = name.partition("[")[0].split("::")
        try:
            reduce(getattr, parts, self._module)
        except AttributeError:
            return False
        return True


def orphans(root: Path, modules: Collection[Path], used: Collection[Path]) -> list[tuple[str, str]]:
    """``(file, entry)`` of the baseline files beside these modules that no ``krun`` test is in any more.

    Args:
        root: of the session.
        modules: all test modules of which all tests were collected.
        used: modules with ``krun`` tests.
    """
    found = []
    for folder in sorted({module.parent / FOLDER for module in (*modules, *used)}):
        for path in sorted(folder.glob("*.json")):
            module = folder.parent / f"{path.stem}.py"
            if module not in used and (module in modules or not module.exists()):
                found += [(relative_to_root(root, path), name) for name in _names(path)]
    return found


def _obstacle(root: Path, path: Path) -> str:
    """What keeps a baseline file from being looked for, ``""`` if nothing does."""
    folder = path.parent
    if os.path.lexists(folder) and not folder.is_dir():
        return f"{relative_to_root(root, folder)}: no folder, and no baseline can be in it; move it away"
    try:
        path.lstat()
    except FileNotFoundError:
        return ""
    except OSError as error:
        return (
            f"{relative_to_root(root, path)}: cannot be looked for ({error.strerror}); check its permissions"
        )
    return ""


def _without_judges(provenance: Mapping[str, str]) -> Mapping[str, str]:
    """Who judges is known only when the runs are over, and compared then."""
    return {name: value for name, value in provenance.items() if name != "judges"}


def _names(path: Path) -> list[str]:
    from pytest_llmrel.baselines.store import read_baselines

    try:
        baselines = read_baselines(path)
    except BaselineError:
        return []
    return sorted(baselines.entries.keys() | baselines.problems.keys())


def _note(former: str | None, entry: BaselineEntry, content: str) -> str:
    if former is not None:
        return f"its baseline is that of {former}, which did the same and is gone: taken for renamed"
    return "" if entry.content == content else "the test itself has changed since its baseline was recorded"


def relative_to_root(root: Path, path: Path) -> str:
    """The path as it is shown: relative to the root of the session where it is below it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
