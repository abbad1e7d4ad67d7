"""What is shown at once on open pages: alerts that began or got worse since a page asked last and that are told."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, takewhile
from typing import Any

import orjson

from core.alerts.spec import FiringAlert
from dashboard.alerts.known import Known
from dashboard.notices.lines import sign_of, word_of
from portfolio.notices.notice import Kind, Level, Notice, Source
from portfolio.notices.read import Part

MOST = 3
LEVELS = (Level.URGENT, Level.CRITICAL)
"""Of what is shown, the gravest first."""


def toasts(part: Part, known: Known, after: int | None) -> dict[str, Any]:
    """Return the toasts of alerts since row `after` of their history, the oldest first, and where the next ones begin.

    after: None: the page was opened just now, and what there was before is no news. What is kept quiet, is in hand or
    is over again is none. An alert whose row is there before the engine has told of its tick waits for that.
    """
    told_at = known.evaluated_at
    if told_at is None:
        # Nobody knows what fires: where the page was told up to stays.
        return {"after": after, "shown": [], "more": 0}
    begun = (each for each in part.notices if each.source is Source.ALERTS and each.at <= told_at)
    first = next(begun, None)
    last = max(first.number if first else 0, after or 0)
    if first is None or after is None or last <= after:
        return {"after": last, "shown": [], "more": 0}
    new = [each for each in takewhile(lambda each: each.number > after, chain([first], begun)) if _is_worth(each)]
    loud = [(each, _labels(each)) for each in known.firing if not each.muted_by and not each.acknowledged_by]
    found = [each for each in new if _fires(each, loud)]
    gravest = sorted(found, key=lambda each: (LEVELS.index(each.level), -each.number))[:MOST]
    shown = sorted(gravest, key=lambda each: each.number)
    return {"after": last, "shown": [_toast(each) for each in shown], "more": len(found) - len(shown)}


def _is_worth(notice: Notice) -> bool:
    return notice.kind in (Kind.FIRES, Kind.RAISED) and notice.level in LEVELS


def _fires(notice: Notice, loud: Iterable[tuple[FiringAlert, set[tuple[str, str]]]]) -> bool:
    mine = [set(orjson.loads(each).items()) for each in notice.members]
    return any(each <= labels for alert, labels in loud if alert.rule == notice.rule for each in mine)


def _labels(alert: FiringAlert) -> set[tuple[str, str]]:
    return set(orjson.loads(alert.labels).items())


def _toast(notice: Notice) -> dict[str, Any]:
    return {
        "id": notice.id, "level": notice.level, "sign": sign_of(notice.level), "word": word_of(notice),
        "text": notice.sentence, "of": notice.name, "at": notice.at, "href": notice.href,
    }  # fmt: skip
