"""Alerts as a Prometheus sends them (`postableAlerts`), read whole or refused."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError
from pydantic.config import ConfigDict

from api.problem import Refused
from core.alerts.sent import BELIEVED_SECONDS, SentAlert, text_of
from storage.state.alerts import plain

MOST_LABELS, LONGEST, LONGEST_TEXT = 64, 1_024, 2_000
NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class Postable(BaseModel):
    """An alert as it is sent. Other fields, such as generatorURL, are not kept."""

    model_config = ConfigDict(populate_by_name=False)

    labels: dict[str, str]
    annotations: dict[str, str] = Field(default_factory=dict)
    starts_at: AwareDatetime | None = Field(None, alias="startsAt")
    ends_at: AwareDatetime | None = Field(None, alias="endsAt")


_ALERTS = TypeAdapter(list[Postable])


def read_alerts(body: bytes, now: float) -> list[SentAlert]:
    """Return the alerts of a body as of `now` (epoch seconds). Raises Refused that says which one is wrong."""
    try:
        sent = _ALERTS.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise Refused(400, f"{where}: {first['msg']}" if where else str(first["msg"])) from error
    return [_alert(number, each, now) for number, each in enumerate(sent)]


def _alert(number: int, sent: Postable, now: float) -> SentAlert:
    labels = {name: kept for name, value in sorted(sent.labels.items()) if (kept := plain(value))}
    wrong = _wrong(labels)
    begins = _time(sent.starts_at)
    ends = _time(sent.ends_at) or now + BELIEVED_SECONDS
    if begins and begins > ends:
        wrong = "startsAt is after endsAt"
    if wrong:
        raise Refused(400, f"alert {number}: {wrong}; nothing was taken")
    text = plain(text_of(sent.annotations, labels)[:LONGEST_TEXT])
    return SentAlert(tuple(labels.items()), text, begins or min(now, ends), ends, now)


def _time(sent: AwareDatetime | None) -> float:
    """Return a time in epoch seconds; 0 where none is given: Go sends the year 1 then."""
    return sent.timestamp() if sent is not None and sent.year > 1 else 0.0


def _wrong(labels: Mapping[str, str]) -> str:
    if not labels:
        return "it has no labels"
    if len(labels) > MOST_LABELS:
        return f"it has more than {MOST_LABELS} labels"
    for name, value in labels.items():
        if not NAME.fullmatch(name) or len(name) > LONGEST:
            return f"{name[:80]!r} is no name of a label"
        if len(value) > LONGEST:
            return f"{name[:80]} has more than {LONGEST} characters"
    return ""
