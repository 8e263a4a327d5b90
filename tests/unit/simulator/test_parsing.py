"""The request parser: any splitting gives the same requests, and anything ambiguous is refused."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.simulator.messages import WireError
from pytest_llmrel.simulator.parsing import MAX_BODY, MAX_HEAD, RequestParser

PLAIN = b"POST /a?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;note=x\r\nhel\r\n0002\r\nlo\r\n0\r\nTrailer: t\r\n\r\n"
)
BARE = b"\r\nGET /c HTTP/1.1\r\nHost: h\r\n\r\n"
PIPELINE = PLAIN + CHUNKED + BARE + PLAIN


def cut(pieces: list[bytes]) -> list[tuple[str, str, bytes]]:
    """Feeds the pieces and collects the requests."""
    parser, found = RequestParser(), []
    for piece in pieces:
        parser.feed(piece)
        while (request := parser.next_request()) is not None:
            found.append((request.method, request.path, request.body))
    return found


EXPECTED = [("POST", "/a", b"hello"), ("POST", "/b", b"hello"), ("GET", "/c", b""), ("POST", "/a", b"hello")]


def test_a_pipeline_in_one_piece() -> None:
    """Requests glued together come out one by one."""
    assert cut([PIPELINE]) == EXPECTED


def test_a_pipeline_byte_by_byte() -> None:
    """Requests in pieces of one byte come out as if they were whole."""
    assert cut([PIPELINE[index : index + 1] for index in range(len(PIPELINE))]) == EXPECTED


@given(st.lists(st.integers(0, len(PIPELINE)), max_size=12))
def test_any_splitting_gives_the_same_requests(marks: list[int]) -> None:
    """Where the network cuts is of no consequence."""
    edges = [0, *sorted(marks), len(PIPELINE)]
    assert cut([PIPELINE[a:b] for a, b in pairwise(edges)]) == EXPECTED


STATUSES = {None, 400, 413, 417, 431, 501, 505}


def status_of(pieces: list[bytes]) -> int | None:
    """The status with which the pieces are refused, if they are."""
    try:
        cut(pieces)
    except WireError as error:
        return error.status
    return None


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_garbage_is_refused_or_awaited(first: bytes, second: bytes) -> None:
    """No bytes whatever raise anything but the one error the connection handles."""
    assert status_of([first, second]) in STATUSES


@given(st.binary(max_size=60))
def test_garbage_in_chunks_is_refused_or_awaited(garbage: bytes) -> None:
    """A broken chunked body raises nothing but the one error the connection handles."""
    head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert status_of([head, garbage]) in STATUSES


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"\x16\x03\x01\x02", 400),
        (b"hello\n", 400),
        (b"GET /\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: a\x00b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\nX: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1_0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \xb2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nHost: h\r\nExpect: miracles\r\n\r\n", 417),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1), 413),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + b"9" * 9000 + b"\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * MAX_HEAD, 431),
    ],
)
def test_what_cannot_be_understood_is_refused(request_bytes: bytes, status: int) -> None:
    """Each malformed request is refused with the status HTTP has for it, before anything else is read."""
    parser = RequestParser()
    parser.feed(request_bytes)
    with pytest.raises(WireError) as caught:
        parser.next_request()
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("chunks", "status"),
    [
        (b"xyz\r\n", 400),
        (b"-1\r\n", 400),
        (b"0x5\r\nhello\r\n", 400),
        (b"5 5\r\n", 400),
        (b"\r\n", 400),
        (b"2\r\nhello\r\n", 400),
        (b"2\r\nhell0\r\n\r\n", 400),
        (b"1" * 2000, 400),
        (b"%x\r\n" % (MAX_BODY + 1), 413),
        (b"ffffffffffffffff\r\n", 413),
        (b"0\r\n" + b"X: " + b"x" * 1000 + b"\r\n", None),
        (b"0\r\n" + (b"X: " + b"x" * 1000 + b"\r\n") * 70, 431),
    ],
)
def test_broken_chunks_are_refused(chunks: bytes, status: int | None) -> None:
    """Sizes that are not plain hexadecimal, chunks longer than their size, and floods are refused."""
    parser = RequestParser()
    parser.feed(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    if status is None:
        assert parser.next_request() is None
        return
    with pytest.raises(WireError) as caught:
        parser.next_request()
    assert caught.value.status == status


def test_many_small_chunks_count_together() -> None:
    """The limit holds for the sum of the chunks, not for each alone."""
    parser = RequestParser()
    parser.feed(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
    piece = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    for _ in range(10):
        parser.feed(piece)
        assert parser.next_request() is None
    parser.feed(piece)
    with pytest.raises(WireError) as caught:
        parser.next_request()
    assert caught.value.status == 413


def test_continue_is_due_once_and_only_while_the_body_is_awaited() -> None:
    """A client that asks may go on is told so once; one that sends the body anyway is not."""
    parser = RequestParser()
    parser.feed(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n")
    assert parser.next_request() is None
    assert [parser.take_continue(), parser.take_continue()] == [True, False]
    parser.feed(b"ok" + PLAIN.replace(b"\r\nContent", b"\r\nExpect: 100-continue\r\nContent"))
    assert [parser.next_request() is not None, parser.next_request() is not None] == [True, True]
    assert parser.take_continue() is False


@pytest.mark.parametrize(
    ("head", "keep_alive", "chunks_allowed"),
    [
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", True, True),
        (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: foo, Close\r\n\r\n", False, True),
        (b"GET / HTTP/1.0\r\n\r\n", False, False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", False, False),
    ],
)
def test_how_long_a_connection_is_kept(head: bytes, *, keep_alive: bool, chunks_allowed: bool) -> None:
    """HTTP/1.1 is kept alive unless the client says otherwise; HTTP/1.0 never, and knows no chunks."""
    parser = RequestParser()
    parser.feed(head)
    request = parser.next_request()
    assert request is not None
    assert (request.keep_alive, request.chunks_allowed) == (keep_alive, chunks_allowed)


def test_a_target_written_as_a_whole_url() -> None:
    """A client behind a proxy setting writes the whole URL, which names the same path."""
    parser = RequestParser()
    parser.feed(b"GET http://127.0.0.1:1/v1/models?a=b HTTP/1.1\r\nHost: h\r\n\r\n")
    request = parser.next_request()
    assert request is not None
    assert (request.path, request.query) == ("/v1/models", "a=b")


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/a", "/a", ""),
        (b"/a?", "/a", ""),
        (b"/a?b=c&d=?", "/a", "b=c&d=?"),
        (b"/a:b?alt=sse", "/a:b", "alt=sse"),
    ],
)
def test_the_query_is_kept_beside_the_path(target: bytes, path: str, query: str) -> None:
    """What follows the first question mark is the query, unread."""
    parser = RequestParser()
    parser.feed(b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n" % target)
    request = parser.next_request()
    assert request is not None
    assert (request.path, request.query) == (path, query)


def test_a_long_run_of_blanks_is_read_in_no_time() -> None:
    """No header makes the parser take more than linear time."""
    parser = RequestParser()
    parser.feed(b"GET / HTTP/1.1\r\nHost: h\r\nX: a" + b" " * 60_000 + b"b\r\n\r\n")
    assert parser.next_request() is not None
