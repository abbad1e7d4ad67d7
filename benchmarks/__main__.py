"""`make bench`: every figure of docs/BENCHMARKS.md, one program after the other. A missed target is shown, not hidden.

`python -m benchmarks NAME…` runs some of them. The half-hour soak, the rounds of frozen servers and
of kills, and the sweep of all pages with axe-core run only by name.
"""

from __future__ import annotations

import subprocess
import sys
import time

PROGRAMS = (
    *("storage_bytes", "series_reads", "nav_reads", "analytics", "portfolio_tab"),
    *("holdings", "beside", "fund_pages", "trades", "execution", "limits"),
    *("collector_cpu", "lateness"),
    *("startup", "pages", "callbacks", "api", "alerts", "alert_delivery", "alert_storm", "ingest"),
    *("import_memory", "import_rows", "reconciliation"),
    *("sources", "feeds", "full_set", "outages"),
)
BY_NAME = ("soak", "freezes", "ingest_kills", "alert_kills", "accessibility")


def main(names: list[str]) -> int:
    """Run the programs; return 1 when one could not be run."""
    unknown = [name for name in names if name not in PROGRAMS + BY_NAME]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(PROGRAMS + BY_NAME)}", file=sys.stderr)
        return 2
    failed = []
    for name in names or PROGRAMS:
        began = time.monotonic()
        print(f"\n── {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            failed.append(name)
        print(f"   {time.monotonic() - began:.0f} s", flush=True)
    if failed:
        print(f"\ncould not be measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
