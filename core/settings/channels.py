"""Channels: the ways in which alerts reach people. Each kind is a list under `channels`, each channel has a name.

Whatever lets somebody send in our name is a secret: it stands in no log, page, export or answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import orjson
from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from core.group import Group, twice
from core.kinds.base import Name, checked_url

LOG = "log"
"""The channel that is always there: the log of Fundwatch itself."""
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
OWN_HEADERS = frozenset({"content-length", "content-type", "host", "connection", "transfer-encoding"})
"""Headers that belong to the request itself."""


def _one_line(value: str) -> str:
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise ValueError("must be one line")
    return value


def _mailbox(value: str) -> str:
    if not value.isascii() or not re.fullmatch(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+", value):
        raise ValueError("must be an address such as desk@example.com")
    return value


def _server(value: str) -> str:
    if not re.fullmatch(r"[^\s/@:?#]+|\[?[0-9A-Fa-f:.]+\]?", value):
        raise ValueError("must be the name of a server alone, such as smtp.example.com; its port stands in port")
    return value


def _page(value: SecretStr) -> SecretStr:
    return checked_url(value, "https", "http")


Line = Annotated[str, AfterValidator(_one_line)]
Server = Annotated[str, AfterValidator(_server)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
Phone = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{5,14}$")]
Page = Annotated[SecretStr, AfterValidator(_page)]
Base = Annotated[str, Field(pattern=r"^https?://[^\s?#@]+[^\s?#@/]$")]


class Channel(Group):
    """What channels of all kinds have in common."""

    KIND: ClassVar[str]
    TITLE: ClassVar[str]
    EXAMPLE: ClassVar[tuple[str, ...]]
    HOLDS_BACK_ENDS: ClassVar[bool] = True
    """Whether a limit holds back that something is over, too: not where it would stay open for good."""

    name: Name = Field(description="What routes call it.")
    fallback: str = Field("", description="Channel that gets what this one cannot deliver; empty: none.")
    timeout_seconds: float = Field(10, ge=1, le=60, description="Longest time one attempt may take, whatever happens.")
    give_up_seconds: float = Field(
        1_800, ge=0, le=86_400, description="So long an alert is tried again before it goes to the fallback."
    )
    per_hour: int = Field(
        0, ge=0, le=100_000,
        description="Most messages in any hour, 0: no limit; what is held back comes together in one. As many "
        "again are kept for what is critical; what is urgent is never held back.",
    )  # fmt: skip
    per_day: int = Field(0, ge=0, le=1_000_000, description="The same in any 24 hours.")

    def secrets(self) -> Iterator[str]:
        """Yield every secret of the channel, so that a sentence can be freed of them."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            for each in value.values() if isinstance(value, Mapping) else (value,):
                if isinstance(each, SecretStr) and each.get_secret_value():
                    yield each.get_secret_value()


class Log(Channel):
    """A line in the log, for each message."""

    KIND, TITLE, EXAMPLE = LOG, "Log", ("log: [{name: console}]",)


class Email(Channel):
    """A mailbox, by SMTP."""

    KIND, TITLE = "email", "E-mail"
    EXAMPLE = (
        "email:",
        "  - {name: desk, host: smtp.example.com, user: fundwatch, password: '…', sender: fundwatch@example.com,",
        "     to: [desk@example.com]}",
    )

    host: Server = Field(min_length=1, max_length=255, description="Of the server that takes mail.")
    port: int = Field(587, ge=1, le=65_535, description="Of that server.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="starttls: TLS after a greeting (port 587); tls: from the start (port 465)."
    )
    ca_file: str = Field("", description="Certificates to trust instead of those of the machine.")
    user: Line = Field("", max_length=255, description="Of the account at the server; empty: none is needed.")
    password: SecretStr = Field(SecretStr(""), description="Of that account.")
    sender: Mailbox = Field(description="Address that mail comes from.")
    to: tuple[Mailbox, ...] = Field(min_length=1, max_length=50, description="Addresses that mail goes to.")
    per_hour: int = Field(10, ge=0, le=100_000, description="Most messages in any hour, 0: no limit.")
    per_day: int = Field(50, ge=0, le=1_000_000, description="Most messages in any 24 hours, 0: no limit.")

    @model_validator(mode="after")
    def _keeps_the_password(self) -> Self:
        if self.password.get_secret_value() and not self.user:
            raise ValueError("user is missing: the password is of an account")
        if self.user and self.security == "none":
            raise ValueError("security none would send the password in the clear: set starttls or tls")
        return self


class Slack(Channel):
    """A channel of Slack: by the address of an incoming webhook, or by the token of a bot, which makes threads."""

    KIND, TITLE = "slack", "Slack"
    EXAMPLE = (
        "slack:",
        "  - {name: room, url: 'https://hooks.slack.com/services/…'}",
        "  - {name: bot, token: 'xoxb-…', channel: C0123456789}",
    )

    url: SecretStr = Field(SecretStr(""), description="Address of an incoming webhook.")
    token: SecretStr = Field(SecretStr(""), description="Of a bot that may chat:write.")
    channel: Line = Field("", max_length=80, description="Id of the channel that the bot writes to.")
    api: Base = Field("https://slack.com/api", description="Where the bot's API is.")
    per_hour: int = Field(20, ge=0, le=100_000, description="Most messages in any hour, 0: no limit.")
    per_day: int = Field(100, ge=0, le=1_000_000, description="Most messages in any 24 hours, 0: no limit.")

    @model_validator(mode="after")
    def _has_one_way(self) -> Self:
        if bool(self.url.get_secret_value()) == bool(self.token.get_secret_value()):
            raise ValueError("give either url or token")
        if self.token.get_secret_value() and not self.channel:
            raise ValueError("channel is missing: give the id of the channel that the bot writes to")
        if self.url.get_secret_value():
            _page(self.url)
        return self


class Discord(Channel):
    """A channel of Discord, by the address of a webhook."""

    KIND, TITLE, EXAMPLE = "discord", "Discord", ("discord: [{name: room, url: 'https://discord.com/api/webhooks/…'}]",)

    url: Page = Field(description="Address of the webhook.")


class Telegram(Channel):
    """A chat of Telegram, by a bot."""

    KIND, TITLE, EXAMPLE = "telegram", "Telegram", ("telegram: [{name: chat, token: '123:…', chat: '-1001234567890'}]",)

    token: SecretStr = Field(min_length=1, description="Of the bot.")
    chat: Line = Field(min_length=1, max_length=80, description="Id of the chat, or @name of a channel.")
    api: Base = Field("https://api.telegram.org", description="Where the bot's API is.")


class PagerDuty(Channel):
    """A service of PagerDuty, by its Events API v2."""

    KIND, TITLE, EXAMPLE = "pagerduty", "PagerDuty", ("pagerduty: [{name: pager, routing_key: '…'}]",)
    HOLDS_BACK_ENDS = False

    routing_key: SecretStr = Field(min_length=1, description="Integration key of the service.")
    url: Base = Field("https://events.pagerduty.com/v2/enqueue", description="Where events are taken.")


class Sms(Channel):
    """A telephone, by SMS of Twilio."""

    KIND, TITLE = "sms", "SMS (Twilio)"
    EXAMPLE = ("sms: [{name: phone, account: AC0123456789, token: '…', sender: '+15550100', to: '+15550111'}]",)

    account: Line = Field(pattern=r"^[A-Za-z0-9]{2,64}$", description="SID of the account at Twilio.")
    token: SecretStr = Field(min_length=1, description="Of that account.")
    sender: Phone = Field(description="Number that it comes from, with + and the country.")
    to: Phone = Field(description="Number that it goes to.")
    api: Base = Field("https://api.twilio.com", description="Where the API is.")


class Webhook(Channel):
    """Any address that takes JSON."""

    KIND, TITLE = "webhook", "Webhook"
    EXAMPLE = (
        "webhook:",
        "  - {name: oms, url: 'https://oms.example.com/alerts', secret: '…', headers: {X-Desk: risk},",
        "     template: {text: '{subject}', alerts: '{alerts}'}}",
    )

    url: Page = Field(description="Where it is posted.")
    ca_file: str = Field("", description="Certificates to trust instead of those of the machine.")
    headers: dict[str, SecretStr] = Field({}, max_length=20, description="Sent along.")
    secret: SecretStr = Field(
        SecretStr(""), description="Signs each request: X-Fundwatch-Signature, HMAC-SHA256; empty: none does."
    )
    template: dict[str, Any] = Field(
        {}, description="JSON to send instead of our own; texts in it may have {subject}, {text}, {alerts} and others."
    )

    @field_validator("template")
    @classmethod
    def _is_json(cls, value: dict[str, Any]) -> dict[str, Any]:
        try:
            orjson.dumps(value)
        except (TypeError, RecursionError) as error:
            raise ValueError(f"must be what JSON has: {error}") from error
        return value

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, content in value.items():
            if not HEADER_NAME.fullmatch(name):
                raise ValueError("has a name that is none of a header")
            if name.lower() in OWN_HEADERS:
                raise ValueError(f"{name} belongs to the request itself: leave it out")
            text = content.get_secret_value()
            if re.search(r"[\x00-\x1f\x7f]", text) or not text.isascii():
                raise ValueError(f"{name} must be one line of ASCII")
        return value


class Apprise(Channel):
    """Any of the services that Apprise knows, by its URL."""

    KIND, TITLE, EXAMPLE = "apprise", "Any other, by Apprise", ("apprise: [{name: push, url: 'pover://user@token'}]",)

    url: SecretStr = Field(min_length=4, description="As Apprise writes it: https://github.com/caronc/apprise.")
    timeout_seconds: float = Field(20, ge=2, le=60, description="Longest time one attempt may take, whatever happens.")


KINDS: Mapping[str, type[Channel]] = {
    each.KIND: each for each in (Email, Slack, Webhook, PagerDuty, Telegram, Discord, Sms, Apprise, Log)
}
"""THE list of kinds of channels."""


class Channels(Group):
    """Ways in which alerts reach people; a channel named log is always there."""

    email: tuple[Email, ...] = Field((), description="Mailboxes, by SMTP.")
    slack: tuple[Slack, ...] = Field((), description="Channels of Slack.")
    webhook: tuple[Webhook, ...] = Field((), description="Addresses that take JSON.")
    pagerduty: tuple[PagerDuty, ...] = Field((), description="Services of PagerDuty.")
    telegram: tuple[Telegram, ...] = Field((), description="Chats of Telegram.")
    discord: tuple[Discord, ...] = Field((), description="Channels of Discord.")
    sms: tuple[Sms, ...] = Field((), description="Telephones, by Twilio.")
    apprise: tuple[Apprise, ...] = Field((), description="Any other service, by Apprise.")
    log: tuple[Log, ...] = Field((), description="Lines in the log.")

    @model_validator(mode="after")
    def _names_are_told_apart(self) -> Self:
        names = [each.name for kind in KINDS for each in getattr(self, kind)]
        if again := sorted(twice(names)):
            raise ValueError(f"two channels are named {', '.join(again)}")
        for each in self.every().values():
            if each.fallback == each.name or (each.fallback and each.fallback not in self.every()):
                raise ValueError(f"{each.name}: its fallback {each.fallback} is no other channel")
        return self

    def every(self) -> Mapping[str, Channel]:
        """Return every channel by its name, the one that is always there among them."""
        found = {each.name: each for kind in KINDS for each in getattr(self, kind)}
        return found if LOG in found else {**found, LOG: Log(name=LOG)}
