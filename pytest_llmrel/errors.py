"""The exceptions of pytest_llmrel; this module imports nothing.

The tree::

    LlmrelError
    ├─ UsageProblem            the user's marker, option or file; ``problems`` holds them all
    │   ├─ PlanError           a mark or option that makes no valid plan
    │   ├─ GateError           a gate that cannot be read
    │   ├─ BaselineError       a baseline file that cannot be used
    │   ├─ DatasetError        a file of golden cases that cannot be used
    │   ├─ PerturbationError   a perturbation that is not there or does not work
    │   ├─ ShardError          reports of shards that cannot be merged
    │   ├─ ScorerError         a scorer, or what it answered, that cannot be used
    │   ├─ JudgeError          a judge that cannot be asked
    │   ├─ LedgerError         a ledger of finished runs that cannot be used
    │   ├─ TapeError           a tape that cannot be used
    │   ├─ WordingsError       a paraphrase file that cannot be used
    │   └─ CalibrationError    labels or a judge's record that cannot be used
    ├─ GateFailure             (also an AssertionError) the verdict of a test is not PASS
    └─ ResponseTooLarge        an answer over HTTP that nobody should keep in memory

Beside it stand signals that no ``except Exception`` of a test may swallow::

    BaseException
    ├─ Abstained               the model declined; ends the run
    ├─ BudgetSpent             the money is spent; ends the run
    ├─ RunTimeout              the run took longer than its timeout; ends the run
    └─ Unreplayable            the tape has no answer to this call; ends the run
"""

__all__ = [
    "Abstained",
    "BaselineError",
    "BudgetSpent",
    "CalibrationError",
    "DatasetError",
    "GateError",
    "GateFailure",
    "JudgeError",
    "LedgerError",
    "LlmrelError",
    "PerturbationError",
    "PlanError",
    "ResponseTooLarge",
    "RunTimeout",
    "ScorerError",
    "ShardError",
    "TapeError",
    "Unreplayable",
    "UsageProblem",
    "WordingsError",
]


class LlmrelError(Exception):
    """Anything pytest_llmrel raises on purpose."""


class UsageProblem(LlmrelError):
    """One or more mistakes in what the user wrote.

    Attributes:
        problems: one sentence per mistake: what is wrong, with which value, and what to do.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class PlanError(UsageProblem):
    """A mark, option or ini value from which no plan can be made."""


class GateError(UsageProblem):
    """A gate such as ``"pass_rate >= 0.9"`` that cannot be read."""


class BaselineError(UsageProblem):
    """A baseline file, or an entry of it, that cannot be used as it is."""


class PerturbationError(UsageProblem):
    """A perturbation that is not there, or one of the user's own that does not work."""


class JudgeError(UsageProblem):
    """A judge that cannot be asked: its address, its key or one of its numbers will not do."""


class LedgerError(UsageProblem):
    """A ledger of finished runs, or a line of it, that cannot be used as it is."""


class CalibrationError(UsageProblem):
    """A file of labels, or the record of a judge's calibration, that cannot be used as it is."""


class ShardError(UsageProblem):
    """Reports of shards that do not belong together, or one that cannot be used."""


class TapeError(UsageProblem):
    """A tape, or a line of it, that cannot be used as it is."""


class DatasetError(UsageProblem):
    """A file of golden cases that cannot be used as it is; nothing of it is."""


class WordingsError(UsageProblem):
    """A paraphrase file, or a wording in it, that cannot be used as it is."""


class ScorerError(UsageProblem):
    """A scorer that cannot be used, or an answer of it that is no score."""


class ResponseTooLarge(LlmrelError):
    """An answer over HTTP is larger than anybody should keep; the run ends in an error, not in a failure."""


class GateFailure(LlmrelError, AssertionError):
    """The verdict of a ``krun`` test is FAIL or INCONCLUSIVE; the text is the explanation.

    Attributes:
        headline: the first line of the explanation, fit for a one-line summary.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.headline = text.partition("\n")[0]


class Abstained(BaseException):
    """Raised by ``llmrel.abstain`` to end the run."""


class BudgetSpent(BaseException):
    """Raised in place of a call when the session has spent its budget."""


class Unreplayable(BaseException):
    """Raised in place of a call that is not on the tape, or is another one than was recorded."""


class RunTimeout(BaseException):
    """Raised inside a run that took longer than its timeout."""
