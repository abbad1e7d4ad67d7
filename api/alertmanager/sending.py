"""Alerts as a Prometheus sends them (`postableAlerts`): each that can be told is taken, whatever is wrong with others.

As Alertmanager has it (github.com/prometheus/alertmanager, api/v2): a Prometheus does not send again what was refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_plus

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError
from pydantic.config import ConfigDict

from api.problem import Refused
from core.alerts.sent import BELIEVED_SECONDS, SentAlert, text_of
from core.readiness import CANARY, METRICS, READINESS
from storage.state.alerts import plain

MOST_LABELS, LONGEST, LONGEST_TEXT = 64, 1_024, 2_000
NAME = re.compile(r"[^\s\x00-\x1f\"]+")
"""A Prometheus may take any word: service.name."""
OF_READINESS = re.compile(rf"\bfundwatch_trading_|\b({'|'.join((*METRICS, CANARY))})\b")
COLLECTOR = "collector"


class Postable(BaseModel):
    """An alert as it is sent."""

    model_config = ConfigDict(populate_by_name=False)

    labels: dict[str, str]
    annotations: dict[str, str] = Field(default_factory=dict)
    starts_at: AwareDatetime | None = Field(None, alias="startsAt")
    ends_at: AwareDatetime | None = Field(None, alias="endsAt")
    generator_url: str | None = Field(
        None, alias="generatorURL", description="Address of its rule: tells what it looks at."
    )


_ALERTS = TypeAdapter(list[Postable])


def read_alerts(body: bytes, now: float) -> tuple[list[SentAlert], list[str]]:
    """Return the alerts of a body as of `now` (epoch seconds), and what is wrong with others.

    Raises Refused where the body is no list of alerts at all.
    """
    try:
        sent = _ALERTS.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise Refused(400, f"{where}: {first['msg']}" if where else str(first["msg"])) from error
    found: list[SentAlert] = []
    wrong: list[str] = []
    for number, each in enumerate(sent):
        read = _alert(each, now)
        if isinstance(read, SentAlert):
            found.append(read)
        else:
            wrong.append(f"alert {number}: {read}")
    return found, wrong


def _alert(sent: Postable, now: float) -> SentAlert | str:
    """Return an alert, or what is wrong with it."""
    labels = {name: kept for name, value in sent.labels.items() if (kept := plain(value))}
    wrong = _wrong(labels)
    begins = _time(sent.starts_at)
    ends = _time(sent.ends_at) or now + BELIEVED_SECONDS
    if begins and begins > ends:
        wrong = "startsAt is after endsAt"
    if wrong:
        return wrong
    if OF_READINESS.search(unquote_plus(sent.generator_url or "")):
        # It must be no reason itself that trading is not safe: it would never be safe again.
        labels.setdefault(COLLECTOR, READINESS)
    text = plain(text_of(sent.annotations, labels)[:LONGEST_TEXT])
    return SentAlert(tuple(sorted(labels.items())), text, begins or min(now, ends), ends, now)


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
