"""The Portfolio tab's callback with ten years of a portfolio, its benchmark and six others compared.

Asked of the application in this process, from the request's bytes to the answer's. Cold: the data has a new version, so
that everything is read, computed and drawn again. Unchanged: the page shows the newest version.
"""

from __future__ import annotations

import gzip
import json
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from flask.testing import FlaskClient

from benchmarks import portfolios
from benchmarks.callbacks import refresh_body
from benchmarks.quiet import OtherWork, wait_until_quiet
from benchmarks.report import Figure, show
from core.model import Facts
from core.settings.model import Settings
from storage.state.portfolios import Portfolio, put_portfolios
from storage.stores import Stores, open_stores
from tests.support.application import create_app

YEARS, COMPARED = 10, 6
COLD_ROUNDS, UNCHANGED_ROUNDS = 15, 60
VERSION_PAUSE_SECONDS = 0.12
"""Longer than viewers share one look at the versions: each unchanged refresh asks anew."""
TAB, DATASET, ORIGIN, BENCHMARK = "portfolio", "portfolio", "own", "SP500"
HEADERS = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
WINDOWS = ("1Y", "3Y", "5Y", "YTD")


def main() -> None:
    """Measure the callback cold, with another window, and unchanged."""
    with tempfile.TemporaryDirectory() as folder:
        stores = open_stores(Settings(data_dir=Path(folder) / "data", machine="host-1"))
        try:
            fill(stores)
            wait_until_quiet()
            others = OtherWork()
            measure(stores)
            show(others.figure())
        finally:
            stores.close()


def fill(stores: Stores) -> None:
    """Insert a fund, its six parts, and the benchmark's prices."""
    returns, benchmark = portfolios.mixes(COMPARED, YEARS * portfolios.DAYS_A_YEAR)
    last = np.datetime64(portfolios.LAST_DAY, "D")
    days = np.busday_offset(last, np.arange(-returns.shape[1], 1), roll="backward").astype("datetime64[s]").astype(int)
    ts = [int(day) + 21 * 3600 for day in days]
    parts = 1e6 * np.cumprod(np.c_[np.ones(COMPARED), 1.0 + returns], axis=1)
    navs = np.vstack([parts.sum(axis=0), parts])
    names = ("origin", "portfolio", "ts", "nav", "flow", "version")
    count = len(ts)
    for number, values in enumerate(navs):
        data = ([ORIGIN] * count, [f"p{number}"] * count, ts, values.tolist(), [0.0] * count, [1] * count)
        stores.clickhouse.insert(Facts("nav", names, data))
    level = (1000.0 * np.cumprod(np.r_[1.0, 1.0 + benchmark])).tolist()
    prices = ([ORIGIN] * count, [BENCHMARK] * count, ts, level, [1] * count)
    stores.clickhouse.insert(Facts("prices", ("origin", "instrument", "ts", "price", "version"), prices))
    put_portfolios(
        stores.state,
        [
            Portfolio(ORIGIN, f"p{number}", f"Portfolio {number}", parent="p0" if number else "", benchmark=BENCHMARK)
            for number in range(len(navs))
        ],
    )


def measure(stores: Stores) -> None:
    """Print the times; every answer is checked for what it says it is."""
    client = create_app(stores).server.test_client()
    dependencies = client.get("/_dash-dependencies").json
    assert dependencies is not None
    choices = {"compare": ",".join(f"{ORIGIN}:p{number}" for number in range(1, COMPARED + 1))}

    def refresh(seen: str | None, window: str = "ITD") -> tuple[float, Any]:
        asked = choices if window == "ITD" else choices | {"window": window}
        return timed(client, refresh_body(dependencies, TAB, seen, asked))

    first, _ = refresh(None)
    cold, whole = [], []
    for _ in range(COLD_ROUNDS):
        stores.live.bump(DATASET)
        taken, answer = refresh(None)
        cold.append(taken)
        whole.append(taken + fetch_parts(client, answer.data))
    other = [refresh(None, window)[0] for window in WINDOWS]
    body = answer.data
    answered = json.loads(body)["response"]
    version = check(answered)
    unchanged = []
    for _ in range(UNCHANGED_ROUNDS):
        time.sleep(VERSION_PAUSE_SECONDS)
        taken, answer = refresh(version)
        assert answer.status_code == 204, answer.status_code
        unchanged.append(taken)
    show(
        Figure("first view after a start", first, "ms"),
        Figure(f"cold: {YEARS} years, {COMPARED} compared", statistics.median(cold), "ms", 150),
        Figure("cold, slowest of the runs", max(cold), "ms"),
        Figure("cold, and every part that is fetched when seen", statistics.median(whole), "ms"),
        Figure("another window of the same data", statistics.median(other), "ms"),
        Figure("unchanged", statistics.median(unchanged), "ms", 3),
        Figure("answer", len(body) / 1000, "kB"),
        Figure("answer, gzip", len(gzip.compress(body)) / 1000, "kB"),
    )


def check(answered: dict[str, Any]) -> str:
    """Return the version that was answered. Raises AssertionError when a panel failed or a portfolio is absent."""
    problem = answered[f"{TAB}-problem"]["children"]
    assert not problem, problem
    payload = answered[f"{TAB}-payload"]["data"]
    assert not any(payload["notes"].values()), payload["notes"]
    text = json.dumps(answered)
    for number in range(COMPARED + 1):
        assert f"Portfolio {number}" in text, f"Portfolio {number} is not shown"
    return str(payload["version"])


def fetch_parts(client: FlaskClient, body: bytes) -> float:
    """Return the milliseconds of the parts that the page asks for once they are seen."""
    places = sorted(set(re.findall(r"/portfolio/fragment/[^\"]+", body.decode())))
    assert places
    began = time.perf_counter()
    for place in places:
        answer = client.get(place)
        assert answer.status_code == 200, (place, answer.status_code)
    return (time.perf_counter() - began) * 1000


def timed(client: FlaskClient, body: bytes) -> tuple[float, Any]:
    """Return the milliseconds of a refresh and its answer. Raises AssertionError when it failed."""
    began = time.perf_counter()
    answer = client.post("/_dash-update-component", data=body, headers=HEADERS)
    taken = (time.perf_counter() - began) * 1000
    assert answer.status_code in (200, 204), answer.data[:500]
    return taken, answer


if __name__ == "__main__":
    main()
