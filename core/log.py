"""Logging: one line a message, to standard error."""

from __future__ import annotations

import logging
import sys

QUIET = {
    "apscheduler": logging.ERROR,
    "alembic": logging.WARNING,
    "urllib3": logging.ERROR,
    "clickhouse_connect": logging.ERROR,
}
"""Libraries whose lesser messages repeat what our own errors say."""


def configure(level: str = "INFO") -> None:
    """Send every log record to standard error, one line each."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(max(least, logging.getLevelName(level)))
