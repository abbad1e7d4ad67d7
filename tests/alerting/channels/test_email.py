"""Mail as a real SMTP server takes it, and servers that refuse, hang and drip."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from alerting.channels import send
from core.errors import DeliveryRefused, DeliveryUnavailable
from core.settings.channels import Email
from tests.alerting.channels.notices import notice
from tests.support.bad_servers import BadServer
from tests.support.mailboxes import Mailboxes
from tests.support.servers import BUSY_SECONDS, free_port
from tests.support.tls_server import CERTIFICATE, FOLDER


@pytest.fixture
def server(mailboxes: Mailboxes) -> Iterator[Controller]:
    """STARTTLS with the certificate of the tests, and a login."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, FOLDER / "key.pem")
    controller = Controller(
        mailboxes, hostname="127.0.0.1", port=free_port(), tls_context=context, authenticator=mailboxes.log_in
    )
    controller.start()
    yield controller
    controller.stop()


def channel(port: int, **more: Any) -> Email:
    given = {
        "name": "desk", "host": "127.0.0.1", "port": port, "security": "none", "sender": "fundwatch@fund.example",
        "to": ["desk@fund.example"], "timeout_seconds": 2, "ca_file": str(CERTIFICATE),
    }  # fmt: skip
    return Email.model_validate({**given, **more})


def test_a_mail_is_text_and_html_over_tls_with_a_login(server: Controller, mailboxes: Mailboxes) -> None:
    one = channel(server.port, security="starttls", user="fundwatch", password="hunter2")
    reply = send(one, notice())
    [mail] = mailboxes.mail
    assert mailboxes.logins == [(b"fundwatch", b"hunter2")]
    assert mail["Subject"] == "[CRITICAL] NAV of <macro> & co is stale"
    assert (mail["To"], mail["Message-ID"], mail["Auto-Submitted"]) == ("desk@fund.example", reply, "auto-generated")
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None and html is not None
    assert "Runbook: https://wiki.example/nav" in text.get_content()
    assert "Open in Fundwatch: https://fund.example/alerts?incident=7" in text.get_content()
    assert "Runbook: <a href='https://wiki.example/nav'>" in html.get_content()
    assert "NAV of &lt;macro&gt; &amp; co is stale" in html.get_content()


def test_all_of_an_incident_is_one_thread_and_each_attempt_the_same_mail(
    server: Controller, mailboxes: Mailboxes
) -> None:
    one = channel(server.port)
    first = send(one, notice())
    assert send(one, notice()) == first
    send(one, notice("resolved", number=1, thread=f"{first} but not for x@y.z (550)"))
    end = mailboxes.mail[2]
    assert end["In-Reply-To"] == end["References"] == first != end["Message-ID"]
    assert end["Subject"] == "[RESOLVED] NAV of <macro> & co is stale"


def test_who_of_several_is_refused_is_said_and_the_others_have_it(server: Controller, mailboxes: Mailboxes) -> None:
    mailboxes.refused = {"gone@fund.example": "550 no such mailbox"}
    reply = send(channel(server.port, to=["desk@fund.example", "gone@fund.example"]), notice())
    assert len(mailboxes.mail) == 1 and reply.endswith("but not for gone@fund.example (550)")


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        ("451 try later", DeliveryUnavailable, "451: try later"),
        ("554 it is spam", DeliveryRefused, "554: it is spam"),
    ],
)
def test_a_reply_says_whether_it_is_tried_again(
    server: Controller, mailboxes: Mailboxes, answer: str, error: type[Exception], told: str
) -> None:
    mailboxes.answer = answer
    with pytest.raises(error, match=told):
        send(channel(server.port), notice())


def test_a_wrong_password_is_refused_and_not_told(server: Controller) -> None:
    one = channel(server.port, security="starttls", user="fundwatch", password="hunter3", timeout_seconds=20)
    with pytest.raises(DeliveryRefused) as error:
        send(one, notice())
    assert "535" in str(error.value) and "hunter3" not in str(error.value)


def test_a_certificate_that_nobody_vouches_for_gets_no_password(server: Controller, mailboxes: Mailboxes) -> None:
    one = channel(server.port, security="starttls", user="fundwatch", password="hunter2", ca_file="")
    with pytest.raises(DeliveryUnavailable, match="not trusted"):
        send(one, notice())
    assert mailboxes.logins == []


def test_a_server_without_tls_gets_no_mail(mailboxes: Mailboxes) -> None:
    controller = Controller(mailboxes, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        with pytest.raises(DeliveryRefused, match="STARTTLS"):
            send(channel(controller.port, security="starttls"), notice())
    finally:
        controller.stop()
    assert mailboxes.mail == []


@pytest.mark.parametrize("behaviour", ["refuses", "silent", "garbage", "drip", "hangs_up"])
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_that_behaves_badly_costs_no_more_than_the_deadline(behaviour: str, security: str) -> None:
    began = time.monotonic()
    with BadServer(behaviour, b"2") as bad, pytest.raises(DeliveryUnavailable):
        send(channel(bad.port, security=security, timeout_seconds=1), notice())
    assert time.monotonic() - began < 1 + BUSY_SECONDS


class Scripted:
    """A server that says one line after another, whatever it hears, and then nothing more; `hangs_up`: it closes."""

    def __init__(self, *talk: bytes, hangs_up: bool = False) -> None:
        self.heard = b""
        self._talk, self._hangs_up = talk, hangs_up
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port = int(self._listener.getsockname()[1])

    def __enter__(self) -> Scripted:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(2)
        self._listener.close()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            for line in self._talk:
                connection.sendall(line + b"\r\n")
                data = connection.recv(65_536)
                while line.startswith(b"354") and not data.endswith(b"\r\n.\r\n"):
                    data += connection.recv(65_536)
                self.heard += data
            if not self._hangs_up:
                self._stopping.wait(20)


GREETED = (b"220 hi", b"250 me", b"250 ok", b"250 ok")


@pytest.mark.parametrize("hangs_up", [False, True])
@pytest.mark.parametrize("talk", [GREETED, (*GREETED, b"354 go")], ids=["before the mail", "behind the mail"])
def test_a_server_that_hangs_or_closes_in_data_has_not_taken_it(talk: tuple[bytes, ...], hangs_up: bool) -> None:
    began = time.monotonic()
    with Scripted(*talk, hangs_up=hangs_up) as server, pytest.raises(DeliveryUnavailable):
        send(channel(server.port, timeout_seconds=2), notice())
    assert time.monotonic() - began < 2 + BUSY_SECONDS
    assert server.heard.endswith(b"\r\n.\r\n") is (talk[-1] == b"354 go")


@pytest.mark.parametrize(("said", "error"), [("450", DeliveryUnavailable), ("550", DeliveryRefused)])
def test_where_nobody_is_taken_the_code_says_whether_it_is_tried_again(
    server: Controller, mailboxes: Mailboxes, said: str, error: type[Exception]
) -> None:
    mailboxes.refused = {"desk@fund.example": f"{said} not now"}
    with pytest.raises(error, match=f"{said}: not now"):
        send(channel(server.port), notice())


def test_a_server_that_hangs_after_it_took_the_mail_is_not_sent_it_again() -> None:
    with Scripted(*GREETED, b"354 go", b"250 taken") as server:
        assert send(channel(server.port, timeout_seconds=4), notice()).startswith("<fundwatch-m1-7")
