"""What a mail server of tests takes."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


class Mailboxes:
    """Takes mail for everyone, but for who is refused; keeps it as it came."""

    def __init__(self) -> None:
        self.mail: list[EmailMessage] = []
        self.refused: dict[str, str] = {}
        self.answer = "250 taken"
        self.logins: list[Any] = []

    async def handle_RCPT(  # noqa: N802 (the library's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            parsed = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(parsed, EmailMessage)
            self.mail.append(parsed)
        return self.answer

    def log_in(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any) -> AuthResult:
        self.logins.append((login.login, login.password))
        is_right = login.password == b"hunter2"
        return AuthResult(success=is_right, handled=is_right)
