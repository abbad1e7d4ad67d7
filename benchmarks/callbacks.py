"""Requests a second of the interval callback, against a bare Flask route that answers the same bytes.

Both under gunicorn with one worker of eight threads, measured in turns in one run with wrk (50 connections).
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.report import Figure, show
from tests.support.product import Product
from tests.support.servers import ROOT, free_port, wait_for_http

ROUNDS, SECONDS, CONNECTIONS, SETTLE_SECONDS = 5, 3, 50, 8

BARE = """
from pathlib import Path
from flask import Flask
application = Flask("bare")
body = Path({body!r}).read_bytes()
status = {status}
@application.post("/answer")
def answer():
    return application.response_class(body, status, content_type="application/json")
@application.get("/healthz")
def healthz():
    return "ok"
"""


def main() -> None:
    """Measure the System and the Portfolio tab, each unchanged and changed."""
    # Collectors run once and then rest, so that an unchanged view stays unchanged while it is measured.
    own = ("system", "processes", "pipeline", "requests", "health", "inbox")
    rest = {f"intervals__{name}_seconds": "3600" for name in own}
    with tempfile.TemporaryDirectory() as folder, Product(Path(folder) / "data", **rest) as product:
        product.start()
        time.sleep(SETTLE_SECONDS)
        for tab in ("system", "portfolio"):
            measure(product, Path(folder), tab)


def measure(product: Product, folder: Path, tab: str) -> None:
    """Print both ratios of one tab."""
    base = f"http://127.0.0.1:{product.port}"
    request = callback(base, tab, seen=None)
    status, body = post(f"{base}/_dash-update-component", request)
    assert status == 200, body[:300]
    version = json.loads(body)["response"][f"{tab}-payload"]["data"]["version"]
    for name, seen, target in (("changed", None, 0.40), ("unchanged", version, 0.60)):
        payload = callback(base, tab, seen=seen)
        ratio, ours, bare, size = compare(base, folder, payload)
        show(
            Figure(f"{tab}, {name} view ({size:,} bytes): share of bare Flask", ratio, "", target, at_most=False),
            Figure(f"{tab}, {name} view: requests a second", ours, "/s"),
            Figure(f"{tab}, {name} view: bare Flask", bare, "/s"),
        )


def compare(base: str, folder: Path, payload: bytes) -> tuple[float, float, float, int]:
    """Return (median ratio, our and the bare requests a second, bytes of an answer)."""
    status, body = post(f"{base}/_dash-update-component", payload)
    (folder / "body").write_bytes(body)
    (folder / "bare.py").write_text(BARE.format(body=str(folder / "body"), status=status))
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
            ours.append(wrk(f"{base}/_dash-update-component", folder, payload))
            theirs.append(wrk(f"http://127.0.0.1:{port}/answer", folder, payload))
    finally:
        bare.terminate()
        bare.wait()
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return statistics.median(ratios), statistics.median(ours), statistics.median(theirs), len(body)


def callback(base: str, tab: str, seen: str | None) -> bytes:
    """Return the body that the browser posts when the interval of `tab` fires."""
    with urllib.request.urlopen(f"{base}/_dash-dependencies") as response:
        return refresh_body(json.load(response), tab, seen, {})


def refresh_body(dependencies: list[dict[str, Any]], tab: str, seen: str | None, choices: dict[str, str]) -> bytes:
    """Return the body of a refresh of `tab`, as the app that has these `dependencies` takes it."""
    found = next(each for each in dependencies if f"{tab}-payload.data" in each["output"])
    values: dict[str, Any] = {"tick": 1, f"{tab}-choices": choices, f"{tab}-version": seen, f"{tab}-problem": ""}
    outputs = [
        dict(zip(("id", "property"), part.rsplit(".", 1), strict=True))
        for part in found["output"].strip(".").split("...")
    ]
    body = {
        "output": found["output"],
        "outputs": outputs,
        "inputs": [{**each, "value": values[each["id"]]} for each in found["inputs"]],
        "state": [{**each, "value": values[each["id"]]} for each in found["state"]],
        "changedPropIds": ["tick.n_intervals"],
    }
    return json.dumps(body).encode()


def post(url: str, body: bytes) -> tuple[int, bytes]:
    """Return status and body of a POST."""
    headers = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def wrk(url: str, folder: Path, body: bytes) -> float:
    """Return requests a second. Raises AssertionError when any request failed."""
    script = folder / "post.lua"
    script.write_text(
        f'wrk.method = "POST"\nwrk.body = [=[{body.decode()}]=]\n'
        'wrk.headers["Content-Type"] = "application/json"\nwrk.headers["Sec-Fetch-Site"] = "same-origin"\n'
    )
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", str(script), url]
    out = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert "Non-2xx" not in out and "Socket errors" not in out, out
    found = re.search(r"Requests/sec:\s+([\d.]+)", out)
    assert found, out
    return float(found[1])


if __name__ == "__main__":
    main()
