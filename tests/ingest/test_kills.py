"""Kill -9 while programs send: what was acknowledged is there, once."""

from __future__ import annotations

from pathlib import Path

from tests.support.senders import Cluster, kill_during_ingest


def test_kill_9_during_ingest_loses_and_doubles_nothing_acknowledged(tmp_path: Path) -> None:
    with Cluster(tmp_path) as cluster:
        acknowledged, lost, doubled, lacking = kill_during_ingest(cluster, 4)
    assert acknowledged > 200
    assert (lost, doubled, lacking) == (0, 0, 0)
