"""Does the assistant answer the frequent questions, and out of the policies alone?"""

import json
from pathlib import Path

from shop_assistant import POLICIES

from pytest_llmrel import golden, krun


@krun(3, gates=["pass_rate >= 0.9", "faithfulness >= 0.65"])
@golden("golden/faq.jsonl")
def test_faq(bot, case, llmrel):
    """Every row of the file three times; what an answer adds to the context of its row lowers its score."""
    answer = bot.ask(case.question)
    llmrel.faithfulness(answer, context=case.context)
    assert case.expected in answer


def test_contexts_are_our_policies():
    """Golden data age: a row must not hold the assistant to what the shop no longer says."""
    rows = (Path(__file__).parent / "golden" / "faq.jsonl").read_text("utf-8").splitlines()
    assert [row for row in rows if json.loads(row)["context"] not in POLICIES] == []
