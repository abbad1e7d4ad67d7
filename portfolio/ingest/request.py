"""What is asked of a batch, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from core.ingest.kinds import Kind
from portfolio.allowed import Limits
from portfolio.imports.doubts import Doubt


@dataclass(frozen=True, slots=True)
class Asked:
    """How a batch is to be taken."""

    kind: Kind
    limits: Limits = None
    """Ids of the only own portfolios that it may be of; None: any."""
    may_create: bool = False
    """Whether portfolios that there are none of are made."""
    refuses_conflicts: bool = False
    """Whether a row that says something else than what stands there refuses the batch, instead of replacing it."""
    last_counts: bool = False
    """Whether the last row of a key counts where they differ, instead of a fault; not of orders and samples."""
    who: str = ""
    """Who sends it, as the audit tells."""
    source: str = ""
    """Where it is from, as marks tell: a file, a pull. Empty: from who sends it by the API."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """A batch that was taken, whole. While ClickHouse is away nobody knows what was there: then the counts are None."""

    kind: str
    rows: int
    added: int | None
    already_there: int | None
    """Rows that say what is there, or what another row of the batch says."""
    restated: int | None = None
    """Rows that replaced what was said before; each left a mark."""
    updated: int | None = None
    """Orders that came into a later state."""
    older: int | None = None
    """States of orders that have gone on since."""
    is_waiting: bool = False
    """Whether it is on this machine's disk until ClickHouse answers again."""
    created: tuple[str, ...] = ()
    """Portfolios that were made for it."""
    told: tuple[str, ...] = ()
    """What must be known beside it, a sentence each."""
    doubts: tuple[Doubt, ...] = ()
    """What of it is hard to believe; `told` says it."""
    names: tuple[str, ...] = ()
    """Ids of the portfolios whose values it has; of other kinds none is told."""
