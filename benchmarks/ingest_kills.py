"""Fifty kills of web workers, the collector and ClickHouse while programs send: what is lost, and what is doubled.

`python -m benchmarks.ingest_kills 5` runs five.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.report import Figure, show
from tests.support.senders import Cluster, kill_during_ingest

ROUNDS = 50


def main(rounds: int) -> None:
    """Kill so often, and count."""
    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder)) as cluster:
        acknowledged, lost, doubled, lacking = kill_during_ingest(cluster, rounds)
    show(
        Figure(f"rows acknowledged during {rounds} kills", acknowledged, ""),
        Figure("of them lost", lost, "", 0),
        Figure("of them doubled", doubled, "", 0),
        Figure("of the samples not in the rollups, or twice", lacking, "", 0),
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
