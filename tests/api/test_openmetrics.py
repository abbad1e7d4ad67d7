"""/metrics as a Prometheus takes it: parsed by the parser of its own client, with types and units."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as parse_older

from core.catalogue import catalogue
from core.metrics import UNITS
from core.model import Reading, Sample, labels
from portfolio.halting import halt
from storage.stores import Stores
from tests.support.api import Standing, client_of, fill, watching
from tests.support.readiness import Fund, safe_stores


def standing(stores: Stores) -> Stores:
    """Return watching stores whose readings do not grow old, however slow the machine is."""
    return replace(watching(stores), clock=Standing(time.time()))


def test_every_current_metric_is_told_with_type_and_unit(stores: Stores) -> None:
    filled = standing(stores)
    fill(filled)
    hostile = [
        Sample("http_requests_total", 2.0, labels(instance="orders", path='a "quoted"\\\nline')),
        Sample("http_requests", 3.0, labels(instance="orders")),
        Sample("no name", 1.0),
    ]
    filled.live.put_reading("tcp:gate", "host-1", filled.clock.now(), 5, Reading(hostile))
    filled.live.put_reading("http:orders", "host-1", filled.clock.now(), 5, Reading(hostile))
    answer = client_of(filled).get("/metrics")
    assert answer.content_type.startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    reading = filled.live.reading("system", "host-1")
    assert reading is not None
    for (metric, pairs), value in reading.samples.items():
        is_counter = metric == "system_oom_kills_total"
        family = families[metric.removesuffix("_total") if is_counter else metric]
        told = {**dict(pairs), "machine": "host-1"}
        assert [each.value for each in family.samples if each.labels == told] == [value], metric
        assert family.type == ("counter" if is_counter else "gauge")
        assert family.documentation == (catalogue()[metric].meaning if metric in catalogue() else "")
        ending = next((end for end, _ in UNITS if metric.endswith(end)), "")
        assert family.unit == ending.removeprefix("_")
    path = families["http_requests_total_value"].samples[0].labels["path"]
    assert path == 'a "quoted"\\\nline'


def test_a_stale_reading_has_an_age_and_no_value(stores: Stores) -> None:
    filled = watching(stores)
    fill(filled)
    later = replace(filled, clock=Standing(filled.clock.now() + 3_600))
    families = {each.name: each for each in text_string_to_metric_families(client_of(later).get("/metrics").text)}
    assert "system_load" not in families
    ages = {each.labels["collector"]: each.value for each in families["fundwatch_reading_age_seconds"].samples}
    assert ages["system"] >= 3_600


def test_whether_trading_may_go_on_is_told_with_every_check_and_also_that_nobody_knows(stores: Stores) -> None:
    fund = Fund(safe_stores(stores))
    fund.becomes_safe()
    halt(fund.stores, "alpha", "the hedge is gone", None, "ana", None)
    told = families_of(fund.stores)
    ready = {each.labels["portfolio"]: each.value for each in told["fundwatch_trading_ready"].samples}
    assert ready == {"": 0, "alpha": 0, "beta": 1, "fund": 1}
    checks = told["fundwatch_trading_check"]
    assert checks.type == "stateset"
    halts = [each for each in checks.samples if (each.labels["check"], each.labels["portfolio"]) == ("halt", "alpha")]
    assert [each.labels[checks.name] for each in halts if each.value] == ["not ready"]
    ages = {each.labels["check"]: each.value for each in told["fundwatch_trading_check_age_seconds"].samples}
    assert 0 <= ages["feeds"] < 5 and "channel" in ages
    later = replace(fund.stores, clock=Standing(fund.stores.clock.now() + 60))
    told = families_of(later)
    assert {each.value for each in told["fundwatch_trading_ready"].samples} == {0}
    samples = [each for each in told[checks.name].samples if each.value]
    states = {(each.labels["check"], each.labels["portfolio"]): each.labels[checks.name] for each in samples}
    assert (states["feeds", ""], states["halt", "alpha"]) == ("unknown", "not ready"), "the halt is known all the same"


def families_of(stores: Stores) -> dict[str, Any]:
    return {each.name: each for each in text_string_to_metric_families(client_of(stores).get("/metrics").text)}


def test_who_reads_the_older_form_alone_gets_it_and_every_family_has_help(stores: Stores) -> None:
    filled = standing(stores)
    fill(filled)
    inodes = Reading([Sample("system_disk_inodes_total", 9.0, labels(mount="/data"))])
    filled.live.put_reading("http:orders", "host-1", filled.clock.now(), 5, inodes)
    answer = client_of(filled).get("/metrics", headers={"Accept": "text/plain"})
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in parse_older(answer.text)}
    assert "system_load" in families and families["system_oom_kills"].type == "counter"
    assert families["system_disk_inodes_total_value"].documentation
    both = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"}
    assert client_of(filled).get("/metrics", headers=both).content_type.startswith("application/openmetrics-text")
