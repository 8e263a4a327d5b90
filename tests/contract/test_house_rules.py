"""The rules of the house that a machine can check: sizes, names, documentation, randomness, frozen values."""

import ast
import statistics

from .house import Module, calls, functions, modules, test_files

PURE = {"core", "stats", "verdict", "reports"}


def everything() -> tuple[Module, ...]:
    """Package, tests and example."""
    return (*modules(), *test_files())


def test_no_file_is_long() -> None:
    """At most 350 lines, tests included."""
    sizes = {module.place: len(module.text.splitlines()) for module in everything()}
    assert {place: size for place, size in sizes.items() if size > 350} == {}


def test_functions_are_short() -> None:
    """None over 60 lines, half of them under 12."""
    lengths = {
        f"{module.at(node)} {node.name}": node.end_lineno - node.lineno + 1
        for module in modules()
        for node in functions(module)
        if node.end_lineno
    }
    assert {place: length for place, length in lengths.items() if length > 60} == {}
    assert statistics.median(lengths.values()) < 12


def test_every_file_begins_with_what_it_is() -> None:
    """The first line is the docstring, and it is a sentence."""
    wrong = []
    for module in everything():
        said = ast.get_docstring(module.tree) or ""
        first = said.split("\n")[0]
        if not module.text.startswith(('"""', 'r"""')) or not first.endswith((".", "?", ":", "!")):
            wrong.append(module.place)
    assert wrong == []


def test_every_test_says_what_it_proves() -> None:
    """In one paragraph of a docstring."""
    wrong = [
        f"{module.at(node)} {node.name}"
        for module in test_files()
        if module.path.name.startswith("test_") and module.place.startswith("tests/")
        for top in module.tree.body
        for node in (top.body if isinstance(top, ast.ClassDef) else [top])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        if "\n\n" in (ast.get_docstring(node) or "\n\n")
    ]
    assert wrong == []


def test_nothing_is_printed() -> None:
    """A plugin talks through pytest, a command through the stream it was given."""
    assert [module.at(call) for module in modules() for call, name in calls(module) if name == "print"] == []


def test_no_salted_hash() -> None:
    """``hash()`` differs in every process: seeds and keys made of it are false reproducibility."""
    wrong = [
        module.at(call)
        for module in modules()
        for call, name in calls(module)
        if name in {"hash", "builtins.hash"}
    ]
    assert wrong == []


def test_no_shared_randomness() -> None:
    """No generator of a module, no global functions of ``random``, none without a seed."""
    wrong = []
    for module in modules():
        own = {id(call) for node in functions(module) for call in ast.walk(node)}
        for call, name in calls(module):
            owner, _, last = name.rpartition(".")
            makes_one = last in {"Random", "default_rng", "RandomState"}
            is_global = owner.endswith("random") and not makes_one
            unseeded = (makes_one and not call.args) or last in {"SystemRandom", "uuid4", "urandom"}
            if is_global or unseeded or (makes_one and id(call) not in own):
                wrong.append(f"{module.at(call)} {name}")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and node.module in {"random", "secrets"}:
                wrong += [f"{module.at(node)} {alias.name}" for alias in node.names if alias.name != "Random"]
    assert wrong == []


def test_no_file_is_a_drawer() -> None:
    """A module is named after what it holds; ``utils`` holds anything."""
    drawers = {"util", "utils", "helper", "helpers", "common", "misc", "tools", "shared"}
    parts = {
        module.place: {part.removesuffix(".py") for part in module.path.parts} for module in everything()
    }
    below = {place: names & drawers for place, names in parts.items()}
    root = set(modules()[0].path.parents[1].parts)
    assert {place: names - root for place, names in below.items() if names - root} == {}


def test_no_autouse_fixture() -> None:
    """Nothing happens in a test that did not ask for it."""
    wrong = [
        module.at(call)
        for module in modules()
        for call, name in calls(module)
        if name.endswith("fixture") and any(keyword.arg == "autouse" for keyword in call.keywords)
    ]
    assert wrong == []


def test_values_are_frozen_and_slotted() -> None:
    """Every dataclass of the pure rooms: it may cross rooms and threads."""
    wrong = [
        f"{module.at(node)} {node.name}"
        for module in modules()
        if module.room in PURE
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        for decorator in map(ast.unparse, node.decorator_list)
        if "dataclass" in decorator and not ("frozen=True" in decorator and "slots=True" in decorator)
    ]
    assert wrong == []
