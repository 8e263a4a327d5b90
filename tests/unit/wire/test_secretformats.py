"""What looks like a secret, in every place where a session writes, and what only looks like it."""

import base64
import json
from collections.abc import Callable
from time import thread_time

import pytest

from pytest_llmrel.wire.redaction import REDACTED, Redactor, secrets_in
from pytest_llmrel.wire.secretformats import is_named_secret, is_secret_name, spans_in

LETTERS = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7" * 8


def key(prefix: str, length: int) -> str:
    """A key that nobody has, made at run time so that no scanner takes this file for a leak."""
    return prefix + LETTERS[:length]


PLANTED = {
    "openai": key("sk-", 40),
    "openai project": key("sk-proj-", 60),
    "openai service": key("sk-svcacct-", 60),
    "openai admin": key("sk-admin-", 60),
    "openrouter": "sk-or-" + "v1-" + "0123456789abcdef" * 4,
    "langfuse": "sk-lf-" + "550e8400-e29b-41d4-a716-446655440000",
    "anthropic": key("sk-ant-" + "api03-", 60),
    "google": key("AI" + "za", 35),
    "google oauth": key("ya" + "29.", 40),
    "google client": key("GOC" + "SPX-", 28),
    "aws": "AK" + "IA" + "ABCDEFGH12345678",
    "aws for a while": "AS" + "IA" + "ABCDEFGH12345678",
    "github": key("gh" + "p_", 36),
    "github oauth": key("gh" + "o_", 36),
    "github app": key("gh" + "s_", 36),
    "github user": key("gh" + "u_", 36),
    "github fine": key("github_" + "pat_", 60),
    "gitlab": key("gl" + "pat-", 20),
    "slack": key("xo" + "xb-", 30),
    "slack user": key("xo" + "xp-", 30),
    "hugging face": key("h" + "f_", 34),
    "groq": key("gs" + "k_", 50),
    "xai": key("xa" + "i-", 50),
    "perplexity": key("pp" + "lx-", 40),
    "replicate": key("r" + "8_", 37),
    "nvidia": key("nv" + "api-", 60),
    "stripe": key("sk_" + "live_", 24),
    "stripe restricted": key("rk_" + "live_", 24),
    "stripe test": key("sk_" + "test_", 24),
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
    "a line of its own in json": lambda secret: json.dumps({"m": f"provided:\n{secret}\n\tand\t{secret}"}),
    "colours": lambda secret: f"\x1b[31m{secret}\x1b[0m",
    "an escaped url": lambda secret: f"redirect%3Fx%3D{secret}%26y%3D1",
    "after ideographs": lambda secret: f"密钥{secret}。",
    "markdown": lambda secret: f"Use `{secret}` or **{secret}**.",
    "assigned": lambda secret: f'{{"api_key": "{secret}"}}',
}
CONTEXT = {
    "assignment": 'api_key = "{}"',
    "argument": "Client(api_key='{}', retries=2)",
    "environment": "MISTRAL_API_KEY={}",
    "any environment": "export SHOP_ADMIN_TOKEN={}",
    "django": "SECRET_KEY = '{}'",
    "json": '{{"client_secret": "{}"}}',
    "json in json": '{{"body": "{{\\"access_token\\": \\"{}\\"}}"}}',
    "camel case": '{{"dbPassword": "{}"}}',
    "yaml": "password: {}",
    "subscription": "Ocp-Apim-Subscription-Key: {}",
    "headers of python": "headers = [('X-Api-Key', '{}')]",
    "headers of httpx": "headers = [(b'x-api-key', b'{}')]",
    "dictionary": "settings['auth_token'] = '{}'",
    "npm": "//registry.example/:_authToken={}",
    "bearer": "Authorization: Bearer {}",
    "quoted bearer": "{{'authorization': 'Bearer {}'}}",
    "bearer in a url": "header=Bearer%20{}",
    "account": "AccountKey={};EndpointSuffix=core",
    "aws": "aws_secret_access_key = {}",
    "a signed url": "https://shop.example/b?sv=1&sig={}&se=2",
    "key of a url": "https://model.example/v1?key={}",
    "url": "postgres://user:{}@db/main",
    "url without user": "redis://:{}@cache/0",
    "slack": "https://hooks.slack.com/services/{}",
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
    "task-550e8400-e29b-41d4-a716-446655440000",
    "pip install sk-learn-contrib-hdbscan-library or sk-learn-0-24-compatible-models",
    "claude-sonnet-4-5-20250929 and gpt-5-2025-08-07",
    '{"next_page_token": "CAUQAA1234567", "pad_token": "reserved_token_250"}',
    '{"token": " internationalization", "logprob": -0.1}, {"token": "internationalization"}',
    '{"required": ["api_key", "conversation_id"], "type": "object"}',
    'api_key=os.environ["OPENAI_API_KEY_2"], token=self.settings.token_v2_value',
    'api_key="MISTRAL_API_KEY_2"',
    "password=<put-it-here-123> token: ${{ secrets.TOKEN_1 }} secret=$SHOP_SECRET_1 key",
    "private_key: /etc/ssl/private/server-1.pem",
    '"api_key": "https://platform.example/account/api-keys/1"',
    "Incorrect API key provided: sk-proj-********************abcd.",
    "def login(self, password: Optional[str] = None, token: Token123 = ...) -> None:",
    "http://localhost:8080?email=someone@example.org and http://host:8080/x, mail me@example.org",
    "https://user:${PASSWORD}@db/x and https://user:password@db/x",
    'WWW-Authenticate: Bearer realm="api", error="invalid_token"',
    "Basic authentication12 takes a user and a password",
    "-----BEGIN PRIVATE KEY----- is how such a file begins",
    "A twilio text and SK" + "0123456789",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", PLANTED)
def test_a_key_that_tells_what_it_is(kind: str, place: str) -> None:
    """Wherever it stands, it is found by the linter, once and by its kind, and taken out; the rest stays."""
    secret = PLANTED[kind]
    text = PLACES[place](secret)
    escaped = json.dumps(secret)[1:-1]
    found = secrets_in(text)
    assert len(found) == text.count(escaped)
    assert {one.kind for one in found} <= {one.kind for one in secrets_in(secret)}
    clean = Redactor().clean(text)
    assert clean == text.replace(escaped, REDACTED)
    assert secrets_in(clean) == []


@pytest.mark.parametrize("context", CONTEXT)
def test_a_key_that_only_its_name_tells(context: str) -> None:
    """A value without any format of its own."""
    secret = "a8f5f167f44f" + "4964e6c998de"
    assert secrets_in(secret) == []
    text = CONTEXT[context].format(secret)
    assert [found.line for found in secrets_in(text)] == [1]
    assert Redactor().clean(text) == CONTEXT[context].format(REDACTED)


@pytest.mark.parametrize(
    "secret",
    [
        "correct" + "horsebatterystaple",
        "with,some;signs&1",
        "$ecret" + "Passw0rd1",
        "true" + "Blue12345678",
        "it's" + "-me-12345678",
        "back\\\\slash12345",
    ],
)
def test_values_in_quotes(secret: str) -> None:
    """Up to the quote that ends them, whatever signs are in them, digits or none."""
    assert Redactor().clean(f'{{"password": "{secret}", "n": 1}}') == f'{{"password": "{REDACTED}", "n": 1}}'


@pytest.mark.parametrize("end", ["\n-----END {}-----", "\n", ""])
@pytest.mark.parametrize("head", ["", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0011\n\n"])
@pytest.mark.parametrize("name", ["PRIVATE" + " KEY", "RSA PRIVATE" + " KEY", "PGP PRIVATE" + " KEY BLOCK"])
@pytest.mark.parametrize("write", [str, json.dumps, repr])
def test_a_private_key(name: str, head: str, end: str, write: Callable[[str], str]) -> None:
    """All of its lines, with or without its end, as text, in JSON and in Python."""
    body = "\n".join(LETTERS[:64] for _ in range(4))
    text = write(f"-----BEGIN {name}-----\n{head}{body}{end.format(name)}")
    clean = Redactor().clean(text)
    assert LETTERS[:30] not in clean
    assert clean.startswith(text[: text.index(name)])
    assert [found.kind for found in secrets_in(text)] == ["a private key"]
    assert secrets_in(clean) == []


def test_basic_authentication() -> None:
    """What decodes to user and password, in the middle of a sentence, too."""
    encoded = base64.b64encode(b"somebody:" + b"opaque").decode()
    text = f"Authorization: Basic {encoded} was refused"
    assert Redactor().clean(text) == f"Authorization: Basic {REDACTED} was refused"


def test_a_twilio_key_needs_its_context() -> None:
    """The format alone could be anything."""
    secret = "SK" + "0123456789abcdef" * 2
    assert secrets_in(secret) == []
    assert [found.kind for found in secrets_in(f"api.twilio.com: {secret}")] == ["a Twilio key"]


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


def test_findings_have_their_lines() -> None:
    """In the order of the text, also where two are on one line."""
    text = f"a\n{PLANTED['groq']} {PLANTED['xai']}\n\n{PLANTED['npm']}"
    assert [(found.line, found.kind) for found in secrets_in(text)] == [
        (2, "a Groq API key"),
        (2, "an xAI API key"),
        (4, "an npm token"),
    ]


def test_spans_are_apart() -> None:
    """A key that is assigned, sent and part of a URL is one secret each time; spans hold it and nothing else."""
    secret = PLANTED["openai project"]
    text = f'api_key="{secret}" Bearer {secret} https://u:{secret}@x'
    assert [text[span.start : span.end] for span in spans_in(text)] == [secret] * 3


@pytest.mark.parametrize("name", ["backend_token", "weekendToken", "auth_tokens", "x-api-key", "shopSecret"])
def test_names_of_secrets(name: str) -> None:
    """Words are told by their humps, dashes and underscores: the end of backend is no end."""
    assert is_named_secret(name, "a8f5f167f44f" + "4964e6c998de")


@pytest.mark.parametrize("name", ["end_token", "nextPageToken", "max_tokens", "tokens", "monkey", "path", ""])
def test_names_of_other_things(name: str) -> None:
    """Marks of pages and of texts, and words that end alike."""
    assert not is_named_secret(name, "a8f5f167f44f" + "4964e6c998de")


def test_names_of_parameters() -> None:
    """In a URL shorter names say the same."""
    names = ["key", "sig", "code", "accessToken", "X-Amz-Security-Token", "api-key", "APIKEY"]
    assert [name for name in names if not is_secret_name(name)] == []
    assert [name for name in ["keyword", "q", "pageToken", "design", "encode"] if is_secret_name(name)] == []


@pytest.mark.parametrize(
    "piece",
    [
        "key=",
        "sk-",
        "sk-aaaaaaaaaaaaaaaa-",
        "a://b:",
        "://",
        "token='",
        "-----BEGIN PRIVATE " + "KEY-----\n",
        "basic aaaaaaaaaaaa ",
        "eyJaaaaaaaaaaaaaaaa.",
        ":",
        '"token","aaaaaaaaaaaaaaa",',
        "key=\\",
        "Bearer a",
    ],
)
def test_hostile_texts_cost_what_their_length_costs(piece: str) -> None:
    """A model that repeats the beginnings of secrets holds nothing up: 400 kB of them take seconds at most."""
    text = piece * (400_000 // len(piece))
    began = thread_time()
    spans_in(text)
    assert thread_time() - began < 20
