"""The picture that goes with a message: what its gravest alert watches, from an hour before it began to now.

It is made within a second or left out: a message waits for no picture.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from alerting.notice import Alert, Notice, Picture
from alerting.picture import Course, drawn
from alerting.tables import course_table
from core.alerts.rule import Rule
from core.alerts.thresholds import Bound
from core.errors import FundwatchError
from core.metrics import MACHINE
from portfolio.alert_courses import (
    FigureCourse,
    deciding,
    is_of_portfolios,
    labels_of_figure,
    portfolio_course,
    series_labels,
    watched,
)
from portfolio.chosen import key_of
from portfolio.incidents import portfolio_key
from portfolio.limits.known import known_limits
from storage.clickhouse.reads.catalog import read_any
from storage.state.portfolios import list_portfolios

if TYPE_CHECKING:
    from storage.stores import Stores

LONGEST_SECONDS = 1.0
BEFORE_SECONDS = 3_600.0
POINTS = 240
MOST_TRIED = 10
"""Alerts, the gravest, of which one has a course."""
MOST_AT_ONCE = 4
"""Pictures: one that hangs keeps a thread, and no more than these."""

log = logging.getLogger(__name__)


class Pictures:
    """Makes pictures for messages. May be called by several threads."""

    def __init__(self, stores: Stores, rules: Callable[[], Sequence[Rule]]) -> None:
        self._stores = stores
        self._rules = rules
        self._free = threading.BoundedSemaphore(MOST_AT_ONCE)

    def __call__(self, notice: Notice) -> Picture | None:
        """Return the picture of a message; None: it has none, or none within a second."""
        if not notice.incident or not notice.alerts or not self._free.acquire(blocking=False):
            return None
        found: list[Picture] = []
        done = threading.Event()

        def make() -> None:
            try:
                found.extend(self._made(notice))
            except (FundwatchError, ValueError) as error:
                log.debug("no picture for incident %d: %s", notice.incident, error)
            except Exception:
                log.exception("no picture for incident %d", notice.incident)
            finally:
                self._free.release()
                done.set()

        threading.Thread(target=make, name="alerts-picture", daemon=True).start()
        done.wait(LONGEST_SECONDS)
        return found[0] if found else None

    def _made(self, notice: Notice) -> list[Picture]:
        rules = {each.name: each for each in self._rules()}
        end = notice.made_at if notice.is_over else self._stores.clock.now()
        for alert in notice.alerts[:MOST_TRIED]:
            rule = rules.get(alert.rule)
            if rule is None or (found := self._course(rule, alert, end)) is None:
                continue
            figure = replace(found.bound.figure, matchers=())
            begins = min([alert.since - BEFORE_SECONDS, *found.times[:1]])
            course = Course(found.times, found.values, found.bound.limits, begins, end, alert.since, found.unit)
            table = course_table(alert, str(figure), course)
            return [Picture(drawn(course), f"{rule.title or rule.name}: {figure}", table)]
        return []

    def _course(self, rule: Rule, alert: Alert, end: float) -> FigureCourse | None:
        """Return the course of the figure that decides; None: nothing of any is stored. Raises StorageError."""
        of = series_labels(dict(alert.labels), rule)
        bounds = watched(rule, of, lambda: known_limits(self._stores))
        found = [self._of(bound, of, alert.since, end, is_only=len(bounds) == 1) for bound in bounds]
        return deciding([each for each in found if each])

    def _of(
        self, bound: Bound, of: Mapping[str, str], since: float, end: float, *, is_only: bool
    ) -> FigureCourse | None:
        if is_of_portfolios(bound.figure):
            key = portfolio_key(of)
            portfolio = next((each for each in list_portfolios(self._stores.state) if key_of(each) == key), None)
            return portfolio_course(self._stores, portfolio, bound, since, end) if portfolio else None
        wanted = labels_of_figure(bound.figure, of, is_only=is_only)
        host = wanted.pop(MACHINE, "")
        read = read_any(
            self._stores.clickhouse, bound.figure.name, wanted, host, since - BEFORE_SECONDS, end, step=0,
            points=POINTS, retention=self._stores.settings.retention, now=end,
        )  # fmt: skip
        if not read or all(value is None for value in read[0].data.mean):
            return None
        return FigureCourse(bound, read[0].data.ts, read[0].data.mean)
