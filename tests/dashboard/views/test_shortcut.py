"""The shortcut answers as Dash does, and leaves to Dash what is no refresh."""

from __future__ import annotations

from typing import Any

import pytest
from dash import Dash

from tests.support.application import create_app
from tests.support.frame import DEMO, FakeStores

OUTPUTS = [("demo-payload", "data"), ("demo-problem", "children")]


def asked(seen: Any = None, choices: Any = None, problem: str = "") -> dict[str, Any]:
    """What the browser sends to refresh the demo tab."""
    return {
        "output": f"..{'...'.join(f'{id}.{prop}' for id, prop in OUTPUTS)}..",
        "outputs": [{"id": id, "property": prop} for id, prop in OUTPUTS],
        "inputs": [
            {"id": "tick", "property": "n_intervals", "value": 3},
            {"id": "demo-choices", "property": "data", "value": choices or {}},
        ],
        "changedPropIds": ["tick.n_intervals"],
        "state": [
            {"id": "demo-version", "property": "data", "value": seen},
            {"id": "demo-problem", "property": "children", "value": problem},
            {"id": "tick", "property": "interval", "value": 5000},
        ],
    }


def post(app: Dash, body: object) -> Any:
    return app.server.test_client().post("/_dash-update-component", json=body)


def without_shortcut(stores: FakeStores) -> Dash:
    app = create_app(stores, (DEMO,))  # type: ignore[arg-type]
    hooks = app.server.before_request_funcs[None]
    hooks[:] = [hook for hook in hooks if hook.__name__ != "shortcut"]
    return app


@pytest.mark.parametrize("choices", [{}, {"window": "6h"}])
def test_same_answer_with_and_without(choices: dict[str, str]) -> None:
    stores = FakeStores(as_of=1_700_000_000.0)
    short, long = create_app(stores, (DEMO,)), without_shortcut(stores)  # type: ignore[arg-type]
    request = asked(choices=choices)
    assert post(short, request).json == post(long, request).json
    version = post(short, request).json["response"]["demo-payload"]["data"]["version"]
    unchanged = asked(seen=version, choices=choices)
    assert post(short, unchanged).status_code == post(long, unchanged).status_code == 204
    stores.error = RuntimeError("gone")
    stores.live.bump("demo")
    assert post(short, unchanged).json == post(long, unchanged).json
    assert post(short, unchanged).json["response"] == {"demo-problem": {"children": "RuntimeError: gone"}}


@pytest.mark.parametrize(
    "body",
    [
        [], "text", 7, {"output": 7}, {"output": asked()["output"]}, {**asked(), "inputs": "x"},
        {**asked(), "state": [7]},
        {**asked(), "inputs": [{"id": {"type": "choice"}, "property": "value"}]}, asked(choices="not a mapping"),
    ],
)  # fmt: skip
def test_what_is_no_refresh_never_reaches_the_stores(body: object) -> None:
    stores = FakeStores()
    app = create_app(stores, (DEMO,))  # type: ignore[arg-type]
    assert post(app, body).status_code in (400, 404)
    assert stores.builds == []


def test_the_door_stands_before_the_shortcut() -> None:
    client = create_app(FakeStores(), (DEMO,)).server.test_client()  # type: ignore[arg-type]
    answer = client.post("/_dash-update-component", json=asked(), headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
