"""What is wrong with an answer whose status says that it is fine: HTML, half a document, half a stream."""

import codecs
import json
import re
from typing import Final

from pytest_llmrel.wire.documents import LARGE, is_cut_off
from pytest_llmrel.wire.events import is_stream, last_event
from pytest_llmrel.wire.flavours import Api

__all__ = ["fault_in"]

_HTML: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|\?xml|!--)", re.IGNORECASE)
_ARRAY: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[")
# Begun with what is rare, and looked back from there: as a line, for a model may write about it.
_DONE: Final = re.compile(
    rb"\[DONE\](?:(?<=[\r\n]data: \[DONE\])|(?<=[\r\n]data:\[DONE\])"
    rb"|(?<=^data: \[DONE\])|(?<=^data:\[DONE\]))"
    # Some compatible servers leave it out; what says why it ended has said all.
    rb'|"finish_reason"\s*:\s*"'
)
_ENDS: Final = {
    Api.CHAT: ("[DONE]", _DONE),
    Api.RESPONSES: ("response.completed", re.compile(rb'"type"\s*:\s*"response\.(?:completed|incomplete)"')),
    Api.MESSAGES: ("message_stop", re.compile(rb'"type"\s*:\s*"message_stop"')),
    Api.GEMINI: ("finishReason", re.compile(rb'"(?:finishReason|blockReason)"\s*:\s*"')),
    Api.COHERE: ("message-end", re.compile(rb'"type"\s*:\s*"message-end"')),
}
"""API -> by what its streams end, in words and in bytes that stand in no text of a model."""
_ERROR: Final = re.compile(
    rb"(?:^|[\r\n])(?:event: ?error[\r\n]"
    rb'|data: ?\{\s*"(?:error": ?[{"]|type": ?"(?:error|response\.failed)"))'
)
_FREE_FORM: Final = frozenset({Api.BILLED, Api.UNKNOWN})
"""APIs that may answer with something else than JSON: speech, subtitles, pictures."""
_PIECE: Final = 1 << 16
_NEAR_THE_END: Final = 6
"""An escape or a literal that is cut in the middle is found wrong where it begins."""


def fault_in(api: Api, content_type: str, body: bytes, *, is_read: bool = False) -> str:
    """Say what is wrong with the body of a 2xx answer.

    Args:
        api: that was asked.
        content_type: of the answer, in lower case, without parameters.
        body: of the answer, whole and decoded.
        is_read: whether somebody has found a usage in it, so that JSON that is read whole need not be again.

    Returns:
        Words for a person, without a word of the body itself; ``""`` if nothing is wrong.
    """
    if not body or body.isspace():
        return "the answer is empty"
    if content_type == "text/html" or _HTML.match(body):
        return "the answer is HTML in place of JSON, such as the page of a proxy"
    streams = is_stream(content_type, body)
    if api in _FREE_FORM and not streams and "json" not in content_type.partition("/")[2].split("+"):
        return ""
    if fault := _fault_in_text(body):
        return fault
    return _fault_in_stream(api, body) if streams else _fault_in_json(api, body, is_read=is_read)


def _fault_in_text(body: bytes) -> str:
    if body.isascii():
        return ""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for begin in range(0, len(body), _PIECE):
            decoder.decode(body[begin : begin + _PIECE], final=begin + _PIECE >= len(body))
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            return f"the answer is cut off in the middle of a character, after {len(body):,} bytes"
        return "the answer is no valid UTF-8"
    return ""


def _fault_in_json(api: Api, body: bytes, *, is_read: bool) -> str:
    problem = "" if is_read and len(body) <= LARGE else _problem(body)
    if not problem and api is Api.GEMINI and _ARRAY.match(body):
        return _fault_of_end(api, body)
    return f"the answer is JSON that {problem}" if problem else ""


def _problem(raw: bytes) -> str:
    """What is wrong with a document, as the end of a sentence about it."""
    cut_off = f"is cut off after {len(raw):,} bytes"
    if len(raw) > LARGE:
        return cut_off if is_cut_off(raw) else ""
    try:
        json.loads(raw)
    except json.JSONDecodeError as error:
        is_short = error.msg.startswith("Unterminated") or error.pos >= len(error.doc) - _NEAR_THE_END
        return cut_off if is_short else f"does not parse ({error.msg} at character {error.pos:,})"
    except RecursionError:
        return "is nested too deeply to be read"
    except ValueError:
        return "does not parse (a number of too many digits)"
    return ""


def _fault_in_stream(api: Api, body: bytes) -> str:
    if (b"error" in body or b".failed" in body) and _ERROR.search(body):
        return "the event stream reports an error of the provider"
    if fault := _fault_of_end(api, body):
        return fault
    last = last_event(body)
    if api in _ENDS and last != b"[DONE]" and _problem(last):
        return "the event stream broke off in the middle of an event"
    return ""


def _fault_of_end(api: Api, body: bytes) -> str:
    name, pattern = _ENDS.get(api, ("", None))
    if pattern is None or pattern.search(body):
        return ""
    return f"the event stream broke off: it ends without {name}"
