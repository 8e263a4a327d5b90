"""Infrastructure or model: errors of real clients and look-alikes are told apart by class and status."""

import importlib.util

import pytest
from example import Example, Outcome, example

HEAD = """
import asyncio, errno, json, socket, ssl, urllib.error, urllib.request
import pytest
from pytest_llmrel import krun
from witness import note


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def odd(package, name, base=Exception, **attributes):
    kind = type(name, (base,), attributes)
    kind.__module__ = package
    return kind("boom")

"""


def classified(pytester: pytest.Pytester, head: str, bodies: dict[str, str]) -> Outcome:
    """A session with one test per body, three runs each, one after the other."""
    tests = "".join(
        f"@krun(3, concurrency=1, timeout=20)\ndef test_{name}(llmrel):\n    {body}\n\n"
        for name, body in bodies.items()
    )
    return example(f"{HEAD}{head}\n{tests}").run(pytester)


def kinds(outcome: Outcome, names: object) -> dict[str, str]:
    """What the runs of each test were: one outcome, or ``fatal`` if the first stopped the others."""
    found = {}
    for name in names:  # type: ignore[attr-defined]
        test = outcome.test(f"::test_{name}")
        counts = outcome.counts(f"::test_{name}")
        stopped = any("every further run" in finding["explanation"] for finding in test["findings"])
        word = "mixed" if len(counts.keys() - {"unfinished"}) > 1 else next(iter(counts))
        found[name] = "fatal" if stopped and word == "errors" else word
    return found


PLAIN = {
    "connection_error": ("raise ConnectionError", "errors"),
    "refused": ("raise ConnectionRefusedError(111, 'refused')", "errors"),
    "reset": ("raise ConnectionResetError", "errors"),
    "broken_pipe": ("raise BrokenPipeError", "errors"),
    "timeout": ("raise TimeoutError('slow')", "errors"),
    "asyncio_timeout": ("raise asyncio.TimeoutError", "errors"),
    "name_resolution": ("raise socket.gaierror(-2, 'Name or service not known')", "errors"),
    "tls": ("raise ssl.SSLError('bad handshake')", "errors"),
    "unreachable": ("raise OSError(errno.ENETUNREACH, 'Network is unreachable')", "errors"),
    "no_host": ("raise OSError(errno.EHOSTUNREACH, 'No route to host')", "errors"),
    "real_refusal": ("socket.create_connection(('127.0.0.1', closed_port()), timeout=5)", "errors"),
    "urllib_refusal": ("urllib.request.urlopen(f'http://127.0.0.1:{closed_port()}', timeout=5)", "errors"),
    "urllib_503": ("raise urllib.error.HTTPError('http://x', 503, 'busy', {}, None)", "errors"),
    "urllib_401": ("raise urllib.error.HTTPError('http://x', 401, 'who', {}, None)", "fatal"),
    "urllib_400": ("raise urllib.error.HTTPError('http://x', 400, 'what', {}, None)", "failed"),
    "file_not_found": ("open('/no/such/file')", "failed"),
    "os_error": ("raise OSError('disk full')", "failed"),
    "key_error": ("{}['choices']", "failed"),
    "json": ("json.loads('{')", "failed"),
    "fail": ("pytest.fail('Connection refused')", "failed"),
    "status_of_a_stranger": ("raise odd('shop.errors', 'ShopError', status_code=503)", "failed"),
    "name_of_a_stranger": ("raise odd('shop.errors', 'APIConnectionError')", "failed"),
}

SDKS = {
    "anthropic_529": ("raise odd('anthropic._exceptions', 'OverloadedError', status_code=529)", "errors"),
    "anthropic_403": (
        "raise odd('anthropic._exceptions', 'PermissionDeniedError', status_code=403)",
        "fatal",
    ),
    "groq_429": ("raise odd('groq', 'RateLimitError', status_code=429)", "errors"),
    "groq_408": ("raise odd('groq', 'APIStatusError', status_code=408)", "errors"),
    "groq_422": ("raise odd('groq', 'UnprocessableEntityError', status_code=422)", "failed"),
    "litellm_timeout": ("raise odd('litellm.exceptions', 'Timeout')", "errors"),
    "litellm_404": ("raise odd('litellm.exceptions', 'NotFoundError', status_code=404)", "fatal"),
    "google_503": ("raise odd('google.api_core.exceptions', 'ServiceUnavailable', code=503)", "errors"),
    "genai_500": ("raise odd('google.genai.errors', 'ServerError', code=500)", "errors"),
    "aiohttp_502": ("raise odd('aiohttp.client_exceptions', 'ClientResponseError', status=502)", "errors"),
    "aiohttp_gone": ("raise odd('aiohttp.client_exceptions', 'ServerDisconnectedError')", "errors"),
    "requests_read": ("raise odd('requests.exceptions', 'ReadTimeout')", "errors"),
    "requests_504": (
        "raise odd('requests', 'HTTPError', response=type('R', (), {'status_code': 504}))",
        "errors",
    ),
    "botocore_503": (
        "raise odd('botocore.exceptions', 'E', response={'ResponseMetadata': {'HTTPStatusCode': 503}})",
        "errors",
    ),
    "botocore_empty": (
        "raise odd('botocore.exceptions', 'E', response={'ResponseMetadata': None})",
        "failed",
    ),
    "heir_of_an_sdk": ("raise type('Mine', (type(odd('openai', 'E', status_code=429)),), {})", "errors"),
    "code_is_text": ("raise odd('openai', 'APIError', code='429')", "failed"),
    "status_raises": ("raise odd('openai', 'APIError', status_code=property(lambda self: 1 / 0))", "failed"),
    "response_raises": (
        "raise odd('httpx', 'TransportError', response=property(lambda self: 1 / 0))",
        "errors",
    ),
}

CHAINS = {
    "raised_from": (
        "try: raise odd('groq', 'E', code=429)\n    except Exception as e: raise KeyError('down') from e",
        "errors",
    ),
    "raised_from_twice": (
        """try:
        try: raise ConnectionError
        except OSError as e: raise KeyError('x') from e
    except KeyError as e: raise RuntimeError('x') from e""",
        "errors",
    ),
    "fatal_from": (
        "try: raise odd('groq', 'E', code=401)\n    except Exception as e: raise KeyError('who') from e",
        "fatal",
    ),
    "raised_while_handling": (
        "try: raise ConnectionError\n    except OSError: raise ValueError('own bug')",
        "failed",
    ),
    "raised_from_none": (
        "try: raise ConnectionError\n    except OSError: raise ValueError('x') from None",
        "failed",
    ),
    "assertion_from": (
        "try: raise ConnectionError\n    except OSError as e: raise AssertionError('answer') from e",
        "failed",
    ),
    "fail_from": (
        "try: raise ConnectionError\n    except OSError as e: raise pytest.fail.Exception from e",
        "failed",
    ),
    "ring": ("a, b = ValueError('a'), KeyError('b'); a.__cause__, b.__cause__ = b, a; raise a", "failed"),
    "group_of_one": ("raise ExceptionGroup('tasks', [ConnectionError()])", "errors"),
    "group_of_faults": ("raise ExceptionGroup('tasks', [ConnectionError(), TimeoutError()])", "errors"),
    "nested_groups": (
        "raise ExceptionGroup('a', [ExceptionGroup('b', [TimeoutError()]), TimeoutError()])",
        "errors",
    ),
    "group_with_a_failure": (
        "raise ExceptionGroup('tasks', [ConnectionError(), ValueError('wrong')])",
        "failed",
    ),
    "group_with_an_assertion": (
        "raise ExceptionGroup('tasks', [ConnectionError(), AssertionError('wrong')])",
        "failed",
    ),
    "group_that_abstains": (
        "async def go():\n        async with asyncio.TaskGroup(): llmrel.abstain()\n    asyncio.run(go())",
        "abstained",
    ),
}


@pytest.mark.parametrize("table", [PLAIN, SDKS, CHAINS], ids=["plain", "sdks", "chains"])
def test_classification(pytester: pytest.Pytester, table: dict[str, tuple[str, str]]) -> None:
    """Broken connections, timeouts, 408, 429 and 5xx are errors; wrong answers and strangers are failures."""
    outcome = classified(pytester, "", {name: body for name, (body, _) in table.items()})
    assert kinds(outcome, table) == {name: expected for name, (_, expected) in table.items()}


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
def test_real_httpx_errors(pytester: pytest.Pytester, library: str) -> None:
    """Errors as the real client raises them, on a transport and on a closed port."""
    pytest.importorskip(library)
    head = f"""
import {library} as http

def answering(status):
    return http.Client(transport=http.MockTransport(lambda request: http.Response(status, text="no")))

def raising(name):
    def handler(request):
        raise getattr(http, name)("x")
    return http.Client(transport=http.MockTransport(handler))
"""
    table = {f"status_{s}": "errors" for s in (408, 429, 500, 502, 503, 504, 529)}
    table |= {f"status_{s}": "fatal" for s in (401, 403, 404)}
    table |= {f"status_{s}": "failed" for s in (400, 409, 422)}
    bodies = {name: f"answering({name[7:]}).get('http://x/').raise_for_status()" for name in table}
    broken = (
        "ConnectError",
        "ConnectTimeout",
        "ReadTimeout",
        "ReadError",
        "PoolTimeout",
        "RemoteProtocolError",
    )
    bodies |= {name: f"raising('{name}').get('http://x/')" for name in broken}
    bodies["closed_port"] = "http.get(f'http://127.0.0.1:{closed_port()}/')"
    table |= dict.fromkeys((*broken, "closed_port"), "errors")
    assert kinds(classified(pytester, head, bodies), table) == table


def test_real_openai_errors(pytester: pytest.Pytester) -> None:
    """Errors as the real SDK raises them after its own translation."""
    pytest.importorskip("openai")
    http = "httpx2" if importlib.util.find_spec("httpx2") else "httpx"
    head = f"""
import {http} as http
import openai

def ask(answer):
    def handler(request):
        if isinstance(answer, str):
            raise getattr(http, answer)("x", request=request)
        return http.Response(answer, json={{"error": {{"message": "no", "code": "some_code"}}}})
    client = http.Client(transport=http.MockTransport(handler))
    bot = openai.OpenAI(api_key="k", base_url="http://x/v1", max_retries=0, http_client=client)
    bot.chat.completions.create(model="m", messages=[])
"""
    table = {
        "ask_429": "errors",
        "ask_500": "errors",
        "ask_503": "errors",
        "ask_400": "failed",
        "ask_422": "failed",
    }
    table |= {"ask_401": "fatal", "ask_403": "fatal", "ask_404": "fatal"}
    bodies = {name: f"ask({name[4:]})" for name in table}
    bodies |= {"no_connection": "ask('ConnectError')", "slow": "ask('ReadTimeout')"}
    table |= {"no_connection": "errors", "slow": "errors"}
    assert kinds(classified(pytester, head, bodies), table) == table


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_fatal_status_stops_the_item(pytester: pytest.Pytester, status: int) -> None:
    """Nothing more is asked of a service that will refuse every call; the verdict names the reason."""
    body = f"note('call'); raise odd('openai', 'APIStatusError', status_code={status})"
    source = (
        f"{HEAD}\n@krun(50, concurrency=2)\ndef test_it():\n    {body}\n\n@krun(2)\ndef test_next(): pass\n"
    )
    outcome = example(source).run(pytester)
    assert len(outcome.log("call")) <= 3
    test = outcome.test("test_it")
    assert test["verdict"] == "INCONCLUSIVE"
    assert test["unfinished"] == 50 - test["errors"]
    assert "every further run would end the same way (APIStatusError: boom)" in outcome.out
    assert outcome.test("test_next")["verdict"] == "PASS"


def test_a_fatal_status_in_a_fixture(pytester: pytest.Pytester) -> None:
    """A per-run fixture that is refused stops the item as well."""
    source = f"""{HEAD}
@pytest.fixture
def bot():
    raise odd("openai", "AuthenticationError", status_code=401)

@krun(50, concurrency=2)
def test_it(bot): pass
"""
    test = example(source).run(pytester).test()
    assert test["errors"] <= 3
    assert test["unfinished"] == 50 - test["errors"]


HOOK = Example({
    "conftest.py": """
        class Down(Exception): pass
        class Shy(Exception): pass
        class Busy(Exception): pass

        def pytest_llmrel_outcome(exception):
            said = {Down: "error", Shy: "abstained", Busy: "skipped", ConnectionError: "failed"}
            return said.get(type(exception))
    """,
    "test_it.py": """
        import pytest
        from conftest import Busy, Down, Shy
        from pytest_llmrel import krun

        @pytest.mark.parametrize("kind", [Down, Shy, Busy, ConnectionError, ValueError, TimeoutError])
        @krun(2)
        def test_it(kind):
            raise kind("x")
    """,
})  # fmt: skip


def test_the_hook_has_the_first_word(pytester: pytest.Pytester) -> None:
    """``pytest_llmrel_outcome`` decides before the built-in rules; where it is silent they hold."""
    outcome = HOOK.run(pytester)
    assert {name.partition("[")[2].rstrip("]"): outcome.counts(name) for name in outcome.tests} == {
        "Down": {"errors": 2},
        "Shy": {"abstained": 2},
        "Busy": {"skipped": 2},
        "ConnectionError": {"failed": 2},
        "ValueError": {"failed": 2},
        "TimeoutError": {"errors": 2},
    }


@pytest.mark.parametrize("answer", ["'passed'", "'nonsense'", "True", "1 / 0"])
def test_a_broken_hook_is_never_a_pass(pytester: pytest.Pytester, answer: str) -> None:
    """An answer that is not allowed, or a raising hook, fails the test and is named; the session goes on."""
    hook = f"def pytest_llmrel_outcome(exception):\n    return {answer}\n"
    outcome = HOOK.with_files({
        "conftest.py": hook,
        "test_it.py": """
            from pytest_llmrel import krun

            @krun(2)
            def test_it(): raise ValueError("x")

            @krun(2)
            def test_next(): pass
        """,
    }).run(pytester)  # fmt: skip
    outcome.outcomes(failed=1, passed=1)
    assert "pytest_llmrel_outcome" in outcome.out
    assert outcome.test("test_it")["verdict"] != "PASS"


@pytest.mark.parametrize("method", ["__str__", "__repr__"])
def test_an_exception_that_cannot_be_shown(pytester: pytest.Pytester, method: str) -> None:
    """An exception whose text raises is still a failure of its run, grouped and explained."""
    source = f"""{HEAD}
class Rude(Exception):
    def {method}(self): raise RuntimeError("not you")

@krun(3)
def test_it(): raise Rude

@krun(2)
async def test_async(): raise Rude
"""
    outcome = example(source).run(pytester)
    outcome.outcomes(failed=2)
    assert outcome.counts("test_it") == {"failed": 3}
    assert outcome.counts("test_async") == {"failed": 2}
    assert "Rude at test_it.py:" in outcome.out
