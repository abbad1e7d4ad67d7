"""A mail server that takes what alerts send."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aiosmtpd.controller import Controller

from tests.support.mailboxes import Mailboxes
from tests.support.servers import free_port


@pytest.fixture
def mailboxes() -> Mailboxes:
    return Mailboxes()


@pytest.fixture
def server(mailboxes: Mailboxes) -> Iterator[Controller]:
    controller = Controller(mailboxes, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller
    controller.stop()
