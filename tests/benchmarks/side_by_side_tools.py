"""What stands side by side: the scenarios, the tools, and how each of them is called."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["BASE", "SCENARIOS", "TOOLS", "Scenario", "Tool"]

BASE = "bare asyncio + httpx"
"""What the others are compared with."""
_MOST_WORKERS = 8
"""Processes that xdist is given: each holds one call in flight, and takes memory and time to start."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """How much is asked: every test is run ``runs`` times, every run makes one call of ``latency`` seconds."""

    tests: int
    runs: int
    latency: float
    in_flight: int

    def __str__(self) -> str:
        return f"{self.tests} tests x {self.runs} runs, {self.latency * 1e3:g} ms a call, {self.in_flight} in flight"

    @property
    def calls(self) -> int:
        """All of them."""
        return self.tests * self.runs

    @property
    def floor(self) -> float:
        """Seconds that the calls alone take, with all connections busy all the time."""
        return self.calls * self.latency / self.in_flight


SCENARIOS = (Scenario(20, 10, 0.2, 32), Scenario(500, 10, 0.05, 64))


@dataclass(frozen=True, slots=True)
class Tool:
    """One row of the table.

    Attributes:
        name: as shown.
        venv: name of its environment.
        packages: whose versions are shown; the first one is the tool.
        files: of the folder ``peers``, and what they are called where the tool runs.
        command: its arguments, the first one a program of the environment.
        client: module that its program takes the client from, ``""`` if it brings its own.
    """

    name: str
    venv: str
    packages: tuple[str, ...]
    files: dict[str, str]
    command: Callable[[Scenario], list[str]]
    client: str = "httpx2"


_ONE_CALL = {"one_call.py": "one_call.py"}


def _workers(scenario: Scenario) -> str:
    return str(min(_MOST_WORKERS, scenario.in_flight))


def _bare(client: str) -> Tool:
    files = {"bare_asyncio.py": "bare_asyncio.py"}
    return Tool(f"bare asyncio + {client}", "llmrel", (client,), files, lambda _: ["python", *files], client)


def _ours(kind: str, client: str) -> Tool:
    files = {f"llmrel_{kind}.py": "test_it.py", "llmrel_clients.py": "conftest.py"}
    shown = {"httpx2": "httpx2", "httpx": "its client on httpx"}[client]
    said = {"async": "async def", "def": "def"}[kind]
    return Tool(
        f"pytest-llmrel, `{said}`, {shown}",
        "llmrel",
        ("pytest-llmrel", "pytest", client),
        files,
        lambda scenario: ["python", "-m", "pytest", "-q", f"--llmrel-concurrency={scenario.in_flight}"],
        client,
    )


def _evals(client: str) -> Tool:
    files = {"pydantic_evals_suite.py": "suite.py"}
    packages = ("pydantic-evals", client)
    return Tool(
        f"pydantic-evals, {client}",
        "pydantic-evals",
        packages,
        files,
        lambda _: ["python", "suite.py"],
        client,
    )


TOOLS = (
    _bare("httpx"),
    _bare("httpx2"),
    *(_ours(kind, client) for client in ("httpx2", "httpx") for kind in ("async", "def")),
    _evals("httpx2"),
    _evals("httpx"),
    Tool(
        "promptfoo",
        "promptfoo",
        ("promptfoo",),
        {"promptfooconfig.js": "promptfooconfig.js"},
        lambda scenario: [
            *("promptfoo", "eval", "--config=promptfooconfig.js", f"--repeat={scenario.runs}"),
            *(f"--max-concurrency={scenario.in_flight}", "--no-cache", "--no-write", "--no-table"),
            *("--no-progress-bar", "--no-share"),
        ],
        client="",
    ),
    Tool(
        "inspect_ai",
        "inspect_ai",
        ("inspect_ai",),
        {"inspect_ai_suite.py": "suite.py"},
        lambda scenario: [
            *("inspect", "eval", "suite.py", "--model=openai/gpt-4o-mini", "--display=none"),
            *(f"--max-connections={scenario.in_flight}", f"--max-samples={scenario.in_flight}"),
        ],
        client="",
    ),
    Tool(
        f"pytest-probability, xdist -n {_MOST_WORKERS}",
        "pytest-probability",
        ("pytest-probability", "pytest", "pytest-xdist"),
        {"pytest_probability_suite.py": "bench_it.py", **_ONE_CALL},
        lambda scenario: [
            *("python", "-m", "pytest", "-q", f"--prob-runs={scenario.runs}", "-n", _workers(scenario)),
            "bench_it.py",
        ],
    ),
    Tool(
        f"pytest-repeat, xdist -n {_MOST_WORKERS}",
        "pytest-repeat",
        ("pytest-repeat", "pytest", "pytest-xdist"),
        {"pytest_repeat_suite.py": "test_it.py", **_ONE_CALL},
        lambda scenario: [
            *("python", "-m", "pytest", "-q", f"--count={scenario.runs}", "-n", _workers(scenario))
        ],
    ),
    Tool(
        f"deepeval, -n {_MOST_WORKERS}",
        "deepeval",
        ("deepeval", "pytest"),
        {"deepeval_suite.py": "test_it.py", **_ONE_CALL},
        lambda scenario: [
            *("deepeval", "test", "run", "test_it.py", "-r", str(scenario.runs), "-n", _workers(scenario))
        ],
    ),
)
