"""Suites that ask a simulated model over HTTP, session after session, and what they left on disk."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from example import PLAIN, Example, Outcome

from pytest_llmrel.simulator import Simulator

__all__ = ["STYLES", "Asking", "fake_key", "metric", "tracks"]

STYLES = ("threads", "async", "alone")
"""How the runs of one and the same suite are made: in threads, as coroutines, one at a time."""

_MODEL = '''
import os

import httpx

HEADERS = {"Authorization": "Bearer any"}
RETURN = "How long do I have to return an item?"
WARRANTY = "Is there a warranty on the kettle?"


def to(path="chat/completions"):
    return f"{os.environ['MODEL_URL']}/{path}"


def asking(question, model="gpt-4o-mini", **more):
    return {"model": model, "messages": [{"role": "user", "content": question}], **more}


def said(answer):
    """The document of an answer, or an exception as clients raise it."""
    answer.raise_for_status()
    return answer.json()


def text(document):
    return document["choices"][0]["message"]["content"]


def ask(question=RETURN, model="gpt-4o-mini", headers=HEADERS, **more):
    # No certificate is looked at, and reading all of them takes longer than the call.
    return said(httpx.post(to(), headers=headers, json=asking(question, model, **more), verify=False))


async def aask(question=RETURN, model="gpt-4o-mini", headers=HEADERS, **more):
    async with httpx.AsyncClient(verify=False) as client:
        return said(await client.post(to(), headers=headers, json=asking(question, model, **more)))
'''
_HEAD = """
import asyncio
import json
import threading

import httpx
import pytest
from model import HEADERS, RETURN, WARRANTY, aask, ask, asking, said, text, to
from pytest_llmrel import faults, krun, paraphrase
from witness import note

"""


class Asking:
    """A suite and the model that it asks.

    ``DEF`` and ``ASK`` in its tests stand for ``def`` and ``ask``, or for ``async def`` and ``await aask``.

    Args:
        pytester: gives the directory.
        monkeypatch: keeps the environment of the outer session.
        tests: of ``test_it.py``, without its imports.
        style: one of :data:`STYLES`.
        ini: keys of pytest.
    """

    def __init__(
        self,
        pytester: pytest.Pytester,
        monkeypatch: pytest.MonkeyPatch,
        tests: str,
        *,
        style: str = "threads",
        **ini: str,
    ):
        monkeypatch.delenv("CI", raising=False)
        self._monkeypatch = monkeypatch
        self._pytester = pytester
        self._more = ("--llmrel-concurrency=1",) if style == "alone" else ()
        self._is_async = style == "async"
        self._ini = {"pythonpath": ".", **ini}
        self.example = Example({"model.py": _MODEL}, self._ini)
        self.edit({"test_it.py": tests})

    def edit(self, files: Mapping[str, str] | None = None, **ini: str) -> None:
        """Change files of the suite, or ini keys; those of test modules get the usual head."""
        headed = {name: self._written(name, text) for name, text in (files or {}).items()}
        self.example = self.example.with_files(headed).with_ini(**ini)

    def run(self, model: Simulator | str, *args: str, subprocess: bool = False) -> Outcome:
        """One session against this server; a text is a URL."""
        self._monkeypatch.setenv("MODEL_URL", model if isinstance(model, str) else model.base_url)
        return self.example.run(self._pytester, *PLAIN, *self._more, *args, subprocess=subprocess)

    @property
    def path(self) -> Path:
        """Directory of the suite."""
        return self._pytester.path

    def tape(self, test: str = "test_a", module: str = "test_it") -> Path:
        """The file of a tape."""
        return self.path / "__tapes__" / module / f"{test}.jsonl"

    def _written(self, name: str, text: str) -> str:
        if not Path(name).name.startswith("test_"):
            return text
        keyword, call = ("async def", "await aask") if self._is_async else ("def", "ask")
        return _HEAD + text.replace("DEF ", f"{keyword} ").replace("ASK(", f"{call}(")


def metric(outcome: Outcome, name: str, test: str = "") -> Any:
    """The point of one metric of a test."""
    return outcome.test(test)["metrics"][name]["point"]


def tracks(path: Path) -> dict[int, list[Mapping[str, Any]]]:
    """The calls on a tape by the number of their run, read with no code of ours."""
    _, *lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {line["run"]: line["calls"] for line in lines}


def fake_key(name: str) -> str:
    """A key of nobody, in no file: put together when it is needed."""
    return "-".join(("sk", "proj", f"{name}{'0a1B' * 8}"))
