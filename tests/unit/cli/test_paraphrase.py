"""``llmrel paraphrase`` where no model is ever reached."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import pytest_llmrel.cli
from pytest_llmrel.cli.main import main

ROOT = Path(pytest_llmrel.cli.__file__).parents[2]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/v1", "127.0.0.1/v1", "ftp://127.0.0.1", "http://[::bad/v1", "http://127.0.0.1:99999", "http://\x00"]
)  # fmt: skip
def test_nobody_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    """Or a URL that is none: one line, and no file."""
    monkeypatch.setenv("NO_PROXY", "*")
    path = tmp_path / "w.toml"
    command = ["generate", str(path), "--model", "m", "--base-url", url, "--primary", "How?"]
    code = main(["paraphrase", *command])
    said = capsys.readouterr()
    assert (code, said.out, said.err.count("\n"), path.exists()) == (2, "", 1, False)
    assert "--base-url" in said.err


@pytest.mark.parametrize("key", [None, "", "sk\nsk", "sk-ключ"])
def test_keys_that_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], key: str | None
) -> None:
    """The default endpoint needs a key; one that cannot be sent is not shown either."""
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False) if key is None else monkeypatch.setenv(
        "OPENAI_API_KEY", key
    )
    assert (
        main(["paraphrase", "generate", str(tmp_path / "w.toml"), "--model", "m", "--primary", "How?"]) == 2
    )
    said = capsys.readouterr().err
    assert "OPENAI_API_KEY" in said
    assert not key or key not in said


def test_help_needs_no_client() -> None:
    """Neither httpx nor the readers are loaded before something is asked."""
    code = (
        "import sys; from pytest_llmrel.cli.main import main; main(['paraphrase', 'generate', '--help']);"
        "print(*sys.modules, file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "--api-key-env" in run.stdout
    assert not set(run.stderr.split()) & {"httpx", "pydantic", "tomllib", "pytest_llmrel.datasets"}
