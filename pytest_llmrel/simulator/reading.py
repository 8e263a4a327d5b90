"""Readers of JSON bodies, the same for all APIs: a parameter that will not do is refused by its name."""

from __future__ import annotations

import json
from typing import Any

from pytest_llmrel.simulator.refusals import Refusal

__all__ = [
    "kind_of",
    "read_choice",
    "read_flag",
    "read_integer",
    "read_list",
    "read_model",
    "read_object",
    "read_table",
    "read_turns",
    "rejected",
    "text_of",
]

_KINDS = {
    bool: "a boolean",
    dict: "an object",
    float: "a number",
    int: "a number",
    list: "an array",
    str: "a string",
}


def read_object(body: bytes) -> dict[str, Any]:
    """Reads a body that must be one JSON object.

    Raises:
        Refusal: it is something else.
    """
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        message = "We could not parse the JSON body of your request: it must be one valid JSON object."
        raise Refusal(400, message) from None
    if not isinstance(fields, dict):
        raise Refusal(400, f"The body must be a JSON object, not {kind_of(fields)}.")
    return fields


def read_model(fields: dict[str, Any]) -> str:
    """Reads the required name of a model.

    Raises:
        Refusal: it is missing, or no name.
    """
    model = fields.get("model")
    if not isinstance(model, str) or not model:
        raise rejected(model, "You must provide a model parameter, a string.", "model")
    return model


def read_list(fields: dict[str, Any], name: str) -> list[Any]:
    """Reads a required list with at least one member.

    Raises:
        Refusal: it is missing, empty, or no list.
    """
    value = fields.get(name)
    if value is None:
        raise rejected(None, f"Missing required parameter: '{name}'.", name)
    if not isinstance(value, list) or not value:
        raise rejected(value, f"'{name}' must be an array with at least one member.", name)
    return value


def read_table(fields: dict[str, Any], name: str) -> dict[str, Any]:
    """Reads an optional object; an empty one stands for none.

    Raises:
        Refusal: it is something else.
    """
    value = fields.get(name)
    if value is not None and not isinstance(value, dict):
        raise rejected(value, f"'{name}' must be an object, not {kind_of(value)}.", name)
    return value or {}


def read_turns(members: list[Any], name: str) -> list[tuple[str, str]]:
    """Reads the messages of a conversation as role and text.

    Raises:
        Refusal: one of them is not a message.
    """
    turns = []
    for index, message in enumerate(members):
        where = f"{name}[{index}]"
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise rejected(message, f"'{where}' must be an object with a 'role'.", where)
        turns.append((message["role"], text_of(message.get("content"), name)))
    return turns


def text_of(content: object, param: str) -> str:
    """Returns the text of a content: a string, a list of parts of which some are text, or nothing.

    Raises:
        Refusal: it is something else.
    """
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join([part for part in parts if isinstance(part, str)])
    if content is None:
        return ""
    raise rejected(content, f"A content must be a string or an array, not {kind_of(content)}.", param)


def read_flag(fields: dict[str, Any], name: str) -> bool:
    """Reads an optional boolean, false if absent.

    Raises:
        Refusal: it is something else.
    """
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise rejected(value, f"'{name}' must be true or false, not {kind_of(value)}.", name)
    return bool(value)


def read_integer(
    fields: dict[str, Any], name: str, least: int | None = None, most: int | None = None
) -> int | None:
    """Reads an optional integer within bounds.

    Raises:
        Refusal: it is something else, or out of bounds.
    """
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise rejected(value, f"'{name}' must be an integer, not {kind_of(value)}.", name)
    if (least is not None and value < least) or (most is not None and value > most):
        bounds = f"at least {least}" if most is None else f"from {least} to {most}"
        raise Refusal(400, f"'{name}' must be {bounds}.", name, "integer_out_of_range")
    return value


def read_choice(fields: dict[str, Any], name: str, known: tuple[str, ...]) -> str:
    """Reads an optional word out of ``known``, the first of them if absent.

    Raises:
        Refusal: it is something else.
    """
    value = fields.get(name)
    if value is None:
        return known[0]
    if value not in known:
        raise Refusal(400, f"'{name}' must be one of: {', '.join(known)}.", name, "invalid_value")
    return str(value)


def rejected(value: object, message: str, param: str) -> Refusal:
    """Returns the refusal of a parameter that is missing (``value`` is None) or of a wrong type."""
    code = "missing_required_parameter" if value is None else "invalid_type"
    return Refusal(400, message, param, code)


def kind_of(value: object) -> str:
    """Returns what a wrong value is, in the words of JSON."""
    return _KINDS.get(type(value), "null")
