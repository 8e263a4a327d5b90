"""The application under test: the assistant of a small tea shop, on any OpenAI-compatible endpoint.

It is what many LLM features are: a system prompt, a request, some state, and a JSON answer that has to be
checked before it is believed.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

POLICIES = """\
You are the assistant of Copper Kettle, a small tea shop. Answer in one or two friendly sentences.
- Returns: unopened items, within 30 days of delivery, full refund.
- Delivery: 3 to 5 working days, 4.90 euros, free from 50 euros.
- Opening hours: Monday to Saturday, 9:00 to 18:00.
- Warranty: two years on kettles.
- Payment: credit card, PayPal or bank transfer.
- Never offer a discount. If something broke, apologise and offer a replacement.
- Rooibos has no caffeine and is 6.50 euros for 100 grams.
- If you do not know, say that you are not sure."""

AS_ORDER = "Answer with nothing but a JSON object with the keys item (singular), quantity (integer) and city."
AS_CHANGE = "Answer with nothing but a JSON object with the keys action (add or remove), item and quantity."

Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the model is, and which one it is."""

    base_url: str
    api_key: str
    model: str

    @classmethod
    def from_environment(cls) -> Endpoint:
        """Reads ``OPENAI_BASE_URL``, ``OPENAI_API_KEY`` and ``LLM_MODEL``."""
        return cls(
            base_url=os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1"),
            api_key=os.environ.get("OPENAI_API_KEY", ""),
            model=os.environ.get("LLM_MODEL", "shop-assistant"),
        )

    def client_options(self, timeout: float = 30.0) -> dict[str, Any]:
        """Returns what a client that asks it is made with; the timeout is in seconds."""
        return {
            "base_url": self.base_url.rstrip("/") + "/",
            "headers": {"Authorization": f"Bearer {self.api_key}"},
            "timeout": timeout,
            # A model on this machine is not behind the proxy that the rest of the world may be behind.
            "trust_env": urlsplit(self.base_url).hostname not in {"127.0.0.1", "::1", "localhost"},
        }


class ShopAssistant:
    """Answers the customers of the shop."""

    def __init__(self, endpoint: Endpoint, client: httpx.Client) -> None:
        """Takes the endpoint to ask, and a client made with its ``client_options``."""
        self._endpoint = endpoint
        self._client = client

    def ask(self, question: str) -> str:
        """Returns the answer to one question, asked out of the blue."""
        return self.complete([_says("system", POLICIES), _says("user", question)])

    async def aask(self, question: str) -> str:
        """Returns the answer to one question, without blocking others."""
        payload = self._payload([_says("system", POLICIES), _says("user", question)])
        # A client per question belongs to no event loop but its own; a busy service would keep one open.
        options = self._endpoint.client_options()
        async with httpx.AsyncClient(**options, verify=_certificates()) as client:
            return _content(await client.post("chat/completions", json=payload))

    def complete(self, messages: list[Message]) -> str:
        """Returns what the model says next."""
        return _content(self._client.post("chat/completions", json=self._payload(messages)))

    def extract_order(self, message: str) -> dict[str, Any]:
        """Reads an order out of a customer's message.

        Raises:
            ValueError: the model's answer is not the JSON object it was asked for.
        """
        answer = self.complete([_says("system", AS_ORDER), _says("user", message)])
        return _checked(answer, {"item": str, "quantity": int, "city": str})

    def change_basket(self, basket: Basket, message: str) -> None:
        """Does to the basket what the customer asks for.

        Raises:
            ValueError: the model's answer is not a change that can be made.
        """
        answer = self.complete([_says("system", AS_CHANGE), _says("user", message)])
        change = _checked(answer, {"action": str, "item": str, "quantity": int})
        if change["action"] not in {"add", "remove"}:
            raise ValueError(f"cannot {change['action']} anything")
        basket.change(change["item"], change["quantity"] * (1 if change["action"] == "add" else -1))

    def _payload(self, messages: list[Message]) -> dict[str, Any]:
        return {"model": self._endpoint.model, "messages": messages}


@dataclass(slots=True)
class Conversation:
    """A talk that the model is told from the start each time, because it remembers nothing."""

    assistant: ShopAssistant
    history: list[Message] = field(default_factory=lambda: [_says("system", POLICIES)])

    def say(self, text: str) -> str:
        """Returns the answer and remembers both sides."""
        self.history.append(_says("user", text))
        answer = self.assistant.complete(self.history)
        self.history.append(_says("assistant", answer))
        return answer


class Basket:
    """What a customer is about to buy, kept in a file."""

    def __init__(self, path: Path) -> None:
        """Opens the basket kept at ``path``, or begins an empty one."""
        self._path = path
        self.items: dict[str, int] = json.loads(path.read_text("utf-8")) if path.exists() else {}

    def change(self, item: str, quantity: int) -> None:
        """Puts some of an item in, or with a negative quantity takes some out, and saves.

        Raises:
            ValueError: there are not that many to take out.
        """
        left = self.items.get(item, 0) + quantity
        if left < 0:
            raise ValueError(f"only {self.items.get(item, 0)} of {item} in the basket")
        self.items[item] = left
        self._path.write_text(json.dumps(self.items), "utf-8")


def _checked(answer: str, shape: dict[str, type]) -> dict[str, Any]:
    """Parses a model's answer, which is a stranger's input, and believes only what has the right shape."""
    value = json.loads(answer)
    if not isinstance(value, dict) or {key: type(member) for key, member in value.items()} != shape:
        raise ValueError(f"not the JSON asked for: {answer}")
    return value


@cache
def _certificates() -> ssl.SSLContext:
    """Loaded once: it takes longer than many an answer."""
    return httpx.create_ssl_context()


def _says(role: str, text: str) -> Message:
    return {"role": role, "content": text}


def _content(response: httpx.Response) -> str:
    response.raise_for_status()
    return response.json()["choices"][0]["message"]["content"]
