"""Pages of program files are given back, and what was loaded works on."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from core.memory import unchanged

SMAPS = """\
7f00-7f10 r-xp 00001000 fe:00 539 /lib/engine.so
Rss:                  64 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
7f10-7f20 r--p 00011000 fe:00 539 /lib/engine.so
Anonymous:             4 kB
7f20-7f30 rw-p 00021000 fe:00 539 /lib/engine.so
Anonymous:             0 kB
7f30-7f40 r--p 00000000 00:00 0
Anonymous:             0 kB
7f40-7f50 r-xp 00000000 00:00 0 [vdso]
Anonymous:             0 kB
7f50-7f60 r--s 00000000 fe:00 540 /usr/lib/a name with blanks (deleted)
Anonymous:             0 kB
"""
LOADED = """
import numpy, pyarrow.compute
from core.memory import give_back
def resident():
    return next(line.split()[1] for line in open("/proc/self/status") if line.startswith("RssFile"))
before = resident()
give_back()
print(before, resident(), numpy.linalg.inv(numpy.eye(3)).sum(), pyarrow.compute.sum([1, 2]))
"""


def test_only_what_a_file_still_has_is_given_back() -> None:
    assert list(unchanged(SMAPS.splitlines(keepends=True))) == [(0x7F00, 0x7F10), (0x7F50, 0x7F60)]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is given back")
def test_libraries_work_on_with_less_of_them_resident() -> None:
    told = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True).stdout
    before, after, *worked = re.split(r"\s+", told.strip())
    assert int(after) < int(before) / 2
    assert worked == ["3.0", "3"]


def test_what_a_start_made_is_not_looked_through_again() -> None:
    program = """
import gc
from core.memory import keep_what_is
made = [[] for _ in range(10_000)]
keep_what_is()
print(len(gc.get_objects()) < 100, len(made), gc.isenabled())
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["True", "10000", "True"]


def test_ten_thousand_alerts_more_are_not_looked_through_each_second() -> None:
    program = """
import gc
from core.memory import keep_what_is
keep_what_is()
looks = gc.get_stats()[2]["collections"]
made = [{"labels": {"instance": str(number)}, "at": [number]} for number in range(10_000)]
for second in range(20):
    read = [{"labels": dict(each["labels"]), "at": list(each["at"])} for each in made]
print(gc.get_stats()[2]["collections"] - looks, len(read), gc.isenabled())
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["0", "10000", "True"]
