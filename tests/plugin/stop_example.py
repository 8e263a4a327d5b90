"""A suite whose runs end as letters say, for tests of early stopping and of what else ends a test."""

import pytest
from example import Outcome, example

__all__ = ["ENDS", "HEAD", "LENIENT", "run", "seen", "source"]

HEAD = """
import asyncio, time, urllib.error
import pytest
from pytest_llmrel import krun, paraphrase
from witness import note

"""
ENDS = """
def end(letter, llmrel):
    note("run", llmrel.index, letter)
    if letter == "f": raise AssertionError("wrong")
    if letter == "a": llmrel.abstain()
    if letter == "s": pytest.skip("no key")
    if letter == "e": raise ConnectionError("refused")
    if letter == "!": raise urllib.error.HTTPError("http://x", 401, "who", {}, None)

"""
"""``end`` ends a run: p(ass) f(ail) a(bstain) s(kip) e(rror), and ! for an answer that ends the test."""
LENIENT = ("-W", "ignore::pytest.PytestWarning")
"""Arguments for a session in which a gate that cannot be decided is no error."""


def source(letters: str, mark: str, before: str = "", *, keyword: str = "def") -> str:
    """A suite whose run i ends as letter i says."""
    indented = f"    {before}\n" if before else ""
    body = f"{keyword} test_it(llmrel):\n{indented}    end({letters!r}[llmrel.index], llmrel)\n"
    return f"{HEAD}{ENDS}\n@krun({len(letters)}, {mark})\n{body}"


def run(
    pytester: pytest.Pytester, letters: str, mark: str, *args: str, before: str = "", **ini: str
) -> Outcome:
    """A session of it."""
    return example(source(letters, mark, before), **ini).run(pytester, *args)


def seen(outcome: Outcome) -> tuple[str, int, int]:
    """Verdict, runs, and how many were saved."""
    test = outcome.test()
    assert test["unfinished"] == 0, "runs that were saved are not missing"
    assert len(outcome.log("run")) == test["runs"]
    return test["verdict"], test["runs"], (test["stopped"] or {"saved": 0})["saved"]
