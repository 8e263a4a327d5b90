"""What can be typed is documented, and what is documented can be typed."""

import ast
import inspect
import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import entry_points
from typing import Any

import pytest

import pytest_llmrel
from pytest_llmrel import Run, faults, golden, hookspecs, krun, paraphrase

from .house import ROOT, page, rows, sections

OPTION = re.compile(r"--llmrel(?:-[a-z]+)+")
INI = re.compile(r"(?<![\w-])llmrel_[a-z_]+")
PAGES = sorted(
    path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
)
FIXTURE = (
    "abstain",
    "afaithfulness",
    "case",
    "faithfulness",
    "index",
    "judging",
    "output",
    "score",
    "seed",
    "usage",
    "variant",
)
"""What the design promises of the fixture ``llmrel``, as far as this version goes."""


@cache
def said_by(*arguments: str) -> str:
    """What pytest with the plugin answers, wherever it is asked."""
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "-p", "llmrel", *arguments]
    return subprocess.run(command, cwd=ROOT / "docs", capture_output=True, text=True, check=True).stdout


def known_options() -> set[str]:
    """The options that the parser knows."""
    return set(re.findall(r"^\s+(--llmrel[a-z-]+)", said_by("--help"), flags=re.MULTILINE))


def known_ini_keys() -> set[str]:
    """The ini keys that the parser knows."""
    return set(re.findall(r"^\s+(llmrel_\w+) \(", said_by("--help"), flags=re.MULTILINE))


def test_every_option_is_documented_and_no_other() -> None:
    """In ``docs/reference/options.md``."""
    assert known_options() >= {"--llmrel-k", "--llmrel-concurrency", "--llmrel-json"}
    assert set(OPTION.findall(page("docs/reference/options.md"))) == known_options()


def test_every_ini_key_is_documented_and_no_other() -> None:
    """In ``docs/reference/options.md``."""
    assert known_ini_keys() >= {
        "llmrel_k",
        "llmrel_concurrency",
        "llmrel_max_error_rate",
        "llmrel_inconclusive",
    }
    assert set(INI.findall(page("docs/reference/options.md"))) == known_ini_keys()


def test_the_row_of_an_option_has_its_help() -> None:
    """Every option and every key stands in the table, beside its meaning."""
    first_two = re.findall(r"^\|([^|]*)\|([^|]*)\|", page("docs/reference/options.md"), flags=re.MULTILINE)
    cells = " ".join(cell for pair in first_two for cell in pair)
    assert set(OPTION.findall(cells)) == known_options()
    assert set(INI.findall(cells)) == known_ini_keys()


@pytest.mark.parametrize("place", PAGES)
def test_no_page_speaks_of_options_or_hooks_that_are_not_there(place: str) -> None:
    """A guide that names a missing option costs its reader an hour."""
    text = page(place)
    hooks = {name for name in re.findall(r"pytest_llmrel_[a-z_]+", text) if name in text}
    assert set(OPTION.findall(text)) <= known_options()
    assert hooks <= set(hookspecs.__all__)


def test_everything_a_user_can_type_is_prefixed() -> None:
    """Options, keys and hooks carry our word, so that nobody else's are taken."""
    added: list[str] = []

    class Parser:
        def getgroup(self, *_: Any, **__: Any) -> "Parser":
            return self

        def addoption(self, *names: str, **_: Any) -> None:
            added.extend(names)

        addini = addoption

    from pytest_llmrel import plugin

    plugin.pytest_addoption(Parser())  # type: ignore[arg-type]
    prefixed = {name for name in added if name.startswith(("--llmrel-", "llmrel_"))}
    assert {name for name in added if re.match(r"-|llmrel", name)} == prefixed
    assert all(name.startswith("pytest_llmrel_") for name in hookspecs.__all__)


@pytest.mark.parametrize("decorator", [krun, paraphrase, golden, faults])
def test_every_argument_of_a_marker_is_documented_and_no_other(decorator: Any) -> None:
    """In the table below the heading that names the marker."""
    found = sections(page("docs/reference/markers.md"))
    (section,) = (body for heading, body in found.items() if re.match(rf"`{decorator.__name__}\b", heading))
    documented = [name for spans in rows(section) for name in spans]
    assert documented == list(inspect.signature(decorator).parameters)


def test_the_marker_lines_name_the_same_arguments() -> None:
    """``pytest --markers`` and the signatures agree."""
    lines = dict(re.findall(r"^@pytest\.mark\.(\w+)\((.*?)\): ", said_by("--markers"), flags=re.MULTILINE))
    for decorator in (krun, paraphrase):
        named = re.findall(r"(?:^|, )\*?(\w+)", lines[decorator.__name__])
        assert named == list(inspect.signature(decorator).parameters)


def test_the_defaults_in_the_documentation_are_the_real_ones() -> None:
    """Of every argument of ``krun``."""
    from pytest_llmrel.core.plan import DEFAULTS

    table = re.findall(
        r"^\| `(\w+)` \| `?([^|`]+)`? \|", page("docs/reference/markers.md"), flags=re.MULTILINE
    )
    written = {name: ast.literal_eval(text) for name, text in table if name in DEFAULTS}
    undecided = {"concurrency"}  # the mark says nothing; option and ini key have the default
    assert {name: written[name] for name in DEFAULTS.keys() - undecided} == {
        name: value for name, value in DEFAULTS.items() if name not in undecided
    }


def test_every_hook_is_documented_and_no_other() -> None:
    """In ``docs/reference/hooks.md``, with its arguments in the heading."""
    headings = [
        heading for heading in sections(page("docs/reference/hooks.md")) if "pytest_llmrel" in heading
    ]
    signatures = [f"{name}{_arguments(getattr(hookspecs, name))}" for name in hookspecs.__all__]
    assert sorted(heading.strip("`") for heading in headings) == signatures


def _arguments(function: Any) -> str:
    return f"({', '.join(inspect.signature(function).parameters)})"


def test_every_public_name_is_documented_and_no_other() -> None:
    """In the tables of ``docs/reference/api.md``."""
    documented = [name for spans in rows(page("docs/reference/api.md")) for name in spans]
    assert sorted(documented) == sorted(pytest_llmrel.__all__)


def test_every_member_of_the_fixture_is_documented_and_no_other() -> None:
    """In ``docs/reference/markers.md``, with the arguments that it takes."""
    text = page("docs/reference/markers.md")
    documented = dict(re.findall(r"^\| `llmrel\.(\w+)(\([^)]*\))?`", text, flags=re.MULTILINE))
    assert sorted(documented) == list(FIXTURE)
    for name, arguments in documented.items():
        member = getattr(Run, name)
        assert isinstance(member, property) == (arguments == "")
        if arguments:
            assert arguments == _arguments(member).replace("self, ", "").replace("self", "")


def test_the_entry_point_has_our_word() -> None:
    """So that ``-p no:llmrel`` works; installed and in the source alike."""
    (installed,) = (
        point for point in entry_points(group="pytest11") if point.value.startswith("pytest_llmrel")
    )
    assert (installed.name, installed.value) == ("llmrel", "pytest_llmrel.plugin")
    project = tomllib.loads(page("pyproject.toml"))["project"]
    assert project["entry-points"]["pytest11"] == {"llmrel": "pytest_llmrel.plugin"}
    assert project["scripts"] == {"llmrel": "pytest_llmrel.cli.main:main"}


@pytest.mark.parametrize(("heading", "words"), [("Try it", "pytest example_suite"), ("Develop", "[test]")])
def test_the_readme_has_two_set_up_commands(heading: str, words: str) -> None:
    """One line each, to be pasted."""
    section = sections(page("README.md"))[heading]
    blocks = re.findall(r"```\w*\n(.*?)```", section, flags=re.DOTALL)
    assert len(blocks) == 1
    assert len(blocks[0].strip().splitlines()) == 1
    assert words in blocks[0]


@pytest.mark.parametrize("place", PAGES)
def test_links_lead_somewhere(place: str) -> None:
    """Every relative link is a file of the repository."""
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page(place))
    files = [target for target in targets if not target.startswith(("http://", "https://", "mailto:"))]
    assert [target for target in files if not ((ROOT / place).parent / target).exists()] == []


@pytest.mark.parametrize("place", PAGES)
def test_examples_are_python(place: str) -> None:
    """Every block that says so can be parsed."""
    for block in re.findall(r"```python\n(.*?)```", page(place), flags=re.DOTALL):
        ast.parse(block)


def test_the_pages_of_the_reference_are_there() -> None:
    """The checks above look at something."""
    needed = {f"docs/reference/{name}.md" for name in ("api", "hooks", "markers", "options")}
    assert needed <= set(PAGES)
