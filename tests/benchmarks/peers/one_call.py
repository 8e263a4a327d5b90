"""A call as tools make it that know functions and nothing more: one client a process."""

import importlib
import os

httpx = importlib.import_module(os.environ["BENCH_CLIENT"])
client = httpx.Client(timeout=60, headers={"authorization": "Bearer k"})


def answer(number: int) -> str:
    """What the model says."""
    body = {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": f"{number}: can I return this?"}],
    }
    response = client.post(os.environ["BENCH_URL"], json=body)
    response.raise_for_status()
    said: str = response.json()["choices"][0]["message"]["content"]
    return said
