"""Slack: an incoming webhook, which posts only, or a bot, which makes a thread of each incident.

The bot answers with channel and time of the first message: later ones go into its thread, and at the end it is written
anew (chat.postMessage, chat.update: https://docs.slack.dev/reference/methods).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alerting.channels.web import Request, deliver, of_json, parsed, said_no
from alerting.notice import OPEN, Notice
from core.alerts.severity import Severity
from core.errors import DeliveryRefused, DeliveryUnavailable
from core.format import cut
from core.net.reach import Deadline
from core.settings.channels import Slack

LATER = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable",
                   "request_timeout", "message_limit_exceeded"})  # fmt: skip
"""Errors that a later attempt may not meet."""
COLORS = {
    Severity.INFO: "#3b82c4", Severity.WARNING: "#d99a1c", Severity.CRITICAL: "#d0392b", Severity.URGENT: "#8e1b12",
}  # fmt: skip
GREEN = "#2f9e5f"
LONGEST_BLOCK = 2_900
"""Characters; Slack takes 3,000."""


def message(notice: Notice) -> dict[str, Any]:
    """Return what is posted: a line for lists and telephones, and blocks beside a bar of colour."""
    lines = escaped("\n".join(notice.told))
    blocks = [_section(cut(lines, LONGEST_BLOCK))] if lines else []
    ways = [(OPEN, notice.link), *notice.ways] if notice.link else notice.ways
    if ways:
        blocks.append(_section(" · ".join(f"<{address}|{word}>" for word, address in ways)))
    color = GREEN if notice.is_over else COLORS[notice.severity]
    beside = {"attachments": [{"color": color, "blocks": blocks}]} if blocks else {}
    return {"text": f"*{escaped(notice.subject)}*", **beside}


def by_webhook(channel: Slack, notice: Notice) -> Request:
    """Return the request to an incoming webhook."""
    return of_json(channel.url.get_secret_value(), message(notice))


def by_bot(channel: Slack, notice: Notice) -> list[Request]:
    """Return the requests of the bot, in order; the last one posts. What comes before may be done twice."""
    where, time_stamp, asked = [*notice.thread.split(" ", 2), "", ""][:3]
    post = _call(channel, "chat.postMessage", {"channel": channel.channel, **message(notice)})
    # In the thread of another channel nobody of this one would read it.
    if not time_stamp or asked not in ("", channel.channel):
        return [post]
    in_thread = {"channel": where, "thread_ts": time_stamp, "reply_broadcast": notice.is_over, **message(notice)}
    post = _call(channel, "chat.postMessage", in_thread)
    if not notice.is_over:
        return [post]
    return [_call(channel, "chat.update", {"channel": where, "ts": time_stamp, **message(notice)}), post]


def send(channel: Slack, notice: Notice) -> str:
    """Send it; return channel and time stamp of a bot's message, to answer to it. Raises DeliveryError."""
    deadline = Deadline(channel.timeout_seconds)
    if not channel.token.get_secret_value():
        # The webhook of a workflow answers with the JSON of a bot, any other with a word.
        answer = parsed(deliver(by_webhook(channel, notice), deadline))
        if answer.get("ok") is False:
            raise _said_no(answer)
        return ""
    *updates, post = by_bot(channel, notice)
    for update in updates:
        _updated(update, deadline)
    answer = _asked(post, deadline)
    return f"{answer.get('channel', channel.channel)} {answer.get('ts', '')} {channel.channel}"


def escaped(text: str) -> str:
    """Return a text of which Slack makes no link and no mention."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _call(channel: Slack, method: str, body: dict[str, Any]) -> Request:
    bearer = f"Bearer {channel.token.get_secret_value()}"
    return of_json(f"{channel.api}/{method}", body, {"Authorization": bearer})


def _asked(request: Request, deadline: Deadline) -> dict[str, Any]:
    answer = dict(parsed(deliver(request, deadline)))
    if answer.get("ok") is True:
        return answer
    raise _said_no(answer)


def _said_no(answer: Mapping[str, Any]) -> DeliveryUnavailable | DeliveryRefused:
    error = str(answer.get("error") or "no JSON with ok")
    return DeliveryUnavailable(f"Slack answers: {error}") if error in LATER or not answer else said_no("Slack", error)


def _updated(request: Request, deadline: Deadline) -> None:
    """Write the first message anew; one that somebody deleted, or that is too old, is no reason to tell nothing."""
    try:
        _asked(request, deadline)
    except DeliveryRefused:
        return
