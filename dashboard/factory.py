"""`create_app`: stores and tabs in, a warmed-up application out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Dash, Input, Output, State
from flask import Flask, Response, jsonify, request, send_file

from core.errors import StorageError
from core.memo import Memo
from dashboard.frame import compress, ids, security, static
from dashboard.frame.page import Page
from dashboard.frame.shell import failed_page, missing_page, mount, shell
from dashboard.kinds.heartbeat import pings as heartbeats
from dashboard.tabs import TABS
from dashboard.views import shortcut
from dashboard.views.refresh import Refresh, register
from dashboard.views.serialize import FIGURES, Prepared
from dashboard.views.tab import Choices, Tab

if TYPE_CHECKING:
    from storage.stores import Stores

log = logging.getLogger(__name__)
ASSETS = Path(__file__).resolve().parent.parent / "assets"


def create_app(stores: Stores, tabs: Sequence[Tab] = TABS) -> Dash:
    """Return the application; `.server` is its WSGI application.

    It is warmed up: Dash sets itself up on the first request, and requests that arrive meanwhile fail.
    Raises ValueError when two tabs share an id, a key or a path.
    """
    _check(tabs)
    server = Flask("fundwatch", static_folder=None)
    security.install(server, host=stores.settings.host, pages=[tab.path for tab in tabs])
    compress.install(server)
    static.install(server)
    app = Page(
        "fundwatch",
        server=server,  # type: ignore[arg-type]
        assets_folder=str(ASSETS),
        assets_path_ignore=["boot"],
        title="Fundwatch",
        update_title=None,  # type: ignore[arg-type]
        suppress_callback_exceptions=True,
        serve_locally=True,
        eager_loading=False,
        compress=False,
        enable_mcp=False,
        add_log_handler=False,
    )
    _add_routes(server, app, stores)
    heartbeats.install(server, stores)
    app.graph_paths = tuple(tab.path for tab in tabs if tab.graphs)
    app.layout = shell(tabs, stores.settings.refresh_seconds)
    _add_routing(app, stores, tabs)
    memo: Memo[Prepared] = Memo()
    refreshes = [Refresh(stores, tab, memo) for tab in tabs if tab.build]
    for refresh in refreshes:
        register(app, refresh)
    shortcut.install(server, {refresh.output_key: refresh for refresh in refreshes})
    _add_figures(server, refreshes)
    for tab in tabs:
        _add_choices(app, tab)
        if tab.register:
            tab.register(app, stores)
    server.wsgi_app = security.Headers(server.wsgi_app, stores.clock, app.csp_hashes())  # type: ignore[method-assign]
    _warm_up(app, tabs[0].path)
    return app


def _add_routes(server: Flask, app: Page, stores: Stores) -> None:
    from importlib.util import find_spec

    spec = find_spec("flask_bootstrap")
    assert spec is not None and spec.origin is not None
    css = Path(spec.origin).parent / "static" / "bootstrap5" / "css" / "bootstrap.min.css"
    app.bootstrap_url = f"/bootstrap/bootstrap.min.css?v={version('Bootstrap-Flask')}"

    @server.get("/bootstrap/bootstrap.min.css")
    def bootstrap() -> Response:
        return send_file(css, mimetype="text/css")

    @server.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="alive", now=stores.clock.now())


def _add_figures(server: Flask, refreshes: Sequence[Refresh]) -> None:
    by_tab = {refresh.tab.id: refresh for refresh in refreshes}

    @server.get(f"{FIGURES}/<tab>/<graph>")
    def figure(tab: str, graph: str) -> Response:
        refresh = by_tab.get(tab)
        if refresh is None or graph not in refresh.tab.lazy_graphs:
            return Response("no such figure", 404, mimetype="text/plain")
        try:
            found = refresh.figure(Choices.parse(request.query_string.decode("utf-8", "replace")), graph)
        except StorageError as error:
            return Response(f"Storage does not answer: {error}", 503, mimetype="text/plain")
        return Response(found or b"null", mimetype="application/json")


def _add_routing(app: Dash, stores: Stores, tabs: Sequence[Tab]) -> None:
    by_path = {tab.path: tab for tab in tabs}

    app.clientside_callback(
        ClientsideFunction("fundwatch", "route"),
        Output(ids.ROUTE, "data"),
        Input(ids.URL, "pathname"),
        Input(ids.URL, "search"),
    )
    app.clientside_callback(
        ClientsideFunction("fundwatch", "drawer"),
        Output(ids.DRAWER, "is_open"),
        Input(ids.BURGER, "n_clicks"),
        Input(ids.ROUTE, "data"),
        State(ids.DRAWER, "is_open"),
        prevent_initial_call=True,
    )

    @app.callback(Output(ids.PAGE, "children"), Input(ids.ROUTE, "data"), prevent_initial_call=True)
    def open_page(route: dict[str, str] | None) -> Any:
        tab = by_path.get((route or {}).get("path", ""))
        if tab is None:
            return missing_page(tabs)
        choices = Choices.parse((route or {}).get("search"))
        try:
            return mount(tab, choices, tab.layout(stores, choices))
        except Exception as error:
            log.exception("opening %s failed", tab.id)
            return failed_page(tab, error)


def _add_choices(app: Dash, tab: Tab) -> None:
    from dash import ALL

    app.clientside_callback(
        ClientsideFunction("fundwatch", "choose"),
        Output(ids.choices(tab.id), "data"),
        Input({"type": "choice", "tab": tab.id, "name": ALL, "default": ALL}, "value"),
        State(ids.choices(tab.id), "data"),
        prevent_initial_call=True,
    )
    for graph in tab.zoom_graphs:
        app.clientside_callback(
            ClientsideFunction("fundwatch", "zoom"),
            Output(ids.choices(tab.id), "data", allow_duplicate=True),
            Input(graph, "relayoutData"),
            State(ids.choices(tab.id), "data"),
            prevent_initial_call=True,
        )


def _warm_up(app: Dash, path: str) -> None:
    answer = app.server.test_client().get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"the first page answers {answer.status_code}")


def _check(tabs: Sequence[Tab]) -> None:
    if not tabs:
        raise ValueError("no tabs")
    for name in ("id", "key", "path"):
        values = [getattr(tab, name) for tab in tabs]
        if len(set(values)) < len(values):
            raise ValueError(f"two tabs share the same {name}: {', '.join(values)}")
