"""What a browser sends to Dash: the request of a callback, and of opening a page."""

from __future__ import annotations

from typing import Any


def request_of(output: str, callback: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Return the request of one of `callback_map`; `values` by id of the input or state, with _ for -; else None."""
    parts = output[2:-2].split("...") if output.startswith("..") else [output]
    places = [dict(zip(("id", "property"), part.rsplit(".", 1), strict=True)) for part in parts]
    valued = {
        name: [{**each, "value": values.get(str(each["id"]).replace("-", "_"))} for each in callback[name]]
        for name in ("inputs", "state")
    }
    return {
        "output": output,
        "outputs": places if output.startswith("..") else places[0],
        **valued,
        "changedPropIds": [],
    }


def opening(path: str, search: str = "") -> dict[str, Any]:
    """Return the request that opens a page."""
    return {
        "output": "page.children",
        "outputs": {"id": "page", "property": "children"},
        "inputs": [{"id": "route", "property": "data", "value": {"path": path, "search": search}}],
        "changedPropIds": ["route.data"],
    }
