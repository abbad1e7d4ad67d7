"""`create_app`: stores and pages in, a warmed-up application out."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Dash, Input, Output, State
from flask import Flask, Response, jsonify, send_file
from werkzeug.exceptions import BadRequest

from access.viewer import ANYBODY, KEPT, VIEWER_ATTRIBUTES
from core.memo import Memo
from core.roles import Role
from core.web.bodies import MOST_BODY_BYTES
from core.web.tally import Tally
from dashboard.alerts import by_link
from dashboard.export import shown
from dashboard.frame import account, bundle, compress, errors, ids, rates, security, sign_in, static
from dashboard.frame.forwarded import Forwarded
from dashboard.frame.measured import Measured
from dashboard.frame.page import Application
from dashboard.frame.shell import failed_page, open_page, shell
from dashboard.frame.viewer import FindViewer, current_viewer, find_signed_in
from dashboard.tabs import PAGES
from dashboard.views import forms, rights, routes, shortcut
from dashboard.views.marks import Marks
from dashboard.views.refresh import Refresh, register
from dashboard.views.registry import registry
from dashboard.views.serialize import Prepared
from dashboard.views.tab import Choices, Page, fitted, tabs_of

if TYPE_CHECKING:
    from storage.stores import Stores

    Mount = Callable[[Flask, Stores], None]

log = logging.getLogger(__name__)
HEALTH = "/healthz"
NOT_NOW = 503
SHELLS_KEPT = 200
"""Frames, of so many people, that are not made anew when one of them opens a page."""
ROUTE = ("path", "search")
"""What the browser says of the address that it opens."""


def create_app(
    stores: Stores,
    pages: Sequence[Page] = PAGES,
    find_viewer: FindViewer | None = None,
    mounts: Sequence[Mount] = (),
    tally: Tally | None = None,
) -> Dash:
    """Return the application; `.server` is its WSGI application.

    pages: every page; those that depend on settings are mounted as the settings of `stores` want them (Page.fit).
    find_viewer: who sent a request; None: who has signed in, as the settings want it.
    mounts: what else is served here, behind the same guard.
    tally: counts the requests of this process, of applications made anew as well; None: nobody counts.
    It is warmed up: Dash sets itself up on the first request, and requests that arrive meanwhile fail.
    Raises ValueError when pages do not fit together.
    """
    _check(pages)
    pages = fitted(pages, stores.settings)
    server = Flask("fundwatch", static_folder=None)
    server.config["MAX_CONTENT_LENGTH"] = MOST_BODY_BYTES
    errors.install(server)
    find_viewer = find_viewer or find_signed_in(stores)
    security.install(server, hosts=stores.settings.host_names, pages=pages, find_viewer=find_viewer)
    rates.install(server, stores)
    compress.install(server)
    static.install(server)
    app = Application(
        "fundwatch",
        server=server,  # type: ignore[arg-type]
        assets_folder=str(bundle.ASSETS),
        include_assets_files=False,
        title="Fundwatch",
        update_title=None,  # type: ignore[arg-type]
        suppress_callback_exceptions=True,
        serve_locally=True,
        eager_loading=False,
        compress=False,
        enable_mcp=False,
        add_log_handler=False,
    )
    app.bundle_urls = bundle.install(server)
    _add_routes(server, app, stores)
    attempts = rates.SignIns(stores)
    left = _elsewhere(server, stores, attempts)
    sign_in.install(server, stores, find_viewer, attempts, left)
    account.install(server, stores, left)
    shown.install(server)
    by_link.install(server, stores, rates.SignIns(stores, "message-links"))
    app.graph_paths = tuple(page.path for page in pages if page.graphs)
    app.refreshed = _refreshed(pages)
    shells = lru_cache(maxsize=SHELLS_KEPT)(partial(shell, pages, stores.settings.refresh_seconds))
    app.layout = lambda: shells(current_viewer().only(("name", "role")))
    _add_routing(app, stores, pages)
    memo: Memo[Prepared] = Memo()
    marks = Marks(stores)
    refreshes = [Refresh(stores, page, memo, marks) for page in pages if page.build]
    for refresh in refreshes:
        register(app, refresh)
        routes.install(server, refresh.figures(), refresh.page)
    for page in pages:
        _add_choices(app, page)
        if page.routes:
            routes.install(server, page.routes(stores), page)
        if page.forms:
            forms.install(server, page.forms(stores), page)
        if page.register:
            page.register(app, stores)
    for mount in mounts:
        mount(server, stores)
    rights.declare_rules(server, Role.VIEWER, rights.OF_DASH)
    shortcut.install(server, {refresh.output_key: refresh for refresh in refreshes}, app.callback_map)
    server.wsgi_app = security.Headers(server.wsgi_app, stores.clock, app.csp_hashes())  # type: ignore[method-assign]
    _warm_up(app, pages)  # below the layers that refuse whoever comes past the proxies, and count
    if tally is not None:
        paths = frozenset(page.path for page in pages)
        server.wsgi_app = Measured(server.wsgi_app, tally, stores.clock, paths)  # type: ignore[method-assign]
    server.wsgi_app = Forwarded(server.wsgi_app, stores.settings.trusted_proxy)  # type: ignore[method-assign]
    return app


def _elsewhere(server: Flask, stores: Stores, attempts: rates.SignIns) -> sign_in.Left:
    """Serve the sign-in at an OpenID provider where the settings have one; return what leads out of it again."""
    if not stores.settings.oidc.is_on:
        return lambda _name: None
    from dashboard.frame import provider  # with the libraries that it needs

    return provider.install(server, stores, attempts)


def _add_routes(server: Flask, app: Application, stores: Stores) -> None:
    from importlib.util import find_spec

    spec = find_spec("flask_bootstrap")
    assert spec is not None and spec.origin is not None
    css = Path(spec.origin).parent / "static" / "bootstrap5" / "css" / "bootstrap.min.css"
    app.bootstrap_url = f"/bootstrap/bootstrap.min.css?v={version('Bootstrap-Flask')}"

    @server.get("/bootstrap/bootstrap.min.css")
    def bootstrap() -> Response:
        return send_file(css, mimetype="text/css")

    @server.get(HEALTH)
    def healthz() -> tuple[Response, int]:
        why = stores.clickhouse.pulse.problem()
        told = {"status": "failed", "why": why} if why else {"status": "alive"}
        return jsonify(**told, now=stores.clock.now()), NOT_NOW if why else 200


def _add_routing(app: Dash, stores: Stores, pages: Sequence[Page]) -> None:
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

    by_path = {page.path: page for page in pages}

    @rights.callback(
        app, Output(ids.PAGE, "children"), Input(ids.ROUTE, "data"), role=Role.VIEWER, prevent_initial_call=True
    )
    def opened(route: Any) -> Any:
        asked = {} if route is None else route
        if not isinstance(asked, dict) or not all(isinstance(asked.get(name, ""), str | None) for name in ROUTE):
            raise BadRequest("The address of a page has a path and a search, both texts.")
        path, choices = asked.get("path") or "", Choices.parse(asked.get("search"))
        try:
            return open_page(pages, path, choices, current_viewer(), stores)
        except Exception as error:
            log.exception("opening %s failed", path)
            return failed_page(by_path[path], error)


def _add_choices(app: Dash, page: Page) -> None:
    from dash import ALL

    app.clientside_callback(
        ClientsideFunction("fundwatch", "choose"),
        Output(ids.choices(page.id), "data"),
        Input({"type": "choice", "tab": page.id, "name": ALL, "default": ALL}, "value"),
        State(ids.choices(page.id), "data"),
        prevent_initial_call=True,
    )


def _warm_up(app: Dash, pages: Sequence[Page]) -> None:
    """Let Dash set itself up. Raises RuntimeError when it has not, or a page is not answered."""
    page = min(pages, key=lambda page: page.role)
    for asked in (HEALTH, page.path):
        answer = app.server.test_client().get(asked, environ_base={KEPT: replace(ANYBODY, role=page.role)})
        if answer.status_code != 200 and (asked, answer.status_code) != (HEALTH, NOT_NOW):
            raise RuntimeError(f"{asked} is answered with {answer.status_code}")
    if not app._got_first_request["setup_server"]:
        raise RuntimeError("Dash is not set up")


def _check(pages: Sequence[Page]) -> None:
    tabs = tabs_of(pages)
    if not tabs:
        raise ValueError("no tabs")
    _refuse_twins("id", [page.id for page in pages])
    _refuse_twins("path", [page.path for page in pages])
    _refuse_twins("key", [tab.key for tab in tabs])
    for page in pages:
        if page.parent and page.parent not in {tab.id for tab in tabs}:
            raise ValueError(f"page {page.id} belongs to {page.parent}, which is no tab")
        if unknown := set(page.varies_by) - VIEWER_ATTRIBUTES:
            raise ValueError(f"page {page.id} depends on what a viewer does not have: {', '.join(sorted(unknown))}")
    registry(pages)


def _refuse_twins(name: str, values: Sequence[str]) -> None:
    if len(set(values)) < len(values):
        raise ValueError(f"two pages share the same {name}: {', '.join(values)}")


def _refreshed(pages: Sequence[Page]) -> dict[str, str]:
    """Return what the first script of a page that is refreshed must know of it, as JSON by path."""
    tabs = {page.id: page.path for page in pages}
    told = {
        page.path: {"id": page.id, "tab": tabs.get(page.parent, page.path), "shares": page.shared_choices}
        for page in pages
        if page.build
    }
    return {path: json.dumps(each, separators=(",", ":")) for path, each in told.items()}
