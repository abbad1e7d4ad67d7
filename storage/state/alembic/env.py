"""Runs the state migrations on the connection that storage.state hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from storage.state import (  # noqa: F401  (their tables are metadata as well)
    access_tables,
    alert_tables,
    canary,
    halts,
    notices_seen,
    portfolio_limits,
    scenarios,
)
from storage.state.database import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
