"""Nothing but asyncio and one shared client: what the other programs are measured against."""

import asyncio
import importlib
import os
import sys

TESTS, RUNS = int(os.environ["BENCH_TESTS"]), int(os.environ["BENCH_RUNS"])
IN_FLIGHT = int(os.environ["BENCH_IN_FLIGHT"])
httpx = importlib.import_module(os.environ["BENCH_CLIENT"])


async def main() -> int:
    """All calls; how many answers were empty."""
    room = asyncio.Semaphore(IN_FLIGHT)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(timeout=60, limits=limits) as client:

        async def ask(number: int) -> bool:
            body = {
                "model": "gpt-4o-mini",
                "messages": [{"role": "user", "content": f"{number}: can I return this?"}],
            }
            async with room:
                response = await client.post(
                    os.environ["BENCH_URL"], json=body, headers={"authorization": "Bearer k"}
                )
            response.raise_for_status()
            return bool(response.json()["choices"][0]["message"]["content"])

        answers = await asyncio.gather(*(ask(number) for number in range(TESTS) for _ in range(RUNS)))
    return answers.count(False)


sys.exit(asyncio.run(main()))
