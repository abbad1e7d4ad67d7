"""Our own scripts and styles in two files: a first visit that asks once a file waits for each of fifty answers."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Flask, Response

ASSETS = Path(__file__).resolve().parents[2] / "assets"
MIMETYPES = {"js": "text/javascript", "css": "text/css"}


def bundled(kind: str, assets: Path = ASSETS) -> bytes:
    """Return every file of `assets/{kind}`, one after the other by name. kind: js or css."""
    return b"\n".join(file.read_bytes() for file in sorted((assets / kind).glob(f"*.{kind}")))


def install(server: Flask) -> dict[str, str]:
    """Serve both bundles as they are now; return their addresses by kind, fingerprinted."""
    return {kind: _serve(server, kind, bundled(kind)) for kind in MIMETYPES}


def _serve(server: Flask, kind: str, body: bytes) -> str:
    address = f"/assets/fundwatch.{kind}"
    server.add_url_rule(address, f"bundle_{kind}", lambda: Response(body, mimetype=MIMETYPES[kind]))
    return f"{address}?v={hashlib.blake2b(body, digest_size=8).hexdigest()}"
