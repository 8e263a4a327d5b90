"""pytest-repeat: each test so many times, calls in flight are the workers of xdist."""

import importlib
import os

import pytest

httpx = importlib.import_module(os.environ["BENCH_CLIENT"])
client = httpx.Client(timeout=60, headers={"authorization": "Bearer k"})


@pytest.mark.parametrize("number", range(int(os.environ["BENCH_TESTS"])))
def test_answer(number: int) -> None:
    """There is one."""
    body = {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": f"{number}: can I return this?"}],
    }
    response = client.post(os.environ["BENCH_URL"], json=body)
    response.raise_for_status()
    assert response.json()["choices"][0]["message"]["content"]
