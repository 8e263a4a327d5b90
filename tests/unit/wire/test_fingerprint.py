"""What a request asked, field by field; and which change of it is told."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from pytest_llmrel.wire.fingerprint import difference, fingerprint
from pytest_llmrel.wire.redaction import REDACTED, Redactor
from pytest_llmrel.wire.steps import Request


def printed(
    body: Any = None, url: str = "http://127.0.0.1:5000/v1/chat", kind: str = "application/json"
) -> Any:
    """The fingerprint of a request."""
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    return fingerprint(Request("POST", url, (("Content-Type", kind),), data), Redactor())


def test_fields_have_names_and_short_values() -> None:
    """Long ones are remembered by their hash; numbers, truth and nothing are what they are."""
    fields = printed(
        {"model": "m", "n": 1, "stream": False, "stop": None, "messages": [{"content": "x" * 100}]}
    )
    assert fields["body.model"] == "m"
    assert (fields["body.n"], fields["body.stream"], fields["body.stop"]) == ("1", "false", "null")
    assert fields["body.messages[0].content"].startswith("100 bytes ")
    assert fields["path"] == "/v1/chat"


def test_the_host_is_no_part_of_it() -> None:
    """A simulator on a free port, or another region, gives the same answers."""
    assert printed({"a": 1}) == printed({"a": 1}, "https://eu.example:443/v1/chat")


def test_parameters_are_fields_and_secrets_are_not() -> None:
    """A key in the URL may change, and stands nowhere."""
    fields = printed(b"", "http://x/y?alt=sse&key=abcdefghijklmnop")
    assert fields["query.alt"] == "sse"
    assert "abcdefghijklmnop" not in json.dumps(fields)
    assert difference(fields, printed(b"", "http://x/y?alt=sse&key=another-key-entirely")) == ""


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        ({"m": "a"}, {"m": "b"}, "body.m was a and is b"),
        ({"m": "a"}, {}, "body.m was a and is not there"),
        ({}, {"m": "a"}, "body was {} and is not there (and 1 more fields changed)"),
        ({"m": [1, 2]}, {"m": [1]}, "body.m[1] was 2 and is not there"),
        ({"m": "x" * 70}, {"m": "y" * 70}, "body.m was 70 bytes"),
        (
            {"a": {"b": {"c": {"d": {"e": 1}}}}},
            {"a": {"b": {"c": {"d": {"e": 2}}}}},
            'body.a.b.c.d was {"e": 1}',
        ),
    ],
)
def test_a_change_is_named(then: Any, now: Any, said: str) -> None:
    """The first of them, and how many more there are."""
    assert difference(printed(then), printed(now)).startswith(said)


def test_fields_that_may_change() -> None:
    """By name, with everything below; not what only begins alike."""
    then, now = printed({"meta": {"id": 1}, "metadata": 1}), printed({"meta": {"id": 2}, "metadata": 2})
    assert difference(then, now, ["body.meta"]) == "body.metadata was 1 and is 2"
    assert difference(then, now, ["body.meta", "body.metadata"]) == ""
    assert difference(printed([1, 2]), printed([1, 3]), ["body"]) == ""


def test_a_form_is_the_same_whatever_separates_its_parts() -> None:
    """The boundary of a multipart form is random."""

    def form(boundary: str) -> Any:
        body = f"--{boundary}\r\n\r\nhello\r\n--{boundary}--".encode()
        return printed(body, kind=f"multipart/form-data; boundary={boundary}")

    assert form("one-boundary") == form("another")
    assert form("one")["body"] != printed(b"--one\r\n\r\nbye\r\n--one--")["body"]


@pytest.mark.parametrize(
    "body", [None, b"", b"\xff\xfe", b"[" * 100_000, json.dumps(list(range(1000))).encode()]
)
def test_bodies_that_have_no_fields(body: bytes | None) -> None:
    """A stream, nothing, bytes, hostile nesting, too many fields: one field at most, and no error."""
    assert len([name for name in printed(body) if name.startswith("body")]) <= 1


@pytest.mark.parametrize("key", ["\ud800", "two\nlines", "\x1b[31m", "\u202e"])
def test_names_that_cannot_be_printed(key: str) -> None:
    """Line breaks and halves of characters would stand in a message about a change: such a name goes by its hash."""
    asked, url = {"metadata": {key: 1}}, f"http://h/v1?{quote(key, errors='replace')}=2"
    fields = printed(asked, url)
    assert all(name.isprintable() for name in fields)
    assert {"1", "2"} <= set(fields.values())
    other = printed({"metadata": {key + "x": 1}}, url)
    assert difference(fields, other).startswith("body.metadata.")
    assert difference(fields, other, ["body.metadata"]) == ""


def test_secrets_in_a_body_are_in_no_field() -> None:
    """A credential that the session has learned is replaced, in a short text and beside other fields."""
    redactor = Redactor(more=["opaque-credential-1"])
    body = json.dumps({"a": "opaque-credential-1", "b": ["x opaque-credential-1 y", 1]}).encode()
    fields = fingerprint(Request("POST", "http://h/v1", (), body), redactor)
    assert "opaque-credential-1" not in json.dumps(dict(fields))
    assert (fields["body.a"], fields["body.b[1]"]) == (REDACTED, "1")


def test_a_change_deep_in_a_document_is_found() -> None:
    """Below the levels that have fields of their own, and in the middle of a long text."""
    deep: Any = [1]
    for _ in range(8):
        deep = {"x": deep}
    changed = json.loads(json.dumps(deep).replace("1", "2"))
    assert difference(printed(deep), printed(changed)).startswith("body.x.x.x.x was ")
    long = "x" * 500
    assert difference(printed({"a": long}), printed({"a": long[:250] + "y" + long[251:]})).startswith(
        "body.a was 500"
    )


@pytest.mark.parametrize("order", [["a", "b"], ["b", "a"]])
def test_the_order_of_members_is_no_change(order: list[str]) -> None:
    """At any depth: other versions of an SDK build the same document in another order."""
    nested = {name: {"x": {"y": {"z": {"p": 1, "q": 2} if name == "a" else 3}}} for name in order}
    assert difference(printed(nested), printed({"a": nested["a"], "b": nested["b"]})) == ""
    deep = {"x": {"x": {"x": {"x": dict.fromkeys(order, 1)}}}}
    assert difference(printed(deep), printed({"x": {"x": {"x": {"x": {"a": 1, "b": 1}}}}})) == ""
