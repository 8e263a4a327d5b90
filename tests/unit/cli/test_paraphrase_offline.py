"""``llmrel paraphrase generate`` against the bundled persona: it can be tried without a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_llmrel.cli.main import main
from pytest_llmrel.datasets.wordingsread import read_wordings
from pytest_llmrel.simulator import Simulator

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "primary", ['How long can I return a "Kettle 3000"?', "Ship 2 mugs to Lyon!", "Is C:\\tea a folder?"]
)
def test_any_request_is_reworded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], primary: str
) -> None:
    """Whatever its topic, and with quotes and backslashes: all that is in it comes back, and is JSON."""
    path = tmp_path / "words.toml"
    with Simulator(latency=0) as simulator:
        for name, value in {
            "OPENAI_BASE_URL": simulator.base_url,
            "OPENAI_API_KEY": "any",
            "NO_PROXY": "*",
        }.items():
            monkeypatch.setenv(name, value)
        code = main(["paraphrase", "generate", str(path), "--model", "gpt-4o-mini", "--primary", primary])
    said = capsys.readouterr()
    assert (code, said.err) == (0, "")
    assert "4 wordings added (dropped: 1 like the primary wording)" in said.out
    texts = [wording.text for wording in read_wordings(path).wordings]
    assert len(texts) == 4
    assert all(primary.rstrip("!?") in text for text in texts)
