"""What the runs of one test spend: totals, the cost of a correct answer, the latency of calls."""

from array import array
from collections import Counter
from collections.abc import Iterable
from math import fsum, nan

from pytest_llmrel.core.call import Call, Spent
from pytest_llmrel.core.gate import Gate
from pytest_llmrel.core.model import Estimate, Outcome, Sample
from pytest_llmrel.core.shown import Shown
from pytest_llmrel.stats.quantiles import nearest_rank
from pytest_llmrel.stats.ratio import Ratio, ratio_interval

__all__ = ["Spending"]

_NO_CALL = "no call was metered; what does not go through httpx must be reported with llmrel.usage()"
_FELT = "Fieller 95 %"


class _Sum:
    """Adds up calls of one kind."""

    def __init__(self) -> None:
        self.calls = 0
        self.so_far = {"calls": 0.0, "cost": 0.0, "tokens": 0.0}
        self._costs: list[float] = []
        self._tokens: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        self._replayed = 0

    def add(self, call: Call) -> None:
        self.calls += 1
        self.so_far["calls"] += 1
        self.so_far["cost"] += call.cost or 0.0
        self._replayed += call.replayed
        if call.cost is None:
            self._unknown[_what_is_unknown(call)] += 1
        else:
            self._costs.append(call.cost)
            if len(self._costs) > _MOST_SUMMANDS:
                self._costs = [fsum(self._costs)]
        usage = call.usage
        if usage is not None:
            tokens = self._tokens
            self.so_far["tokens"] += usage.input_tokens + usage.output_tokens
            tokens["input_tokens"] += usage.input_tokens
            tokens["output_tokens"] += usage.output_tokens
            tokens["cache_read_tokens"] += usage.cache_read_tokens
            tokens["cache_write_tokens"] += usage.cache_write_tokens
            tokens["reasoning_tokens"] += usage.reasoning_tokens

    def spent(self, retries: int = 0) -> Spent:
        known, unpriced = fsum(self._costs), self._unknown.total()
        return Spent(
            calls=self.calls,
            usd=None if unpriced else known,
            known_usd=known,
            **self._tokens,
            unpriced_calls=unpriced,
            unknown=dict(sorted(self._unknown.items())),
            replayed_calls=self._replayed,
            retries=retries,
        )


_MOST_SUMMANDS = 4096
"""Costs that are kept until they are added up; every sum is exact to the last bit but one."""


class Spending:
    """What the runs of one test have spent so far. Not thread-safe: one thread at a time records.

    Attributes:
        seconds: that calls over HTTP took.
    """

    def __init__(self) -> None:
        self._made, self._judging = _Sum(), _Sum()
        self._outside = array("d")
        self._costs, self._passes, self.seconds = array("d"), array("b"), array("d")
        self._retries = 0
        self._idle = self._idle_passes = 0

    def record(self, sample: Sample) -> None:
        """Add what one run spent, and whether it passed."""
        passed = sample.outcome is Outcome.PASSED
        if sample.outcome in _NOT_MADE:
            return
        if not sample.traffic.calls:
            self._idle += 1
            self._idle_passes += passed
            return
        cost = self._add(sample)
        self._costs.append(cost)
        self._passes.append(passed)

    def record_cut_off(self, sample: Sample) -> None:
        """Add what a run spent that does not count as one."""
        self._outside.append(self._add(sample))

    def record_outside(self, calls: Iterable[Call]) -> None:
        """Add calls that belong to no run: those of shared fixtures, and of threads that the test started."""
        for call in calls:
            self._outside.append(self._count(call))

    def exceeds(self, gate: Gate) -> bool:
        """Whether an upper bar on a total is missed already."""
        return not gate.met_by(self._made.so_far[gate.metric])

    def _add(self, sample: Sample) -> float:
        self._retries += sample.traffic.retries
        return fsum([self._count(call) for call in sample.traffic.calls])

    def _count(self, call: Call) -> float:
        """Add one call; what it counts for in the cost of the test."""
        if call.judge:
            self._judging.add(call)
            return 0.0
        self._made.add(call)
        if call.status is not None or call.error:
            self.seconds.append(call.seconds)
        return nan if call.cost is None else call.cost

    @property
    def spent(self) -> Spent:
        """By all calls that were made to get answers."""
        return self._made.spent(self._retries)

    @property
    def judging(self) -> Spent:
        """By those that were made to judge them."""
        return self._judging.spent()

    @property
    def idle_runs(self) -> int:
        """Runs that made no metered call."""
        return self._idle

    def metrics(self, wanted: Iterable[str] = ()) -> dict[str, Estimate]:
        """The estimates; none where there was no call, except for those that are wanted all the same."""
        found = {
            "calls": self._total("calls"),
            "cost": self._total("usd"),
            "tokens": self._tokens(),
            "cost_per_pass": self._cost_per_pass(),
            "call_latency_p50": self._latency(0.5),
            "call_latency_p95": self._latency(0.95),
        }
        named = set(wanted)
        return {name: found[name] for name in found if self._made.calls or name in named}

    def shown_about_cost_per_pass(self, gate: Gate) -> Shown:
        """What the runs show about the cost of a correct answer: one-sided 5 %, by Fieller's theorem."""
        reason = self._no_cost_per_pass()
        if reason:
            return Shown.nothing(reason)
        ratio = self._ratio(0.90)
        if ratio.low is None or ratio.high is None:
            return Shown.nothing("too few of the runs passed for an interval")
        met, missed = (ratio.low, ratio.high) if gate.wants_more else (ratio.high, ratio.low)
        return Shown(
            met=gate.met_by(met),
            missed=not gate.met_by(missed),
            can_miss=True,
            can_meet=True,
            method="Fieller's theorem, one-sided 5 % (Fieller 1954)",
        )

    @property
    def _runs(self) -> int:
        return len(self._costs) + self._idle

    def _total(self, name: str) -> Estimate:
        spent = self.spent
        value = getattr(spent, name)
        if not spent.calls:
            return Estimate.undefined(_NO_CALL, self._runs)
        if value is None:
            return Estimate.undefined(_unknown_text(spent), self._runs)
        return Estimate(float(value), None, None, self._runs, "sum over all runs")

    def _tokens(self) -> Estimate:
        spent = self.spent
        if not spent.calls:
            return Estimate.undefined(_NO_CALL, self._runs)
        without = sum(count for what, count in spent.unknown.items() if not what.startswith(_NO_PRICE))
        if without:
            return Estimate.undefined(
                f"{without} of {spent.calls} calls did not say what they used", self._runs
            )
        total = spent.input_tokens + spent.output_tokens
        return Estimate(float(total), None, None, self._runs, "sum over all runs")

    def _cost_per_pass(self) -> Estimate:
        reason = self._no_cost_per_pass()
        if reason:
            return Estimate.undefined(reason, self._runs)
        ratio = self._ratio(0.95)
        return Estimate(ratio.point, ratio.low, ratio.high, self._runs, f"cost of all runs / passes; {_FELT}")

    def _no_cost_per_pass(self) -> str:
        spent = self.spent
        if not spent.calls:
            return _NO_CALL
        if spent.usd is None:
            return _unknown_text(spent)
        return "" if sum(self._passes) + self._idle_passes else "no run passed"

    def _ratio(self, confidence: float) -> Ratio:
        """Cost per pass, with what was spent outside of runs spread over them."""
        spread = fsum(self._outside) / self._runs
        costs = array("d", [*self._costs, *[0.0] * self._idle])
        passes = array("d", self._passes)
        passes.extend([1.0] * self._idle_passes + [0.0] * (self._idle - self._idle_passes))
        if spread:
            costs = array("d", [cost + spread for cost in costs])
        return ratio_interval(costs, passes, confidence)

    def _latency(self, share: float) -> Estimate:
        seconds = sorted(self.seconds)
        if not seconds:
            return Estimate.undefined("no call over HTTP")
        return Estimate(nearest_rank(seconds, share), None, None, len(seconds), "nearest rank, seconds")


_NOT_MADE = frozenset({Outcome.SKIPPED, Outcome.XFAILED})
_NO_PRICE = "no price of"


def _what_is_unknown(call: Call) -> str:
    if call.usage is None:
        where = f"{call.host}{call.path}"
        return f"no usage from {where}" + (f" ({call.error})" if call.error else "")
    return f"{_NO_PRICE} model {call.usage.model!r}"


def _unknown_text(spent: Spent) -> str:
    first = next(iter(spent.unknown))
    more = len(spent.unknown) - 1
    also = f" and {more} more reasons" if more else ""
    return f"the cost of {spent.unpriced_calls} of {spent.calls} calls is unknown: {first}{also}"
