"""The ledger of a session: every finished run is on disk before another takes its place."""

import re
import secrets
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import fsum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmrel.core.model import Attempt, Sample, Variant
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.errors import LedgerError
from pytest_llmrel.glue.identity import identity_of
from pytest_llmrel.glue.wire import session_wire
from pytest_llmrel.ledger.codec import decode, described, encode
from pytest_llmrel.ledger.folder import begin, forget, former_files
from pytest_llmrel.ledger.former import Former

if TYPE_CHECKING:
    from pytest_llmrel.ledger.journal import Journal

__all__ = ["SessionLedger", "TestBook"]

_NOBODY = Attempt("", Variant(), 0, 0)


class SessionLedger:
    """What this process writes, and what sessions before it have left.

    Without pytest's cache (``-p no:cacheprovider``) there is none.
    """

    _KEY = pytest.StashKey["SessionLedger"]()

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._is_resumed: bool = config.getoption("llmrel_resume")
        worker: Mapping[str, Any] = getattr(config, "workerinput", {})
        self._worker = re.sub(r"\W", "_", worker.get("workerid", "main"), flags=re.ASCII)
        self._session: str = worker.get("llmrel_session") or secrets.token_hex(4)
        self._share = 1 / worker.get("workercount", 1)
        self.turns = Counter[str]()
        self.recalled = Counter[str]()
        self._has_begun = False
        self._journal: Journal | None = None
        self._old: list[Path] = []
        self._tests = 0
        self.former: Former | None = None
        self.changed: dict[str, None] = {}
        self.damaged = 0
        self.trouble = ""

    @classmethod
    def of(cls, config: pytest.Config) -> "SessionLedger":
        """That of the session that ``config`` belongs to, made on first use."""
        found = config.stash.get(cls._KEY, None)
        if found is None:
            found = config.stash[cls._KEY] = cls(config)
        return found

    def begin(self) -> None:
        """Open it before the first run of the session; once.

        Raises:
            LedgerError: another session is writing there; or there is nothing to resume, or nothing that
                can be read.
        """
        option = self._config.getoption
        if self._has_begun or option("llmrel_plan") or option("llmrel_hunt") or option("collectonly"):
            return
        self._has_begun = True
        folder = self._folder()
        if folder is None:
            return
        try:
            self._journal, self._old = begin(folder, self._session, self._worker)
        except OSError as error:
            self.trouble = f"{folder}: {error.strerror or error}; no run of this session is in a ledger"
        if self._is_resumed:
            self._read(self._old if self._journal else former_files(folder, self._session), folder)

    def book(self, item: pytest.Function, plan: RunPlan, *, in_parts: bool = False) -> "TestBook | None":
        """That of a test that is about to run, or of a part of it; ``None`` if there is no ledger.

        Raises:
            LedgerError: see :meth:`begin`.
            PlanError: the provenance hook is wrong.
        """
        self.begin()
        if self._journal is None and self.former is None:
            return None
        turn = self.turns[item.nodeid]
        identity = identity_of(item, plan, turn)
        former = self.former
        if former is not None and identity not in former.tests and item.nodeid in former.nodeids and not turn:
            self.changed[item.nodeid] = None
        if not in_parts:
            self.recalled[identity] = 0  # a test that was started ahead and given up comes twice
        return TestBook(self, item.nodeid, identity)

    def open_test(self, nodeid: str, identity: str) -> int:
        """The number by which the lines of a test name it; what nobody can resume any more is removed."""
        if not self._is_resumed and self._old:
            self._remove_old()
        self._tests += 1
        self.append({"test": self._tests, "nodeid": self.clean(nodeid), "identity": identity}, nodeid)
        return self._tests

    def append(self, data: dict[str, Any] | list[Any], nodeid: str) -> None:
        """Write a line, unless writing has failed before."""
        if self._journal is not None and not self.trouble and not self._journal.append(data):
            self.trouble = (
                f"{self._journal.path.parent}: {self._journal.trouble}; the first run that is not in it is "
                f"one of {nodeid}; --llmrel-resume would make that and all later ones again"
            )

    @property
    def is_written(self) -> bool:
        """Whether there is any use in appending."""
        return self._journal is not None and not self.trouble

    def clean(self, data: Any) -> Any:
        """The same without what may be written down nowhere; the very same object if there is nothing."""
        return session_wire(self._config).redactor.clean_data(data)

    def end(self) -> None:
        """Close it; one without a run is of no use to anybody."""
        if self._journal is not None:
            self._journal.close()
            if self._journal.trouble and not self.trouble:
                self.trouble = (
                    f"{self._journal.path.parent}: {self._journal.trouble}; its last runs may be lost"
                )
            if not self._tests:
                self._journal.path.unlink(missing_ok=True)

    @property
    def told(self) -> dict[str, Any]:
        """What there is to tell of it, as plain data; see :func:`~pytest_llmrel.reports.resumption.told`."""
        return {
            "resumed": self.former is not None,
            "recalled": self.recalled.total(),
            "changed": list(self.changed),
            "damaged": self.damaged + (0 if self.former is None else self.former.damaged),
            "trouble": self.trouble,
        }

    def _folder(self) -> Path | None:
        """``llmrel`` in pytest's cache folder."""
        cache = getattr(self._config, "cache", None)
        if cache is None:
            if self._is_resumed:
                raise LedgerError(
                    "--llmrel-resume: without pytest's cache (-p no:cacheprovider) there is no ledger"
                )
            return None
        try:
            made: Path = cache.mkdir("llmrel")  # which sees to it that git ignores the cache
        except OSError as error:
            self.trouble = f"{error}; no run of this session is in a ledger"
            if self._is_resumed:
                raise LedgerError(f"--llmrel-resume: {error}") from error
            return None
        return made.parents[1] / "llmrel"

    def _read(self, files: list[Path], folder: Path) -> None:
        if not files:
            raise LedgerError(
                f"--llmrel-resume: there is no ledger in {folder}; run once without the option, in the same "
                "folder and with the same cache_dir"
            )
        self.former = Former(files)
        if self._config.getoption("llmrel_budget") is not None:
            self._pay(self.former)

    def _pay(self, former: Former) -> None:
        """What was paid before counts towards the budget; each worker of xdist bears its share of it."""
        paid, unpriced = array("d"), ""
        runs = (data for identity in former.tests for _, data in former.runs(identity))
        calls = (call for data in runs for call in decode(data, _NOBODY).traffic.calls if not call.replayed)
        for call in calls:
            if call.cost is not None:
                paid.append(call.cost * self._share)
            else:
                unpriced = unpriced or (call.usage and call.usage.model) or f"{call.host}{call.path}"
        budget = session_wire(self._config).budget
        budget.pay(fsum(paid), "")
        if unpriced:
            budget.pay(None, unpriced)

    def _remove_old(self) -> None:
        old, self._old = self._old, []
        try:
            forget(old)
        except OSError as error:
            self.trouble = f"{error}; no run of this session is in a ledger"


class TestBook:
    """The runs of one test: those that are known, and those that are made."""

    __test__ = False  # pytest takes classes of this name for tests, in the suites that import it

    def __init__(self, ledger: SessionLedger, nodeid: str, identity: str) -> None:
        self._ledger = ledger
        self._nodeid = nodeid
        self._identity = identity
        self._number: int | None = None

    def recall(self, wanted: Iterable[Attempt]) -> Iterator[Sample]:
        """What earlier sessions know of these runs, in the order in which they ended.

        Args:
            wanted: the first run of each is taken; one that did not end by itself is given as well, and so is
                the run that replaced it.
        """
        former = self._ledger.former
        if former is None:
            return
        missing = {attempt.seed: attempt for attempt in wanted}
        for seed, data in former.runs(self._identity):
            if seed not in missing:
                continue
            try:
                sample = decode(data, missing[seed])
            except LedgerError:
                self._ledger.damaged += 1
                continue
            if not (sample.cut_off or sample.fatal):
                del missing[seed]
                self._ledger.recalled[self._identity] += 1
            yield sample

    def close(self) -> None:
        """The test has been run to its end; if it is run once more, those runs are others."""
        self._ledger.turns[self._nodeid] += 1

    def keep(self, sample: Sample, *, evidence: bool) -> Sample:
        """Write a run down.

        Args:
            sample: of the run.
            evidence: whether to write what its failure looks like, and not only of what kind it is.

        Returns:
            The run as it is to be counted: what is written of it, so that a resumed session counts the same.
        """
        ledger = self._ledger
        if not ledger.is_written:
            return sample
        if self._number is None:
            self._number = ledger.open_test(self._nodeid, self._identity)
        if evidence:
            sample = described(sample)
        data = encode(sample, evidence=evidence)
        clean = ledger.clean(data)
        ledger.append([self._number, sample.attempt.seed, clean], self._nodeid)
        return sample if clean is data else decode(clean, sample.attempt)
