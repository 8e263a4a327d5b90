"""inspect_ai: one task over the dataset, epochs for the runs, the provider of its own OpenAI client."""

import os

from inspect_ai import Epochs, Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import TaskState, generate


@scorer(metrics=[accuracy()])
def answered() -> Scorer:
    """Whether there is an answer."""

    async def score(state: TaskState, _: Target) -> Score:
        return Score(value="C" if state.output.completion else "I")

    return score


@task
def suite() -> Task:
    """All tests of the scenario."""
    samples = [
        Sample(input=f"{number}: can I return this?") for number in range(int(os.environ["BENCH_TESTS"]))
    ]
    epochs = Epochs(int(os.environ["BENCH_RUNS"]))
    return Task(dataset=samples, solver=generate(), scorer=answered(), epochs=epochs)
