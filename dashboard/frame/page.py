"""The document that carries the application: theme before first paint, later needs asked early, no versions told."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import plotly
from dash import Dash
from flask import request
from markupsafe import Markup, escape

from access.viewer import LOCAL_NAME
from dashboard.frame.places import sign_in_path
from dashboard.frame.viewer import current_viewer

PLOTLY_URL = f"/_dash-component-suites/plotly/package_data/plotly.min.js?v={plotly.__version__}"
DASH_ASKS = ("/_dash-layout", "/_dash-dependencies")
"""What Dash's renderer fetches as soon as it runs."""
UNUSED_SCRIPT = re.compile(r'<script src="[^"]*/dash/(?:dash_table/|deps/polyfill@)[^"]*"></script>')
TOLD = ("dash_version", "python_version", "dash_version_url", "ddk_version", "plotly_version")

INDEX = """<!DOCTYPE html>
<html lang="en" data-bs-theme="dark">
<head>
{metas}
<meta name="color-scheme" content="dark light">
<meta name="fundwatch-plotly" content="{plotly}" data-paths="{graph_paths}">
<meta name="fundwatch-account" content="{account}">
<meta name="fundwatch-page" content="{page}">
<title>{title}</title>
<script src="{boot}"></script>
{early}
<link rel="stylesheet" href="{bootstrap}">
<link rel="stylesheet" href="{style}">
{css}
<link rel="icon" type="image/svg+xml" href="{icon}">
</head>
<body>
{open}{app_entry}
<footer>{config}<script src="{script}"></script>{scripts}{renderer}</footer>
</body>
</html>"""
OPEN = Markup(
    '<aside class="fw-open" aria-label="Not signed in">Open on this machine without a sign-in: '
    'you see everything and change nothing. <a href="{path}">Sign in</a></aside>'
)


class Application(Dash):
    """Dash with our own document. Plotly's script is in it on pages with charts; the router loads it for others."""

    bootstrap_url: str = ""
    bundle_urls: dict[str, str]
    """Our own scripts and styles: addresses by kind, js and css."""
    graph_paths: tuple[str, ...] = ()
    """Pages that show charts."""
    refreshed: Mapping[str, str] = MappingProxyType({})
    """JSON of id, tab and shared choices of pages that are refreshed, by path (assets/js/34-early.js)."""

    def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]
        """Return the document; called by Dash for each page load."""
        scripts = UNUSED_SCRIPT.sub("", parts["scripts"])
        assets, viewer = Path(self.config.assets_folder), current_viewer()
        return INDEX.format(
            metas=parts["metas"],
            title=parts["title"],
            css=parts["css"],
            app_entry=parts["app_entry"],
            config=_shortened(parts["config"]),
            scripts=scripts,
            renderer=parts["renderer"],
            plotly=PLOTLY_URL,
            account=escape(viewer.name),
            page=escape(self.refreshed.get(request.path, "null")),
            open=OPEN.format(path=sign_in_path(request.full_path)) if viewer.name == LOCAL_NAME else "",
            early="\n".join(self._early()),
            graph_paths=" ".join(self.graph_paths),
            boot=_stamped(assets, "boot/theme.js"),
            icon=_stamped(assets, "boot/icon.svg"),
            bootstrap=self.bootstrap_url,
            style=self.bundle_urls["css"],
            script=self.bundle_urls["js"],
        )

    def _early(self) -> list[str]:
        """Return the tags of what this page asks for later, so that it is there by then."""
        early = [f'<link rel="preload" as="fetch" crossorigin="anonymous" href="{address}">' for address in DASH_ASKS]
        if request.path in self.graph_paths:
            early.append(f'<script async src="{PLOTLY_URL}"></script>')  # parsed beside the others while it comes
        return early


def _stamped(assets: Path, name: str) -> str:
    return f"/assets/{name}?m={(assets / name).stat().st_mtime:.0f}"


def _shortened(config: str) -> str:
    start, end = config.index("{"), config.rindex("}") + 1
    kept = {key: value for key, value in json.loads(config[start:end]).items() if key not in TOLD}
    props = kept["children_props"]
    kept["children_props"] = {space: {name: at for name, at in of.items() if at} for space, of in props.items()}
    text = json.dumps(kept, separators=(",", ":")).replace("<", "\\u003c")
    return config[:start] + text + config[end:]
