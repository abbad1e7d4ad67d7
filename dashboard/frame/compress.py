"""Answers made on request (pages, layout, views), compressed once for all who get the same bytes.

What is asked for with GET of the frame (its layout, the list of callbacks) stays the same from start to
stop: a browser that has it asks whether it still holds, and is answered with a few bytes. Of anything else the first
answer goes out soon, and what is asked for again is worth a stronger compression, which all who follow get.
"""

from __future__ import annotations

import hashlib

import brotli
from flask import Flask, Response, request

from core.memo import Memo
from dashboard.frame.static import PREFIXES

SMALLEST_BYTES = 1_400
"""Below one network packet nothing is gained."""
QUICK = 5
STRONG = 10
"""For what is asked for again: an eighth less than QUICK, in ten times its time."""
STRONGEST = 11
"""For what stays the same from start to stop."""
KEPT_BODIES = 128
TYPES = ("application/json", "text/html")
KEPT = frozenset({"/_dash-layout", "/_dash-dependencies"})
"""What a browser keeps."""


def install(server: Flask) -> None:
    """Compress JSON and HTML answers of `server` with brotli for browsers that take it."""
    memo: Memo[bytes] = Memo(KEPT_BODIES)

    @server.after_request
    def compress(response: Response) -> Response:
        if request.path.startswith(PREFIXES) or response.status_code != 200 or not request.accept_encodings["br"]:
            return response
        if response.mimetype not in TYPES or "Content-Encoding" in response.headers or response.is_streamed:
            return response
        body = response.get_data()
        if len(body) < SMALLEST_BYTES:
            return response
        digest = hashlib.blake2b(body, digest_size=16)
        if request.path in KEPT:
            response.headers["Vary"] = "Accept-Encoding"
            response.headers["Cache-Control"] = "private, no-cache"  # kept, and asked after each time
            response.headers["ETag"] = f'"{digest.hexdigest()}"'
            if response.headers["ETag"] in request.headers.get("If-None-Match", ""):
                response.set_data(b"")
                response.status_code = 304
                return response
        quality = STRONGEST if request.path in KEPT else _quality(memo, digest.digest())
        response.set_data(memo.get((digest.digest(), quality), lambda: brotli.compress(body, quality=quality)))
        response.headers["Content-Encoding"] = "br"
        return response


def _quality(memo: Memo[bytes], digest: bytes) -> int:
    return QUICK if memo.kept((digest, QUICK)) is None and memo.kept((digest, STRONG)) is None else STRONG
