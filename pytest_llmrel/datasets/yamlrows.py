"""Rows of YAML: a list of mappings, loaded without anything that could run or multiply."""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from pytest_llmrel.datasets.lines import whole_text
from pytest_llmrel.datasets.problems import Problems, clipped, shown
from pytest_llmrel.datasets.rows import Row
from pytest_llmrel.errors import DatasetError

__all__ = ["needs_yaml", "yaml_rows"]

_LIST: Final = "a YAML file of cases is one list of mappings"
_ALIAS: Final = "an alias ('*name') is not read: a few can stand for gigabytes; write the value out"
_TEXT: Final = "tag:yaml.org,2002:str"
_MISSING: Final = "cases in YAML need PyYAML; run: pip install pytest-llmrel[yaml]"


def needs_yaml() -> None:
    """Checks that YAML can be read at all.

    Raises:
        DatasetError: PyYAML is not installed; says how to.
    """
    try:
        import yaml  # type: ignore[import-untyped]  # noqa: F401
    except ImportError:
        raise DatasetError(_MISSING) from None


def yaml_rows(file: BinaryIO, problems: Problems) -> Iterator[Row]:
    """The rows; after something that is not YAML no more can be found."""
    import yaml

    text = whole_text(file, problems)
    if text is None or not text.strip():
        return
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        root = loader.get_single_node()
    except (yaml.YAMLError, RecursionError) as error:
        _tell(error, text, problems)
        return
    if isinstance(root, yaml.SequenceNode):
        seen: set[int] = set()
        for node in root.value:
            yield from _row(loader, node, seen, problems)
    elif root is not None:
        problems.add(f"holds no list; {_LIST}", root.start_mark.line + 1)


def _row(loader: Any, node: Any, seen: set[int], problems: Problems) -> Iterator[Row]:
    line, count = node.start_mark.line + 1, problems.count
    if node.id != "mapping":
        problems.add(f"a {node.id} is no mapping; {_LIST}", line)
        return
    _check(node, line, seen, problems)
    if problems.count > count:
        return
    try:
        fields = loader.construct_object(node, deep=True)
    except Exception as error:  # noqa: BLE001 - a tag can call for a value that the text is not: anything may come
        problems.add(f"not readable as YAML ({clipped(_reason(error))})", *_place(error, line))
        return
    yield Row(line, fields)


def _check(node: Any, line: int, seen: set[int], problems: Problems) -> None:
    """Tells aliases, doubled keys and keys that are no text, wherever they are in a row."""
    rest = [node]
    while rest:
        one = rest.pop()
        if id(one) in seen:
            problems.add(_ALIAS, line)
            return
        seen.add(id(one))
        if one.id == "mapping":
            _check_keys(one, problems)
            rest += [part for pair in one.value for part in pair]
        elif one.id == "sequence":
            rest += one.value


def _check_keys(node: Any, problems: Problems) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        place = key.start_mark.line + 1, key.start_mark.column + 1
        if key.tag != _TEXT:
            problems.add(f"key {shown(key.value)} is no text; put it in quotes", *place)
        elif key.value in seen:
            problems.add(f"key {shown(key.value)} is there twice in one mapping; remove one", *place)
        else:
            seen.add(key.value)


def _tell(error: Exception, text: str, problems: Problems) -> None:
    if isinstance(error, RecursionError):
        problems.add("not readable as YAML (nested too deeply)")
        return
    position = getattr(error, "position", None)  # of a character that YAML forbids; it has no mark
    line = 1 + text.count("\n", 0, position) if isinstance(position, int) else 0
    problems.add(f"not readable as YAML ({clipped(_reason(error))})", *_place(error, line))


def _reason(error: Exception) -> str:
    return str(
        getattr(error, "problem", None)
        or getattr(error, "reason", None)
        or f"{type(error).__name__}: {error}"
    )


def _place(error: Exception, line: int) -> tuple[int, int]:
    mark = getattr(error, "problem_mark", None)
    return (mark.line + 1, mark.column + 1) if mark else (line, 0)
