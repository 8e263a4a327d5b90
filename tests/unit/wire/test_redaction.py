"""Credentials, and what looks like one, in every place where a session writes; and what only looks like it."""

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from pytest_llmrel.wire.redaction import REDACTED, Redactor, kept_headers, secrets_in

LETTERS = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7" * 8


def key(prefix: str, length: int) -> str:
    """A key that nobody has, made at run time so that no scanner takes this file for a leak."""
    return prefix + LETTERS[:length]


PLANTED = {
    "openai": key("sk-", 40),
    "openai project": key("sk-proj-", 60),
    "anthropic": key("sk-ant-" + "api03-", 60),
    "google": key("AI" + "za", 35),
    "google oauth": key("ya" + "29.", 40),
    "aws": "AK" + "IA" + "ABCDEFGH12345678",
    "github": key("gh" + "p_", 36),
    "github fine": key("github_" + "pat_", 60),
    "gitlab": key("gl" + "pat-", 20),
    "slack": key("xo" + "xb-", 30),
    "hugging face": key("h" + "f_", 34),
    "groq": key("gs" + "k_", 50),
    "xai": key("xa" + "i-", 50),
    "perplexity": key("pp" + "lx-", 40),
    "replicate": key("r" + "8_", 37),
    "stripe": key("sk_" + "live_", 24),
    "sendgrid": key("S" + "G.", 22) + "." + LETTERS[:43],
    "npm": key("np" + "m_", 36),
    "pypi": key("py" + "pi-", 60),
    "jwt": ".".join(["ey" + "J" + LETTERS[:20], "ey" + "J" + LETTERS[:30], LETTERS[:20]]),
}
PLACES: dict[str, Callable[[str], str]] = {
    "prose": lambda secret: f"The call with {secret} was refused.",
    "json": lambda secret: json.dumps({"error": {"message": f"Incorrect API key provided: {secret}"}}),
    "json in json": lambda secret: json.dumps({"body": json.dumps({"k": secret})}),
    "url": lambda secret: f"https://api.example/v1?x={secret}&y=1",
    "traceback": lambda secret: f"    client = Client({secret!r})\nE   ValueError: {secret}\n",
}
CONTEXT = {
    "assignment": 'api_key = "{}"',
    "environment": "MISTRAL_API_KEY={}",
    "json": '{{"client_secret": "{}"}}',
    "yaml": "password: {}",
    "bearer": "Authorization: Bearer {}",
    "account": "AccountKey={};EndpointSuffix=core",
    "url": "postgres://user:{}@db/main",
}
INNOCENT = [
    "The token count was 1234567890123.",
    '{"prompt_tokens": 123456789012, "completion_tokens": 12}',
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
    "id 550e8400-e29b-41d4-a716-446655440000",
    "chatcmpl-d896a773d574baa6 and req_011CSHoEeqs5C35K2UUqR7Fy",
    "Basic understanding of tokens is the key: everything else follows.",
    'api_key = "..."',
    "api_key: your-api-key-goes-here-123",
    "password=${DATABASE_PASSWORD_1}",
    "https://example.org/a/b?page=2",
    "data:image/png;base64," + base64.b64encode(bytes(range(200))).decode(),
    "ask-me-anything-about-desk-lamps-and-more-things",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", PLANTED)
def test_a_key_that_tells_what_it_is(kind: str, place: str) -> None:
    """Wherever it stands, it is found by the linter and taken out; the rest stays."""
    secret = PLANTED[kind]
    text = PLACES[place](secret)
    assert len(secrets_in(text)) >= 1
    clean = Redactor().clean(text)
    assert secret not in clean
    assert REDACTED in clean
    assert secrets_in(clean) == []


@pytest.mark.parametrize("context", CONTEXT)
def test_a_key_that_only_its_name_tells(context: str) -> None:
    """A value without any format of its own."""
    secret = "a8f5f167f44f" + "4964e6c998de"
    text = CONTEXT[context].format(secret)
    assert [found.line for found in secrets_in(text)] == [1]
    assert Redactor().clean(text) == CONTEXT[context].format(REDACTED)


def test_a_private_key() -> None:
    """All of its lines."""
    body = "\n".join(LETTERS[:64] for _ in range(4))
    text = "-----BEGIN RSA " + f"PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"
    assert LETTERS[:30] not in Redactor().clean(text)


@pytest.mark.parametrize("text", INNOCENT)
def test_what_only_looks_like_it(text: str) -> None:
    """No false alarm, and not even another object."""
    assert secrets_in(text) == []
    assert Redactor().clean(text) is text


def test_a_finding_shows_hardly_anything() -> None:
    """Line, kind, four characters and the length."""
    (found,) = secrets_in("\n\n" + PLANTED["groq"])
    assert (found.line, found.kind) == (3, "a Groq API key")
    assert found.preview == f"{PLANTED['groq'][:4]}…, {len(PLANTED['groq'])} characters"


CREDENTIAL = "correct horse/battery+staple é"
WAYS = {
    "plain": CREDENTIAL,
    "quoted": quote(CREDENTIAL, safe=""),
    "json": json.dumps(CREDENTIAL)[1:-1],
    "base64": base64.b64encode(CREDENTIAL.encode()).decode(),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_credential_in_every_way_of_writing_it(way: str) -> None:
    """What a request carried is known, however an answer gives it back."""
    redactor = Redactor()
    redactor.learn_request("http://x", [("X-Api-Key", CREDENTIAL)])
    assert WAYS[way].rstrip("=") not in redactor.clean(f"you sent {WAYS[way]}!")


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://x", [("Authorization", "Bearer opaque-credential-1")]),
        ("http://x", [("authorization", "Basic " + base64.b64encode(b"me:opaque-credential-1").decode())]),
        ("http://x", [("Cookie", "theme=dark; session=opaque-credential-1")]),
        ("http://x", [("X-My-Secret-Thing", "opaque-credential-1")]),
        ("http://me:opaque-credential-1@x/y", []),
        ("http://x/y?api_key=opaque-credential-1", []),
        ("http://x/y?a=1&X-Amz-Signature=opaque-credential-1", []),
    ],
)
def test_where_requests_carry_credentials(url: str, headers: list[tuple[str, str]]) -> None:
    """In headers and in the URL, on their own and as a part."""
    redactor = Redactor()
    redactor.learn_request(url, headers)
    assert "opaque-credential-1" not in redactor.clean("the server says: opaque-credential-1")


def test_a_short_one_may_be_a_word() -> None:
    """The key "simulated" of an example is not taken out of every sentence."""
    redactor = Redactor()
    redactor.learn_request("http://x", [("Authorization", "Bearer simulated")])
    assert redactor.clean("a simulated model") == "a simulated model"


def test_headers_that_are_new_each_time_are_not_learned() -> None:
    """Ten thousand idempotency keys would make every look longer."""
    redactor = Redactor()
    redactor.learn_request("http://x", [("Idempotency-Key", "stainless-python-retry-1234")])
    assert redactor.clean("stainless-python-retry-1234") == "stainless-python-retry-1234"


def test_variables_that_are_secret_by_name() -> None:
    """Of the environment; others are nobody's business."""
    redactor = Redactor({"MY_TOKEN": "twelve-or-more", "HOME": "/home/somebody"}, more=["another-secret-1"])
    assert (
        redactor.clean("twelve-or-more another-secret-1 /home/somebody")
        == f"{REDACTED} {REDACTED} /home/somebody"
    )


def test_only_harmless_headers_are_kept() -> None:
    """By a list of those that are, not of those that are not."""
    headers = [("Content-Type", "text/plain"), ("Set-Cookie", "a=b"), ("X-New", "?"), ("Retry-After", "1")]
    assert kept_headers(headers) == [("content-type", "text/plain"), ("retry-after", "1")]


def test_a_url_can_still_be_read() -> None:
    """Without user, password and secret parameters."""
    url = "https://me:pass@api.example:8080/v1/x?key=short&alt=sse&q=a%20b"
    assert Redactor().clean_url(url) == f"https://api.example:8080/v1/x?key={REDACTED}&alt=sse&q=a%20b"


def test_bytes_that_are_no_text() -> None:
    """Only the secret is replaced; every other byte stays."""
    redactor = Redactor(more=["opaque-credential-1"])
    data = b"\xff\x00opaque-credential-1\xfe"
    assert redactor.clean_bytes(data) == b"\xff\x00" + REDACTED.encode() + b"\xfe"
    assert redactor.clean_bytes(b"\xff\x00") == b"\xff\x00"


def test_data_keeps_its_shape() -> None:
    """Keys of objects are cleaned, too; numbers are left alone."""
    redactor = Redactor(more=["opaque-credential-1"])
    assert redactor.clean_data({"opaque-credential-1": ["x opaque-credential-1", 1, None, 0.5, True]}) == {
        REDACTED: [f"x {REDACTED}", 1, None, 0.5, True]
    }
