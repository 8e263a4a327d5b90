"""What interrupted sessions have left: which runs of which tests, to be read when a test asks for them."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_llmrel.errors import LedgerError
from pytest_llmrel.ledger.lines import VERSION, data_in, is_whole, test_of

__all__ = ["Former", "FormerTest"]


@dataclass(slots=True)
class FormerTest:
    """One test as it was then.

    Attributes:
        nodeid: pytest's name of it.
        places: of its runs: number of the file and offset, by turns, in the order in which they ended.
    """

    nodeid: str
    places: "array[int]" = field(default_factory=lambda: array("Q"))

    @property
    def runs(self) -> int:
        """How many there are."""
        return len(self.places) // 2


class Former:
    """Looks through all files once, and keeps where the runs are: sixteen bytes each.

    Lines that are damaged are left out, wherever they stand: the last one, that a dying process has torn, or
    any that a power failure took. So are the runs of a test whose own line is damaged.

    Args:
        files: in the order in which they were begun.

    Raises:
        LedgerError: a file cannot be read, is no ledger or one of another version.

    Attributes:
        tests: by their identity.
        damaged: how many lines were left out.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self.tests: dict[str, FormerTest] = {}
        self.damaged = 0
        for number, path in enumerate(files):
            try:
                self._scan(number, path)
            except OSError as error:
                raise LedgerError(f"{path}: cannot be read ({error.strerror or error})") from error

    @property
    def nodeids(self) -> frozenset[str]:
        """The names of all tests that have runs."""
        return frozenset(test.nodeid for test in self.tests.values() if test.runs)

    def runs(self, identity: str) -> Iterator[tuple[int, Any]]:
        """The seed of each run of a test, and what is known of it, in the order in which they ended.

        Raises:
            OSError: a file has gone in the meantime.
        """
        test = self.tests.get(identity)
        if test is None:
            return
        for number, path in enumerate(self._files):
            offsets = [test.places[n + 1] for n in range(0, len(test.places), 2) if test.places[n] == number]
            if not offsets:
                continue
            with path.open("rb") as file:
                for offset in offsets:
                    file.seek(offset)
                    yield self._run(file.readline())

    def _run(self, line: bytes) -> tuple[int, Any]:
        try:
            _, seed, data = data_in(line)
        except ValueError:
            return -1, None  # of no run: it was whole, but nothing that we write
        return (seed, data) if isinstance(seed, int) else (-1, None)

    def _scan(self, number: int, path: Path) -> None:
        tests: dict[int, FormerTest] = {}
        with path.open("rb") as file:
            offset = 0
            for line in file:
                if not offset:
                    if not line.endswith(b"\n"):
                        return  # it died before it had anything to say
                    _check(path, line)
                elif not is_whole(line) or not self._note(tests, line, number, offset):
                    self.damaged += 1
                offset += len(line)

    def _note(self, tests: dict[int, FormerTest], line: bytes, number: int, offset: int) -> bool:
        test = test_of(line)
        if test is not None:
            if test not in tests:
                return False
            tests[test].places.extend((number, offset))
            return True
        try:
            said = data_in(line)
            found = FormerTest(said["nodeid"])
            tests[said["test"]] = self.tests.setdefault(said["identity"], found)
        except (KeyError, TypeError, ValueError):
            return False
        return True


def _check(path: Path, line: bytes) -> None:
    """Whether the first line is that of a ledger that can be read here."""
    said: object = None
    if is_whole(line):
        try:
            said = data_in(line)
        except ValueError:
            said = None
    version = said.get("ledger") if isinstance(said, dict) else None
    if version is None:
        raise LedgerError(f"{path}: is no ledger; remove it, and its runs are made again")
    if version != VERSION:
        raise LedgerError(
            f"{path}: is a ledger of version {version!r}, and this pytest_llmrel reads version {VERSION}; "
            "resume with the pytest_llmrel that wrote it, or begin anew without --llmrel-resume"
        )
