"""What secrets look like: the formats of the common providers, and values whose names give them away."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Span", "is_named_secret", "is_secret_name", "spans_in"]

_SHORTEST = 12
_CONTEXT = 64
"""Characters before a value in which its name is looked for."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where something stands that looks like a secret.

    Attributes:
        kind: in words.
        start: its first character, counted from 0.
        end: the character behind its last.
    """

    kind: str
    start: int
    end: int


def spans_in(text: str) -> list[Span]:
    """Everything that looks like a secret, in the order in which it stands; no two overlap.

    One look at the text finds the few characters at which a secret may begin; only there is more tried.
    """
    found: list[Span] = []
    end = 0
    for sign in _SIGNS.finditer(text):
        at = sign.start()
        if at < end:
            continue
        span = next(filter(None, (look(text, at) for look in _LOOKS[text[at]])), None)
        if span is not None:
            found.append(Span(span.kind, max(span.start, end), span.end))
            end = span.end
    return found


@lru_cache(1024)
def is_secret_name(name: str) -> bool:
    """Whether a parameter of a URL lets somebody in: ``key``, ``accessToken``, ``X-Amz-Signature``."""
    parts = _HUMP.sub("_", name)
    return bool(_SECRET_PARAMETER.search(parts)) and not _HARMLESS_TOKEN.search(name)


def is_named_secret(name: str, value: str) -> bool:
    """Whether a value is a secret because of the name that it has in some document."""
    return _is_giving_away(name) and _is_telling(name, value)


# --- keys that tell what they are ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Key:
    """A kind of key that begins like no other.

    Attributes:
        kind: in words.
        begins: its first characters, the same for all.
        rest: what follows.
        needs: a text that must stand somewhere beside it.
    """

    kind: str
    begins: str
    rest: re.Pattern[str]
    needs: str = ""

    @property
    def sign(self) -> int:
        """Place in ``begins`` of the character that is looked for: one that is rare in prose."""
        return max(place for place, letter in enumerate(self.begins) if letter in "-_.AIJK")


def _keys(kind: str, begins: str, rest: str, needs: str = "") -> list[_Key]:
    return [_Key(kind, begin, re.compile(rest), needs) for begin in begins.split()]


_LONG_RUN = r"(?=[\w-]{0,120}?(?=[A-Za-z0-9]{12})[A-Za-z]{0,24}?(?:[0-9]|[a-z][A-Z]))[\w-]{20,}"
"""Twelve letters and digits in a row that are no word: there is more to sk-learn than to a key."""
_KEYS: tuple[_Key, ...] = (
    *_keys("an OpenAI, Anthropic or similar API key", "sk- csk- pcsk_", rf"(?a:{_LONG_RUN})"),
    *_keys("a Google API key", "AIza", r"[0-9A-Za-z_-]{35}"),
    *_keys("a Google OAuth token", "ya29.", r"[0-9A-Za-z_-]{20,}"),
    *_keys("a Google client secret", "GOCSPX-", r"[0-9A-Za-z_-]{20,}"),
    *_keys("an AWS access key id", "AKIA ASIA", r"[0-9A-Z]{16}(?![0-9A-Za-z])"),
    *_keys("a GitHub token", "ghp_ gho_ ghs_ ghu_ ghr_", r"[0-9A-Za-z]{36,}"),
    *_keys("a GitHub token", "github_pat_", r"[0-9A-Za-z_]{40,}"),
    *_keys("a GitLab token", "glpat-", r"[0-9A-Za-z_-]{20,}(?:\.[0-9a-z]{2}\.[0-9a-z]+)?"),
    *_keys("a Slack token", "xoxa- xoxb- xoxe- xoxp- xoxr- xoxs- xapp-", r"[0-9A-Za-z-]{14,}"),
    *_keys("a Hugging Face token", "hf_", r"[0-9A-Za-z]{30,}"),
    *_keys("a Groq API key", "gsk_", r"[0-9A-Za-z]{30,}"),
    *_keys("an xAI API key", "xai-", r"[0-9A-Za-z]{30,}"),
    *_keys("an NVIDIA API key", "nvapi-", r"[0-9A-Za-z_-]{30,}"),
    *_keys("a Perplexity API key", "pplx-", r"[0-9A-Za-z]{30,}"),
    *_keys("a Replicate token", "r8_", r"[0-9A-Za-z]{30,}"),
    *_keys("a Stripe key", "sk_live_ rk_live_ sk_test_ rk_test_", r"[0-9A-Za-z]{16,}"),
    *_keys("a SendGrid key", "SG.", r"[0-9A-Za-z_-]{20,}\.[0-9A-Za-z_-]{20,}"),
    *_keys("an npm token", "npm_", r"[0-9A-Za-z]{36}"),
    *_keys("a PyPI token", "pypi-", r"[0-9A-Za-z_-]{40,}"),
    *_keys("a Twilio key", "SK", r"[0-9a-f]{32}(?![0-9A-Za-z])", needs="wilio"),
    *_keys("a JSON web token", "eyJ", r"[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}"),
)
_ESCAPE = re.compile(r"(?:\\[abfnrtv0]|\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2}|[0-9\[;]m)$")
r"""What ends in a letter and yet is none: ``\n`` in JSON, ``%3D`` in a URL, the colours of a terminal."""


def _key(text: str, at: int) -> Span | None:
    for key in _KEYS:
        start = at - key.sign
        if start >= 0 and text.startswith(key.begins, start):
            rest = key.rest.match(text, start + len(key.begins))
            if rest and key.needs in text and not _is_within_word(text, start):
                return Span(key.kind, start, rest.end())
    return None


def _is_within_word(text: str, start: int) -> bool:
    before = text[max(0, start - 6) : start]
    return before[-1:].isalnum() and before[-1:].isascii() and not _ESCAPE.search(before)


# --- secrets by their surroundings --------------------------------------------------------------------------

_PRIVATE_KEY = re.compile(
    r"-BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
    r"(?P<secret>(?:(?:\s|\\+[nr])*+[A-Za-z-]{3,20}: [^\n\\]{1,200})*+(?:\s|\\+[nr])*+[A-Za-z0-9+/=]{16,}+"
    r"(?:(?:\s|\\+[nr]|[\"'+,])++[A-Za-z0-9+/=]++)*+)"
)
"""With its end or, where a text was cut off, without."""
_URL_PASSWORD = re.compile(
    r":(?:\\?/){2}[^\s/?#@:\"'<>\\]{0,200}:(?P<secret>(?!\[redacted\]@)[^\s/?#\"'<>\\]{1,400})@"
)
_WEBHOOK = re.compile(r"\.slack\.com/(?:services|triggers|workflows)/(?P<secret>[\w/]{20,})")
_BEARER = re.compile(
    r"(?i:bearer)(?:[ \t+]|%20)+(?P<secret>(?=[A-Za-z_.~+/:-]{0,200}[0-9])[A-Za-z0-9_.~+/:-]{12,}+=*)"
)
_BASIC = re.compile(r"(?i:basic)(?:[ \t+]|%20)+(?P<secret>[A-Za-z0-9+/]{8,}+={0,2})")


def _private_key(text: str, at: int) -> Span | None:
    return _matched("a private key", _PRIVATE_KEY.match(text, at))


def _webhook(text: str, at: int) -> Span | None:
    return _matched("a Slack webhook", _WEBHOOK.match(text, at))


def _url_password(text: str, at: int) -> Span | None:
    match = _URL_PASSWORD.match(text, at)
    if match and (_PLACEHOLDER.match(match["secret"]) or match["secret"].lower() in _NO_PASSWORDS):
        return None
    return _matched("a password in a URL", match)


def _scheme(text: str, at: int) -> Span | None:
    basic = _BASIC.match(text, at)
    if basic:
        return _matched("a password", basic) if _is_user_and_password(basic["secret"]) else None
    bearer = _BEARER.match(text, at)
    return None if bearer and _PLACEHOLDER.match(bearer["secret"]) else _matched("a bearer token", bearer)


def _is_user_and_password(encoded: str) -> bool:
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    return ":" in decoded and decoded.isprintable()


def _matched(kind: str, match: re.Match[str] | None) -> Span | None:
    return Span(kind, *match.span("secret")) if match else None


# --- values that a name gives away --------------------------------------------------------------------------

_ENDS = frozenset("key eys ken ens ret ets ord rds swd ase ial als sig ion kie pat ass".split())
"""Last letters of all the names below: nearly every other name ends here."""
_GIVING_AWAY = re.compile(
    r"(?:(?<![A-Za-z])|(?<=[a-z])(?=[A-Z]))(?i:pass(?:word|wd|phrase)|secret|token|authorization|cookie"
    r"|credential|(?:access|account|auth|encryption|master|private|secret|service|service[_-]?role"
    r"|shared[_-]?access|signing|storage|subscription)[_-]?key)s?$"
    r"|(?i:api[_-]?keys?)$|[?&](?:key|sig)$|(?-i:[A-Z0-9]_(?:KEYS?|TOKENS?|PASS|PAT))$"
)
_HARMLESS_TOKEN = re.compile(
    r"(?:(?<![A-Za-z])|(?<=[a-z])(?=[A-Z]))(?i:page|pagination|next|prev|previous|continuation|cancel|sync"
    r"|pad|eos|bos|unk|sep|cls|mask|stop|start|end|special|image|max|min|prompt|completion|input|output|cached"
    r"|reasoning)[_-]?(?i:tokens?)$|(?<![A-Za-z_-])(?i:tokens)$"
)
"""Marks of pages and of texts, and numbers of them; what is called so in capitals is the environment's."""
_SECRET_PARAMETER = re.compile(
    r"(?i:(?:^|[_-])(?:access|auth|code|credential|key|pass(?:word|wd)?|pwd|secret|sig(?:nature)?|token)s?$|apikey)"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_PASSWORDS = frozenset(("pass", "passwd", "password", "pw", "pwd", "secret"))
_PLACEHOLDER = re.compile(
    r"(?i:.{0,11}?(?:\.{3}|\*{3}|…|x{4})|<[^<>]+>|\{+[^{}]*\}|\[[a-z_ -]+\]|\$[({]|%[(s]|https?:|aws4-"
    r"|(?:your|insert|replace|enter|dummy|fake|example|sample)[_-]|my[_-](?:access|api|key|pass|secret|token)"
    r"|your(?:api|key|own|pass|secret|token)|change[_-]?(?:me|it)|placeholder|redacted|test[_-]?key"
    r"|(?:none|null|true|false|undefined|optional|string)(?![A-Za-z0-9])"
    r"|(?:self|cls|os|env|process|config|settings|request|args|ctx)\.|[.~]{0,2}/(?:[\w.-]+/)+[\w-]+\.[a-z]{2,5}$)"
    r"|\$[A-Z_][A-Z0-9_]*$|%[A-Z_][A-Z0-9_]*%|[A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASS|CRED)[A-Z0-9_]*$"
)
"""Values that stand for a secret, or for the place where it is."""
_STOPS = r"\s\"'`\\,;&<>(){}\[\]"
_VALUE = re.compile(
    r"[:=,][ \t]*+(?:b?(?P<quote>[\"'`])(?P<quoted>(?:\\.|(?!(?P=quote))[^\\\s]){12,}+)(?P=quote)"
    rf"|b?(?:\\*+[\"'`])?(?P<bare>(?=[^{_STOPS}]{{0,200}}[0-9])[^{_STOPS}]{{12,}}+))"
)
"""In quotes, or up to a blank or sign: then only with a digit, since prose and code have none."""
_DIGIT = re.compile(r"[0-9]")
"""Behind a comma a value without one is the next name of a list of names."""


def _assigned(text: str, at: int) -> Span | None:
    name = text[max(0, at - _CONTEXT) : at].rstrip(" \t\"'`\\]")
    if not _is_giving_away(name):
        return None
    match = _VALUE.match(text, at)
    if match is None:
        return None
    group = "quoted" if match["bare"] is None else "bare"
    is_listed = text[at] == "," and not _DIGIT.search(match[group])
    if is_listed or not _is_telling(name, match[group]):
        return None
    start, end = match.span(group)
    kind = next((key.kind for key in _KEYS if text.startswith(key.begins, start)), "an assigned secret")
    return Span(kind, start, end)


def _is_giving_away(name: str) -> bool:
    if name[-3:].lower() not in _ENDS:
        return False
    return bool(_GIVING_AWAY.search(name)) and not _HARMLESS_TOKEN.search(name)


def _is_telling(name: str, value: str) -> bool:
    """A value that is no placeholder; what models call a token may be a word or a number, too."""
    if len(value) < _SHORTEST or _PLACEHOLDER.match(value) or any(map(str.isspace, value)):
        return False
    return not name.lower().endswith(("token", "tokens")) or not (value.isalpha() or value.isdecimal())


# --- where to look ------------------------------------------------------------------------------------------


def _signs() -> re.Pattern[str]:
    """Finds the characters at which a secret is looked for; in most texts there are few, or none."""
    begun: dict[str, list[str]] = {}
    for key in _KEYS:
        begun.setdefault(key.begins[key.sign], []).append(rf"(?<={re.escape(key.begins[: key.sign + 1])})")
    keys = [rf"{re.escape(sign)}(?=[0-9A-Za-z_-]{{14}})(?:{'|'.join(ends)})" for sign, ends in begun.items()]
    value = rf"[ \t]*+b?(?:\"[^\s\"]{{12}}|'[^\s']{{12}}|`[^\s`]{{12}}|(?:\\++[\"'`])?[^{_STOPS}]{{12}})"
    return re.compile(
        "|".join(
            (
                *keys,
                r"-(?<=-----)(?=BEGIN )",
                r"\.(?<=hooks\.)(?=slack\.com/)",
                r":(?=(?:\\?/){2}[^\s/?#\"'<>\\]{0,600}@)",
                rf":(?!//)(?={value})",
                rf"=(?={value})",
                r",(?<=[\"'],)(?= ?b?[\"'][^\s\"']{12})",
                r"B(?=(?i:earer|asic)[ \t+%])",
                r"b(?=(?i:earer|asic)[ \t+%])",
            )
        )
    )


_SIGNS = _signs()
_LOOKS: Mapping[str, tuple[Callable[[str, int], Span | None], ...]] = {
    **{key.begins[key.sign]: (_key,) for key in _KEYS},
    "-": (_key, _private_key),
    ".": (_key, _webhook),
    ":": (_url_password, _assigned),
    "=": (_assigned,),
    ",": (_assigned,),
    "B": (_scheme,),
    "b": (_scheme,),
}
