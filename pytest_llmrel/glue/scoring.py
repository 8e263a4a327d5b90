"""Scorers of faithfulness by name, hook or value, and what they find as the score of a run."""

from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_llmrel.core.cut import cut
from pytest_llmrel.core.gate import FAITHFULNESS
from pytest_llmrel.core.run import SCORED_LIMIT
from pytest_llmrel.core.score import JudgeId, Score
from pytest_llmrel.errors import JudgeError, ScorerError
from pytest_llmrel.runtime.infrastructure import infrastructure_fault

if TYPE_CHECKING:
    from pytest_llmrel.faithfulness.scorer import Claim, Faithfulness

__all__ = ["SessionScorers"]

_MOST_CLAIMS: Final = 20
_MOST_SHOWN: Final = 300
"""Characters of a claim, or of the reason for something."""


class SessionScorers:
    """The scorers of a session; used by all runs at once."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def score(self, scorer: Any, answer: str, context: str, question: str) -> Score:
        """The score of an answer.

        Raises:
            ScorerError: there is no such scorer, or it failed.
        """
        chosen = self._chosen(scorer)
        try:
            found = chosen.score(answer, context, question)
        except Exception as error:
            if _is_told_already(error):
                raise
            raise _failed(chosen, error) from error
        return _as_score(chosen, found, answer)

    async def ascore(self, scorer: Any, answer: str, context: str, question: str) -> Score:
        """The same, by the scorer's ``ascore`` where it has one.

        Raises:
            ScorerError: there is no such scorer, or it failed.
        """
        chosen = self._chosen(scorer)
        if not hasattr(chosen, "ascore"):
            return self.score(chosen, answer, context, question)
        try:
            found = await chosen.ascore(answer, context, question)
        except Exception as error:
            if _is_told_already(error):
                raise
            raise _failed(chosen, error) from error
        return _as_score(chosen, found, answer)

    def _chosen(self, scorer: Any) -> Any:
        found = self._named(scorer) if isinstance(scorer, str) else scorer
        if not callable(getattr(found, "score", None)) or not isinstance(getattr(found, "name", None), str):
            raise ScorerError(
                f"scorer={found!r}; it must be 'overlap', a name known to a hook pytest_llmrel_scorer, or "
                "an object with a name and a method score(answer, context, question)"
            )
        return found

    def _named(self, name: str) -> Any:
        if name == "overlap":
            from pytest_llmrel.faithfulness.overlap import Overlap

            return Overlap()
        try:
            found = self._config.hook.pytest_llmrel_scorer(name=name)
        except Exception as error:
            kind = type(error).__name__
            raise ScorerError(f"scorer={name!r}: hook pytest_llmrel_scorer raised {kind}: {error}") from error
        if found is None:
            raise ScorerError(f"scorer={name!r}: no hook pytest_llmrel_scorer knows it; take 'overlap'")
        return found


def _is_told_already(error: Exception) -> bool:
    """Whether an exception says by itself that the model is not to blame."""
    return isinstance(error, JudgeError | ScorerError) or infrastructure_fault(error) is not None


def _failed(scorer: Any, error: Exception) -> ScorerError:
    return ScorerError(f"scorer {scorer.name!r} raised {type(error).__name__}: {error}")


def _as_score(scorer: Any, found: Any, answer: str) -> Score:
    from pytest_llmrel.faithfulness.scorer import Faithfulness

    if not isinstance(found, Faithfulness):
        raise ScorerError(f"scorer {scorer.name!r} gave {type(found).__name__}; it must give a Faithfulness")
    try:
        value = None if found.score is None else float(found.score)
        said, judge = _said(found), _judge_of(scorer)
    except Exception as error:
        kind = type(error).__name__
        raise ScorerError(
            f"scorer {scorer.name!r} gave what cannot be read ({kind}: {error}); it must give a Faithfulness "
            "with a number and claims"
        ) from error
    if value is not None and not 0 <= value <= 1:
        raise ScorerError(f"scorer {scorer.name!r} gave the score {value!r}; it must be within 0..1, or None")
    return Score(FAITHFULNESS, value, scorer.name, judge, said, cut(answer, SCORED_LIMIT))


def _judge_of(scorer: Any) -> JudgeId | None:
    identity = getattr(scorer, "judge_id", None)
    if identity is None:
        return None
    model, prompt_hash = identity
    return JudgeId(str(model), str(prompt_hash))


def _said(found: "Faithfulness") -> str:
    """The claims that are not supported, a line each."""
    if found.score is None:
        return cut(found.reason, _MOST_SHOWN)
    doubtful = [claim for claim in found.claims if claim.support != "supported"]
    lines = [_line(claim) for claim in doubtful[:_MOST_CLAIMS]]
    if len(doubtful) > _MOST_CLAIMS:
        lines.append(f"and {len(doubtful) - _MOST_CLAIMS} more")
    return "\n".join(lines)


def _line(claim: "Claim") -> str:
    text = cut(" ".join(claim.text.split()), _MOST_SHOWN)
    reason = f": {cut(claim.reason, _MOST_SHOWN)}" if claim.reason else ""
    return f"{claim.support}: {text!r}{reason}"
