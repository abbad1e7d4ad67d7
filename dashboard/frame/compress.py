"""Answers made on request (pages, layout, views), compressed once for all who get the same bytes."""

from __future__ import annotations

import hashlib

import brotli
from flask import Flask, Response, request

from core.memo import Memo
from dashboard.frame.static import PREFIXES

SMALLEST_BYTES = 1_400
"""Below one network packet nothing is gained."""
QUALITY = 5
STRONGEST = 11
"""For what is asked for with GET: the page, its layout, its callbacks. It stays the same from start to stop."""
TYPES = ("application/json", "text/html")


def install(server: Flask) -> None:
    """Compress JSON and HTML answers of `server` with brotli for browsers that take it."""
    memo: Memo[bytes] = Memo(64)

    @server.after_request
    def compress(response: Response) -> Response:
        if request.path.startswith(PREFIXES) or response.status_code != 200 or not request.accept_encodings["br"]:
            return response
        if response.mimetype not in TYPES or "Content-Encoding" in response.headers or response.is_streamed:
            return response
        body = response.get_data()
        if len(body) < SMALLEST_BYTES:
            return response
        key = hashlib.blake2b(body, digest_size=16).digest()
        quality = STRONGEST if request.method == "GET" else QUALITY
        response.set_data(memo.get(key, lambda: brotli.compress(body, quality=quality)))
        response.headers["Content-Encoding"] = "br"
        response.headers["Vary"] = "Accept-Encoding"
        return response
