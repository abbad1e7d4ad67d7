"""Telegram, by a bot: later messages of an incident answer to the first (https://core.telegram.org/bots/api)."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping
from typing import Any

import orjson

from alerting.channels.web import (
    LONGEST_TOLD,
    Request,
    deliver,
    is_later,
    of_form,
    of_json,
    parsed,
    said_no,
    wait_seconds,
)
from alerting.notice import Notice
from core.errors import DeliveryRefused, DeliveryUnavailable
from core.format import cut
from core.net.reach import Deadline
from core.net.web import Answer
from core.settings.channels import Telegram

LONGEST_CAPTION = 900
"""Characters below a picture; Telegram takes 1,024. What is longer goes without the picture."""
LONGEST = 3_300
"""Characters; Telegram takes 4,096, and counts what is written for < and &."""


def request(channel: Telegram, notice: Notice) -> Request:
    """Return the request, of a picture with what is told below it. The bot's token is a part of its address."""
    link = f"\n{notice.link}" if notice.link else ""
    told = html.escape(cut("\n".join(notice.told), LONGEST) + link, quote=False)
    ways = " · ".join(f'<a href="{html.escape(address)}">{word}</a>' for word, address in notice.ways)
    text = f"<b>{html.escape(notice.subject, quote=False)}</b>\n{told}" + f"\n{ways}" * bool(ways)
    body: dict[str, Any] = {"chat_id": channel.chat, "parse_mode": "HTML"}
    if notice.thread.isdecimal():
        body["reply_parameters"] = {"message_id": int(notice.thread), "allow_sending_without_reply": True}
    bot = f"{channel.api}/bot{channel.token.get_secret_value()}"
    if notice.picture is not None and len(notice.subject) + len("\n".join(notice.lines)) <= LONGEST_CAPTION:
        fields = {**body, "caption": text}
        written = {
            name: each if isinstance(each, str) else orjson.dumps(each).decode() for name, each in fields.items()
        }
        return of_form(f"{bot}/sendPhoto", written, "photo", notice.picture.png)
    body |= {"text": text, "link_preview_options": {"is_disabled": True}}
    return of_json(f"{bot}/sendMessage", body)


def send(channel: Telegram, notice: Notice) -> str:
    """Send it; return the id of the message. Raises DeliveryError."""
    answer = deliver(request(channel, notice), Deadline(channel.timeout_seconds))
    found = parsed(answer)
    if found.get("ok") is not True:
        raise _said_no(answer, found)
    result = found.get("result")
    return str(result.get("message_id", "")) if isinstance(result, dict) else ""


def _said_no(answer: Answer, found: Mapping[str, Any]) -> DeliveryUnavailable | DeliveryRefused:
    why, code = found.get("description") or "no JSON with ok", found.get("error_code")
    if found and not is_later(code if isinstance(code, int) else answer.status):
        return said_no("Telegram", why)
    return DeliveryUnavailable(f"Telegram answers: {cut(str(why), LONGEST_TOLD)}", wait_seconds(answer, time.time()))
