"""What `create_server` says when the program cannot start."""

from __future__ import annotations

import errno
import socket

import pytest
from gunicorn.errors import AppImportError

import app


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "fundwatch: Name or service not known"),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "/data"),
            "fundwatch: /data: No such file or directory; look at what is there",
        ),
        (OSError("no luck"), "fundwatch: no luck"),
    ],
)
def test_an_error_of_the_system_is_told_by_what_it_knows(
    error: OSError, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(app, "load_settings", fail)
    monkeypatch.setattr(app, "_hangup", lambda: None)  # the signals of the tests are theirs
    with pytest.raises(AppImportError) as failed:
        app.create_server()
    assert str(failed.value) == said
