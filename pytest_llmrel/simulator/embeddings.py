"""OpenAI's embeddings: unit vectors made from the words of a text, close where texts share words.

No model is behind them, so every model name is served.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
import sys
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_llmrel.simulator.asking import Asked
from pytest_llmrel.simulator.openai_errors import refuse
from pytest_llmrel.simulator.reading import (
    read_choice,
    read_integer,
    read_list,
    read_model,
    read_object,
    rejected,
)
from pytest_llmrel.simulator.refusals import Refusal
from pytest_llmrel.simulator.tokens import count_tokens
from pytest_llmrel.simulator.voice import Form

if TYPE_CHECKING:
    from pytest_llmrel.simulator.asking import Said
    from pytest_llmrel.simulator.messages import Request

__all__ = ["EMBEDDINGS", "EmbeddingsRequest", "embed", "read_embeddings"]

_DIMENSIONS, _MOST_DIMENSIONS = 1536, 4096
_MOST_INPUTS = 2048
_MOST_NUMBERS = 4_000_000
_WORD = re.compile(r"\w+")
_PLACES = 8


@dataclass(frozen=True, slots=True)
class EmbeddingsRequest(Asked):
    """Texts to embed; as there is no question, they stand for it where faults are drawn."""

    inputs: tuple[str, ...] = ()
    dimensions: int = _DIMENSIONS
    encoding: str = "float"


def read_embeddings(request: Request) -> EmbeddingsRequest:
    """Reads the body of an embeddings request.

    Raises:
        Refusal: the body is not JSON, or a parameter is missing or of a wrong type.
    """
    fields = read_object(request.body)
    inputs, tokens = _read_inputs(fields)
    dimensions = read_integer(fields, "dimensions", 1, _MOST_DIMENSIONS) or _DIMENSIONS
    if len(inputs) > _MOST_INPUTS or len(inputs) * dimensions > _MOST_NUMBERS:
        message = (
            f"'input' must have at most {_MOST_INPUTS} members, and {_MOST_NUMBERS} numbers to make of them."
        )
        raise Refusal(400, message, "input", "array_above_max_length")
    return EmbeddingsRequest(
        model=read_model(fields),
        question="\n".join(inputs),
        input_tokens=tokens,
        seed=0,  # so that no answer's luck is used up
        inputs=inputs,
        dimensions=dimensions,
        encoding=read_choice(fields, "encoding_format", ("float", "base64")),
    )


def embed(text: str, dimensions: int) -> array[float]:
    """Returns the unit vector of a text, in single precision; the same in every process and for ever."""
    sums = [0.0] * dimensions
    for word in _WORD.findall(text.lower()) or [text]:
        digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=4 * _PLACES).digest()
        for start in range(0, len(digest), 4):
            place = int.from_bytes(digest[start : start + 3], "big") % dimensions
            sums[place] += 1.0 if digest[start + 3] & 1 else -1.0
    length = math.hypot(*sums)
    if not length:
        sums[0] = length = 1.0
    return array("f", [value / length for value in sums])


def _read_inputs(fields: dict[str, Any]) -> tuple[tuple[str, ...], int]:
    """The texts, and their tokens; lists of token numbers are texts, too."""
    given = fields.get("input")
    members = [given] if isinstance(given, str) else read_list(fields, "input")
    if all(_is_token(member) for member in members):
        members = [members]
    if all(isinstance(member, str) and member for member in members):
        return tuple(members), sum(map(count_tokens, members))
    if all(isinstance(member, list) and member and all(map(_is_token, member)) for member in members):
        return tuple([" ".join(map(str, member)) for member in members]), sum(map(len, members))
    message = "'input' must be a string, an array of strings, or of tokens, and none of them empty."
    raise rejected(members, message, "input")


def _is_token(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _document(asked: EmbeddingsRequest, said: Said) -> dict[str, object]:
    vectors = [embed(text, asked.dimensions) for text in asked.inputs]
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector, asked.encoding)}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": asked.input_tokens, "total_tokens": asked.input_tokens}
    # Mistral's clients insist on an id.
    named = {"id": f"embd-{said.identity}", "object": "list", "model": asked.model}
    return named | {"data": data, "usage": usage}


def _encoded(vector: array[float], encoding: str) -> str | list[float]:
    if encoding == "float":
        return vector.tolist()
    if sys.byteorder == "big":
        vector.byteswap()
    return base64.b64encode(vector.tobytes()).decode("ascii")


def _no_chunks(asked: EmbeddingsRequest, said: Said) -> tuple[bytes, ...]:
    del asked, said
    return ()


EMBEDDINGS = Form(_document, _no_chunks, refuse, id_header="x-request-id", any_model=True)
