"""What goes with a message beside what the outbox holds of it: the way to the charts, a picture, tables."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from alerting.channels import TAKE_PICTURES
from alerting.course import LONGEST_SECONDS, Pictures
from alerting.members import members_of
from alerting.notice import MOST_SHOWN, Attachment, Notice
from alerting.tables import MOST_ALERTS, alerts_table
from core.alerts.rule import Rule
from core.alerts.thresholds import bounds_of
from core.errors import FundwatchError
from core.patience import at_most
from core.settings.channels import Channel, Email
from portfolio.alert_courses import unit_of_figure
from portfolio.alert_places import charts_of

if TYPE_CHECKING:
    from storage.stores import Stores

log = logging.getLogger(__name__)


class Beside:
    """Completes messages. May be called by several threads."""

    def __init__(self, stores: Stores, rules: Callable[[], Sequence[Rule]]) -> None:
        self._stores = stores
        self._rules = rules
        self._pictures = Pictures(stores, rules)

    def __call__(self, notice: Notice, channel: Channel, address: str) -> Notice:
        """Return a message with what its channel takes beside it, as far as it can be had; address: of our pages."""
        if not notice.incident or not notice.alerts:
            return notice
        try:
            rules = {each.name: each for each in self._rules()}
            with at_most(LONGEST_SECONDS):
                place = self._place(notice, rules) if address else ""
            table = self._table(notice, rules) if isinstance(channel, Email) else None
            notice = replace(notice, charts_link=f"{address}{place}" if place else "", table=table)
        except FundwatchError as error:
            log.debug("incident %d is told without its tables: %s", notice.incident, error)
        except Exception:
            # The message itself is whole without them, and is waited for.
            log.exception("incident %d is told without its tables", notice.incident)
        return replace(notice, picture=self._pictures(notice)) if isinstance(channel, TAKE_PICTURES) else notice

    def _place(self, notice: Notice, rules: Mapping[str, Rule]) -> str:
        gravest = notice.alerts[0]
        now = notice.made_at if notice.is_over else self._stores.clock.now()
        return charts_of(self._stores, dict(gravest.labels), gravest.since, rules.get(gravest.rule), now)

    def _table(self, notice: Notice, rules: Mapping[str, Rule]) -> Attachment | None:
        if len(notice.alerts) + notice.more <= MOST_SHOWN:
            return None
        more = () if notice.is_over else members_of(self._stores.state, notice.incident, rules, MOST_ALERTS)

        def unit_of(rule: str) -> str:
            bounds = bounds_of(rules[rule]) if rule in rules else []
            return unit_of_figure(bounds[0].figure) if bounds else ""

        return alerts_table(notice, more, unit_of)
