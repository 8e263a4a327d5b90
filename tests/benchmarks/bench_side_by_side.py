"""This plugin beside the tools that people use for the same; ``python tests/benchmarks/bench_side_by_side.py``.

Every tool makes the same calls to a simulated provider in a process of its own, with a program written as its
documentation recommends for throughput (folder ``peers``). What is measured is the whole process, from its start to
its end; the tools take turns, so that all see the same machine. A run in which not every call was made, or
one failed, is no measurement: it is reported in its place.

Each tool may live in a virtual environment of its own: ``--venvs FOLDER`` looks for ``FOLDER/NAME``, and
``--venv NAME=PATH`` names one. What is not installed is left out, and that is said.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from side_by_side_tools import BASE, SCENARIOS, TOOLS, Scenario, Tool

_ROOT = Path(__file__).resolve().parents[2]
_PEERS = Path(__file__).resolve().parent / "peers"
_PAGE = _ROOT / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- side by side: begin -->", "<!-- side by side: end -->"
_PATIENCE = 900.0
"""Seconds after which a tool is given up."""
SERVER = """
import json, sys
from pytest_llmrel.simulator import Simulator
with Simulator(latency=float(sys.argv[1])) as simulator:
    print(simulator.root_url, flush=True)
    sys.stdin.read()
    print(json.dumps({"served": simulator.served, "peak": simulator.peak}), flush=True)
"""
VERSIONS = "import importlib.metadata, sys\nfor n in sys.argv[1:]: print(n, importlib.metadata.version(n))"


@dataclass(slots=True)
class Measured:
    """The whole processes of one tool in one scenario, or why they are none."""

    wall: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    peak: int = 0
    failure: str = ""


@contextmanager
def simulator(latency: float) -> Iterator[tuple[str, Callable[[], dict]]]:
    """A provider in a process of its own: its address, and a function that ends it and says what it served."""
    command = [sys.executable, "-c", SERVER, str(latency)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=_ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        yield process.stdout.readline().strip(), lambda: json.loads(process.communicate()[0])
        if process.poll() is None:
            process.communicate()


def environment(tool: Tool, scenario: Scenario, url: str) -> dict[str, str]:
    """Of the tool's process: where to call, how much, and nothing that phones home or keeps Python slow."""
    given = {
        **os.environ,
        "BENCH_URL": f"{url}/v1/chat/completions",
        "BENCH_BASE_URL": f"{url}/v1",
        "BENCH_CLIENT": tool.client,
        "BENCH_TESTS": str(scenario.tests),
        "BENCH_RUNS": str(scenario.runs),
        "BENCH_IN_FLIGHT": str(scenario.in_flight),
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": "k",
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
        "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
        "DEEPEVAL_TELEMETRY_OPT_OUT": "1",
        "PYDANTIC_DISABLE_PLUGINS": "1",
    }
    return {name: value for name, value in given.items() if name not in {"PYTHONDONTWRITEBYTECODE", "CI"}}


def program(tool: Tool, venvs: dict[str, Path], name: str) -> Path | None:
    """A program of the tool's environment, ``None`` if there is none."""
    folders = (
        [venvs[tool.venv] / "bin", venvs[tool.venv] / "node_modules" / ".bin"] if tool.venv in venvs else []
    )
    if tool.venv == "llmrel" and not folders:
        folders = [Path(sys.executable).parent]
    return next((folder / name for folder in folders if (folder / name).exists()), None)


def versions(tool: Tool, venvs: dict[str, Path]) -> str:
    """Of the packages of a tool, ``""`` if one of them is not installed."""
    if tool.venv == "promptfoo":
        manifest = venvs.get("promptfoo", Path()) / "node_modules" / "promptfoo" / "package.json"
        return f"promptfoo {json.loads(manifest.read_text())['version']}" if manifest.exists() else ""
    python = program(tool, venvs, "python")
    if python is None:
        return ""
    command = [str(python), "-c", VERSIONS, *tool.packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=python.parent)
    return "" if done.returncode else ", ".join(done.stdout.split("\n")[:-1])


def run_once(tool: Tool, venvs: dict[str, Path], scenario: Scenario, into: Measured) -> None:
    """One whole process; what it did is checked against what the provider served."""
    first, *arguments = tool.command(scenario)
    found = program(tool, venvs, first)
    if found is None:
        into.failure = f"no program {first} in its environment"
        return
    with tempfile.TemporaryDirectory() as name, simulator(scenario.latency) as (url, end):
        for source, target in tool.files.items():
            shutil.copy(_PEERS / source, Path(name) / target)
        before, began = _busy(), time.perf_counter()
        try:
            done = subprocess.run(
                [str(found), *arguments],
                cwd=name,
                env=environment(tool, scenario, url),
                capture_output=True,
                text=True,
                check=False,
                timeout=_PATIENCE,
            )
        except subprocess.TimeoutExpired:
            into.failure = f"not done after {_PATIENCE:g} s"
            return
        wall, busy = time.perf_counter() - began, _busy() - before
        said = end()
    into.failure = _fault(scenario, done, said)
    if not into.failure:
        into.wall.append(wall)
        into.busy.append(busy)
        into.peak = max(into.peak, said["peak"])


def _fault(scenario: Scenario, done: "subprocess.CompletedProcess[str]", said: dict) -> str:
    """What is wrong with a run, ``""`` if nothing is: a run that does less would win."""
    if said["served"] != {"ok": scenario.calls}:
        return f"made {said['served']} of {scenario.calls} calls; {_last_line(done)}"
    if said["peak"] > scenario.in_flight:
        return f"had {said['peak']} calls in flight"
    return f"ended with status {done.returncode}: {_last_line(done)}" if done.returncode else ""


def _last_line(done: "subprocess.CompletedProcess[str]") -> str:
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[-1][:200] if lines else "it said nothing"


def _busy() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(
    tools: list[Tool], venvs: dict[str, Path], scenario: Scenario, repeats: int, slow: float
) -> dict[str, Measured]:
    """All tools by name, taking turns; who takes more than ``slow`` times the floor has a single turn."""
    found = {tool.name: Measured() for tool in tools}
    warm = Scenario(1, 1, 0.0, 1)
    for tool in tools:
        run_once(tool, venvs, warm, Measured())  # compiles
    for turn in range(repeats):
        for tool in tools:
            into = found[tool.name]
            if into.failure or (turn and min(into.wall) > slow * scenario.floor):
                continue
            run_once(tool, venvs, scenario, into)
            said = into.failure or f"{into.wall[-1]:.2f} s"
            sys.stderr.write(f"{scenario}, turn {turn + 1}: {tool.name}: {said}\n")
    return found


def table(scenario: Scenario, found: dict[str, Measured]) -> Iterator[str]:
    """Markdown, one row a tool."""
    base = found.get(BASE, Measured())
    yield f"{scenario} ({scenario.calls:,} calls, floor {scenario.floor:.2f} s):"
    yield ""
    yield "| tool | whole process, median | fastest | x floor | x bare asyncio + httpx | most in flight | processor | processes |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, one in found.items():
        if one.failure:
            yield f"| {name} | {one.failure.replace('|', '/')} | | | | | | |"
            continue
        wall = statistics.median(one.wall)
        against = f"{wall / statistics.median(base.wall):.2f}" if base.wall and not base.failure else "n/a"
        yield (
            f"| {name} | {wall:.2f} s | {min(one.wall):.2f} s | {wall / scenario.floor:.2f} | {against} "
            f"| {one.peak} | {statistics.median(one.busy):.1f} s | {len(one.wall)} |"
        )
    yield ""


def machine() -> str:
    """What it was measured on."""
    model = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(encoding="utf-8").splitlines()
        model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), model)
    load = f", load {os.getloadavg()[0]:.1f} before" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} cores ({model}), CPython {platform.python_version()}{load}"


def write_page(lines: list[str], page: Path = _PAGE) -> None:
    """Put the lines between the markers of the page.

    Raises:
        SystemExit: it has no such markers.
    """
    text = page.read_text(encoding="utf-8")
    if _BEGIN not in text or _END not in text:
        raise SystemExit(f"{page} has no lines '{_BEGIN}' and '{_END}'")
    head, tail = text.partition(_BEGIN)[0], text.partition(_END)[2]
    said = "\n".join(lines).strip()
    page.write_text(f"{head}{_BEGIN}\n{said}\n{_END}{tail}", encoding="utf-8")


def environments(options: argparse.Namespace) -> dict[str, Path]:
    """Name -> folder."""
    found = {folder.name: folder.resolve() for folder in options.venvs.glob("*") if folder.is_dir()}
    named = dict(given.split("=", 1) for given in options.venv)
    return found | {name: Path(path).resolve() for name, path in named.items()}


def main() -> None:
    """Measure, print a table, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5, help="turns of each tool")
    parser.add_argument(
        "--slow", type=float, default=5.0, help="times the floor: who takes longer has one turn"
    )
    parser.add_argument(
        "--venvs", type=Path, default=_ROOT.parent / "bench-venvs", help="folder of environments"
    )
    parser.add_argument("--venv", action="append", default=[], metavar="NAME=PATH", help="one environment")
    parser.add_argument("--only", default="", help="tools whose name contains this")
    parser.add_argument("--scenario", type=int, choices=range(1, len(SCENARIOS) + 1), help="one of them")
    parser.add_argument("--write", action="store_true", help=f"put the table into {_PAGE.relative_to(_ROOT)}")
    options = parser.parse_args()
    venvs = environments(options)
    chosen = [tool for tool in TOOLS if options.only in tool.name or tool.name == BASE]
    known = {tool.name: versions(tool, venvs) for tool in chosen}
    lines = [f"{time.strftime('%Y-%m-%d')}, {machine()}.", ""]
    installed = [tool for tool in chosen if known[tool.name]]
    for scenario in SCENARIOS if options.scenario is None else [SCENARIOS[options.scenario - 1]]:
        lines += table(scenario, measure(installed, venvs, scenario, options.repeats, options.slow))
    said = {text for name in known for text in known[name].split(", ") if text}
    lines.append(f"Versions: {', '.join(sorted(said))}.")
    missing = [tool.name for tool in chosen if not known[tool.name]]
    if missing:
        lines.append(f"Not installed, and left out: {', '.join(missing)}.")
    sys.stdout.write("\n".join(lines) + "\n")
    if options.write:
        write_page(lines)


if __name__ == "__main__":
    main()
