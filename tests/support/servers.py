"""Servers that tests start, kill and start again."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUSY_SECONDS = 2.0
"""What a deadline may be missed by on a machine that does other work; whoever hangs, hangs longer."""


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ClickHouseServer:
    """`tests.support.clickhouse_http` on a folder that outlives the process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        arguments = [sys.executable, "-m", "tests.support.clickhouse_http", str(self._folder), str(self._port)]
        self._process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == "ready"

    def kill(self) -> None:
        """End the server as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def wait_for_http(
    port: int, path: str = "/healthz", seconds: float = 60, give_up: Callable[[], bool] = lambda: False
) -> float:
    """Wait until the address answers 200, or `give_up` says so, and return how long it took. Raises TimeoutError."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if give_up():
            return time.monotonic() - began
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return time.monotonic() - began
        time.sleep(0.02)
    raise TimeoutError(f"nothing answered on port {port} within {seconds} s")
