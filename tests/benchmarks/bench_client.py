"""What a call costs the client, by how many are in flight; ``python tests/benchmarks/bench_client.py``.

The simulator is a process of its own, and so is every measurement. Wants a quiet machine and takes about ten
minutes, most of which are those of a shared ``httpx.AsyncClient``.
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

LATENCY = 0.05
IN_FLIGHT = (16, 64, 128, 256, 512)
PER_WORKER = "httpx per worker"
KINDS = ("shared httpx", "ours on httpx", "ours on httpx2", "shared httpx2", PER_WORKER)
SERVER = """
import sys
from pytest_llmrel.simulator import Simulator
with Simulator(latency=float(sys.argv[1])) as simulator:
    print(simulator.root_url, flush=True)
    sys.stdin.read()
"""
ASKED = {
    "json": {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Can I return this?"}]},
    "headers": {"authorization": "Bearer sk-of-nobody"},
}


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Where the simulator is."""
    command = [sys.executable, "-c", SERVER, str(LATENCY)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield f"{process.stdout.readline().strip()}/v1/chat/completions"
        process.communicate()


def maker(kind: str, name: str) -> Callable[[], Any]:
    """What makes a client; without limits, so that all of them hold the same connections."""
    import httpx
    import httpx2

    from pytest_llmrel import async_http_client, http_client

    library = httpx2 if kind.endswith("httpx2") else httpx
    if kind.startswith("ours"):
        ours = http_client if name == "Client" else async_http_client
        return lambda: ours(getattr(library, name), timeout=60)
    limits = library.Limits(max_connections=None, max_keepalive_connections=None)
    context = library.create_ssl_context()
    return lambda: getattr(library, name)(timeout=60, limits=limits, verify=context)


def clock(began: tuple[float, float] = (0, 0)) -> tuple[float, float]:
    """Seconds and processor seconds since ``began``."""
    return time.perf_counter() - began[0], time.process_time() - began[1]


def measure(way: str, kind: str, workers: int, calls: int, url: str) -> tuple[float, float]:
    """Seconds and processor seconds of some calls, after each worker has made one."""
    count = workers if kind == PER_WORKER else 1
    if way == "sync":
        return of_threads(maker(kind, "Client"), count, workers, calls, url)
    return asyncio.run(of_tasks(maker(kind, "AsyncClient"), count, workers, calls, url))


def of_threads(
    make: Callable[[], Any], clients: int, workers: int, calls: int, url: str
) -> tuple[float, float]:
    """Threads that take calls until there are none left."""
    left = iter(range(calls))  # next() of it is atomic
    began: list[tuple[float, float]] = []
    barrier = threading.Barrier(workers, action=lambda: began.append(clock()))

    def work(client: Any) -> None:
        client.post(url, **ASKED).raise_for_status()
        barrier.wait()
        for _ in left:
            client.post(url, **ASKED).raise_for_status()

    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(make()) for _ in range(clients)]
        threads = [threading.Thread(target=work, args=(made[index % clients],)) for index in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return clock(began[0])


async def of_tasks(
    make: Callable[[], Any], clients: int, workers: int, calls: int, url: str
) -> tuple[float, float]:
    """Tasks that do."""
    left = iter(range(calls))

    async def work(client: Any) -> None:
        for _ in left:
            (await client.post(url, **ASKED)).raise_for_status()

    async with contextlib.AsyncExitStack() as stack:
        made = [await stack.enter_async_context(make()) for _ in range(clients)]
        chosen = [made[index % clients] for index in range(workers)]
        await asyncio.gather(*(client.post(url, **ASKED) for client in chosen))
        began = clock()
        await asyncio.gather(*map(work, chosen))
        return clock(began)


def in_a_process(*arguments: Any) -> tuple[float, float]:
    """The same, in an interpreter of its own."""
    command = [sys.executable, __file__, "--measure", json.dumps(arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    seconds, busy = json.loads(done.stdout)
    return seconds, busy


def rows(way: str, kind: str, url: str, options: argparse.Namespace) -> Iterator[float]:
    """Print a row for each number in flight; yields the processor microseconds of a call."""
    calls = options.calls // 4 if kind == "shared httpx" else options.calls
    for workers in options.in_flight:
        found = [in_a_process(way, kind, workers, calls, url) for _ in range(options.repeats)]
        rate = calls / statistics.median(seconds for seconds, _ in found)
        cost = statistics.median(busy for _, busy in found) / calls * 1e6
        possible = rate * LATENCY / workers
        sys.stdout.write(
            f"| {way} | {kind} | {workers} | {rate:,.0f}/s | {possible:.0%} | {cost:,.0f} us |\n"
        )
        sys.stdout.flush()
        yield cost


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="processes per figure")
    parser.add_argument("--calls", type=int, default=4000, help="per process; of a shared httpx a quarter")
    parser.add_argument("--in-flight", type=int, nargs="+", default=IN_FLIGHT)
    parser.add_argument("--only", choices=KINDS, nargs="+", default=KINDS)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        sys.stdout.write(json.dumps(measure(*json.loads(options.measure))))
        return
    import httpx
    import httpx2

    versions = f"httpx {httpx.__version__}, httpx2 {httpx2.__version__}, {os.cpu_count()} cores"
    sys.stdout.write(f"CPython {platform.python_version()}, {versions}, {platform.machine()}\n")
    sys.stdout.write("| way | client | in flight | calls | of what the latency allows | cost of a call |\n")
    first, last = options.in_flight[0], options.in_flight[-1]
    flat = []
    with server() as url:
        for way in ("async", "sync"):
            for kind in options.only:
                costs = list(rows(way, kind, url, options))
                flat.append(
                    f"{way}, {kind}: a call with {last} in flight costs {costs[-1] / costs[0]:.2f} x one with {first}"
                )
    sys.stdout.write("\n".join(flat) + "\n")


if __name__ == "__main__":
    main()
