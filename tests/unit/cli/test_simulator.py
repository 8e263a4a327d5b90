"""``llmrel simulator`` as a real process: what it says, what it serves, how it ends."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

import pytest_llmrel.cli
from pytest_llmrel.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(pytest_llmrel.cli.__file__).parents[2]
COMMAND = [sys.executable, "-W", "error", "-X", "dev", "-m", "pytest_llmrel.cli", "simulator"]


@contextmanager
def serving(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Runs the command, and yields the process and the line it has said."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # Unbuffered output, as many containers set it, would hide a missing flush.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen([*COMMAND, *options], cwd=ROOT, env=environment, **pipes) as process:
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


def ask(line: str, question: str) -> str:
    """Asks the server that a line announces, with the very values it tells to use."""
    url, key, model = re.search(r"OPENAI_BASE_URL=(\S+) OPENAI_API_KEY=(\S+) LLM_MODEL=(\S+);", line).groups()
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": question}]}).encode()
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
    try:
        connection.request("POST", f"{place.path}/chat/completions", body, {"Authorization": f"Bearer {key}"})
        return json.load(connection.getresponse())["choices"][0]["message"]["content"]
    finally:
        connection.close()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(ending: signal.Signals) -> None:
    """One line says how to use it, that works, and both signals end it with exit code 0 and no more words."""
    with serving("--latency", "0") as (process, line):
        assert "30 days" in ask(line, "Can I return this?")
        idle = socket.create_connection(("127.0.0.1", int(re.search(r":(\d+)/v1", line)[1])))
        process.send_signal(ending)
        out, err = process.communicate(timeout=10)
        idle.close()
        assert (process.returncode, out, err) == (0, "", "")


def test_options_arrive(tmp_path: Path) -> None:
    """The persona, the port and the latency are those asked for."""
    file = tmp_path / "echo.toml"
    file.write_text(
        'name="echo"\nfallback="?"\n[models.one]\n[[topics]]\nname="t"\npatterns=["x"]\nanswers=["y"]\n'
    )
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    options = (
        "--persona",
        str(file),
        "--port",
        str(port),
        "--seed",
        "5",
        "--latency",
        "0",
        "--host",
        "localhost",
    )
    with serving(*options) as (_, line):
        assert f"echo at http://127.0.0.1:{port}/v1" in line
        assert ask(line, "x") == "y"


def test_faults_arrive() -> None:
    """A script and rates are given in one option."""
    with serving("--latency", "0", "--faults", "script=429 ok,retry_after=0.5,500=1") as (_, line):
        place = urlsplit(re.search(r"OPENAI_BASE_URL=(\S+)", line)[1])
        found = []
        for _ in range(3):
            connection = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
            body = json.dumps({"model": "shop-assistant", "input": "Refund?"})
            connection.request("POST", "/v1/responses", body, {"Authorization": "Bearer k"})
            response = connection.getresponse()
            found.append((response.status, response.headers["Retry-After"]))
            connection.close()
    assert found == [(429, "0.5"), (200, None), (500, None)]


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--port", "65536"], "port 65536 does not exist"),
        (["--port", "-1"], "port -1 does not exist"),
        (["--port", "http"], "--port: invalid int value: 'http'"),
        (["--latency", "-1"], "latency -1.0 is not a time"),
        (["--host", "::"], "would serve other machines"),
        (["--faults", "429=2,teapot"], "429: 2.0 will not do; write a number from 0 to 1"),
        (["--faults", "429=2,teapot"], "teapot: no value; write teapot=0.1"),
        (["--faults", "reste=0.1"], "reste: unknown key; did you mean 'reset'?"),
        (["--persona", "no/such/file.toml"], "file.toml has a mistake: it cannot be read"),
    ],
)
def test_bad_options_are_one_line_and_exit_2(
    options: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong, and what to do, in one line on stderr; nothing on stdout."""
    assert main(["simulator", *options]) == 2
    shown = capsys.readouterr()
    assert part in shown.err
    assert (shown.out, shown.err.count("\n")) == ("", 1)


def test_all_mistakes_of_a_persona_fit_on_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file, each key, and what to write."""
    file = tmp_path / "bad.toml"
    file.write_text('name = 5\nfallback = "f"\n[models.m]\n')
    assert main(["simulator", "--persona", str(file)]) == 2
    line = capsys.readouterr().err
    assert f"{file} has 2 mistakes: name: 5 will not do; write" in line
    assert "topics: missing" in line
    assert line.count("\n") == 1


def test_a_port_in_use_is_one_line_and_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody else has the port: choose another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["simulator", "--port", str(taken.getsockname()[1])]) == 2
    line = capsys.readouterr().err
    assert "in use" in line
    assert "choose another --port" in line
    assert line.count("\n") == 1


def test_signal_handlers_are_given_back(capsys: pytest.CaptureFixture[str]) -> None:
    """A process that calls main keeps its own handlers."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert main(["simulator", "--port", "-1"]) == 2
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert capsys.readouterr().out == ""
