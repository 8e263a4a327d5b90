"""The judge before a simulated model: what it gives, where it gives nothing, what it raises, and its key."""

import asyncio
import copy
import dataclasses
import os
import pickle
import traceback
from typing import Any
from unittest import mock

import httpx
import pytest

from pytest_llmrel.core.run import judging
from pytest_llmrel.errors import JudgeError
from pytest_llmrel.faithfulness.judge import Judge
from pytest_llmrel.faithfulness.judge_http import Asking, _Intake
from pytest_llmrel.faithfulness.scorer import Faithfulness, Scorer, Support
from pytest_llmrel.simulator.judge import JudgeHabits

from .judging import CONTEXT, KEY, RIGHT, VARIABLE, WRONG, claim, judge_at, only, ruling, serving, supports

WAYS = ("threads", "asyncio")


def scored(judge: Judge, way: str, answer: str, context: str = CONTEXT, question: str = "") -> Faithfulness:
    """Asks the judge one way or the other."""
    if way == "asyncio":
        return asyncio.run(judge.ascore(answer, context, question))
    return judge.score(answer, context, question)


@pytest.mark.parametrize("way", WAYS)
def test_claims_are_told_apart(way: str) -> None:
    """Supported claims over all claims, each with its verdict; the evidence stands in the context."""
    with serving() as simulator:
        result = scored(judge_at(simulator), way, f"{RIGHT} {WRONG} Anything else?", question="Refunds?")
    assert (result.score, result.scorer, result.reason) == (0.5, "judge", "")
    assert supports(result) == [Support.SUPPORTED, Support.UNSUPPORTED]
    assert [found.text for found in result.claims] == [RIGHT, WRONG]
    assert result.claims[0].quote in CONTEXT
    assert result.claims[1].quote == ""


@pytest.mark.parametrize("way", WAYS)
def test_one_request_judges_an_answer(way: str) -> None:
    """With temperature 0 and the key, and marked as a call that judges."""
    seen: list[tuple[httpx.Request, bool]] = []
    kind = httpx.Client if way == "threads" else httpx.AsyncClient
    send = kind.send

    def spy(client: Any, request: httpx.Request, **options: Any) -> Any:
        seen.append((request, judging.get()))
        return send(client, request, **options)

    with serving() as simulator, mock.patch.object(kind, "send", spy):
        scored(judge_at(simulator), way, f"{RIGHT} {WRONG}")
        assert simulator.served == {"ok": 1}
    ((request, is_judging),) = seen
    assert is_judging
    assert not judging.get()
    assert b'"temperature": 0,' in request.content
    assert request.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("answer", "context"),
    [("", CONTEXT), (" \n\u2028 ", CONTEXT), ("...", CONTEXT), (RIGHT, ""), (RIGHT, " \n ")],
)
def test_nothing_to_judge_is_not_asked(way: str, answer: str, context: str) -> None:
    """Neither 0 nor 1: no score, with its reason, and no call."""
    with serving() as simulator:
        result = scored(judge_at(simulator), way, answer, context)
        assert simulator.requests == 0
    assert (result.score, result.claims) == (None, ())
    assert result.reason


def test_an_answer_without_claims_has_no_score() -> None:
    """A judge that finds none leaves nothing to divide by."""
    with serving() as simulator:
        result = judge_at(simulator).score("Can I help you with anything else?", CONTEXT)
        assert simulator.requests == 1
    assert (result.score, result.claims, result.reason) == (None, (), "no claims in the answer")


@pytest.mark.parametrize("way", WAYS)
def test_a_malformed_reply_is_asked_for_once_more(way: str) -> None:
    """And then believed, if it is what was asked for; the second request says what was wrong."""
    for seed in range(200):
        with serving(JudgeHabits(malformed=0.5), seed=seed) as simulator:
            result = scored(judge_at(simulator), way, RIGHT)
            requests = simulator.requests
        if requests == 2 and result.score is not None:
            break
    assert (result.score, requests) == (1.0, 2)


@pytest.mark.parametrize("way", WAYS)
def test_two_malformed_replies_are_no_score(way: str) -> None:
    """Never 1.0, never 0: n/a, with the reason, after exactly two requests."""
    with serving(JudgeHabits(malformed=1.0)) as simulator:
        result = scored(judge_at(simulator), way, RIGHT)
        assert simulator.requests == 2
    assert (result.score, result.claims) == (None, ())
    assert result.reason.startswith("the judge's reply was unusable twice: ")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", ["429", "500", "503"])
def test_http_errors_are_those_of_httpx(way: str, status: str) -> None:
    """So that the plugin knows them for faults of the infrastructure; a note says what the host said."""
    with serving(script=(status,)) as simulator, pytest.raises(httpx.HTTPStatusError) as caught:
        scored(judge_at(simulator), way, RIGHT)
    assert caught.value.response.status_code == int(status)
    (note,) = caught.value.__notes__
    assert "error" in note


@pytest.mark.parametrize("way", WAYS)
def test_broken_connections_are_errors_of_httpx(way: str) -> None:
    """A reset, and an answer that ends in the middle of its bytes."""
    for kind in ("reset", "truncated"):
        with serving(script=(kind,)) as simulator, pytest.raises(httpx.TransportError):
            scored(judge_at(simulator), way, RIGHT)


@pytest.mark.parametrize("way", WAYS)
def test_a_late_reply_is_a_timeout(way: str) -> None:
    """The timeout is that of the whole reply."""
    with serving(latency=5) as simulator, pytest.raises(httpx.TimeoutException):
        scored(judge_at(simulator, timeout=0.2), way, RIGHT)


def test_an_unknown_model_is_said() -> None:
    """404, with the words of the host."""
    with serving() as simulator, pytest.raises(httpx.HTTPStatusError) as caught:
        judge_at(simulator, model="nobody").score(RIGHT, CONTEXT)
    assert "nobody" in caught.value.__notes__[0]


def test_the_key_is_shown_nowhere() -> None:
    """Not in the judge, not in its pickle, not in a traceback, even of one that shows local variables."""
    with serving(script=("500", "reset")) as simulator:
        judge = judge_at(simulator)
        assert KEY not in repr(judge)
        assert KEY.encode() not in pickle.dumps(judge)
        lost = judge_at(simulator, base_url="http://127.0.0.1:1/v1")
        for asked in (judge, judge, lost):
            with pytest.raises(httpx.HTTPError) as caught:
                asked.score(RIGHT, CONTEXT)
            shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
            assert KEY not in "".join(shown.format())


def test_an_echoed_key_is_masked() -> None:
    """Some hosts repeat the key they refuse."""
    response = httpx.Response(401, request=httpx.Request("POST", "http://here/"))
    intake = _Intake(response, Asking("http://here/", 1.0, KEY), float("inf"))
    intake.take_all(iter([f"bad key {KEY}\x1b[2J".encode()]))
    with pytest.raises(httpx.HTTPStatusError) as caught:
        intake.body(whole=True)
    assert caught.value.__notes__ == ["the judge's host said: 'bad key ***\\x1b[2J'"]


@pytest.mark.parametrize("value", ["", "  ", "two words", "kéy", "a\nb"])
def test_a_key_that_cannot_be_sent_is_said(value: str) -> None:
    """By the name of its variable alone."""
    judge = Judge("m", "http://127.0.0.1:9/v1", api_key_env=VARIABLE)
    with mock.patch.dict(os.environ, {VARIABLE: value}), pytest.raises(JudgeError, match=VARIABLE) as caught:
        judge.score(RIGHT, CONTEXT)
    assert not value.strip() or value not in str(caught.value)


def test_a_missing_key_is_said_with_the_way_out() -> None:
    """An endpoint that wants no key gets none."""
    with serving() as simulator:
        with pytest.raises(JudgeError, match="api_key_env=''"):
            judge_at(simulator, api_key_env="LLMREL_TEST_NOT_SET").score(RIGHT, CONTEXT)
        with pytest.raises(httpx.HTTPStatusError, match="401"):
            judge_at(simulator, api_key_env="").score(RIGHT, CONTEXT)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"model": " "}, "model"),
        ({"model": None}, "model"),
        ({"base_url": "api.openai.com/v1"}, "base_url"),
        ({"base_url": "ftp://here/v1"}, "base_url"),
        ({"base_url": "http://"}, "base_url"),
        ({"base_url": "http://here:port/v1"}, "base_url"),
        ({"base_url": "http://[::1/v1"}, "base_url"),
        ({"base_url": "https://me:secret@here/v1"}, "credentials"),
        ({"base_url": "https://here/v1?key=secret"}, "base_url"),
        ({"base_url": None}, "base_url"),
        ({"api_key_env": "sk-secret"}, "api_key_env"),
        ({"api_key_env": None}, "api_key_env"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"timeout": float("inf")}, "timeout"),
        ({"timeout": "60"}, "timeout"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": True}, "concurrency"),
        ({"concurrency": 2.0}, "concurrency"),
    ],
)
def test_what_will_not_do_is_said(changes: dict[str, Any], word: str) -> None:
    """By name, when the judge is made; what may be a secret is not repeated."""
    with pytest.raises(JudgeError, match=word) as caught:
        Judge(**({"model": "m"} | changes))
    assert len(caught.value.problems) == 1
    assert "secret" not in str(caught.value)


def test_all_mistakes_are_said_at_once() -> None:
    """Not one after the other."""
    with pytest.raises(JudgeError) as caught:
        Judge("", "nowhere", "lower", 0, 0)
    assert len(caught.value.problems) == 5


def test_a_judge_is_a_value() -> None:
    """Equal by what it is made of, not to be changed, and a scorer as the protocol has it."""
    judge = Judge("m")
    assert judge == Judge("m") == copy.copy(judge) == pickle.loads(pickle.dumps(judge))  # noqa: S301
    assert judge != Judge("m", timeout=5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        judge.model = "other"  # type: ignore[misc]
    scorer: Scorer = judge
    assert scorer.name == "judge"


def test_its_identity_names_model_and_prompt() -> None:
    """Whatever makes another judge of it, for records and baselines."""
    assert Judge("a").identity != Judge("b").identity
    assert Judge("a").identity == Judge("a", base_url="http://here/v1", timeout=5).identity


@pytest.mark.parametrize("way", WAYS)
def test_lone_surrogates_can_be_sent(way: str) -> None:
    """Model output may hold them; JSON in UTF-8 may not."""
    with serving(ruling(claim(RIGHT, "returned within 30 days"))) as simulator:
        result = scored(judge_at(simulator), way, f"{RIGHT} \ud800", f"{CONTEXT} \udfff", "\ud83d?")
    assert only(result).support is Support.SUPPORTED


def test_a_score_inside_an_event_loop_does_not_hang() -> None:
    """It waits for no place that only the blocked loop could give back."""

    async def both(judge: Judge) -> list[Faithfulness]:
        task = asyncio.ensure_future(judge.ascore(RIGHT, CONTEXT))
        await asyncio.sleep(0.05)
        return [judge.score(WRONG, CONTEXT), await task]

    with serving(latency=0.2) as simulator:
        results = asyncio.run(asyncio.wait_for(both(judge_at(simulator, concurrency=1)), 10))
    assert [result.score for result in results] == [0.0, 1.0]
