"""Real SDKs in sessions of their own; only where ``LLMREL_SDKS`` is set, for they are not in the project's environment.

``LLMREL_SDKS=required`` makes a missing SDK a failure, anything else a skip. ``.ci/run`` makes the environments.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from example import Example, Outcome

_WANTED = os.environ.get("LLMREL_SDKS", "")
_SUITES = Path(__file__).parent / "suites"

collect_ignore_glob = [] if _WANTED else ["*"]

def _needed(name: str) -> None:
    """Import an SDK, once for all inner sessions."""
    if _WANTED == "required":
        __import__(name)
    else:
        pytest.importorskip(name)


@pytest.fixture
def session(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Run one of the suites in a session of its own, against a server."""

    def run(
        suite: str, module: str, root_url: str, *arguments: str, retries: int = 0, **ini: str
    ) -> Outcome:
        _needed(module)
        for name in ("genai_prices", "numpy"):
            pytest.importorskip(name)  # as above: pytester forgets what only an inner session has imported
        monkeypatch.setenv("SDK_URL", root_url)
        monkeypatch.setenv("SDK_RETRIES", str(retries))
        files = {"test_it.py": (_SUITES / suite).read_text(), "conftest.py": (_SUITES / "inside.py").read_text()}
        return Example(files, {"llmrel_retries": "0", **ini}).run(pytester, "-p", "no:asyncio", *arguments)

    return run
