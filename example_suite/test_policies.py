"""Does the assistant know the policies of the shop, however it is asked?

Each test asks a question of its own. The simulated model then has the same luck whichever tests run, in
whatever order; a real model does not care.
"""

import pytest

from pytest_llmrel import krun, paraphrase


@krun(10, pass_rate=0.8)
def test_refund_window(bot):
    """Ten runs, one verdict: at least eight of them must say 30 days."""
    assert "30 days" in bot.ask("How long do I have to return an item?")


@krun(5, pass_rate=0.9)
@paraphrase("question", file="wordings/refund.toml", perturb=["typos", "case"])
async def test_refund_window_in_any_wording(bot, question):
    """The wordings of a reviewed file and two edits of the first; one that the model stumbles over shows."""
    assert "30 days" in await bot.aask(question)


@krun(10, gates=["pass^5 >= 0.5", "latency_p95 <= 2"])
def test_opening_hours_are_consistent(bot):
    """A customer who asks five times should get five right answers, each of them soon."""
    answer = bot.ask("When are you open on Saturday?")
    assert "9:00" in answer
    assert "18:00" in answer


@krun(20, gates=["pass_rate >= 0.6"])
async def test_warranty(bot, llmrel):
    """Not knowing is better than inventing: a run that declines is neither a pass nor a wrong answer."""
    answer = await bot.aask("How long is the warranty on the copper kettle?")
    if "not sure" in answer:
        llmrel.abstain(answer)
    assert "two years" in answer.lower()


@krun(10, pass_rate=0.8)
@pytest.mark.parametrize("method", ["PayPal", "credit card", "bank transfer"])
def test_ways_to_pay(bot, method):
    """Every parameter stays a test item of its own, with a verdict of its own."""
    answer = bot.ask(f"Can I pay with {method}?")
    assert "yes" in answer.lower()
    assert method in answer


@krun(10, pass_rate=0.8)
class TestDelivery:
    """A mark on a class holds for each of its tests; an instance lives for one run."""

    asked = 0

    def test_how_long_it_takes(self, bot):
        """The time, and nothing left over on the instance from another run."""
        self.asked += 1
        assert "3 to 5 working days" in bot.ask("How long does delivery take?")
        assert self.asked == 1

    async def test_what_it_costs(self, bot):
        """The limit from which delivery is free."""
        assert "50 euros" in await bot.aask("Is shipping free?")

    @krun(20)
    def test_before_the_weekend(self, bot):
        """The closest mark wins, per argument: twenty runs here, the pass rate of the class."""
        assert "3 to 5" in bot.ask("Will my parcel arrive before the weekend?")
