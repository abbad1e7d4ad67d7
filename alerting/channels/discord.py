"""Discord, by a webhook that answers with the message: at the end the first one is written anew.

https://discord.com/developers/docs/resources/webhook#execute-webhook, #edit-webhook-message.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import orjson

from alerting.channels.slack import COLORS, GREEN
from alerting.channels.web import PICTURE, Request, deliver, of_form, of_json, parsed
from alerting.notice import Notice
from core.errors import DeliveryRefused
from core.format import cut
from core.net.reach import Deadline
from core.settings.channels import Discord

LONGEST_TITLE, LONGEST_TEXT = 256, 3_300
"""Characters; Discord takes 4,096, and the links that follow are longer the longer our address is."""


def message(notice: Notice) -> dict[str, Any]:
    """Return what is posted; nobody is mentioned, whatever it says."""
    color = GREEN if notice.is_over else COLORS[notice.severity]
    ways = " · ".join(f"[{word}]({address})" for word, address in notice.ways)
    embed: dict[str, Any] = {
        "title": cut(notice.subject, LONGEST_TITLE),
        "description": cut("\n".join(notice.told), LONGEST_TEXT) + f"\n\n{ways}" * bool(ways),
        "color": int(color[1:], 16),
    }
    if notice.link:
        embed["url"] = notice.link
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}


def requests(channel: Discord, notice: Notice) -> list[Request]:
    """Return the requests in order; the last one posts."""
    url = channel.url.get_secret_value()
    post = _post(_with_query(url, "wait=true"), notice)
    if not (notice.is_over and notice.thread):
        return [post]
    return [of_json(_with_path(url, f"/messages/{notice.thread}"), message(notice), method="PATCH"), post]


def _post(url: str, notice: Notice) -> Request:
    """Return what posts it, with its picture in the embed (https://discord.com/developers/docs/reference#uploading-files)."""
    body = message(notice)
    if notice.picture is None:
        return of_json(url, body)
    body["embeds"][0]["image"] = {"url": f"attachment://{PICTURE}"}
    return of_form(url, {"payload_json": orjson.dumps(body).decode()}, "files[0]", notice.picture.png)


def send(channel: Discord, notice: Notice) -> str:
    """Send it; return the id of the message. Raises DeliveryError."""
    deadline = Deadline(channel.timeout_seconds)
    *updates, post = requests(channel, notice)
    for update in updates:
        _updated(update, deadline)
    return str(parsed(deliver(post, deadline)).get("id", ""))


def _updated(request: Request, deadline: Deadline) -> None:
    """Write the first message anew; one that somebody deleted is no reason to tell nothing."""
    try:
        deliver(request, deadline)
    except DeliveryRefused:
        return


def _with_query(url: str, more: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=f"{parts.query}&{more}" if parts.query else more))


def _with_path(url: str, more: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + more))
