"""Rows of YAML: a list of mappings, loaded without anything that could run or multiply; imports PyYAML."""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import yaml  # type: ignore[import-untyped]
from yaml.composer import Composer  # type: ignore[import-untyped]

from pytest_llmrel.datasets.lines import text_lines
from pytest_llmrel.datasets.problems import Problems, clipped, shown
from pytest_llmrel.datasets.rows import Row

__all__ = ["yaml_rows"]

_LIST: Final = "a YAML file of cases is one list of mappings"
_ALIAS: Final = "an alias ('*name') is not read: a few can stand for gigabytes; write the value out"
_TEXT: Final = "tag:yaml.org,2002:str"
_NULL: Final = "tag:yaml.org,2002:null"


def yaml_rows(file: BinaryIO, problems: Problems) -> Iterator[Row]:
    """The rows, one at a time out of the text; after something that is not YAML no more can be found."""
    if sum(not line.sound for line in text_lines(file, problems)):
        return
    file.seek(0)
    try:
        loader = _Loader(file, problems)
        for node in loader.elements():
            yield from _row(loader, node, problems)
    except yaml.reader.ReaderError as error:
        file.seek(0)
        line = 1 + file.read(error.position).count(b"\n")
        problems.add(f"not readable as YAML ({clipped(str(error.reason))})", line)
    except yaml.YAMLError as error:
        problems.add(f"not readable as YAML ({_reason(error)})", *_place(error, 0))
    except RecursionError:
        problems.add("not readable as YAML (nested too deeply)")


def _row(loader: "_Loader", node: Any, problems: Problems) -> Iterator[Row]:
    line, column, count = *_start(node), problems.count
    if loader.found_alias:
        loader.found_alias = False
        return
    if not isinstance(node, yaml.MappingNode):
        problems.add(f"a {node.id} is no mapping; {_LIST}", line, column)
        return
    _check_keys(node, problems)
    if problems.count > count:
        return
    try:
        fields = loader.construct_document(node)
    except Exception as error:  # noqa: BLE001 - a tag can call for a value that the text is not: anything may come
        loader.forget()
        problems.add(f"not readable as YAML ({_reason(error)})", *_place(error, line))
        return
    yield Row(line, fields)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """PyYAML's safe loader, which gives the elements of a list one at a time and follows no alias.

    Its parser may be in C, but nodes are composed in Python: the composer in C gives whole documents only.
    """

    def __init__(self, file: BinaryIO, problems: Problems) -> None:
        super().__init__(file)
        self.anchors: dict[str, Any] = {}
        self.found_alias = False
        self._problems = problems

    compose_scalar_node = Composer.compose_scalar_node
    compose_sequence_node = Composer.compose_sequence_node
    compose_mapping_node = Composer.compose_mapping_node

    def elements(self) -> Iterator[Any]:
        """The nodes of the list that the document is."""
        self.get_event()
        if self.check_event(yaml.StreamEndEvent):
            return
        self.get_event()
        if not self.check_event(yaml.SequenceStartEvent):
            if node := _content(self.compose_node(None, None)):
                self._problems.add(f"holds no list; {_LIST}", *_start(node))
            return
        self.get_event()
        while not self.check_event(yaml.SequenceEndEvent):
            yield self.compose_node(None, None)
        self.get_event()
        self.get_event()
        if not self.check_event(yaml.StreamEndEvent):
            self._problems.add(f"a second document begins; {_LIST}", self.peek_event().start_mark.line + 1)

    def compose_node(self, parent: Any, index: Any) -> Any:
        """As the composer does; an alias is told, and stands for nothing."""
        if not self.check_event(yaml.AliasEvent):
            return Composer.compose_node(self, parent, index)
        event = self.get_event()
        self.found_alias = True
        self._problems.add(_ALIAS, event.start_mark.line + 1, event.start_mark.column + 1)
        return yaml.ScalarNode(_NULL, "", event.start_mark, event.end_mark)

    def forget(self) -> None:
        """What was constructed of a node until it failed."""
        for kept in (self.constructed_objects, self.recursive_objects, self.state_generators):
            kept.clear()
        self.deep_construct = False


def _content(node: Any) -> Any:
    """The node, unless it is the nothing of a document with comments only."""
    return None if node.tag == _NULL and not node.value else node


def _check_keys(row: Any, problems: Problems) -> None:
    """Tells doubled keys and keys that are no text, wherever they are in a row."""
    rest = [row]
    while rest:
        node = rest.pop()
        if isinstance(node, yaml.MappingNode):
            _check_mapping(node, problems)
            rest += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            rest += node.value


def _check_mapping(node: Any, problems: Problems) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if key.tag != _TEXT or not isinstance(key.value, str):
            problems.add(f"key {shown(key.value)} is no text; put it in quotes", *_start(key))
        elif key.value in seen:
            problems.add(f"key {shown(key.value)} is there twice in one mapping; remove one", *_start(key))
        else:
            seen.add(key.value)


def _start(node: Any) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _reason(error: Exception) -> str:
    return clipped(str(getattr(error, "problem", None) or f"{type(error).__name__}: {error}"))


def _place(error: Exception, line: int) -> tuple[int, int]:
    mark = getattr(error, "problem_mark", None)
    return (mark.line + 1, mark.column + 1) if mark else (line, 0)
