"""The picture that goes with a message: what its gravest alert watches, from an hour before it began to now.

It is made within a second or left out: a message waits for no picture.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from alerting.notice import Alert, Notice, Picture
from alerting.picture import Course, drawn
from core.alerts.expression import Figure
from core.alerts.rule import Rule
from core.alerts.thresholds import charted, limits_of
from core.errors import FundwatchError
from core.metrics import MACHINE
from portfolio.vocabulary import vocabulary
from storage.clickhouse.reads.catalog import read_any

if TYPE_CHECKING:
    from storage.stores import Stores

LONGEST_SECONDS = 1.0
BEFORE_SECONDS = 3_600.0
POINTS = 240
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
        for alert in notice.alerts:
            rule = rules.get(alert.rule)
            figure = charted(rule) if rule else None
            if rule is None or figure is None or figure.name not in vocabulary():
                continue
            end = notice.made_at if notice.is_over else self._stores.clock.now()
            if course := self._course(rule, figure, alert, end):
                return [Picture(drawn(course), f"{rule.title or rule.name}: {figure.name}")]
        return []

    def _course(self, rule: Rule, figure: Figure, alert: Alert, end: float) -> Course | None:
        """Return the course of an alert; None: nothing of it is stored. Raises StorageError."""
        begins = alert.since - BEFORE_SECONDS
        wanted = {name: value for name, value in alert.labels if rule.labels.get(name) != value}
        host = wanted.pop(MACHINE, "")
        read = read_any(
            self._stores.clickhouse, figure.name, wanted, host, begins, end, step=0, points=POINTS,
            retention=self._stores.settings.retention, now=end,
        )  # fmt: skip
        if not read or all(value is None for value in read[0].data.mean):
            return None
        data, unit = read[0].data, vocabulary()[figure.name].unit
        return Course(data.ts, data.mean, limits_of(rule), begins, end, alert.since, unit)
