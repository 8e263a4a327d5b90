"""A judge: a model behind any OpenAI-compatible endpoint says which claims of an answer are supported.

One request per answer gives the claims, a verdict for each, and the quoted evidence. Two requests, claims
first, would cost twice as much and take text of the model, which an injection may have written, back into a
prompt. What the model says is checked by ``judge_evidence`` before it counts.
"""

import math
import os
import re
import sys
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from pytest_llmrel.core.run import replaying
from pytest_llmrel.errors import JudgeError
from pytest_llmrel.faithfulness.judge_evidence import Case
from pytest_llmrel.faithfulness.judge_http import MOST_BYTES, Asking, ask, ask_async
from pytest_llmrel.faithfulness.judge_prompt import PROMPT_VERSION, messages, prompt_hash
from pytest_llmrel.faithfulness.judge_reply import Malformed, Ruling, read_reply
from pytest_llmrel.faithfulness.judge_slots import Slots, slots_of
from pytest_llmrel.faithfulness.scorer import Faithfulness

__all__ = ["Judge"]

_NAME: Final = "judge"
_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]*")
_MOST_TIMEOUT: Final = 3600


@dataclass(frozen=True, slots=True)
class Judge:
    """A scorer backed by a model; a value without state, to be used from any number of threads and tasks.

    Args:
        model: name of the model, as the endpoint knows it.
        base_url: of the endpoint, such as ``http://127.0.0.1:8080/v1``; without credentials or query.
        api_key_env: name of the environment variable that holds the key, read for each request and kept
            nowhere; ``""`` for an endpoint that wants no key.
        timeout: seconds until a reply begins, and from there to its end, more than 0, at most 3600.
        concurrency: requests that equal judges of this process have under way at the same time, at least 1.

    Raises:
        JudgeError: an argument will not do; all mistakes are named.
    """

    model: str
    base_url: str = "https://api.openai.com/v1"
    api_key_env: str = "OPENAI_API_KEY"
    timeout: float = 60.0
    concurrency: int = 8

    def __post_init__(self) -> None:
        if problems := tuple(_problems(self)):
            raise JudgeError(*problems)

    @property
    def name(self) -> str:
        """``"judge"``."""
        return _NAME

    @property
    def identity(self) -> str:
        """Model, version and hash of the prompt: whatever changes this makes another judge of it."""
        return f"{self.model} prompt {PROMPT_VERSION} {prompt_hash()}"

    @property
    def judge_id(self) -> tuple[str, str]:
        """Model and hash of the prompt, by which its calibration is found."""
        return self.model, prompt_hash()

    def score(self, answer: str, context: str, question: str = "") -> Faithfulness:
        """Judge an answer; supported claims over all claims.

        A reply that is not what was asked for is asked for once more; then, and where there is nothing to
        judge, the score is ``None``. Inside an event loop, which this blocks, use :meth:`ascore`.

        Args:
            answer: to be judged.
            context: that it should stay inside.
            question: that it answers, ``""`` if there was none.

        Raises:
            JudgeError: the key is not in the environment.
            ScorerError: the endpoint refuses the request for what it is.
            httpx.HTTPError: the endpoint cannot be reached, is busy or broken, or refuses the key.
        """
        case = Case(_sendable(answer), _sendable(context), _sendable(question))
        if not_applicable := _not_applicable(case):
            return not_applicable
        asking = self._asking()
        ruling = self._once(asking, case, "")
        if isinstance(ruling, Malformed):
            ruling = self._once(asking, case, ruling.problem)
        return _result(case, ruling)

    async def ascore(self, answer: str, context: str, question: str = "") -> Faithfulness:
        """Judge an answer, as :meth:`score` does, without blocking the event loop.

        Raises:
            JudgeError: the key is not in the environment.
            ScorerError: the endpoint refuses the request for what it is.
            httpx.HTTPError: the endpoint cannot be reached, is busy or broken, or refuses the key.
        """
        case = Case(_sendable(answer), _sendable(context), _sendable(question))
        if not_applicable := _not_applicable(case):
            return not_applicable
        asking = self._asking()
        ruling = await self._once_async(asking, case, "")
        if isinstance(ruling, Malformed):
            ruling = await self._once_async(asking, case, ruling.problem)
        return _result(case, ruling)

    def _once(self, asking: Asking, case: Case, problem: str) -> Ruling | Malformed:
        wanted = messages(case.sentences, case.context, case.question, problem=problem)
        if _is_in_event_loop():
            # The tasks that could give a place back cannot go on before this returns: nothing to wait for.
            return _read(ask(asking, self.model, wanted))
        with self._slots.held():
            return _read(ask(asking, self.model, wanted))

    async def _once_async(self, asking: Asking, case: Case, problem: str) -> Ruling | Malformed:
        wanted = messages(case.sentences, case.context, case.question, problem=problem)
        async with self._slots.aheld():
            return _read(await ask_async(asking, self.model, wanted))

    @property
    def _slots(self) -> Slots:
        return slots_of(self, self.concurrency)

    def _asking(self) -> Asking:
        return Asking(f"{self.base_url.rstrip('/')}/chat/completions", self.timeout, _key(self.api_key_env))


def _read(body: bytes | None) -> Ruling | Malformed:
    return Malformed(f"it is longer than {MOST_BYTES:,} bytes") if body is None else read_reply(body)


def _not_applicable(case: Case) -> Faithfulness | None:
    """The result where there is nothing to ask."""
    reason = ""
    if not case.sentences:
        reason = "no claims in the answer: it is empty"
    elif not case.context.strip():
        reason = "there is no context to judge by"
    return Faithfulness(None, (), _NAME, reason) if reason else None


def _result(case: Case, ruling: Ruling | Malformed) -> Faithfulness:
    if isinstance(ruling, Malformed):
        return Faithfulness(None, (), _NAME, f"the judge's reply was unusable twice: {ruling.problem}")
    return case.weigh(ruling, _NAME)


def _problems(judge: Judge) -> list[str]:
    model: object = judge.model  # not every caller is typed
    concurrency: object = judge.concurrency
    found = []
    if not isinstance(model, str) or not model.strip():
        found.append(f"judge: model={judge.model!r}; it must be the name of a model")
    if problem := _problem_of_url(judge.base_url):
        found.append(f"judge: base_url {problem}; write one such as 'https://api.openai.com/v1'")
    if not _is_variable(judge.api_key_env):
        # It may be the key itself: not to be shown.
        found.append(
            "judge: api_key_env is not the name of an environment variable in capitals such as "
            "'OPENAI_API_KEY'; a key itself does not belong into code"
        )
    if not _is_number(judge.timeout) or not 0 < judge.timeout <= _MOST_TIMEOUT:
        found.append(f"judge: timeout={judge.timeout!r}; it must be seconds, more than 0, at most 3600")
    if not isinstance(concurrency, int) or isinstance(concurrency, bool) or concurrency < 1:
        found.append(f"judge: concurrency={judge.concurrency!r}; it must be a whole number of at least 1")
    return found


def _problem_of_url(url: object) -> str:
    """What is wrong with an address; it is not shown, for it may hold a secret."""
    try:
        parts = urlsplit(url) if isinstance(url, str) else urlsplit("")
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in {"http", "https"} or not host:
        return "must begin with http:// or https:// and a host"
    if parts.username is not None or parts.password is not None:
        return "must not hold credentials (they would be shown in errors)"
    if parts.query or parts.fragment:
        return "must end with its path (what follows '?' would be shown in errors)"
    return ""


def _is_variable(name: object) -> bool:
    return isinstance(name, str) and (not name or _VARIABLE.fullmatch(name) is not None)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _key(variable: str) -> str:
    if not variable:
        return ""
    key = os.environ.get(variable, "").strip()
    if problem := _problem_of_key(key):
        if replaying.get():
            return ""  # nothing is sent
        raise JudgeError(f"judge: the environment variable {variable} {problem}")
    return key


def _problem_of_key(key: str) -> str:
    if not key:
        return "holds no key; set it, or say api_key_env='' for an endpoint that wants none"
    is_sendable = key.isascii() and key.isprintable() and " " not in key
    return "" if is_sendable else "holds something that cannot be a key"


def _sendable(text: str) -> str:
    """The text without lone surrogates, which no JSON in UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _is_in_event_loop() -> bool:
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
