"""``llmrel paraphrase review``: a person decides, one wording after the other."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, TextIO

from pytest_llmrel.core.seed import variant_key
from pytest_llmrel.datasets.wordings import refusal
from pytest_llmrel.datasets.wordingsread import read_wordings
from pytest_llmrel.datasets.wordingswrite import write_wordings
from pytest_llmrel.errors import WordingsError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_llmrel.datasets.wordings import Wording, Wordings

__all__ = ["Review"]

_ANSWERS = {word[0]: word for word in ("accept", "edit", "delete", "skip", "quit")}
_QUESTION = "[a]ccept  [e]dit  [d]elete  [s]kip  [q]uit > "
_LONGEST_LINE = 100_000
_DONE = {"accept": "accepted", "edit": "edited", "delete": "deleted", "skip": "skipped"}


class _Quit(Exception):
    """Nothing more is answered."""


class Review:
    """A walk through the wordings that nobody has reviewed; every decision is on disk before the next.

    Args:
        path: the paraphrase file.
        answers: where the answers are read from, a line each.
        shown: where the questions are written to.
    """

    def __init__(self, path: Path, answers: TextIO, shown: TextIO) -> None:
        self._path = path
        self._answers = answers
        self._shown = shown
        self._bytes = self._on_disk()
        self._wordings: Wordings = read_wordings(path, for_review=True)
        self._counts: Counter[str] = Counter()
        self._heard = False

    def walk(self) -> int:
        """Asks about each; returns 0, also if somebody quits.

        Raises:
            WordingsError: nobody is there to answer, or the file was changed by somebody else meanwhile.
        """
        waiting = self._wordings.unreviewed
        self._introduce(len(waiting))
        try:
            for number, wording in enumerate(waiting, 1):
                self._show(wording, f"{number} of {len(waiting)}, {wording.origin}")
                self._decide(wording)
            self._finish_stale()
        except (_Quit, KeyboardInterrupt) as ending:
            if isinstance(ending, _Quit) and not (self._heard or self._answers.isatty()):
                raise WordingsError(
                    f"{self._path}: nobody answers: the input is empty and no terminal; "
                    "review in a terminal, or send answers (a, e, d, s, q), a line each"
                ) from None
            self._say("")
        self._say(self._summary())
        return 0

    def _introduce(self, waiting: int) -> None:
        known = self._wordings
        if known.stale is not None:
            was = f"from {known.stale} to" if known.stale else "now"
            self._say(
                f"{self._path}: the primary wording is new or was changed (hash {was} "
                f"{variant_key(known.primary)}), so that all of its wordings are to be reviewed again."
            )
        self._say(f"{self._path}: {waiting} of {len(known.wordings)} wordings to review")

    def _show(self, wording: Wording, where: str) -> None:
        self._say("")
        self._say_text("primary:   ", self._wordings.primary)
        self._say_text("candidate: ", wording.text)
        self._say(f"({where})")

    def _decide(self, wording: Wording) -> None:
        while True:
            answer = self._ask(_QUESTION).strip().lower()
            choice = _ANSWERS.get(answer[:1], "") if answer in (*_ANSWERS, *_ANSWERS.values()) else ""
            if choice == "quit":
                raise _Quit
            if not choice:
                self._say("please answer a, e, d, s or q")
            elif self._done(choice, wording):
                self._counts[_DONE[choice]] += 1
                return

    def _done(self, choice: str, wording: Wording) -> bool:
        if choice == "accept":
            self._save(self._wordings.replacing(wording, replace(wording, reviewed=True)))
        elif choice == "delete":
            self._save(self._wordings.replacing(wording))
        elif choice == "edit":
            return self._edit(wording)
        return True

    def _edit(self, wording: Wording) -> bool:
        text = self._ask("new text (nothing: leave it) > ").rstrip("\r\n")
        if not text.strip():
            return False
        others = self._wordings.replacing(wording)
        reason = refusal(text, others)
        if reason:
            self._say(f"that will not do: {reason}")
            return False
        origin = wording.origin
        if origin != "written" and not origin.endswith(", edited"):
            origin = f"{origin}, edited"
        edited = replace(wording, text=text, origin=origin, reviewed=True)
        self._save(self._wordings.replacing(wording, edited))
        return True

    def _finish_stale(self) -> None:
        """Whoever has looked at all of them has seen the new primary wording."""
        if self._wordings.stale is not None:
            self._save(self._wordings)

    def _save(self, wordings: Wordings) -> None:
        if self._on_disk() != self._bytes:
            raise WordingsError(
                f"{self._path}: somebody else has changed it meanwhile; start the review again "
                "(what was decided before is saved)"
            )
        write_wordings(self._path, wordings)
        self._wordings = replace(wordings, stale=None)
        self._bytes = self._on_disk()

    def _on_disk(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except OSError:
            return None  # whoever reads it for its wordings says why

    def _summary(self) -> str:
        done = ", ".join(f"{self._counts[word]} {word}" for word in _DONE.values() if self._counts[word])
        left = len(self._wordings.unreviewed)
        waiting = f"{left} left to review" if left else "all reviewed"
        stale = "; the hash is still the old one" if self._wordings.stale is not None else ""
        return f"{self._path}: {done or 'nothing decided'}; {waiting}{stale}"

    def _ask(self, question: str) -> str:
        self._write(question)
        self._shown.flush()
        try:
            line = self._answers.readline(_LONGEST_LINE)
        except UnicodeDecodeError as error:
            raise WordingsError(f"the answers are not text in {error.encoding}") from None
        if not line:
            raise _Quit
        if len(line) == _LONGEST_LINE:
            raise WordingsError(f"an answer has {_LONGEST_LINE} characters or more; shorten it")
        self._heard = True
        if not self._answers.isatty():
            self._write("\n")  # as whoever types it would have done
        return line

    def _say(self, line: str) -> None:
        self._write(f"{line}\n")

    def _say_text(self, label: str, text: str) -> None:
        """A text of several lines stays behind its label, where it cannot pass for a question of ours."""
        self._say(label + text.replace("\n", "\n" + " " * (len(label) - 2) + "| "))

    def _write(self, text: str) -> None:
        from pytest_llmrel.reports.safe import printable

        encoding = self._shown.encoding or "utf-8"
        self._shown.write(printable(text).encode(encoding, "backslashreplace").decode(encoding))
