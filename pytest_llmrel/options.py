"""Options and ini keys of the plugin, and the check of their values; poor, like the entry point itself."""

import os
from collections.abc import Callable
from math import isfinite
from pathlib import Path

import pytest

__all__ = ["add_options", "check_options"]

_BASELINE_MODES = ("check", "new", "update", "reset", "off")
_ALTERNATIVES = {
    "llmrel_lookahead": ("auto", "off"),
    "llmrel_inconclusive": ("fail", "warn"),
    "llmrel_uncalibrated_judges": ("refuse", "allow"),
}
_LEAST_CALLS = 20
"""With fewer calls a hunt can show hardly anything."""
_TAPE_MODES = ("off", "record", "replay")


def _count(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(text)
    return int(text)


def _calls(text: str) -> int:
    """A whole number of at least 20, for argparse."""
    if _count(text) < _LEAST_CALLS:
        raise ValueError(text)
    return int(text)


def _parts(text: str) -> int | str:
    """A whole number of at least 1, ``auto`` or ``off``, for argparse."""
    return text if text in {"auto", "off"} else _count(text)


_calls.__name__ = "whole number of at least 20"
_count.__name__ = "whole number of at least 1"


def _path(text: str) -> str:
    """An absolute path, for argparse; an empty one is a variable that was not set."""
    if not text.strip():
        raise ValueError(text)
    return str(Path(text).absolute())  # xdist sends options to its workers, as simple types only


def _dollars(text: str) -> float:
    """A positive amount, for argparse."""
    amount = float(text)
    if not (isfinite(amount) and amount > 0):
        raise ValueError(text)
    return amount


_dollars.__name__ = "amount of US dollars above 0"
_parts.__name__ = "whole number of at least 1, auto or off"
_path.__name__ = "path that is not empty"


def add_options(parser: pytest.Parser) -> None:
    """Declare options and ini keys; ``docs/reference/options.md`` describes them."""
    group = parser.getgroup("llmrel", "reliability of LLM features (pytest_llmrel)")
    _add_run_options(group)
    _add_choice(group)
    _add_hunt_options(group)
    _add_baseline_options(group)
    _add_wire_options(group)
    _add_ini_keys(parser)


def _add_run_options(group: pytest.OptionGroup) -> None:
    group.addoption(
        "--llmrel-k",
        type=_count,
        metavar="N",
        help="runs per wording, whatever the marks say (a quick look: 1)",
    )
    group.addoption(
        "--llmrel-concurrency",
        type=_count,
        metavar="N",
        help="most runs in flight over the session (default 8); a mark's own concurrency is never exceeded",
    )
    group.addoption(
        "--llmrel-resume",
        action="store_true",
        help="take the runs that an interrupted session has finished from its ledger, and make the others",
    )
    group.addoption(
        "--llmrel-shard",
        metavar="I/N",
        help="run the I-th of N parts of the tests; 'llmrel merge' judges the reports of all parts together",
    )
    group.addoption(
        "--llmrel-split",
        type=_parts,
        metavar="N",
        default="auto",
        help="with pytest-xdist, split larger tests into parts of N runs over the workers; auto (default) "
        "splits very large ones where that changes nothing else, off none",
    )
    group.addoption(
        "--llmrel-json", type=_path, metavar="PATH", help="write the results to PATH as JSON (schema 1)"
    )


def _add_choice(group: pytest.OptionGroup) -> None:
    group.addoption(
        "--llmrel-case",
        action="append",
        metavar="ID",
        help="run only this case of the datasets, and only tests that have it; may be given several times",
    )


def _add_hunt_options(group: pytest.OptionGroup) -> None:
    group.addoption(
        "--llmrel-hunt",
        type=_calls,
        metavar="CALLS",
        help="in place of the planned runs look for a wording that breaks the test, with at most CALLS calls",
    )
    group.addoption(
        "--llmrel-hunt-save",
        action="store_true",
        help="append the wording that breaks to the paraphrase file of the test, to be reviewed",
    )


def _add_baseline_options(group: pytest.OptionGroup) -> None:
    group.addoption(
        "--llmrel-baseline",
        choices=_BASELINE_MODES,
        default="check",
        help="what to do with baselines: compare (check, the default), also record the missing ones (new), "
        "also append this session's runs (update), begin anew (reset), or ignore them (off)",
    )
    group.addoption(
        "--llmrel-baseline-runs",
        type=_count,
        metavar="N",
        default=50,
        help="runs of a test that a new baseline records (default 50)",
    )
    group.addoption(
        "--llmrel-force",
        action="store_true",
        help="let --llmrel-baseline=update and =reset change baselines on a CI machine",
    )


def _add_wire_options(group: pytest.OptionGroup) -> None:
    group.addoption(
        "--llmrel-tape",
        choices=_TAPE_MODES,
        default="off",
        help="what to do with calls over HTTP: make them (off, the default), also record those on no "
        "tape yet (record), or make none and take the answers from the tapes (replay)",
    )
    group.addoption(
        "--llmrel-budget",
        type=_dollars,
        metavar="USD",
        help="US dollars that the session may spend; what is not run for it is INCONCLUSIVE",
    )
    group.addoption(
        "--llmrel-plan",
        action="store_true",
        help="run nothing; say how many runs, calls and dollars to expect, from the baselines",
    )


def _add_ini_keys(parser: pytest.Parser) -> None:
    parser.addini("llmrel_k", "runs per wording where no mark says it (default 10)", default="")
    parser.addini("llmrel_concurrency", "most runs in flight over the session (default 8)", default="")
    parser.addini(
        "llmrel_lookahead",
        "whether runs of the next tests are started while there is room: auto (default) or off",
        default="auto",
    )
    parser.addini(
        "llmrel_max_error_rate",
        "share of runs ending in an infrastructure error above which a test is INCONCLUSIVE (default 0.1)",
        default="0.1",
    )
    parser.addini(
        "llmrel_inconclusive", "what INCONCLUSIVE does to a test: fail (default) or warn", default="fail"
    )
    parser.addini(
        "llmrel_alpha",
        "chance that a session turns red although no test is worse than its baseline (default 0.01)",
        default="0.01",
    )
    parser.addini(
        "llmrel_scores",
        "names of scores that are recorded outside the test's own code",
        type="args",
        default=[],
    )
    parser.addini(
        "llmrel_uncalibrated_judges",
        "whether a judge without a good calibration may decide a test alone: refuse (default) or allow",
        default="refuse",
    )
    parser.addini(
        "llmrel_retries",
        "how often a model call is sent again after 429, 5xx or a broken connection (default 3)",
        default="3",
    )
    parser.addini(
        "llmrel_prices",
        "prices in US dollars per million tokens, a line a model: 'name: input 0.15, output 0.60'",
        type="linelist",
        default=[],
    )
    parser.addini(
        "llmrel_free_hosts", "hosts whose answers cost nothing that is to be counted", type="args", default=[]
    )
    parser.addini(
        "llmrel_tape_ignore",
        "fields of requests that may differ from those on a tape, such as body.metadata",
        type="args",
        default=[],
    )


def check_options(config: pytest.Config) -> None:
    """Check what the parser cannot.

    Raises:
        pytest.UsageError: a value is impossible.
    """
    _check_ini(config)
    _check_baseline(config)
    _check_plan(config)
    if config.getoption("llmrel_resume") and config.getoption("llmrel_hunt"):
        raise pytest.UsageError("--llmrel-resume: a hunt leaves nothing to resume; leave one of them out")
    if config.getoption("llmrel_shard") is not None:
        _check_shard(config)


def _check_plan(config: pytest.Config) -> None:
    if config.getoption("llmrel_plan") and config.getoption("tx", None):
        raise pytest.UsageError("--llmrel-plan runs nothing and needs no workers; leave -n out")


def _check_shard(config: pytest.Config) -> None:
    from pytest_llmrel.core.shard import read_shard
    from pytest_llmrel.errors import PlanError

    try:
        shard = read_shard(config.getoption("llmrel_shard"))
    except PlanError as error:
        raise pytest.UsageError(str(error)) from error
    if config.getoption("llmrel_hunt"):
        raise pytest.UsageError(f"--llmrel-shard={shard}: a hunt is for one test; leave one of them out")
    mode = config.getoption("llmrel_baseline")
    if mode in {"new", "update", "reset"}:
        raise pytest.UsageError(
            f"--llmrel-baseline={mode} with --llmrel-shard={shard}: every machine would write its own "
            "version of the same files; leave it out, merge the reports ('llmrel merge ... "
            "--json=all.json'), and record them by 'llmrel baseline accept all.json'"
        )


def _check_ini(config: pytest.Config) -> None:
    for name, (one, other) in _ALTERNATIVES.items():
        chosen = config.getini(name)
        if chosen not in {one, other}:
            raise pytest.UsageError(f"ini key {name} = {chosen}; it must be {one!r} or {other!r}")
    for name in ("llmrel_k", "llmrel_concurrency"):
        text = config.getini(name)
        if text and not (text.isdecimal() and int(text) > 0):
            raise pytest.UsageError(f"ini key {name} = {text}; it must be a whole number of at least 1")
    retries = config.getini("llmrel_retries")
    if not retries.isdecimal():
        raise pytest.UsageError(
            f"ini key llmrel_retries = {retries}; it must be a whole number of at least 0"
        )
    if config.getini("llmrel_prices"):
        _check_prices(config)
    _check_number(config, "llmrel_max_error_rate", "within 0..1", lambda value: 0 <= value <= 1)
    _check_number(config, "llmrel_alpha", "between 0 and 1", lambda value: 0 < value < 1)


def _check_prices(config: pytest.Config) -> None:
    from pytest_llmrel.errors import PlanError
    from pytest_llmrel.wire.price import read_prices

    try:
        read_prices(config.getini("llmrel_prices"))
    except PlanError as error:
        raise pytest.UsageError(str(error)) from error


def _check_number(config: pytest.Config, name: str, rule: str, is_valid: Callable[[float], bool]) -> None:
    text = config.getini(name)
    try:
        valid = is_valid(float(text))
    except ValueError:
        valid = False
    if not valid:
        raise pytest.UsageError(f"ini key {name} = {text}; it must be a number {rule}")


def _check_baseline(config: pytest.Config) -> None:
    mode = config.getoption("llmrel_baseline")
    if mode in {"new", "update", "reset"} and config.getoption("llmrel_hunt"):
        raise pytest.UsageError(f"--llmrel-baseline={mode}: a hunt records none; leave one of them out")
    if config.getoption("llmrel_hunt_save") and not config.getoption("llmrel_hunt"):
        raise pytest.UsageError("--llmrel-hunt-save saves what --llmrel-hunt=CALLS finds; add that")
    if mode in {"new", "update", "reset"} and config.getoption("llmrel_case"):
        raise pytest.UsageError(
            f"--llmrel-baseline={mode} with --llmrel-case would record some cases only; leave one of them out"
        )
    on_ci = os.environ.get("CI", "").lower() not in {"", "0", "false"}
    if mode in {"update", "reset"} and on_ci and not config.getoption("llmrel_force"):
        raise pytest.UsageError(
            f"--llmrel-baseline={mode} is refused where CI={os.environ['CI']}: a build would move its own "
            "bar; record where you can review and commit the change, or add --llmrel-force"
        )
