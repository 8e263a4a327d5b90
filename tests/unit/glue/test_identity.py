"""The identity of a test changes with what may shape its runs, and with nothing else."""

from collections.abc import Callable, Mapping

import pytest

from pytest_llmrel.core.fault import FaultPlan
from pytest_llmrel.core.inputs import Inputs
from pytest_llmrel.core.plan import RunPlan, read_variants
from pytest_llmrel.glue.identity import identity_of

MODULE = """
import pytest
from pytest_llmrel import krun
PROMPT = "Be kind."

@pytest.mark.usefixtures("tmp_path")
@krun(5, pass_rate=0.5)
def test_a(): assert PROMPT

@krun(5)
def test_b(): assert 1

class TestC:
    top = 1
    def test_c(self): pass
"""
PLAN = RunPlan(5, Inputs(), (), 8, 60.0)

Identity = Callable[..., str]


@pytest.fixture
def identity(pytester: pytest.Pytester) -> Identity:
    """The identity of ``test_a`` in a module that is written anew for each question."""
    number = iter(range(100))

    def ask(module: str = MODULE, plan: RunPlan = PLAN, turn: int = 0, **files: str) -> str:
        folder = pytester.mkdir(f"folder{next(number)}")
        for name, text in {"test_it": module, **files}.items():
            (folder / f"{name}.py").write_text(text)
        items, _ = pytester.inline_genitems(
            "-pno:asyncio", "--import-mode=importlib", f"--rootdir={folder}", str(folder)
        )
        (item,) = (each for each in items if each.name == "test_a")
        assert isinstance(item, pytest.Function)
        return identity_of(item, plan, turn)

    return ask


SAME = {
    "another test": MODULE.replace("assert 1", "assert 2"),
    "a method of a test class": MODULE.replace("def test_c(self): pass", "def test_c(self): return"),
    "k and gates": MODULE.replace("krun(5, pass_rate=0.5)", "krun(7)"),
    "comments and layout": f"# more\n{MODULE}\n\n",
}
OTHER = {
    "its body": MODULE.replace("assert PROMPT", "assert not PROMPT"),
    "a prompt beside it": MODULE.replace("kind", "curt"),
    "its marks": MODULE.replace('"tmp_path"', '"pytestconfig"'),
    "a value in a class": MODULE.replace("top = 1", "top = 2"),
}


def test_what_changes_it(identity: Identity) -> None:
    """Its own code and marks, what stands around it, and the fixtures above it."""
    before = identity()
    assert {name: identity(module) for name, module in SAME.items()} == dict.fromkeys(SAME, before)
    others = [before, *(identity(module) for module in OTHER.values()), identity(conftest="MODEL = 'a'")]
    assert len(set(others)) == len(others)


def test_the_plan_changes_it(identity: Identity) -> None:
    """Inputs, faults, time and turn do; how many runs there are, and how many at once, does not."""
    plans: Mapping[str, RunPlan] = {
        "as it was": PLAN,
        "more runs": RunPlan(9, Inputs(), (), 2, 60.0),
        "less time": RunPlan(5, Inputs(), (), 8, 30.0),
        "wordings": RunPlan(5, Inputs(read_variants(["a", "b"]), "q"), (), 8, 60.0),
        "a dataset": RunPlan(5, Inputs(dataset="abc"), (), 8, 60.0),
        "faults": RunPlan(5, Inputs(), (), 8, 60.0, faults=FaultPlan(("429",))),
    }
    found = {name: identity(plan=plan) for name, plan in plans.items()}
    assert found["as it was"] == found["more runs"]
    assert len({*found.values(), identity(turn=1)}) == len(plans)
