"""Real SDKs in sessions of their own; only where ``LLMREL_SDKS`` is set, for they are not in the project's environment.

``LLMREL_SDKS=required`` makes a missing SDK a failure, anything else a skip. ``.ci/run`` makes the environments.
"""

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from example import Example, Outcome

_WANTED = os.environ.get("LLMREL_SDKS", "")
_SUITES = Path(__file__).parent / "suites"
_PRICE = "llama-3.3-70b-versatile: input 0.59, output 0.79"
"""Many sell that model, at many prices, and the simulator's host is none of them."""

collect_ignore_glob = [] if _WANTED else ["*"]


@pytest.fixture
def sdk(module: str) -> str:
    """An SDK that is imported once for all inner sessions: pytester forgets what only they have imported."""
    for name in ("numpy", "genai_prices"):
        import_module(name)
    if _WANTED == "required":
        import_module(module)
    else:
        pytest.importorskip(module)
    return module


@pytest.fixture(scope="session")
def one_certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of one authority in place of a hundred and fifty: reading those is most of what a new client takes."""
    certifi = import_module("certifi")
    end = "-----END CERTIFICATE-----\n"
    file = tmp_path_factory.mktemp("certificates") / "one.pem"
    file.write_text(certifi.contents().partition(end)[0] + end, encoding="ascii", errors="replace")
    return str(file)


@pytest.fixture
def session(
    sdk: str, one_certificate: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    """Run one of the suites in a session of its own, against a server."""

    def run(suite: str, root_url: str, *arguments: str, retries: int = 0, refusals: int = 0) -> Outcome:
        monkeypatch.setenv("SSL_CERT_FILE", one_certificate)
        monkeypatch.setenv("SDK_URL", root_url)
        monkeypatch.setenv("SDK_RETRIES", str(retries))
        monkeypatch.setenv("SDK_REFUSALS", str(refusals))
        sources = {"test_it.py": suite, "conftest.py": "inside.py"}
        files = {name: (_SUITES / source).read_text(encoding="utf-8") for name, source in sources.items()}
        return Example(files, {"llmrel_retries": "0", "llmrel_prices": _PRICE}).run(
            pytester, "-p", "no:asyncio", *arguments
        )

    return run
