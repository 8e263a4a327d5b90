"""Reads what a judge replied: untrusted bytes in, claims with verdicts out, or what is wrong with them."""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from pytest_llmrel.faithfulness.scorer import Support

__all__ = ["Malformed", "Ruling", "Verdict", "read_reply"]

_MOST_CLAIMS: Final = 1000
_MOST_CHARACTERS: Final = 20_000
_MOST_PROBLEM: Final = 160


def _lowered(value: object) -> object:
    return value.strip().casefold() if isinstance(value, str) else value


_Text = Annotated[str, Field(max_length=_MOST_CHARACTERS)]


class Verdict(BaseModel, frozen=True):
    """One claim as the judge gives it.

    Attributes:
        sentence: 1-based number of the sentence that makes it.
        claim: in the judge's words.
        verdict: what the judge says of it.
        quote: what the judge says is its evidence.
        reason: why, in the judge's words.
    """

    sentence: Annotated[int, Field(strict=True)]
    claim: _Text
    verdict: Annotated[Support, BeforeValidator(_lowered)]
    quote: _Text | None = None
    reason: _Text | None = None


class Ruling(BaseModel, frozen=True):
    """All that the judge says of an answer.

    Attributes:
        claims: with their verdicts.
        no_claims: 1-based numbers of the sentences that claim nothing.
    """

    claims: Annotated[tuple[Verdict, ...], Field(max_length=_MOST_CLAIMS)]
    no_claims: Annotated[tuple[Annotated[int, Field(strict=True)], ...], Field(max_length=_MOST_CLAIMS)] = ()


@dataclass(frozen=True, slots=True)
class Malformed:
    """A reply that is no ruling; ``problem`` says why, and quotes nothing of it."""

    problem: str


class _Message(BaseModel):
    content: str


class _Choice(BaseModel):
    message: _Message


class _Completion(BaseModel):
    choices: Annotated[list[_Choice], Field(min_length=1)]


def read_reply(body: bytes) -> Ruling | Malformed:
    """Read the body of a chat completion whose text is a ruling.

    Around its JSON the text may have other words, such as the fence of a code block.
    """
    try:
        said = _Completion.model_validate_json(body).choices[0].message.content
    except ValidationError as error:
        return Malformed(f"it is no chat completion ({_first(error)})")
    begin, end = said.find("{"), said.rfind("}")
    if not 0 <= begin < end:
        return Malformed("there is no JSON object in it")
    try:
        # Lone surrogates, which JSON can escape, are then refused like any other mistake.
        return Ruling.model_validate_json(said[begin : end + 1].encode("utf-8", "surrogatepass"))
    except ValidationError as error:
        return Malformed(f"its JSON is not what was asked for ({_first(error)})")


def _first(error: ValidationError) -> str:
    """Where the first mistake is, and what it is, in words of pydantic's that quote nothing."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}"[:_MOST_PROBLEM] if place else first["msg"][:_MOST_PROBLEM]
