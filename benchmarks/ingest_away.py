"""ClickHouse away for a minute while programs send: every row that was acknowledged is there afterwards, once.

`python -m benchmarks.ingest_away 10` lets it be away for ten seconds.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.report import Figure, show
from tests.support.senders import Cluster, away_during_ingest

SECONDS = 60.0


def main(seconds: float) -> None:
    """Take ClickHouse away, bring it back, and count."""
    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder)) as cluster:
        counted = away_during_ingest(cluster, seconds)
    show(
        Figure(f"rows acknowledged, ClickHouse away for {seconds:g} s of it", counted.acknowledged, ""),
        Figure("of them acknowledged while it was away", counted.acknowledged_away, ""),
        Figure("of all lost", counted.lost, "", 0),
        Figure("of all doubled", counted.doubled, "", 0),
        Figure("of the samples not in the rollups, or twice", counted.lacking, "", 0),
    )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
