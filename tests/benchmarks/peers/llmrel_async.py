"""This plugin, tests that are coroutine functions."""

import os
from typing import Any

import pytest

from pytest_llmrel import krun


@krun(int(os.environ["BENCH_RUNS"]), pass_rate=0.9, stop="never")
@pytest.mark.parametrize("number", range(int(os.environ["BENCH_TESTS"])))
async def test_answer(number: int, aclient: Any, url: str) -> None:
    """There is one."""
    body = {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": f"{number}: can I return this?"}],
    }
    response = await aclient.post(url, json=body)
    response.raise_for_status()
    assert response.json()["choices"][0]["message"]["content"]
