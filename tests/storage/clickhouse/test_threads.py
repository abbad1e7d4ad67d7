"""The threads of the engine inside our process, counted in a process of its own: they stay once they are there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PARTS = 130
"""More than the hundred from which the engine would take 128 threads to remove them."""
MOST_MORE = 30
REMOVING = f"""
import os, sys, time
from core.settings.model import Settings
from storage.clickhouse.migrate import bound_threads
from storage.stores import open_clickhouse, prepare_clickhouse

settings = Settings(data_dir=sys.argv[1])
clickhouse = open_clickhouse(settings)
prepare_clickhouse(clickhouse, settings)
soon = "old_parts_lifetime = 1, cleanup_delay_period = 1, max_cleanup_delay_period = 1"
soon += ", cleanup_delay_period_random_add = 0"
clickhouse.command("CREATE TABLE merged (number UInt32) ENGINE = MergeTree ORDER BY number SETTINGS " + soon)
bound_threads(clickhouse)
clickhouse.command("SYSTEM STOP MERGES merged")
for each in range({PARTS}):
    clickhouse.command(f"INSERT INTO merged VALUES ({{each}})")
before = len(os.listdir("/proc/self/task"))
clickhouse.command("SYSTEM START MERGES merged")
clickhouse.command("OPTIMIZE TABLE merged FINAL")
parts = "SELECT count() FROM system.parts WHERE database = currentDatabase() AND table = 'merged' AND NOT active"
ends = time.monotonic() + 60
while clickhouse.rows(parts) != [(0,)] and time.monotonic() < ends:
    time.sleep(0.2)
print(clickhouse.rows(parts)[0][0], len(os.listdir("/proc/self/task")) - before)
"""


def test_many_merged_parts_are_removed_without_a_hundred_threads(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", REMOVING, str(tmp_path)], capture_output=True, text=True, timeout=120, check=True
    )
    left, more = map(int, told.stdout.split())
    assert left == 0
    assert more < MOST_MORE
