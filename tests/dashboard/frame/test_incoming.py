"""Where a request ends, however its bytes are cut, and what is refused before it is read."""

from __future__ import annotations

from itertools import pairwise

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.problem import Problem
from core.web.bodies import MOST_BODY_BYTES
from dashboard.frame.incoming import (
    BODY_SECONDS,
    HEAD_SECONDS,
    IN_MEMORY_BYTES,
    MOST_HEAD_BYTES,
    SLOWEST_BYTES,
    Incoming,
    Refused,
)

GUNICORN = Config()


def most_body(path: str) -> int:
    return 3 * MOST_BODY_BYTES if path == "/import" else MOST_BODY_BYTES


def head(*lines: str, path: str = "/x") -> bytes:
    return "\r\n".join((f"POST {path} HTTP/1.1", "Host: localhost", *lines, "", "")).encode()


def chunked(body: bytes, size: int) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x;name=value\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nTrailer: x\r\n\r\n"


def fed(data: bytes, *cuts: int) -> Incoming:
    incoming = Incoming(most_body)
    edges = [0, *sorted(cut for cut in set(cuts) if 0 < cut < len(data)), len(data)]
    for start, end in pairwise(edges):
        if incoming.is_whole:
            incoming.rest += data[start:end]
        else:
            incoming.take(data[start:end])
    return incoming


@given(
    st.binary(max_size=3_000), st.binary(max_size=50), st.lists(st.integers(1, 4_000), max_size=8), st.integers(1, 900)
)
def test_a_request_is_found_whole_however_it_is_cut(body: bytes, rest: bytes, cuts: list[int], size: int) -> None:
    for request in (
        head(f"Content-Length: {len(body)}") + body,
        head("Transfer-Encoding: chunked") + chunked(body, size),
        head("X: y"),
    ):
        found = fed(request + rest, *cuts)
        assert found.is_whole
        assert b"".join(found.pieces()) == request
        assert found.rest == rest
        assert not fed(request[:-1], *cuts).is_whole


def test_a_large_body_waits_in_a_file_and_comes_back_as_it_was() -> None:
    body = bytes(range(256)) * (IN_MEMORY_BYTES // 64)
    request = head(f"Content-Length: {len(body)}") + body
    found = fed(request, *range(0, len(request), 10_000))
    assert b"".join(found.pieces()) == request
    found.close()


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (head(f"Content-Length: {MOST_BODY_BYTES + 1}"), 413),
        (head(f"Content-Length: {10**17}"), 413),
        (head("Transfer-Encoding: chunked") + b"80000\r\n" + b"x" * 524_288 + b"\r\nfffff\r\n" + b"x" * 600_000, 413),
        (head(f"Content-Length: {10**40}"), 413),
        (head(f"Content-Length: {3 * MOST_BODY_BYTES + 1}", path="/import?a=b"), 413),
        (head("Transfer-Encoding: chunked") + b"no size\r\n", 400),
        (head("Transfer-Encoding: chunked") + b"1" * 5_000, 400),
        (head("Transfer-Encoding: chunked") + b"2\nab\n0\n\n", 400),
        (head("Transfer-Encoding: chunked") + b"2\r\nabcd0\r\n\r\n", 400),
        (head("Transfer-Encoding: chunked", "Content-Length: 5"), 400),
        (head("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 400),
        (head("Transfer-Encoding: gzip, chunked"), 400),
        (head("Transfer-Encoding: identity"), 400),
        (head("Transfer-Encoding: chunked").replace(b"1.1", b"1.0"), 400),
        (head("Content-Length: 5", "Content-Length: 5"), 400),
        (head("Content-Length: +5"), 400),
        (head("Content-Length:"), 400),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * (MOST_HEAD_BYTES // 6), 431),
        (b"x" * (MOST_HEAD_BYTES + 1), 431),
    ],
)
def test_what_is_too_large_or_no_request_is_refused_with_its_status(request_bytes: bytes, status: int) -> None:
    with pytest.raises(Refused) as refused:
        fed(request_bytes, *range(0, len(request_bytes), 50_000))
    assert refused.value.status == status
    assert refused.value.answer_to("/").startswith(f"HTTP/1.1 {status} ".encode())


def test_programs_are_refused_with_problem_details_as_everywhere_in_the_api() -> None:
    incoming = Incoming(most_body)
    with pytest.raises(Refused) as refused:
        incoming.take(head(f"Content-Length: {10**9}", path="/api/v1/ingest/trades?create=true"))
    answer, body = refused.value.answer_to(incoming.path).split(b"\r\n\r\n", 1)
    assert b"\r\nContent-Type: application/problem+json\r\n" in answer
    problem = Problem.model_validate_json(body)
    assert (problem.status, problem.fix) == (413, "Send several.") and "1,048,576 bytes at most" in problem.detail
    assert refused.value.answer_to("/import").split(b"\r\n\r\n", 1)[1].startswith(b"Too large")


def test_a_path_with_a_limit_of_its_own_takes_more() -> None:
    assert not fed(head(f"Content-Length: {3 * MOST_BODY_BYTES}", path="/import?a=b")).is_whole


def test_who_asks_first_is_told_to_go_on_once() -> None:
    incoming = Incoming(most_body)
    assert incoming.take(head("Content-Length: 3", "Expect: 100-continue"))
    assert not incoming.take(b"abc")
    assert incoming.is_whole
    assert b"expect" not in b"".join(incoming.pieces()).lower()


def test_in_an_older_version_nobody_waits_for_a_word() -> None:
    incoming = Incoming(most_body)
    assert not incoming.take(head("Content-Length: 3", "Expect: 100-continue").replace(b"HTTP/1.1", b"HTTP/1.0"))


NEXT = b"GET /next HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 60 + b"\r\n\r\n"
LENGTHS = ("5", "05", "0" * 20 + "41", "0" * 20, "-5", "+5", "5, 5", "0x5", "1_0", "\xb2", "", "5 ", "5\t", "5\x0b")
CODINGS = ("chunked", "Chunked", "identity", "gzip, chunked", "chunked, chunked", "xchunked", ",chunked", "chunked\x0b")
LINES = st.one_of(
    st.builds("{}{}{}".format, st.sampled_from(("Content-Length", "content-length", "Content_Length")),
              st.sampled_from((": ", ":", " : ", ":\t")), st.sampled_from(LENGTHS)),
    st.builds("{}{}{}".format, st.sampled_from(("Transfer-Encoding", "TRANSFER-ENCODING", "Transfer-Encoding\x0b")),
              st.sampled_from((": ", ":", " : ")), st.sampled_from(CODINGS)),
    st.sampled_from((
        "X: y", "X: y\nContent-Length: 5", "X: y\rContent-Length: 5", "X: y\n\nz", " Content-Length: 5",
        "Expect: 100-continue", "Expect: more", "Bad name: 1", ": 5",
    )),
)  # fmt: skip
BODIES = st.sampled_from((
    b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n", b"5\nhello\n0\n\n",
    b"5\r\nhello0\r\n\r\n", b"5 \r\nhello\r\n0\r\n\r\n", b"0\r\n\n\r\n", b"0\r\nX: y\n\r\n\r\n", b"0\r\n\r\n",
    b"05\r\nhello\r\n000\r\n\r\n", b"5;\nx\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n",
))  # fmt: skip
REQUEST_LINES = st.sampled_from(("POST /x HTTP/1.1", "POST /x HTTP/1.0", "\r\nPOST /x HTTP/1.1", "GET /x\nHTTP/1.1"))


def rest_by_gunicorn(data: bytes) -> bytes | None:
    """What gunicorn's parser leaves after the first request; None: it refuses it."""
    unreader = IterUnreader(iter([data]))
    try:
        Request(GUNICORN, unreader, ("127.0.0.1", 1)).body.read()
    except (ParseException, OSError):
        return None
    return b"".join(iter(unreader.read, b""))


@settings(max_examples=500)
@example("POST /x HTTP/1.1", ["Content-Length: " + "0" * 20 + "41"], b"", [])
@given(REQUEST_LINES, st.lists(LINES, max_size=3), BODIES, st.lists(st.integers(1, 200), max_size=3))
def test_what_is_not_refused_ends_where_the_servers_parser_thinks_so_too(
    line: str, lines: list[str], body: bytes, cuts: list[int]
) -> None:
    data = "\r\n".join((line, "Host: localhost", *lines, "", "")).encode("latin-1") + body + NEXT
    theirs = rest_by_gunicorn(data)
    try:
        ours = fed(data, *cuts)
    except Refused:
        return
    if theirs is not None:
        assert ours.is_whole
        assert ours.rest == theirs


def test_the_time_that_is_allowed_grows_with_what_has_come() -> None:
    incoming = Incoming(most_body)
    incoming.take(b"POST /import HTTP/1.1\r\n")
    assert incoming.allowed_seconds == HEAD_SECONDS
    incoming.take(b"Content-Length: 1000000\r\n\r\n")
    assert incoming.allowed_seconds == HEAD_SECONDS + BODY_SECONDS
    incoming.take(b"x" * 3 * SLOWEST_BYTES)
    assert incoming.allowed_seconds == HEAD_SECONDS + BODY_SECONDS + 3
