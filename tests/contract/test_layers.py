"""Who may import whom: the order of the rooms, third parties per room, no cycles."""

import sys
from graphlib import CycleError, TopologicalSorter

import pytest

from .house import PACKAGE, Import, calls, imported_module, imports, modules, room_of

LAYERS = (
    {"plugin", "hookspecs", "options", "strategies"},
    {"glue", "cli"},
    {"reports"},
    {"wire", "runtime"},
    {"baselines", "datasets", "ledger"},
    {"verdict"},
    {"perturb", "faithfulness"},
    {"stats", "clients"},
    {"core"},
    {"errors"},
)
"""Top to bottom. Rooms in one set are siblings."""
DEPTH = {room: depth for depth, layer in enumerate(LAYERS) for room in layer}
ENTRY = {"plugin", "hookspecs", "options"}
"""The parts of pytest's entry point: the first registers the others."""
APART = "simulator"
THIRD_PARTIES = {
    "plugin": {"pytest"},
    "hookspecs": {"pytest"},
    "options": {"pytest"},
    "glue": {"pytest"},
    "cli": {"httpx"},
    "clients": {"anyio", "httpx"},
    "baselines": {"pydantic", "pydantic_core"},
    "datasets": {"pydantic", "yaml"},
    "faithfulness": {"httpx", "pydantic"},
    "stats": {"numpy"},
    "wire": {"genai_prices", "pydantic"},
}
QUARANTINE = {
    "pytest_llmrel/glue/runnode.py": {"_pytest"},
    "pytest_llmrel/glue/asyncplugins.py": {"anyio"},
    "pytest_llmrel/wire/internals.py": {"anyio"},
    "pytest_llmrel/strategies.py": {"hypothesis"},
}
"""One file each for the internals of pytest, of other async plugins and of httpx; one for Hypothesis."""


def ours() -> list[tuple[Import, str]]:
    """The imports of our own modules, with the room that is imported; the lazy package root apart."""
    pairs = [(found, imported_module(found)) for found in imports() if found.module.name != PACKAGE]
    return [(found, room_of(module)) for found, module in pairs if module is not None]


def test_every_room_has_its_place() -> None:
    """A new folder is placed in the design before it is filled."""
    assert {module.room for module in modules()} - {"", APART} <= DEPTH.keys()


def test_imports_go_down() -> None:
    """Never up, never to a sibling, wherever the import stands: lazily and for type checkers, too."""
    wrong = [
        str(found)
        for found, room in ours()
        if room not in {"", APART, found.module.room}
        and found.module.room != APART
        and not {room, found.module.room} <= ENTRY
        and DEPTH[room] <= DEPTH[found.module.room]
    ]
    assert wrong == []


def test_nobody_takes_names_from_the_root() -> None:
    """It is the API of users and knows the upper rooms; only the version has no other home."""
    wrong = [str(found) for found, room in ours() if room == "" and found.target != f"{PACKAGE}.__version__"]
    assert wrong == []


def test_the_simulator_stands_apart() -> None:
    """It imports nothing of the package; the command line alone imports it, and lazily."""
    leaving = [str(found) for found, room in ours() if found.module.room == APART != room]
    users = [
        str(found)
        for found, room in ours()
        if room == APART != found.module.room
        and not (found.module.room == "cli" and (found.lazy or found.typing))
    ]
    assert (leaving, users) == ([], [])


def test_third_parties_are_known_per_room() -> None:
    """The entry point and the glue know pytest; internals have a file each; anything else is nowhere yet."""
    wrong = [
        str(found)
        for found in imports()
        if found.top not in {*sys.stdlib_module_names, PACKAGE}
        and found.top not in THIRD_PARTIES.get(found.module.room, set())
        and found.top not in QUARANTINE.get(found.module.place, set())
    ]
    assert wrong == []


def test_errors_import_nothing() -> None:
    """They can be imported from everywhere."""
    assert [str(found) for found in imports() if found.module.name == f"{PACKAGE}.errors"] == []


def test_modules_are_imported_by_statements() -> None:
    """A name in a string escapes every check above; only the lazy package roots may use one."""
    wrong = [
        module.at(call)
        for module in modules()
        if module.path.name != "__init__.py"
        for call, name in calls(module)
        if name.rpartition(".")[2] in {"import_module", "__import__", "find_spec"}
    ]
    assert wrong == []


def graph(*, lazy: bool, typing: bool) -> dict[str, set[str]]:
    """Module -> the modules it imports, the packages they are in included."""
    edges: dict[str, set[str]] = {module.name: set() for module in modules()}
    for found in imports():
        target = imported_module(found)
        if target is None or (found.lazy and not lazy) or found.typing is not typing:
            continue
        edges[found.module.name].add(target)
        if not typing:
            parents = target.split(".")[:-1]
            edges[found.module.name] |= {".".join(parents[:end]) for end in range(1, len(parents) + 1)}
    for name, targets in edges.items():
        targets.discard(name)
    return edges


@pytest.mark.parametrize(("lazy", "typing"), [(False, False), (True, False), (False, True)])
def test_there_is_no_import_cycle(lazy: bool, typing: bool) -> None:
    """Not when modules load, not hidden in functions, and not among the imports for type checkers."""
    edges = graph(lazy=lazy, typing=typing)
    if lazy:  # a package's own lazy root, and the version of the package, lead back by design
        edges = {
            name: {t for t in targets if not name.startswith(f"{t}.")} for name, targets in edges.items()
        }
    try:
        list(TopologicalSorter(edges).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


def test_the_graph_is_not_empty() -> None:
    """The checks above look at something."""
    assert len(imports()) > 100
    assert "pytest_llmrel.errors" in graph(lazy=False, typing=False)["pytest_llmrel.core.gate"]
