"""Every Python block of the documentation runs, as a test file of its own, with a bot that knows the answers."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
STORIES = {
    "build-a-golden-dataset.md",
    "find-the-wording-that-breaks-it.md",
    "know-what-it-costs.md",
    "measure-faithfulness.md",
    "record-and-replay.md",
    "resume-after-a-crash.md",
    "test-recovery.md",
    "trust-your-judge.md",
}
"""Pages that are tested as a whole, in their own order."""
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BOT = """
import pytest

class Bot:
    def ask(self, question):
        return "You are welcome to return it within 30 days."

    async def aask(self, question):
        return self.ask(question)

@pytest.fixture
def bot():
    return Bot()
"""
FAQ = (
    '{"question": "May I return it?", "expected": "30 days", "context": "You are welcome to return an item '
    'within 30 days."}'
)
BLOCKS = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    if page.name not in STORIES
    for number, block in enumerate(BLOCK.findall(page.read_text("utf-8")))
]


def test_there_are_examples() -> None:
    """The search finds the blocks, so that the test below cannot pass by finding none."""
    assert len(BLOCKS) > 5


@pytest.mark.parametrize("block", BLOCKS)
def test_example(pytester: pytest.Pytester, block: str) -> None:
    """The block runs as it stands; a block of a conftest.py is loaded as one."""
    is_conftest = block.startswith("# conftest.py")
    pytester.makeconftest(BOT + block if is_conftest else BOT)
    (pytester.mkdir("golden") / "faq.jsonl").write_text(FAQ)
    if not is_conftest:
        pytester.makepyfile(test_block=block)
    session = pytester.runpytest_inprocess("-q", "-p", "no:asyncio", "-p", "no:anyio")
    expected = {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
    assert session.ret in expected, session.stdout.str()
    if "def test_" in block:
        assert session.parseoutcomes().keys() == {"passed"}
