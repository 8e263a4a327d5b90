"""Credentials that were used, in every way in which they may be written, and all that is left of other texts."""

import base64
import html
import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, quote_plus

import pytest

from pytest_llmrel.wire.redaction import REDACTED, Redactor, kept_headers

CREDENTIAL = "correct horse/battery+staple é <\"&'>"
WAYS = {
    "plain": CREDENTIAL,
    "quoted": quote(CREDENTIAL, safe=""),
    "quoted but for slashes": quote(CREDENTIAL),
    "quoted in lower case": quote(CREDENTIAL, safe="").lower(),
    "form": quote_plus(CREDENTIAL),
    "json": json.dumps(CREDENTIAL)[1:-1],
    "json with letters": json.dumps(CREDENTIAL, ensure_ascii=False)[1:-1],
    "json in json": json.dumps(json.dumps(CREDENTIAL)[1:-1])[1:-1],
    "python": repr(CREDENTIAL)[1:-1],
    "bytes": repr(CREDENTIAL.encode())[2:-1],
    "html": html.escape(CREDENTIAL),
    "base64": base64.b64encode(CREDENTIAL.encode()).decode(),
    "base64 of urls": base64.urlsafe_b64encode(CREDENTIAL.encode()).decode(),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_credential_in_every_way_of_writing_it(way: str) -> None:
    """What a request carried is known, however an answer gives it back."""
    redactor = Redactor()
    redactor.learn_request("http://x", [("X-Api-Key", CREDENTIAL)])
    assert redactor.clean(f"you sent {WAYS[way]}!").replace("=", "") == f"you sent {REDACTED}!"


@pytest.mark.parametrize("before", ["", "u", "us", "use"])
@pytest.mark.parametrize("after", ["", "x", "xy", "xyz"])
def test_a_credential_within_what_is_encoded(before: str, after: str) -> None:
    """User and password in base64: of the password nothing is left but what half a byte tells."""
    credential = "opaque-credential-1"
    encoded = base64.b64encode(f"{before}{credential}{after}".encode()).decode()
    clean = Redactor(more=[credential]).clean(f"({encoded})")
    assert REDACTED in clean
    assert len(clean) <= len(f"({REDACTED})") + 4 * ((len(before) + 2) // 3 + (len(after) + 2) // 3 + 1)


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
        ("http://x/y?accessToken=opaque-credential-1", []),
        ("http://x/y?a=1&sig=opaque%2Dcredential%2D1", []),
        ("http://opaque%2Dcredential%2D1@x/y", []),
        ("http://[::1?key=opaque-credential-1", []),
        ("http://x", [("Proxy-Authorization", "Token opaque-credential-1")]),
        ("http://x", [("x-goog-api-key", " opaque-credential-1 ")]),
        ("http://x", [("Authorization", "Key me:opaque-credential-1")]),
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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0123456789abcdef"),
        ("Cookie", "__cf_bm=0123456789abcdef"),
        ("x-author", "Somebody of Somewhere"),
    ],
)
def test_what_lets_nobody_in_is_not_learned(name: str, value: str) -> None:
    """Signatures of one request and cookies of a CDN are new each time; an author is no authorization."""
    redactor = Redactor()
    redactor.learn_request("http://x", [(name, value)])
    text = f"{value.partition('=')[2]} and Somebody of Somewhere"
    assert redactor.clean(text) is text


def test_thousands_of_credentials() -> None:
    """A token for every request: each is known ever after, and innocent texts come back as they are."""
    redactor = Redactor()
    tokens = [f"opaque-{number:05}-credential" for number in range(3_000)]
    for token in tokens:
        redactor.learn_request("http://x", [("Authorization", f"Bearer {token}")])
    for token in (tokens[0], tokens[1234], tokens[-1]):
        for shift in range(8):
            assert redactor.clean(f"{'.' * shift}{token}!") == f"{'.' * shift}{REDACTED}!"
    text = "nothing here is secret, although opaque is the word " * 40
    assert redactor.clean(text) is text


def test_many_threads_at_once() -> None:
    """Eight threads learn and clean: whoever has told a secret never sees it again."""
    redactor = Redactor()

    def ask(number: int) -> str:
        token = f"thread-{number:04}-credential"
        redactor.learn_request(f"http://x?key=url-{token}", [("Authorization", f"Bearer {token}")])
        return redactor.clean(f"{token} url-{token}")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(800))) == {f"{REDACTED} {REDACTED}"}


def test_secrets_that_are_no_text() -> None:
    """Variables may hold any bytes; they stop no session, and are found in bytes."""
    secret = b"\xff\xfe-opaque-1-\xff".decode("utf-8", "surrogateescape")
    redactor = Redactor({"SHOP_KEY": secret}, more=["\ud800-half-a-letter"])
    assert redactor.clean_bytes(b"(\xff\xfe-opaque-1-\xff)") == f"({REDACTED})".encode()
    assert redactor.clean("(\ud800-half-a-letter)") == f"({REDACTED})"


def test_a_secret_that_appears_when_another_is_gone() -> None:
    """What is left is looked at again."""
    redactor = Redactor(more=["first-secret-1", f"{REDACTED}abcd"])
    assert redactor.clean("first-secret-1abcd") == REDACTED


@pytest.mark.parametrize(
    "name", ["MY_TOKEN", "api_key", "DB_PASSWORD_2", "AWS_CREDENTIALS", "API_KEYS", "GITHUB_PAT", "KEY"]
)
def test_names_of_secret_variables(name: str) -> None:
    """They end in what they are, perhaps with a number."""
    assert Redactor({name: "twelve-or-more"}).clean("twelve-or-more") == REDACTED


@pytest.mark.parametrize("name", ["HOME", "KEYBOARD", "TOKENIZERS_PARALLELISM", "PYTHONPATH", "COMPASS"])
def test_names_of_other_variables(name: str) -> None:
    """A word in a word says nothing."""
    assert Redactor({name: "twelve-or-more"}).clean("twelve-or-more") == "twelve-or-more"


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


def test_kept_headers_are_clean() -> None:
    """Limits, dates and ids are worth keeping; a server that gives the key back as an id is not."""
    headers = [
        ("Date", "Tue, 24 Nov 2026 10:00:00 GMT"),
        ("X-RateLimit-Remaining-Tokens", "149984"),
        ("anthropic-ratelimit-unified-5h-status", "allowed"),
        ("x-request-id", "gs" + "k_" + "aB3dE6gH9jK2" * 4),
        ("Content-Encoding", "gzip"),
        ("x-ratelimits", "?"),
    ]
    assert kept_headers(headers) == [
        ("date", "Tue, 24 Nov 2026 10:00:00 GMT"),
        ("x-ratelimit-remaining-tokens", "149984"),
        ("anthropic-ratelimit-unified-5h-status", "allowed"),
        ("x-request-id", REDACTED),
    ]


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        (
            "https://me:pass@api.example:8080/v1/x?key=short&alt=sse&q=a%20b",
            "https://api.example:8080/v1/x?key={}&alt=sse&q=a%20b",
        ),
        ("//me@x/y", "//x/y"),
        ("http://x/a@b?mail=a@b,c+d&pageToken=5", "http://x/a@b?mail=a@b,c+d&pageToken=5"),
        ("http://x/?clientSecret=a&api%5Fkey=b&token=", "http://x/?clientSecret={}&api%5Fkey={}&token={}"),
        ("http://x/?X-Amz-Signature=a&X-Amz-Date=b", "http://x/?X-Amz-Signature={}&X-Amz-Date=b"),
        ("http://x/#access_token=a", "http://x/#access_token={}"),
        ("http://[::1?sig=a", "http://[::1?sig={}"),
        ("http://x/?q=why?api_key=a", "http://x/?q=why?api_key={}"),
        ("http://x/?key=a?b&q=why?", "http://x/?key={}&q=why?"),
    ],
)
def test_a_url_can_still_be_read(url: str, clean: str) -> None:
    """Without user, password and the values of secret parameters, and not one letter else."""
    assert Redactor().clean_url(url) == clean.replace("{}", REDACTED)


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


def test_data_without_secrets_is_the_same() -> None:
    """The very same object, all the way down, and what is next to a secret is not copied."""
    redactor = Redactor(more=["opaque-credential-1"])
    innocent = {"a": ["b", ("c", 1)], 2: None}
    assert redactor.clean_data(innocent) is innocent
    mixed = redactor.clean_data([innocent, ("opaque-credential-1",)])
    assert mixed == [innocent, (REDACTED,)]
    assert mixed[0] is innocent


def test_keys_that_become_one_are_numbered() -> None:
    """Nothing is lost, whichever comes first."""
    redactor = Redactor(more=["opaque-credential-1", "opaque-credential-2"])
    data = {"opaque-credential-1": 1, "opaque-credential-2": 2, REDACTED: 3}
    assert redactor.clean_data(data) == {REDACTED: 1, f"{REDACTED} 2": 2, f"{REDACTED} 3": 3}


def test_a_value_is_judged_by_its_key() -> None:
    """As it would be in the text of the document; one that stands for a secret stays."""
    value = "a8f5f167f44f" + "4964e6c998de"
    data = {"api_key": value, "password": "${SHOP_PASSWORD}", "id": value, "prompt_token": value}
    assert Redactor().clean_data(data) == {**data, "api_key": REDACTED}
