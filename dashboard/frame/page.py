"""The document that carries the application: theme before first paint, chart script early, no versions told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import plotly
from dash import Dash
from flask import request

PLOTLY_URL = f"/_dash-component-suites/plotly/package_data/plotly.min.js?v={plotly.__version__}"
UNUSED_SCRIPT = re.compile(r'<script src="[^"]*/dash/(?:dash_table/|deps/polyfill@)[^"]*"></script>')
TOLD = ("dash_version", "python_version", "dash_version_url", "ddk_version", "plotly_version")

INDEX = """<!DOCTYPE html>
<html lang="en" data-bs-theme="dark">
<head>
{metas}
<meta name="color-scheme" content="dark light">
<meta name="fundwatch-plotly" content="{plotly}" data-paths="{graph_paths}">
<title>{title}</title>
<script src="{boot}"></script>
{early}
<link rel="stylesheet" href="{bootstrap}">
{css}
<link rel="icon" type="image/svg+xml" href="{icon}">
</head>
<body>
{app_entry}
<footer>{config}{scripts}{renderer}</footer>
</body>
</html>"""


class Application(Dash):
    """Dash with our own document. Plotly's script is left out of it: the router loads it where it is used."""

    bootstrap_url: str = ""
    graph_paths: tuple[str, ...] = ()
    """Pages that show charts."""

    def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]
        """Return the document; called by Dash for each page load."""
        scripts = UNUSED_SCRIPT.sub("", parts["scripts"])
        assets = Path(self.config.assets_folder)
        return INDEX.format(
            metas=parts["metas"],
            title=parts["title"],
            css=parts["css"],
            app_entry=parts["app_entry"],
            config=_shortened(parts["config"]),
            scripts=scripts,
            renderer=parts["renderer"],
            plotly=PLOTLY_URL,
            early="\n".join(self._early()),
            graph_paths=" ".join(self.graph_paths),
            boot=_stamped(assets, "boot/theme.js"),
            icon=_stamped(assets, "boot/icon.svg"),
            bootstrap=self.bootstrap_url,
        )

    def _early(self) -> list[str]:
        """Return the tags of what this page will need: the browser compiles them while the rest arrives."""
        early: list[str] = []
        if request.path in self.graph_paths:
            early.append(f'<script async src="{PLOTLY_URL}" id="plotly-script"></script>')
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
