"""Every request of the application is counted by what answers it, and open pages by their asking for news."""

from __future__ import annotations

import json

from dash import Dash

from access.viewer import Viewer
from benchmarks.callbacks import refresh_body
from core.roles import Role
from core.web.tally import Tally, counts_of, open_pages
from dashboard.factory import create_app
from tests.support.frame import DEMO, FakeStores


def test_requests_are_counted_by_route_callback_and_kind_of_answer() -> None:
    tally, stores = Tally(), FakeStores()
    viewer = Viewer("ana", Role.OPERATOR)
    app: Dash = create_app(stores, pages=(DEMO,), find_viewer=lambda _request: viewer, tally=tally)  # type: ignore[arg-type]
    before = {route: each.requests for route, each in counts_of(tally.told(stores.clock.now())).items()}
    client = app.server.test_client()
    client.get("/demo")
    for path in ("/nothing-there", "/nothing/here?secret=1"):
        client.get(path)
    body = refresh_body(json.loads(client.get("/_dash-dependencies").data), "demo", None, {})
    for _ in range(2):
        client.post("/_dash-update-component", data=body, content_type="application/json")
    told = tally.told(stores.clock.now())
    found = {route: each.requests - before.get(route, 0) for route, each in counts_of(told).items()}
    assert found["/demo"] == 1
    assert found["callback demo"] == 2
    assert found["other"] == 2
    assert counts_of(told)["other"].client_errors == 2
    assert not any("secret" in route or "nothing" in route for route in found)
    assert open_pages([told]) == 1
