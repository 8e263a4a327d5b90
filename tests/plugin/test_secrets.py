"""No secret leaves the process: none on a tape, in a report, in JUnit's file, on the terminal."""

import base64
import json
from pathlib import Path

import pytest
from example import Outcome
from wire_example import STYLES, Asking, fake_key

from pytest_llmrel.simulator import Simulator

EVERYWHERE = ("--llmrel-tape=record", "--junitxml=junit.xml", "-rA", "-vv")
SPILLING = """
import os

KEY = os.environ["SPILLED"]

def spill(answer=""):
    print("printed", KEY)
    raise ValueError(f"refused: {KEY} {answer}")
"""


def places(suite: Asking, outcome: Outcome) -> dict[str, bytes]:
    """Everything that a session has written, but what pytest itself made of the files of the suite."""
    written = {
        str(file.relative_to(suite.path)): file.read_bytes()
        for file in suite.path.rglob("*")
        if file.is_file() and file.suffix not in {".py", ".pyc", ".ini"}
    }
    return written | {"stdout": outcome.out.encode(), "stderr": outcome.err.encode()}


def spilled(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tests: str, secret: str, *args: str,
    style: str = "threads", subprocess: bool = False, conftest: str = "",
) -> tuple[Asking, Outcome]:  # fmt: skip
    """A session whose tests know a secret, and say it wherever they can."""
    monkeypatch.setenv("SPILLED", secret)
    suite = Asking(pytester, monkeypatch, SPILLING + tests, style=style)
    suite.edit({"conftest.py": conftest} if conftest else {})
    with Simulator(latency=0) as model:
        outcome = suite.run(model, *EVERYWHERE, *args, subprocess=subprocess)
    return suite, outcome


def assert_kept(suite: Asking, outcome: Outcome, *secrets: str) -> None:
    """None of these is anywhere, and the files that could have them are there."""
    found = places(suite, outcome)
    assert {"junit.xml", "llmrel-report.json", "stdout"} <= found.keys()
    assert suite.tape().is_file()
    for name, content in found.items():
        for secret in secrets:
            assert secret.encode() not in content, name


# --- where secrets come from --------------------------------------------------------------------------------


@pytest.mark.parametrize("style", STYLES)
def test_a_key_in_a_header(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, style: str) -> None:
    """What was sent as ``Authorization`` is known from then on, whatever it looks like."""
    secret = "correct-horse-" * 3
    tests = """
@krun(2)
DEF test_a(llmrel):
    answer = ASK(f"Is this my key: {KEY}?", headers={"Authorization": f"Bearer {KEY}"})
    llmrel.output(f"said {KEY}")
    spill(answer)
"""
    suite, outcome = spilled(pytester, monkeypatch, tests, secret, style=style)
    outcome.outcomes(failed=1)
    assert_kept(suite, outcome, secret)
    assert "refused: [redacted]" in outcome.out
    assert b"[redacted]" in suite.tape().read_bytes()
    (group,) = outcome.test()["failures"]
    assert group["sample"]["output"] == "said [redacted]"


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
def test_keys_in_other_places(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    """A key in the URL, a password before the host, a header with a name of its own, basic authentication."""
    secrets = {name: f"{name}-secret-7f3q" for name in ("query", "header", "userinfo", "password")}
    secrets["basic"] = base64.b64encode(f"me:{secrets['password']}".encode()).decode()
    tests = f"""
import {library} as http
SECRETS = json.loads(KEY)

@krun(1)
def test_a():
    body = asking(RETURN)
    plain = to().replace("://", "://me:" + SECRETS["userinfo"] + "@")
    for url, options in (
        (to() + "?key=" + SECRETS["query"], {{}}),
        (to(), {{"headers": {{"x-api-key": SECRETS["header"]}}}}),
        (to(), {{"auth": ("me", SECRETS["password"])}}),
        (plain, {{}}),
    ):
        http.post(url, json=body, verify=False, **options)
    spill(" ".join(SECRETS.values()))
"""
    suite, outcome = spilled(pytester, monkeypatch, tests, json.dumps(secrets))
    outcome.outcomes(failed=1)
    assert_kept(suite, outcome, *secrets.values())


def test_a_key_in_the_answer(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks like a key is redacted wherever it stands: the model has repeated it in a refusal."""
    secret = fake_key("answer")
    tests = """
@krun(2)
def test_a():
    answer = httpx.post(to(), headers=HEADERS, json=asking(RETURN, model=KEY), verify=False)
    assert answer.status_code == 404 and KEY in answer.text
    spill(answer.text)
"""
    suite, outcome = spilled(pytester, monkeypatch, tests, secret)
    outcome.outcomes(failed=1)
    assert_kept(suite, outcome, secret)
    assert "The model `[redacted]" in suite.tape().read_text(encoding="utf-8")


def test_what_a_variable_holds(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables whose names say that they are secret are known before the first call."""
    secret = "nothing to " * 2 + "see here"
    monkeypatch.setenv("SHOP_API_KEY", secret)
    tests = "@krun(1)\ndef test_a():\n    spill(ask()['id'])\n"
    suite, outcome = spilled(pytester, monkeypatch, tests, secret)
    assert_kept(suite, outcome, secret)


def test_the_hook_that_names_secrets(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """``pytest_llmrel_redact`` names what nobody else could know, from the exchange in which it stands."""
    secret = "customer-" + "20461234"
    conftest = """
import re

def pytest_llmrel_redact(exchange):
    return re.findall(r"customer-[0-9]{8}", exchange.request.decode())

class Another:
    def pytest_llmrel_redact(self, exchange):
        return None

def pytest_configure(config):
    config.pluginmanager.register(Another())
"""
    tests = "@krun(2)\ndef test_a():\n    spill(ask(f'I am {KEY}', user=KEY)['id'])\n"
    suite, outcome = spilled(pytester, monkeypatch, tests, secret, conftest=conftest)
    outcome.outcomes(failed=1)
    assert_kept(suite, outcome, secret)
    assert b'"body.user": "[redacted]"' in suite.tape().read_bytes()


# --- where they would go ------------------------------------------------------------------------------------


def test_secrets_under_xdist(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """What workers send to the controller is clean, and so is what that writes."""
    secret = fake_key("worker")
    tests = """
@krun(2)
def test_a():
    ask(headers={"Authorization": f"Bearer {KEY}"})
    spill()

@krun(2)
def test_b():
    ask(headers={"Authorization": f"Bearer {KEY}"})
    pytest.skip(f"not with {KEY}")
"""
    suite, outcome = spilled(pytester, monkeypatch, tests, secret, "-n2", subprocess=True)
    outcome.outcomes(failed=1, skipped=1)
    assert_kept(suite, outcome, secret)


@pytest.mark.parametrize(
    "ending", ["pytest.skip(KEY)", "pytest.xfail(KEY)", "llmrel.abstain(KEY)", "raise OSError(KEY)"]
)
def test_endings(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    """Reasons of skips, expected failures and abstentions, and errors of fixtures, say no secret either."""
    secret = fake_key("ending")
    tests = f"""
@pytest.fixture
def shop(llmrel):
    ask(headers={{"Authorization": f"Bearer {{KEY}}"}})
    yield
    raise RuntimeError(f"tear-down: {{KEY}}")

@krun(2)
def test_a(llmrel, {"shop" if "OSError" in ending else "request"}):
    ask(headers={{"Authorization": f"Bearer {{KEY}}"}})
    {ending}
"""
    suite, outcome = spilled(pytester, monkeypatch, tests, secret)
    assert_kept(suite, outcome, secret)


def test_what_is_replayed_is_still_clean(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tape that was recorded with one key is replayed with another: no key is part of a request."""
    secret, other = fake_key("one"), fake_key("two")
    tests = """
@krun(3)
def test_a():
    assert "30 days" in text(ask(headers={"Authorization": f"Bearer {KEY}"}, user=KEY))
"""
    suite, outcome = spilled(pytester, monkeypatch, tests, secret)
    outcome.outcomes(passed=1)
    monkeypatch.setenv("SPILLED", other)
    replayed = suite.run("http://127.0.0.1:9/v1", "--llmrel-tape=replay", "--junitxml=junit.xml", "-rA")
    replayed.outcomes(passed=1)
    assert_kept(suite, replayed, secret, other)


def test_ordinary_words_stay(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redaction that hits everything would hide everything: what is no secret is written as it is."""
    tests = """
@krun(1)
def test_a():
    ask("What is a bearer, a token, a key?", headers={"Authorization": "Bearer any"})
    raise ValueError("the token budget of many days is 1234567890123456")
"""
    suite, outcome = spilled(pytester, monkeypatch, tests, fake_key("unused"))
    assert "the token budget of many days is 1234567890123456" in outcome.out
    assert "What is a bearer, a token, a key?" in suite.tape().read_text(encoding="utf-8")
    assert "[redacted]" not in outcome.out


def test_no_header_of_a_request_is_recorded(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a client sends along, and cookies of the answer, are on no tape."""
    tests = """
@krun(1)
def test_a():
    ask(headers={**HEADERS, "x-tenant": "copper-kettle", "cookie": "shop=open"})
"""
    suite, _ = spilled(pytester, monkeypatch, tests, "unused-unused")
    tape = Path(suite.tape()).read_text(encoding="utf-8")
    assert "x-tenant" not in tape
    assert "copper-kettle" not in tape.partition('"body"')[0]
    assert "python-httpx" not in tape
