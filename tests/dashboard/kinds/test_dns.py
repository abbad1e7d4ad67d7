"""The section of names in the DNS, drawn from real readings of a real server."""

from __future__ import annotations

from dataclasses import replace

from collectors.kinds.dns.collector import make
from core.kinds.registry import Watch
from dashboard.tabs import services
from storage.stores import Stores
from tests.support.dns_server import DnsServer
from tests.support.views import built, text


def test_a_name_has_its_card_and_its_answers(stores: Stores) -> None:
    zone = {("api.fund.example", "CNAME"): ["orders.fund.example."], ("orders.fund.example", "A"): ["10.0.0.4"]}
    with DnsServer(zone) as server:
        asked = {"name": "api", "domain": "api.fund.example", "server": server.host, "port": server.port}
        wrong = {**asked, "name": "moved", "expects": ["10.0.0.9"], "retries": 0}
        watch = Watch.model_validate({"dns": [asked, wrong]})
        watching = replace(stores, settings=stores.settings.model_copy(update={"watch": watch}))

        class Context:
            stores = watching
            settings = watching.settings

        now = watching.clock.now()
        for source in watch.of("dns"):
            reading = make(Context(), source).collect(now)  # type: ignore[arg-type]
            watching.live.put_reading(source.collector, "host-1", now, 30, reading)
    view = built(services.TAB, watching)
    cards = " ".join(text(view.slots["services-cards"]).split())
    assert "DNS moved ✕ down" in cards and "A api.fund.example is 10.0.0.4, expected 10.0.0.9" in cards
    assert "10.0.0.4 in " in cards
    answers = " ".join(text(view.slots["services-dns-answers-table"]).split())
    assert "api.fund.example CNAME orders.fund.example 10 min" in answers
    assert f"orders.fund.example A 10.0.0.4 5 min 127.0.0.1:{server.port} udp" in answers
