"""What secrets look like: the formats of the common providers, each with a mark that is cheap to look for."""

import re
from dataclasses import dataclass

__all__ = ["FORMATS", "Format", "formats_in"]


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of secret.

    Attributes:
        kind: in words.
        marks: lower-case texts of which one is in every text with such a secret.
        pattern: finds it; the group ``secret`` is the part that must not be seen.
    """

    kind: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]


def _prefixed(kind: str, prefixes: tuple[str, ...], rest: str) -> Format:
    """A key that tells what it is by how it begins."""
    alternatives = "|".join(map(re.escape, prefixes))
    marks = tuple(prefix.lower() for prefix in prefixes)
    return Format(kind, marks, re.compile(rf"(?<![A-Za-z0-9_])(?P<secret>(?:{alternatives}){rest})"))


_NAMES = (
    r"pass(?:word|wd|phrase)|secret|api[_-]?key|access[_-]?key|account[_-]?key|shared[_-]?access[_-]?key"
    r"|(?:access|auth|refresh|session|id|bearer)[_-]?token|client[_-]?secret|private[_-]?key|credentials?"
    r"|aws_secret_access_key|token"
)
_PLACEHOLDER = r"(?!\.{3}|[xX*]{4}|<|\$|%|\[|\{|your|example|placeholder|none|null|true|false|test[_-]?key)"
_QUOTE = r"\\*[\"']?"

FORMATS: tuple[Format, ...] = (
    _prefixed("an OpenAI, Anthropic or similar API key", ("sk-",), r"[A-Za-z0-9_-]{20,}"),
    _prefixed("a Google API key", ("AIza",), r"[0-9A-Za-z_-]{35}"),
    _prefixed("a Google OAuth token", ("ya29.",), r"[0-9A-Za-z_-]{20,}"),
    _prefixed("an AWS access key id", ("AKIA", "ASIA"), r"[0-9A-Z]{16}(?![0-9A-Za-z])"),
    _prefixed("a GitHub token", ("ghp_", "gho_", "ghs_", "ghu_", "ghr_"), r"[0-9A-Za-z]{36,}"),
    _prefixed("a GitHub token", ("github_pat_",), r"[0-9A-Za-z_]{40,}"),
    _prefixed("a GitLab token", ("glpat-",), r"[0-9A-Za-z_-]{20,}"),
    _prefixed("a Slack token", ("xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-"), r"[0-9A-Za-z-]{10,}"),
    _prefixed("a Hugging Face token", ("hf_",), r"[0-9A-Za-z]{30,}"),
    _prefixed("a Groq API key", ("gsk_",), r"[0-9A-Za-z]{30,}"),
    _prefixed("an xAI API key", ("xai-",), r"[0-9A-Za-z]{30,}"),
    _prefixed("a Perplexity API key", ("pplx-",), r"[0-9A-Za-z]{30,}"),
    _prefixed("a Replicate token", ("r8_",), r"[0-9A-Za-z]{30,}"),
    _prefixed("a Stripe key", ("sk_live_", "rk_live_", "sk_test_", "rk_test_"), r"[0-9A-Za-z]{16,}"),
    _prefixed("a SendGrid key", ("SG.",), r"[0-9A-Za-z_-]{20,}\.[0-9A-Za-z_-]{20,}"),
    _prefixed("an npm token", ("npm_",), r"[0-9A-Za-z]{36}"),
    _prefixed("a PyPI token", ("pypi-",), r"[0-9A-Za-z_-]{40,}"),
    Format(
        "a JSON web token",
        ("eyj",),
        re.compile(r"(?P<secret>\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,})"),
    ),
    Format(
        "a private key",
        ("private key-----",),
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?P<secret>.+?)-----END", re.DOTALL),
    ),
    Format(
        "a Slack webhook",
        ("hooks.slack.com",),
        re.compile(r"hooks\.slack\.com/services/(?P<secret>[\w/]{20,})"),
    ),
    Format(
        "a bearer token",
        ("bearer",),
        re.compile(r"(?i)\bbearer\s+(?P<secret>(?=\S*\d)[\w.~+/-]{12,}=*)"),
    ),
    Format(
        "a password", ("basic ",), re.compile(r"\b[Bb]asic (?P<secret>[A-Za-z0-9+/]{12,}={0,2})(?![\w ])")
    ),
    Format(
        "a password in a URL",
        ("://",),
        re.compile(r"\b[a-zA-Z][\w+.-]{1,20}://[^\s/:@\"'\\]{1,80}:(?P<secret>[^\s/@\[\"'\\]{3,200})@"),
    ),
    Format(
        "an assigned secret",
        ("pass", "secret", "key", "token", "credential"),
        re.compile(
            rf"(?i)(?<![A-Za-z])(?:{_NAMES}){_QUOTE}\s*[:=]\s*{_QUOTE}{_PLACEHOLDER}"
            r"(?P<secret>(?=[^\s\"'\\,;&<>(){}]*\d)[^\s\"'\\,;&<>(){}\[\]]{12,})"
        ),
    ),
)
"""In the order in which they are looked for: keys that tell what they are, then those that a name tells."""


def formats_in(text: str) -> list[Format]:
    """Those of which a text has a mark, and so may have a secret."""
    lower = text.lower()
    return [kind for kind in FORMATS if any(mark in lower for mark in kind.marks)]
