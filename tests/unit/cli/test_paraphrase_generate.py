"""``llmrel paraphrase generate``: against the simulator, and against a server that answers as badly as it is told."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmrel.cli.main import main
from pytest_llmrel.datasets.wordings import Wording
from pytest_llmrel.datasets.wordingsread import read_wordings
from pytest_llmrel.simulator import Simulator, load_persona

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "sk-test-0123456789abcdef0123456789"
PRIMARY = 'How long do I have to return a "Kettle 3000"?'
PERSONA = r"""
name = "rewriter"
fallback = "No idea."
[models.rewriter]
[models.chatterbox]
pass_rates = { reword = 0.0 }
[[topics]]
name = "reword"
patterns = ['(?s)JSON array of (?P<n>\d+) strings.*Kettle 3000']
answers = ['["return window for Kettle 3000?", "hey, $n days to return a Kettle 3000 or what", "how long"]']
wrong = ['Sure! Here are some: 1. return window?']
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the file is; the key is set, and no proxy and no other endpoint is."""
    for name in ("OPENAI_BASE_URL", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "returns.toml"


@pytest.fixture
def generate(path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command; gives exit code, output and errors, and looks for the key in all that is left of it."""

    def run(url: str, *more: str, model: str = "rewriter") -> tuple[int, str, str]:
        code = main(["paraphrase", "generate", str(path), "--model", model, "--base-url", url, *more])
        said = capsys.readouterr()
        assert KEY not in said.out + said.err
        assert all(KEY not in file.read_text("utf-8", "replace") for file in path.parent.iterdir())
        return code, said.out, said.err

    return run


@pytest.fixture
def persona(tmp_path: Path) -> Any:
    """A persona that answers with JSON."""
    file = tmp_path / "persona.toml"
    file.write_text(PERSONA)
    return load_persona(file)


class Scripted(ThreadingHTTPServer):
    """Gives one prepared answer after the other, and remembers what it was asked."""

    answers: list[tuple[int, bytes]]
    asked: list[tuple[str, dict[str, str], Any]]

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, *_: object) -> None:
        """A client that has read enough is no error."""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Scripted

    def do_POST(self) -> None:
        """Gives the next answer."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, dict(self.headers), body))
        status, data = self.server.answers.pop(0)
        self.send_response(status)
        if status == 307:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def serving(*answers: tuple[int, bytes] | bytes | str) -> Iterator[Scripted]:
    """A server with these answers: a text is what the model says, bytes are the whole body."""
    server = Scripted(("127.0.0.1", 0), Handler)
    server.asked, server.answers = [], [_answer(answer) for answer in answers]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(answer: tuple[int, bytes] | bytes | str) -> tuple[int, bytes]:
    if isinstance(answer, str):
        return 200, json.dumps({"choices": [{"message": {"role": "assistant", "content": answer}}]}).encode()
    return (200, answer) if isinstance(answer, bytes) else answer


# --- what comes out -----------------------------------------------------------------------------------------


def test_a_file_is_begun(path: Path, generate: Any, persona: Any) -> None:
    """With the primary wording and candidates that say where they come from, none of them reviewed."""
    with Simulator(persona, latency=0) as model:
        code, out, err = generate(model.base_url, "--primary", PRIMARY, "--n", "7")
        assert model.served == {"ok": 1}
    assert (code, err) == (0, "")
    assert out == (
        f"{path}: 3 wordings added; none is used before it is reviewed:\n  llmrel paraphrase review {path}\n"
    )
    found = read_wordings(path)
    assert (found.primary, found.reviewed) == (PRIMARY, ())
    texts = ("return window for Kettle 3000?", "hey, 7 days to return a Kettle 3000 or what", "how long")
    assert found.wordings == tuple(Wording(text, "generated by rewriter", False) for text in texts)


def test_a_file_is_continued(path: Path, generate: Any) -> None:
    """Nothing that was there is changed; what is dropped is counted."""
    with serving('["b", "c"]', json.dumps(["B?", "d", "", "\x1b[2J", 5, "e" * 9999, "f", "g"])) as server:
        assert generate(server.url, "--primary", PRIMARY)[0] == 0
        before = path.read_text("utf-8")
        code, out, _ = generate(server.url + "/", "--n", "2")
    assert code == 0
    assert path.read_text("utf-8").startswith(before)
    assert [wording.text for wording in read_wordings(path).wordings] == ["b", "c", "d", "f"]
    assert (
        "2 wordings added (dropped: 1 duplicate, 1 empty, 1 more than asked for, 1 not text, 1 too long, "
        "1 with control characters)"
    ) in out


def test_what_is_asked(path: Path, generate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One chat request with the key of the named variable, and the primary wording as data."""
    monkeypatch.setenv("OTHER_KEY", f" {KEY[::-1]}\n")
    with serving('["b"]') as server:
        generate(server.url, "--primary", PRIMARY, "--api-key-env", "OTHER_KEY", "--n", "3")
    ((place, headers, body),) = server.asked
    assert (place, headers["Authorization"]) == ("/v1/chat/completions", f"Bearer {KEY[::-1]}")
    assert body["model"] == "rewriter"
    assert json.dumps(PRIMARY) in body["messages"][-1]["content"]
    assert "JSON array of 3 strings" in body["messages"][-1]["content"]


def test_no_key_no_header(path: Path, generate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server on this machine may need none."""
    monkeypatch.delenv("OPENAI_API_KEY")
    with serving('["b"]') as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert generate("", "--primary", PRIMARY)[0] == 0
    assert "Authorization" not in server.asked[0][1]


@pytest.mark.parametrize(
    "content",
    ['["b", "c"]', '```json\n["b", "c"]\n```', '{"wordings": ["b", "c"]}', ' \n["b",\n"c"]\n'],
)
def test_forms_that_are_understood(path: Path, generate: Any, content: str) -> None:
    """Models wrap what they were asked for."""
    with serving(content) as server:
        assert generate(server.url, "--primary", PRIMARY)[0] == 0
    assert [wording.text for wording in read_wordings(path).wordings] == ["b", "c"]


# --- malformed answers --------------------------------------------------------------------------------------

MALFORMED = [
    ("Sure! Here they are:\n- b", "its text is no JSON"),
    ('["b", ', "its text is no JSON"),
    ("[" * 100_000, "its text is no JSON"),
    ("7", "its text is no JSON array"),
    ('{"a": ["b"], "c": []}', "its text is no JSON array"),
    (b"<html>", "the answer is no JSON"),
    (b"\xff\xfe", "the answer is no JSON"),
    (b"[]", "the answer has no choices"),
    (b'{"choices": []}', "the answer has no choices"),
    (b'{"choices": [{"message": {"content": null}}]}', "the answer has no text"),
    (b" " * (4 * 2**20 + 1), "more than 4 MiB"),
]


@pytest.mark.parametrize(("answer", "why"), MALFORMED)
def test_a_malformed_answer_is_asked_for_once_more(
    path: Path, generate: Any, answer: str | bytes, why: str
) -> None:
    """The second answer is taken if it is a good one; two bad ones end it, and there is no file."""
    with serving(answer, answer, answer, '["b"]') as server:
        code, out, err = generate(server.url, "--primary", PRIMARY)
        assert (code, out, len(server.asked), path.exists()) == (2, "", 2, False)
        assert err.startswith(f"llmrel paraphrase: rewriter: no wordings in 2 answers ({why}")
        assert err.count("\n") == 1
        assert generate(server.url, "--primary", PRIMARY)[0] == 0


def test_a_model_that_chats(path: Path, generate: Any, persona: Any) -> None:
    """The same with the simulator."""
    with Simulator(persona, latency=0) as model:
        code, _, err = generate(model.base_url, "--primary", PRIMARY, model="chatterbox")
        assert model.requests == 2
    assert (code, path.exists()) == (2, False)
    assert "chatterbox: no wordings in 2 answers (its text is no JSON)" in err


@pytest.mark.parametrize("content", ["[]", '["", "  ", 4]', json.dumps([PRIMARY, PRIMARY.upper()])])
def test_an_answer_without_a_usable_wording(path: Path, generate: Any, content: str) -> None:
    """Is no success, and leaves no file."""
    with serving(content) as server:
        code, out, err = generate(server.url, "--primary", PRIMARY)
    assert (code, out, path.exists()) == (2, "", False)
    assert "no wording in the answer of rewriter can be used" in err


# --- errors of HTTP -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "advice"),
    [(401, "check the key"), (404, "--model"), (307, "leads elsewhere"), (429, "later"), (503, "later"), (400, "--model")],
)  # fmt: skip
def test_a_refusal_is_one_line(path: Path, generate: Any, status: int, advice: str) -> None:
    """Asked once; the words of the server are shown without the key and without what moves the cursor."""
    body = json.dumps({"error": {"message": f"\x1b[31mIncorrect key {KEY}\nprovided: " + "x" * 5000}})
    with serving('["b"]', (status, body.encode())) as server:
        generate(server.url, "--primary", PRIMARY)
        before = path.read_bytes()
        code, out, err = generate(server.url)
        assert len(server.asked) == 2
    assert (code, out, path.read_bytes()) == (2, "", before)
    assert err.startswith(
        f"llmrel paraphrase: {server.url}: status {status} (\\x1b[31mIncorrect key [redacted]"
    )
    assert (err.count("\n"), len(err) < 500, advice in err) == (1, True, True)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"error": 3}', b'{"error": {}}', b"[" * 99_999])
def test_a_refusal_without_words(path: Path, generate: Any, body: bytes) -> None:
    """Whatever comes with the status."""
    with serving((500, body)) as server:
        code, _, err = generate(server.url, "--primary", PRIMARY)
    assert (code, err) == (2, f"llmrel paraphrase: {server.url}: status 500; try again later\n")


@pytest.mark.parametrize("fault", ["reset", "truncated", "500", "429", "html"])
def test_faults_of_the_simulator(path: Path, generate: Any, persona: Any, fault: str) -> None:
    """Connections that break and pages of proxies are one line, too."""
    with Simulator(persona, latency=0, script=(fault,)) as model:
        code, out, err = generate(model.base_url, "--primary", PRIMARY)
        assert model.requests == 1
    assert (code, out, err.count("\n"), path.exists()) == (2, "", 1, False)


def test_a_malformed_body_of_the_simulator(path: Path, generate: Any, persona: Any) -> None:
    """JSON that ends in the middle is a malformed answer: asked for once more."""
    with Simulator(persona, latency=0, script=("malformed", "ok")) as model:
        assert generate(model.base_url, "--primary", PRIMARY)[0] == 0
        assert model.requests == 2


def test_a_password_in_the_url_is_not_shown(path: Path, generate: Any) -> None:
    """Neither when the server refuses, nor when there is none."""
    with serving((500, b"")) as server:
        place = server.url.removeprefix("http://")
        _, _, err = generate(f"http://me:hush@{place}?token=pst", "--primary", PRIMARY)
    _, _, gone = generate("http://me:hush@127.0.0.1:9/v1", "--primary", PRIMARY)
    _, _, odd = generate("http://me:hush@127.0.0.1:99999/v1", "--primary", PRIMARY)
    assert not any(secret in err + gone + odd for secret in ("hush", "pst"))


# --- mistakes of the caller ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "more", "why"),
    [
        (None, [], "no such file; begin one with 'llmrel paraphrase generate"),
        (None, ["--primary", " "], "--primary: no wording (it is empty)"),
        ("primary = ", ["--primary", PRIMARY], "no valid TOML"),
        ('primary = "a"\nhash = "b"\n', [], "was changed after its wordings were reviewed"),
        ('primary = "a"\nhash = "ca234c55"\n', ["--primary", "b"], "has the primary wording 'a'"),
        (None, ["--primary", PRIMARY, "--n", "0"], "--n: '0' is no whole number from 1 to 100"),
        (None, ["--primary", PRIMARY, "--n", "101"], "from 1 to 100"),
        (None, ["--primary", PRIMARY, "--api-key-env", "NO_SUCH_VARIABLE"], "NO_SUCH_VARIABLE is not set"),
        (None, ["--primary", PRIMARY, "--model", "a\x1bb"], "is no name of a model"),
    ],
)
def test_mistakes_cost_no_call(
    path: Path, generate: Any, content: str | None, more: list[str], why: str
) -> None:
    """They are found before anything is asked, and nothing is written."""
    from pytest_llmrel.core.seed import variant_key

    if content is not None:
        path.write_text(content.replace("ca234c55", variant_key("a")))
    with serving() as server:
        code, out, err = generate(server.url, *more)
        assert server.asked == []
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert why in err
    assert (path.read_text() if path.exists() else None) == (
        content and content.replace("ca234c55", variant_key("a"))
    )


def test_a_file_that_is_changed_meanwhile(path: Path, generate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an editor saved while the model was thinking is kept."""
    with serving('["b"]', '["c"]') as server:
        generate(server.url, "--primary", PRIMARY)
        answer = Handler.do_POST

        def edit(handler: Handler) -> None:
            path.write_text(path.read_text("utf-8").replace('"b"', '"edited"'), "utf-8")
            answer(handler)

        monkeypatch.setattr(Handler, "do_POST", edit)
        assert generate(server.url)[0] == 0
    assert [wording.text for wording in read_wordings(path).wordings] == ["edited", "c"]
