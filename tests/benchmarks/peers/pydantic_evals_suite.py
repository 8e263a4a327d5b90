"""pydantic-evals: one dataset, every case repeated, as many at once as allowed; one shared client."""

import asyncio
import importlib
import os
import sys

from pydantic_evals import Case, Dataset
from pydantic_evals.evaluators import Evaluator, EvaluatorContext

httpx = importlib.import_module(os.environ["BENCH_CLIENT"])


class Answered(Evaluator[str, str]):
    """Whether there is an answer."""

    def evaluate(self, ctx: EvaluatorContext[str, str]) -> bool:
        """The assertion of a run."""
        return bool(ctx.output)


async def main() -> int:
    """All runs; 1 if one of them failed."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(timeout=60, limits=limits) as client:

        async def ask(question: str) -> str:
            body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": question}]}
            response = await client.post(
                os.environ["BENCH_URL"], json=body, headers={"authorization": "Bearer k"}
            )
            response.raise_for_status()
            return response.json()["choices"][0]["message"]["content"]

        cases = [
            Case(name=f"case {number}", inputs=f"{number}: can I return this?")
            for number in range(int(os.environ["BENCH_TESTS"]))
        ]
        report = await Dataset(name="suite", cases=cases, evaluators=[Answered()]).evaluate(
            ask,
            max_concurrency=int(os.environ["BENCH_IN_FLIGHT"]),
            repeat=int(os.environ["BENCH_RUNS"]),
            progress=False,
        )
    averages = report.averages()
    sys.stdout.write(f"{averages}\n")
    return averages is None or averages.assertions != 1


sys.exit(asyncio.run(main()))
