"""Requests a second of a current resource of the API, signed in, against a bare Flask route with the same bytes; and
what it costs to hold a token to its limit.

Both under gunicorn with one worker of eight threads, measured in turns in one run with wrk (50 connections).
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from access.tokens import make_token
from access.viewer import Viewer
from benchmarks.report import Figure, show
from core.roles import Role
from core.settings.visitors import RateLimits
from storage.live.embedded import Valkey
from storage.live.rate_limit import RateLimit
from storage.live.redis import Live
from storage.state.database import State
from tests.support.product import Product
from tests.support.servers import ROOT, free_port, wait_for_http

ROUNDS, SECONDS, CONNECTIONS, SETTLE_SECONDS = 3, 3, 50, 8
RESOURCES = ("/api/v1/metrics/system", "/api/v1/components")
TARGET = 0.60
FREE = {"rate_limits__api_per_minute": "100000000"}
LIMIT_TARGET_MS, TAKES = 0.1, 5_000

BARE = """
from pathlib import Path
from flask import Flask
application = Flask("bare")
body = Path({body!r}).read_bytes()
@application.get("/answer")
def answer():
    return application.response_class(body, content_type="application/json")
@application.get("/healthz")
def healthz():
    return "ok"
"""


def main() -> None:
    """Measure each resource, and the limit."""
    show(Figure("Rate limit of the API, as it is set by default, a request", limit_ms(), "ms", LIMIT_TARGET_MS))
    with tempfile.TemporaryDirectory() as folder, Product(Path(folder) / "data", **FREE) as product:
        product.start()
        time.sleep(SETTLE_SECONDS)
        header = f"Authorization: Bearer {secret(Path(folder) / 'data')}"
        for path in RESOURCES:
            ratio, ours, bare, size = compare(f"http://127.0.0.1:{product.port}{path}", Path(folder), header)
            show(
                Figure(f"GET {path} ({size:,} bytes): share of bare Flask", ratio, "", TARGET, at_most=False),
                Figure(f"GET {path}: requests a second", ours, "/s"),
                Figure(f"GET {path}: bare Flask", bare, "/s"),
            )


def limit_ms() -> float:
    """Return what it costs to count a request of one token, fetching from Valkey included."""
    with tempfile.TemporaryDirectory() as folder:
        valkey = Valkey(Path(folder))
        valkey.start()
        live = Live(valkey.url)
        try:
            limit = RateLimit(live, "benchmark", RateLimits().api_per_minute)
            begun = time.perf_counter()
            assert all(limit.take("token").is_within for _ in range(TAKES))
            return (time.perf_counter() - begun) / TAKES * 1_000
        finally:
            live.close()
            valkey.stop()


def secret(folder: Path) -> str:
    """Return the secret of a new token, made beside the running product."""
    state = State(f"sqlite:///{folder / 'state.sqlite'}")
    try:
        by = Viewer("benchmark", Role.ADMIN)
        return make_token(state, name="benchmark", account="", scopes=["read"], by=by, now=time.time())[1]
    finally:
        state.close()


def compare(url: str, folder: Path, header: str) -> tuple[float, float, float, int]:
    """Return (median ratio, our and the bare requests a second, bytes of an answer)."""
    request = urllib.request.Request(url, headers=dict([header.split(": ", 1)]))
    with urllib.request.urlopen(request) as response:
        body = response.read()
    (folder / "body").write_bytes(body)
    (folder / "bare.py").write_text(BARE.format(body=str(folder / "body")))
    port = free_port()
    bare = subprocess.Popen(
        [
            *(str(Path(sys.executable).parent / "gunicorn"), "-c", "/dev/null", "--chdir", str(folder)),
            *("-k", "gthread", "--threads", "8", "--keep-alive", "75"),
            *("-b", f"127.0.0.1:{port}", "bare:application"),
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_http(port)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(wrk(url, header))
            theirs.append(wrk(f"http://127.0.0.1:{port}/answer", header))
    finally:
        bare.terminate()
        bare.wait()
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return statistics.median(ratios), statistics.median(ours), statistics.median(theirs), len(body)


def wrk(url: str, header: str) -> float:
    """Return requests a second. Raises AssertionError when any request failed."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-H", header, url]
    out = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert "Non-2xx" not in out and "Socket errors" not in out, out
    found = re.search(r"Requests/sec:\s+([\d.]+)", out)
    assert found, out
    return float(found[1])


if __name__ == "__main__":
    main()
