"""What the assistant does, not only says: JSON that must parse, and state that must end up right."""

import pytest
from shop_assistant import Basket

from pytest_llmrel import krun


@krun(10, pass_rate=0.8)
def test_order_is_extracted(bot):
    """An answer that is not the JSON asked for raises, and counts as the failure of the model it is."""
    order = bot.extract_order("Hi, please send 3 teapots to Lisbon. Thank you!")
    assert order == {"item": "teapot", "quantity": 3, "city": "Lisbon"}


@krun(10, pass_rate=0.8)
def test_basket_is_changed(bot, basket):
    """Every run has a basket of its own: ten runs add ten times two mugs, to ten baskets."""
    bot.change_basket(basket, "Please add 2 mugs to my basket.")
    assert basket.items == {"teapot": 1, "mug": 2}


@krun(8, gates=["pass_rate >= 0.75"])
def test_conversation_is_remembered(conversation):
    """Two turns in order; the history holds both of them and nothing of other runs."""
    assert "rooibos" in conversation.say("Which tea do you recommend for the evening?").lower()
    assert "6.50" in conversation.say("And how much is it?")
    roles = [message["role"] for message in conversation.history]
    assert roles == ["system", "user", "assistant", "user", "assistant"]


def test_basket_refuses_what_is_not_there(tmp_path):
    """An ordinary test needs no mark and runs once, as always."""
    basket = Basket(tmp_path / "basket.json")
    basket.change("mug", 2)
    with pytest.raises(ValueError, match="only 2 of mug"):
        basket.change("mug", -3)
