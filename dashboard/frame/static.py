"""Scripts and styles, compressed once and cached for a year.

`python -m dashboard.frame.static` compresses every file a page may load with brotli's and gzip's strongest level
into `.cache/static`, named by content. A file that is not there is compressed quickly when first asked for.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import re
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import brotli
from flask import Flask, Response, request

from dashboard.frame.bundle import MIMETYPES, bundled

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "static"
PREFIXES = ("/_dash-component-suites/", "/assets/", "/bootstrap/")
FINGERPRINT = re.compile(r"\.v[\w-]+m[0-9a-fA-F]+\.")
FOREVER = "public, max-age=31536000, immutable"
SMALLEST_BYTES = 512
QUICK_BROTLI = 5
QUICK_GZIP = 6
MOST_FILES = 400

PACKAGE_FILES = {
    "dash": (
        "deps/polyfill@*.min.js", "deps/react*.min.js", "deps/prop-types*.min.js",
        "dash-renderer/build/dash_renderer.min.js", "dcc/dash_core_components*.js",
        "html/dash_html_components.min.js",
    ),
    "plotly": ("package_data/plotly.min.js",),
    "dash_bootstrap_components": ("_components/dash_bootstrap_components.min.js",),
    "flask_bootstrap": ("static/bootstrap5/css/bootstrap.min.css",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Served:
    """A file in memory, as it goes out."""

    mimetype: str
    etag: str
    encodings: dict[str, bytes]


def install(server: Flask, cache: Path = CACHE) -> None:
    """Serve static files of `server` compressed. Call after the guard is on: the guard runs first."""
    kept: dict[str, Served] = {}
    lock = threading.Lock()

    @server.before_request
    def from_memory() -> Response | None:
        if not request.path.startswith(PREFIXES):
            return None
        served = kept.get(request.full_path)
        return None if served is None else _answer(served)

    @server.after_request
    def compress(response: Response) -> Response:
        if not request.path.startswith(PREFIXES) or response.status_code != 200:
            return response
        if request.method != "GET" or "Content-Encoding" in response.headers:
            return response
        response.direct_passthrough = False
        body = response.get_data()
        served = _compressed(body, response.mimetype or "application/octet-stream", cache, request.path)
        with lock:
            if len(kept) < MOST_FILES:
                kept[request.full_path] = served
        return _answer(served, body)


def precompress(bodies: Iterable[bytes], cache: Path = CACHE) -> int:
    """Compress `bodies` into `cache` with the strongest levels; return how many were not there yet."""
    cache.mkdir(parents=True, exist_ok=True)
    large = (body for body in bodies if len(body) >= SMALLEST_BYTES)
    missing = [body for body in large if not all(_cached(cache, _digest(body), e).exists() for e in ("br", "gzip"))]
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(lambda body: _write(body, cache), missing))
    return len(missing)


def page_files() -> list[Path]:
    """Return the files that a page may load beside the bundles of our own."""
    files = [file for file in (ROOT / "assets/boot").iterdir() if file.suffix in {".js", ".css", ".svg"}]
    files.append(ROOT / "assets/css/01-tokens.css")  # plain pages load it by itself
    for package, patterns in PACKAGE_FILES.items():
        spec = find_spec(package)
        for location in (spec.submodule_search_locations or ()) if spec else ():
            for pattern in patterns:
                files.extend(Path(location).glob(pattern))
    return sorted(files)


def _answer(served: Served, body: bytes | None = None) -> Response:
    encoding = _chosen_encoding(served)
    if encoding == "identity" and body is None and "identity" not in served.encodings:
        body = _plain(served)
    etag = f'"{served.etag}-{encoding}"'
    if request.headers.get("If-None-Match") == etag:
        response = Response(status=304)
    else:
        response = Response(served.encodings.get(encoding, body), mimetype=served.mimetype)
    if encoding != "identity":
        response.headers["Content-Encoding"] = encoding
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = FOREVER if _is_fingerprinted() else "no-cache"
    return response


def _chosen_encoding(served: Served) -> str:
    for encoding in ("br", "gzip"):
        if encoding in served.encodings and request.accept_encodings[encoding] > 0:
            return encoding
    return "identity"


def _plain(served: Served) -> bytes:
    return bytes(brotli.decompress(served.encodings["br"]))


def _is_fingerprinted() -> bool:
    return bool(FINGERPRINT.search(request.path)) or "m" in request.args or "v" in request.args


def _compressed(body: bytes, mimetype: str, cache: Path, path: str) -> Served:
    digest = _digest(body)
    if len(body) < SMALLEST_BYTES or mimetype.startswith(("image/png", "font/")):
        return Served(mimetype, digest, {"identity": body})
    encodings = {e: file.read_bytes() for e in ("br", "gzip") if (file := _cached(cache, digest, e)).exists()}
    if len(encodings) < 2:
        log.info("%s is not precompressed (run `python -m dashboard.frame.static`): compressing quickly", path)
        encodings = {
            "br": brotli.compress(body, quality=QUICK_BROTLI),
            "gzip": gzip.compress(body, QUICK_GZIP, mtime=0),
        }
    return Served(mimetype, digest, encodings)


def _write(body: bytes, cache: Path) -> None:
    digest = _digest(body)
    for encoding, packed in (
        ("br", brotli.compress(body, mode=brotli.MODE_TEXT, quality=11, lgwin=22)),
        ("gzip", gzip.compress(body, 9, mtime=0)),
    ):
        target = _cached(cache, digest, encoding)
        unfinished = target.with_suffix(".part")
        unfinished.write_bytes(packed)
        unfinished.replace(target)


def _cached(cache: Path, digest: str, encoding: str) -> Path:
    return cache / f"{digest}.{encoding}"


def _digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=16).hexdigest()


def main() -> int:
    """Compress everything a page may load."""
    bodies = [file.read_bytes() for file in page_files()] + [bundled(kind) for kind in MIMETYPES]
    fresh = precompress(bodies)
    sys.stdout.write(f"static files: {len(bodies)}, newly compressed: {fresh}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
