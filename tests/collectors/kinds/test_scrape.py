"""Exporters as they are: as many series as a node_exporter has, values of another time, series served twice."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from core.kinds.scrape.source import ScrapeSource
from core.kinds.scrape.spec import Series
from core.model import Status
from core.tables import rows_of
from tests.collectors.readings import check
from tests.collectors.services import Site, of_scrape, values

NODE_SERIES = 507
"""Of a node_exporter with its default collectors on a machine of 2 cores."""


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site({})
    yield made
    made.close()


def serve(site: Site, *lines: str) -> str:
    site.answers["/metrics"] = (200, {}, ("\n".join(lines) + "\n").encode())
    return site.url + "/metrics"


def test_a_node_exporter_is_within_the_default_limit_and_all_of_it_is_told(site: Site) -> None:
    lines = [f'node_interrupts{{cpu="0",type="{n}"}} {n}' for n in range(NODE_SERIES)]
    source = ScrapeSource.model_validate({"name": "oms", "url": "http://x/metrics"})
    reading = of_scrape(serve(site, "# TYPE node_interrupts gauge", *lines), timeout_seconds=5).collect(time.time())
    assert (reading.components[0].status, source.series_limit) == (Status.OK, 5_000)
    rows = rows_of({table.name: table for table in reading.tables}, Series)
    assert len(rows) == NODE_SERIES == values(reading)["scrape_series"]
    assert rows[-1].told_labels == f"cpu=0, type={NODE_SERIES - 1}"


def test_a_value_of_another_time_is_left_out_and_told(site: Site) -> None:
    now = time.time()
    three_hours = int((now - 3 * 3_600) * 1_000)
    url = serve(
        site, "# TYPE backup_size_bytes gauge", f"backup_size_bytes 5 {three_hours}", "# TYPE queue gauge",
        f"queue 7 {int(now * 1_000)}", "# TYPE depth gauge", "depth 9",
    )  # fmt: skip
    reading = of_scrape(url).collect(now)
    found = values(reading)
    assert "backup_size_bytes" not in found
    assert (found["queue"], found["depth"], found["scrape_stale"], found["scrape_series"]) == (7, 9, 1, 2)
    assert reading.components[0].status is Status.WARNING
    assert check(reading, "stale")["why"] == ("1 series left out, their time is not now: backup_size_bytes is 3 h off")


def test_a_series_that_comes_twice_is_stored_once_and_told(site: Site) -> None:
    url = serve(
        site, "# TYPE depth gauge", 'depth{book="es"} 9', 'depth{book="nq"} 4', 'depth{book="es"} 11',
        # A gauge that is called as a counter's rate is stored is the same series too.
        "# TYPE fills_total counter", "fills_total 3", "# TYPE fills_per_second gauge", "fills_per_second 2",
    )  # fmt: skip
    collector = of_scrape(url)
    collector.collect(time.time())
    reading = collector.collect(time.time())
    stored = [(sample.metric, sample.labels) for sample in reading.samples]
    assert len(stored) == len(set(stored))
    assert [sample.value for sample in reading.samples if sample.metric == "depth"] == [9, 4]
    assert values(reading)["scrape_doubled"] == 2
    assert check(reading, "doubled")["why"] == (
        "2 series served again with the same labels, stored once: depth{book=es}"
    )
    assert reading.components[0].status is Status.WARNING
