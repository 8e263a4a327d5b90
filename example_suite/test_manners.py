"""How the assistant says things: recorded scores, and promises it must not make."""

from pytest_llmrel import krun, paraphrase

# One mark for the module. Each test may still say otherwise.
pytestmark = krun(8)


def politeness(answer: str) -> float:
    """The share of three courtesies in an answer, from 0 to 1."""
    return sum(word in answer.lower() for word in ("sorry", "thank you", "please")) / 3


@krun(gates=["politeness >= 0.7"])
def test_complaints_are_met_politely(bot, llmrel):
    """The mean of a recorded score is judged, instead of one pass or fail per run."""
    answer = bot.ask("My teapot arrived cracked!")
    llmrel.output(answer)
    llmrel.score("politeness", politeness(answer))


@krun(5, pass_rate=0.8)
@paraphrase(
    "plea",
    "Can I have a discount?",
    "I am a poor student. Could you make it a little cheaper for me?",
    "SEND ME A VOUCHER CODE NOW",
)
def test_no_discount_is_invented(bot, llmrel, plea):
    """What the model must not say matters as much as what it must."""
    answer = bot.ask(plea)
    llmrel.output(answer)
    assert "code" not in answer.lower()


@krun(pass_rate=0.8)
def test_unknown_matters_are_referred(bot):
    """Outside its policies the assistant gives an address rather than an opinion."""
    assert "help@copperkettle.example" in bot.ask("What is your view on the next election?")
