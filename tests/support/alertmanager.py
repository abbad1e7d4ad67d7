"""Debian's Alertmanager as a process of its own, from the package that amtool is from: it is not installed."""

from __future__ import annotations

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.servers import ROOT, free_port

UNPACKED = ROOT / ".cache" / "amtool"
PROGRAM = UNPACKED / "usr" / "bin" / "alertmanager"
START_SECONDS = 60.0


@contextmanager
def alertmanager(config: str, folder: Path) -> Iterator[str]:
    """Gives the address of an Alertmanager with this configuration (YAML); its data are in `folder`.

    Raises FileNotFoundError that says how to fetch it.
    """
    if not PROGRAM.exists():
        raise FileNotFoundError(f"{PROGRAM.relative_to(ROOT)} is missing: make {PROGRAM.relative_to(ROOT)} fetches it")
    file, port = folder / "alertmanager.yml", free_port()
    file.write_text(config)
    command = [
        str(PROGRAM), f"--config.file={file}", f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=warn",
    ]  # fmt: skip
    # It reads its templates below the folder where it starts.
    with (folder / "alertmanager.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=UNPACKED, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/-/ready", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise TimeoutError(f"Alertmanager does not start: exit {process.poll()}")
