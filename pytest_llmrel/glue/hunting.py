"""A hunt for a wording that breaks a test: the runs that the search asks for, and the result."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmrel.core.model import (
    Attempt,
    Estimate,
    Finding,
    Outcome,
    Sample,
    Status,
    Summary,
    Variant,
    Verdict,
)
from pytest_llmrel.core.plan import RunPlan
from pytest_llmrel.core.seed import run_seed, variant_key
from pytest_llmrel.errors import UsageProblem
from pytest_llmrel.glue.book import node_id
from pytest_llmrel.glue.crew import staffing_of
from pytest_llmrel.glue.edits import known_perturbations
from pytest_llmrel.glue.huntable import file_of
from pytest_llmrel.glue.judgement import refused
from pytest_llmrel.glue.stage import Stage
from pytest_llmrel.glue.wire import item_wire, save_tape
from pytest_llmrel.reports.hunt import hunt_entry, hunt_told
from pytest_llmrel.reports.result import Result, result_entry
from pytest_llmrel.verdict.counts import VALID
from pytest_llmrel.verdict.decide import decide
from pytest_llmrel.verdict.summary import Aggregate

if TYPE_CHECKING:
    from pytest_llmrel.core.call import Call
    from pytest_llmrel.perturb.found import HuntResult

__all__ = ["HuntExperiment"]

_OF_WORDINGS = frozenset({"sensitivity", "worst_variant"})


class HuntExperiment:
    """One test in the place of its planned runs: wordings are tried until one is shown to break it."""

    def __init__(self, item: pytest.Function, plan: RunPlan) -> None:
        from pytest_llmrel.perturb.hunt import Hunt

        self._item, self._plan = item, plan
        self._primary = plan.inputs.variants[0].text
        self._case = plan.inputs.cases[0].id if plan.inputs.cases else ""
        self._wire = item_wire(item, plan)
        self._samples: list[Sample] = []
        self._runs: Counter[str] = Counter()
        self._outside: list[Call] = []
        self._notes: tuple[str, ...] = ()
        self._stopped = ""
        self._is_spent = False
        self._hunt = Hunt(
            self._primary,
            seed=run_seed(node_id(item), self._case, "hunt", 0),
            budget=item.config.getoption("llmrel_hunt"),
            known=known_perturbations(item.config),
        )
        self._tape: dict[str, Any] | None = None
        self._saved = ""

    def execute(self) -> None:
        """Make the runs; what ends the session is raised, after it was summed up."""
        self._notes = staffing_of(self._item, self._plan).notes
        self._wire.session.budget.limit_calls(self._item.config.getoption("llmrel_hunt"))
        try:
            while not (self._stopped or self._is_spent) and (wanted := self._hunt.open()):
                self._run(wanted)
        finally:
            self._wire.session.budget.limit_calls(None)
        self._tape = save_tape(self._item, self._wire)
        self._save(self._hunt.result())

    def _run(self, wanted: tuple[tuple[str, int], ...]) -> None:
        todo = [attempt for wording, runs in wanted for attempt in self._attempts(wording, runs)]
        self._stopped = self._wire.lacks(todo)
        if self._stopped:
            return
        staffing = staffing_of(self._item, self._plan)
        made: list[Sample] = []
        plan = self._over([wording for wording, _ in wanted])
        stage = Stage(plan, todo, staffing.concurrency, self._wire, keep=made.append)
        try:
            stage.begin(self._item, staffing)
            stage.finish()
        finally:
            self._samples += made
            self._outside += stage.outside
            self._end(stage.stopped, made)
            self._tell(wanted, made)

    def _end(self, reason: str, made: list[Sample]) -> None:
        """The calls of the hunt are meant to be spent: that ends it, and is no reason to doubt it."""
        is_cut = any(sample.cut_off for sample in made)
        self._is_spent = is_cut and not self._wire.session.budget.reason
        self._stopped = "" if self._is_spent else reason

    def _attempts(self, wording: str, runs: int) -> list[Attempt]:
        variant = self._variant(wording)
        first = self._runs[wording]
        self._runs[wording] += runs
        numbers = range(first, first + runs)
        seed_of = {n: run_seed(node_id(self._item), self._case, variant.key, n) for n in numbers}
        return [Attempt(self._case, variant, number, seed_of[number]) for number in numbers]

    def _tell(self, wanted: tuple[tuple[str, int], ...], made: list[Sample]) -> None:
        of = defaultdict[str, list[Sample]](list)
        for sample in made:
            of[sample.attempt.variant.text].append(sample)
        for wording, _ in wanted:
            judged = [sample for sample in of[wording] if sample.outcome in VALID and not sample.cut_off]
            passed = sum(sample.outcome is Outcome.PASSED for sample in judged)
            calls = sum(sample.traffic.counted for sample in of[wording])
            self._hunt.tell(wording, passed, len(judged), calls)

    def _variant(self, wording: str) -> Variant:
        return Variant(variant_key(wording), wording, wording == self._primary)

    def _over(self, wordings: list[str]) -> RunPlan:
        variants = tuple(self._variant(wording) for wording in dict.fromkeys(wordings))
        inputs = replace(self._plan.inputs, variants=variants, own_variants={})
        return replace(self._plan, k=1, gates=(), inputs=inputs)

    @property
    def summary(self) -> Summary:
        """Of the runs of all wordings."""
        plan = self._over([self._primary, *(sample.attempt.variant.text for sample in self._samples)])
        told = [sample for sample in self._samples if not sample.cut_off]
        aggregate = Aggregate(plan, len(told))
        for sample in told:
            aggregate.record(sample)
        for sample in self._samples:
            if sample.cut_off:
                aggregate.record_cut_off(sample)
        aggregate.record_outside(self._outside)
        return aggregate.summary()

    def _save(self, found: "HuntResult") -> None:
        file = file_of(self._item)
        if not self._item.config.getoption("llmrel_hunt_save") or found.broken is None or file is None:
            return
        from pytest_llmrel.datasets.wordingswrite import append_wording

        names = ", ".join(dict.fromkeys(edit.name for edit in found.broken.edits))
        path = self._item.path.parent / file
        try:
            is_new = append_wording(path, found.broken.wording, f"hunted ({names})", primary=self._primary)
        except (UsageProblem, OSError) as error:
            self._saved = f"the wording was not saved: {error}"
        else:
            known = "it is in the file already" if not is_new else "it runs when it has been reviewed"
            self._saved = f"saved to {file}: {known} (llmrel paraphrase review {file})"

    def result(self) -> Result:
        """The verdict: FAIL if a wording is shown to be worse, PASS if none was found, else INCONCLUSIVE.

        Too many errors leave it open whether there is one, and a tear-down that raises fails as ever.
        """
        found = self._made(self._hunt.result())
        status = _status(found, self._stopped)
        told = hunt_told(found, self._stopped)
        finding = Finding("hunt", "no wording is worse", _observed(found), status, told[0])
        saved = [self._saved] if self._saved else []
        notes = [*told[1:], *saved, *self._notes, *self._wire.notes]
        summary = self._shown(found)
        verdict = self._verdict(finding, summary)
        result = result_entry(node_id(self._item), summary, verdict, notes, tape=self._tape)
        return {**self._clean(result), "hunt": self._clean(hunt_entry(found))}

    def _made(self, found: "HuntResult") -> "HuntResult":
        """With the calls that were made: what ends a hunt early leaves runs out that it has asked for."""
        made = sum(sample.traffic.counted for sample in self._samples)
        return replace(found, calls=made) if self._stopped and made else found

    def _verdict(self, finding: Finding, summary: Summary) -> Verdict:
        outside = self._wire.outside.refusal
        findings = [finding, *([] if outside is None else [refused(outside)])]
        most_errors = float(self._item.config.getini("llmrel_max_error_rate"))
        return decide(replace(self._plan, gates=()), summary, most_errors, findings)

    def _shown(self, found: "HuntResult") -> Summary:
        """The summary with the tallies of the two wordings that matter; there may be a hundred others.

        Nothing is said of how often they pass, and how much they differ: the hunt chose them by just that.
        """
        kept = {self._primary} | ({found.broken.wording} if found.broken else set())
        summary = self.summary
        variants = tuple(tally for tally in summary.variants if tally.text in kept)
        metrics = {name: found for name, found in summary.metrics.items() if name not in _OF_WORDINGS}
        metrics["pass_rate"] = Estimate.undefined(
            "of wordings that were chosen by how they did", summary.valid
        )
        return replace(summary, variants=variants, metrics=metrics, sensitivity=None)

    def _clean(self, data: Mapping[str, Any]) -> dict[str, Any]:
        clean = self._wire.session.redactor.clean_data
        return {name: value if name == "nodeid" else clean(value) for name, value in data.items()}


def _status(found: "HuntResult", stopped: str) -> Status:
    if found.broken is not None:
        return Status.FAIL
    return Status.INCONCLUSIVE if stopped or found.remark else Status.PASS


def _observed(found: "HuntResult") -> str:
    return "none is known to be" if found.broken is None else found.broken.wording
