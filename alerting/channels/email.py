"""E-mail, by SMTP: text and HTML, all messages of an incident in one thread.

smtplib waits anew for each line, so that a server which drips them could hold us for ever: the connection is made
within the deadline, and when that is over it is shut down under the library's hands.
"""

from __future__ import annotations

import html
import os
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from email.utils import format_datetime

from alerting.channels.slack import COLORS, GREEN
from alerting.channels.web import PICTURE
from alerting.notice import OPEN, RUNBOOK, Notice
from alerting.picture import HEIGHT, WIDTH
from core.errors import DeliveryRefused, DeliveryUnavailable, SourceError
from core.format import cut
from core.net.reach import Address, Deadline, explained, open_socket
from core.settings.channels import Email

TRANSIENT = range(400, 500)
"""Replies of SMTP that say: later (RFC 5321, 4.2.1)."""
BYE_SECONDS = 1.0
"""How long a server that has taken the mail may think about our good-bye."""
LONGEST_TOLD = 200
BUTTON = (
    "display:inline-block;padding:6px 14px;margin-right:8px;border:1px solid #5a6878;border-radius:6px;"
    "color:#1b1f24;text-decoration:none"
)


def message(channel: Email, notice: Notice) -> EmailMessage:
    """Return the mail."""
    mail = EmailMessage()
    mail["Subject"] = notice.subject
    mail["From"] = Mailbox("Fundwatch", addr_spec=channel.sender)
    mail["To"] = ", ".join(channel.to)
    mail["Date"] = format_datetime(datetime.fromtimestamp(notice.made_at, UTC))
    mail["Message-ID"] = f"<{_word(notice.key)}@{_host(channel)}>"
    if notice.thread:
        mail["In-Reply-To"] = mail["References"] = notice.thread.partition(" ")[0]
    # Nobody's absence note answers to it (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    if notice.severity >= 3 and not notice.is_over:
        mail["Importance"] = "high"
    mail.set_content("\n".join(notice.lines) + "\n")
    id = f"course-{_word(notice.key)}@{_host(channel)}" if notice.picture else ""
    mail.add_alternative(as_html(notice, id), subtype="html")
    if notice.picture:
        html_part = mail.get_body(("html",))
        assert isinstance(html_part, EmailMessage)
        html_part.add_related(
            notice.picture.png, "image", "png", cid=f"<{id}>", filename=PICTURE, disposition="inline"
        )  # fmt: skip
    for each in (notice.picture.table if notice.picture else None, notice.table):
        if each:
            mail.add_attachment(each.content, "text", "csv", filename=each.name, params={"charset": "utf-8"})
    return mail


def as_html(notice: Notice, picture_id: str = "") -> str:
    """Return the mail as HTML: the bar of colour says what the word says as well. picture_id: of a part of the mail."""
    color = GREEN if notice.is_over else COLORS[notice.severity]
    lines = "".join(f"<p style='margin:4px 0'>{_line(line)}</p>" for line in notice.told)
    link = html.escape(notice.link)
    lines += f"<p style='margin:4px 0'>{OPEN}: <a href='{link}'>{link}</a></p>" if link else ""
    return (
        "<!doctype html><html lang='en'><body style='font:15px/1.45 system-ui,sans-serif;color:#1b1f24'>"
        f"<div style='border-left:6px solid {color};padding:4px 14px'>"
        f"<h1 style='font-size:17px;margin:0 0 8px'>{html.escape(notice.subject)}</h1>{lines}"
        f"{_shown(notice, picture_id)}{_ways(notice)}</div></body></html>"
    )


def send(channel: Email, notice: Notice) -> str:
    """Send it; return its Message-ID, for later ones to answer to, and who was refused. Raises DeliveryError."""
    deadline = Deadline(channel.timeout_seconds)
    address = Address(channel.host, channel.port, tls=channel.security == "tls", ca_file=channel.ca_file)
    mail = message(channel, notice)
    try:
        with explained(address, deadline.seconds):
            sock = open_socket(address, deadline)
            with _ended_at(sock, deadline) as is_late:
                refused = _told(channel, sock, mail, deadline, is_late)
    except SourceError as error:
        raise DeliveryUnavailable(str(error)) from error
    reply = str(mail["Message-ID"])
    if refused:
        reply += " but not for " + ", ".join(f"{name} ({code})" for name, (code, _) in refused.items())
    return reply


def _told(
    channel: Email, sock: socket.socket, mail: EmailMessage, deadline: Deadline, is_late: threading.Event
) -> Mapping[str, tuple[int, bytes]]:
    """Speak SMTP; return who of several was refused. Raises DeliveryError, and what sockets raise."""
    try:
        with closing(_Smtp(sock, channel.host, channel.port, deadline.left())) as smtp:
            if channel.security == "starttls":
                smtp.starttls(context=ssl.create_default_context(cafile=channel.ca_file or None))
            if channel.user:
                smtp.login(channel.user, channel.password.get_secret_value())
            refused = smtp.send_message(mail)
            smtp.say_bye()
            return refused
    except smtplib.SMTPException as error:
        if is_late.is_set():
            raise TimeoutError("timed out") from error
        raise _explained(channel, error) from error
    except (OSError, ValueError) as error:
        if is_late.is_set():
            raise TimeoutError("timed out") from error
        raise


def _explained(channel: Email, error: smtplib.SMTPException) -> DeliveryUnavailable | DeliveryRefused:
    """Return what a server's reply means for the next attempt."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = max(error.recipients.values(), key=lambda each: each[0])
        return _by_code(channel, code, said)
    if isinstance(error, smtplib.SMTPResponseException):
        return _by_code(channel, error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return DeliveryRefused(f"{channel.host} cannot do what the channel needs: {error}")
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return DeliveryUnavailable(f"{channel.host} closed the connection")
    return DeliveryRefused(f"{channel.host}: {error}")


def _by_code(channel: Email, code: int, said: bytes | str) -> DeliveryUnavailable | DeliveryRefused:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    told = f"{channel.host} answers {code}: {cut(' '.join(text.split()), LONGEST_TOLD)}"
    is_later = code in TRANSIENT or code < 200
    return DeliveryUnavailable(told) if is_later else DeliveryRefused(told)


@contextmanager
def _ended_at(sock: socket.socket, deadline: Deadline) -> Iterator[threading.Event]:
    """Shut the connection down when the deadline is over; gives what says that it was.

    By a descriptor of its own: STARTTLS puts another socket in the place of the first.
    """
    is_late = threading.Event()
    guard = socket.socket(fileno=os.dup(sock.fileno()))

    def end() -> None:
        is_late.set()
        with suppress(OSError):
            guard.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(deadline.left(), end)
    timer.daemon = True
    timer.start()
    try:
        yield is_late
    finally:
        timer.cancel()
        guard.close()
        sock.close()


class _Smtp(smtplib.SMTP):
    """Speaks over a connection that is made, and asks no name server what this machine is called."""

    def __init__(self, sock: socket.socket, host: str, port: int, timeout: float) -> None:
        self._made = sock
        super().__init__(host, port, local_hostname=_word(socket.gethostname()) or "localhost", timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        self._made.settimeout(timeout)
        return self._made

    def say_bye(self) -> None:
        """End the session. The mail is taken: whatever comes of this is no reason to send it again."""
        with suppress(smtplib.SMTPException, OSError):
            assert self.sock is not None
            self.sock.settimeout(BYE_SECONDS)
            self.quit()


def _line(line: str) -> str:
    text = html.escape(line.strip())
    words, address = (RUNBOOK, text.removeprefix(RUNBOOK)) if text.startswith(RUNBOOK) else ("", text)
    return f"{words}<a href='{address}'>{address}</a>" if address.startswith(("https://", "http://")) else text


def _shown(notice: Notice, id: str) -> str:
    if notice.picture is None or not id:
        return ""
    size = f"width='{WIDTH}' height='{HEIGHT}' style='max-width:100%;height:auto'"
    return f"<p style='margin:12px 0 4px'><img src='cid:{id}' alt='{html.escape(notice.picture.text)}' {size}></p>"


def _ways(notice: Notice) -> str:
    """Return what can be done about it as links that look like buttons: mail has no form."""
    ways = "".join(f"<a href='{html.escape(address)}' style='{BUTTON}'>{word}</a> " for word, address in notice.ways)
    return f"<p style='margin:12px 0 4px'>{ways}</p>" if ways else ""


def _host(channel: Email) -> str:
    return channel.sender.rpartition("@")[2]


def _word(text: str) -> str:
    """Return a text of letters that may stand in a Message-ID and in a greeting."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-.") else "-" for letter in text)
