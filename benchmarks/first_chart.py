"""Time to the first chart in a browser that nobody looks into.

Attached developer tools, and Playwright is attached by them, let V8 note the source position of every function that an
exception passes: of Plotly that takes as long again as starting it. So the browser here is alone and writes a trace.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.support.browser import ARGUMENTS, executable

MARK = "fundwatch-chart"
"""What assets/js/43-plot.js writes among the browser's user timings with each chart that it drew."""
CATEGORIES = "blink.user_timing,devtools.timeline,toplevel"


def first_chart(url: str, seconds: int = 20) -> tuple[float, float]:
    """Return the seconds of a first visit until a chart is drawn, and what the page's thread worked of them.

    seconds: how long the browser is given. Raises AssertionError when no chart was drawn by then.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        trace = Path(folder) / "trace.json"
        options = [
            f"--user-data-dir={folder}/profile", "--window-size=1440,900", f"--trace-startup={CATEGORIES}",
            f"--trace-startup-file={trace}", "--trace-startup-format=json", f"--trace-startup-duration={seconds}",
        ]  # fmt: skip
        browser = subprocess.Popen(
            [executable(), *ARGUMENTS, *options, url],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            return _figures(_events(trace, time.monotonic() + 6 * seconds), url)
        finally:
            os.killpg(browser.pid, signal.SIGTERM)
            browser.wait()


def _events(trace: Path, until: float) -> list[dict[str, Any]]:
    while time.monotonic() < until:
        time.sleep(1)
        try:
            return list(json.loads(trace.read_text())["traceEvents"])
        except (FileNotFoundError, json.JSONDecodeError):
            continue  # it is still being written
    raise AssertionError("the browser wrote no trace")


def _figures(events: list[dict[str, Any]], url: str) -> tuple[float, float]:
    drawn = min((each for each in events if each["name"] == MARK), key=lambda each: each["ts"], default=None)
    assert drawn, f"no chart of {url} was drawn in time"
    process, thread = drawn["pid"], drawn["tid"]
    began = min(
        each["ts"] for each in events
        if each["name"] == "navigationStart" and each["pid"] == process and url in str(each["args"])
    )  # fmt: skip
    tasks = sum(
        each.get("tdur", 0) for each in events
        if each["name"] == "ThreadControllerImpl::RunTask" and (each["pid"], each["tid"]) == (process, thread)
        and began <= each["ts"] <= drawn["ts"]
    )  # fmt: skip
    return (drawn["ts"] - began) / 1e6, tasks / 1e6
