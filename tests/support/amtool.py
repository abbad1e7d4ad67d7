"""Debian's amtool, the client of Alertmanager, asking a real server by a token of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

import api
from access.tokens import Scope, make_token
from dashboard.factory import create_app
from storage.stores import Stores
from tests.support.api import ADMIN
from tests.support.frame import DEMO

ROOT = Path(__file__).parents[2]


class Amtool:
    """The program, what it is to ask, and its token."""

    def __init__(self, url: str, secret: str, folder: Path) -> None:
        found = ROOT / ".cache" / "amtool" / "usr" / "bin" / "amtool"
        program = str(found) if found.exists() else shutil.which("amtool")
        if program is None:
            pytest.fail("amtool is missing: make .cache/amtool/usr/bin/amtool fetches it")
        self.program = program
        config = folder / "http.yml"
        config.write_text(f"authorization: {{type: Bearer, credentials: {secret}}}\n")
        self.url, self.secret = url, secret
        self._with = [program, f"--alertmanager.url={url}", f"--http.config.file={config}"]

    def __call__(self, *words: str, fails: bool = False, given: str = "") -> str:
        done = subprocess.run(
            [*self._with, *words], capture_output=True, text=True, input=given, timeout=60, check=False
        )
        assert (done.returncode != 0) == fails, (words, done.stdout, done.stderr)
        return done.stderr if fails else done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "-o", "json"))


@contextmanager
def asking(stores: Stores, folder: Path) -> Iterator[Amtool]:
    """Gives amtool with the application over these stores to ask. folder: for its configuration."""
    _, secret = make_token(
        stores.state, name="amtool", account="", scopes=[Scope.READ, Scope.ALERTS], by=ADMIN, now=stores.clock.now()
    )
    application = create_app(stores, pages=(DEMO,), mounts=[api.install]).server
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Amtool(f"http://127.0.0.1:{server.server_port}", secret, folder)
    server.shutdown()
    thread.join()
