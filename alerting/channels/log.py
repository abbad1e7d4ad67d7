"""The log of Fundwatch itself: the channel that is always there."""

from __future__ import annotations

import logging

from alerting.notice import Notice
from core.alerts.severity import Severity

LEVELS = {
    Severity.INFO: logging.INFO, Severity.WARNING: logging.WARNING, Severity.CRITICAL: logging.ERROR,
    Severity.URGENT: logging.CRITICAL,
}  # fmt: skip

log = logging.getLogger(__name__)


def send(notice: Notice) -> str:
    """Write it down in one line."""
    level = logging.INFO if notice.is_over else LEVELS[notice.severity]
    where = f" {notice.link}" if notice.link else ""
    log.log(level, "%s%s", notice.subject, where)
    return ""
