"""One disk is shown with one figure, that of df, wherever it is shown; what is no disk is told."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from collectors.kinds.clickhouse.answers import Answers
from collectors.kinds.clickhouse.collector import with_used_space
from collectors.machine.linux.mounts import parse_filesystems, parse_left_out, space
from core.kinds.clickhouse.tables import Disk
from core.machine.spec import LeftOut
from dashboard.system.tables import left_out

MOUNTS = """/dev/vda / ext4 rw 0 0
proc /proc proc rw 0 0
tmpfs /run tmpfs rw 0 0
tmpfs /dev/shm tmpfs rw 0 0
filer:/books /mnt/books nfs4 rw 0 0
/dev/loop1 /snap/core squashfs ro 0 0
merged /srv/merged fuse.mergerfs rw 0 0
cgroup2 /sys/fs/cgroup cgroup2 rw 0 0
"""
FILESYSTEMS = "nodev\ttmpfs\nnodev\tproc\n\text4\n\tsquashfs\n"


@pytest.mark.skipif(shutil.which("df") is None, reason="df is not installed")
def test_the_used_share_of_a_disk_is_that_of_df(tmp_path: Path) -> None:
    answer = subprocess.run(["df", "--output=pcent", tmp_path], capture_output=True, text=True, check=True).stdout
    told = int(answer.split()[-1].rstrip("%"))
    ours = space(str(tmp_path))
    assert ours is not None and ours.used_ratio is not None
    assert told - 1 <= ours.used_ratio * 100 <= told, "df rounds up"
    # What ClickHouse says of a disk that keeps a part for root: no more than what is free to programs.
    row = Disk("default", str(tmp_path), float(ours.available_bytes), float(ours.total_bytes))
    (disk,) = with_used_space(Answers({Disk: [row]})).of(Disk)
    assert disk.used_ratio == pytest.approx(ours.used_ratio, abs=0.001)


def test_what_is_left_out_is_listed_in_words() -> None:
    asked = []

    def is_folder(path: str) -> bool:
        asked.append(path)
        return True

    found = parse_left_out(MOUNTS, parse_filesystems(FILESYSTEMS), is_folder)
    assert left_out(found) == (
        "Left out: in memory /dev/shm (tmpfs), /run (tmpfs); on the network /mnt/books (nfs4); read-only images "
        "/snap/core (squashfs); without a disk /srv/merged (fuse.mergerfs)."
    )
    assert "/mnt/books" not in asked, "a file server that is away would hang the question"
    assert left_out([]) == ""
    assert LeftOut("/mnt/books", "nfs4", "on the network") in found
