"""What holds for every tab and every file of the dashboard."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dashboard.tabs import TABS, cache
from tests.support.application import create_app
from tests.support.frame import DEMO, FakeStores

ROOT = Path(__file__).resolve().parents[3]


def test_charts_are_made_in_one_place_and_nothing_is_shared_to_a_cloud() -> None:
    for file in (ROOT / "dashboard").rglob("*.py"):
        assert not re.search(r"\bGraph\(", file.read_text()), (
            f"{file}: charts are places that assets/js/43-plot.js fills"
        )
    drawing = {file.name: file.read_text() for file in (ROOT / "assets/js").glob("*.js")}
    assert [name for name, text in drawing.items() if re.search(r"Plotly\.(react|newPlot)\(", text)] == ["43-plot.js"]
    assert "showSendToCloud: false" in drawing["43-plot.js"]
    assert 'plotlyServerURL: ""' in drawing["43-plot.js"]


def test_colours_are_written_in_one_place() -> None:
    colour = re.compile(r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b(?![\w-])")
    for file in [*(ROOT / "assets/css").glob("*.css"), *(ROOT / "dashboard").rglob("*.py")]:
        if file.name != "01-tokens.css":
            assert not colour.findall(re.sub(r"url\([^)]*\)", "", file.read_text())), file


def test_no_script_of_ours_evaluates_text_or_calls_elsewhere() -> None:
    for file in (ROOT / "assets").rglob("*.js"):
        text = file.read_text()
        assert not re.search(r"\beval\(|new Function|https?://", text), file


def test_no_chart_object_is_built_where_plain_dicts_go() -> None:
    for file in (ROOT / "dashboard").rglob("*.py"):
        assert not re.search(r"plotly\.graph_objects|plotly\.express|graph_objs", file.read_text()), file


def test_tabs_have_their_own_keys_paths_and_declare_what_they_zoom() -> None:
    for tab in TABS:
        assert tab.path == f"/{tab.id}"
        assert set(tab.zoom_graphs) <= set(tab.graphs)
        assert bool(tab.build) == bool(tab.datasets), f"{tab.id}: what gates its refresh?"
        ids = [*tab.graphs, *tab.slots]
        assert all(id.startswith(f"{tab.id}-") for id in ids)
        assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("field", ["id", "key", "path"])
def test_two_tabs_in_one_place_are_refused(field: str) -> None:
    twin = replace(cache.TAB, **{field: getattr(DEMO, field)})
    with pytest.raises(ValueError, match=f"share the same {field}"):
        create_app(FakeStores(), (DEMO, twin))  # type: ignore[arg-type]


def test_every_icon_a_tab_names_is_drawn() -> None:
    drawn = (ROOT / "assets/css/30-icons.css").read_text()
    for tab in TABS:
        assert f".fw-icon-{tab.icon} " in drawn


def test_a_tab_that_cannot_be_opened_says_why() -> None:
    def broken(*_: object) -> None:
        raise LookupError("table nav is gone")

    tab = replace(cache.TAB, layout=broken, fit=None)  # type: ignore[arg-type]
    client = create_app(FakeStores(), (tab,)).server.test_client()  # type: ignore[arg-type]
    answer = client.post(
        "/_dash-update-component",
        json={
            "output": "page.children",
            "outputs": {"id": "page", "property": "children"},
            "inputs": [{"id": "route", "property": "data", "value": {"path": "/cache", "search": ""}}],
            "changedPropIds": ["route.data"],
        },
    )
    assert "LookupError: table nav is gone" in answer.get_data(as_text=True)


def test_no_pandas_is_loaded_to_serve_pages_and_to_store_rows() -> None:
    code = """
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from core.settings.model import Settings
from dashboard.factory import create_app
from storage.stores import open_stores
with TemporaryDirectory() as folder:
    stores = open_stores(Settings(data_dir=Path(folder)))
    create_app(stores)
    import pyarrow
    assert pyarrow.array([1.5, None]).null_count == 1
    assert stores.clickhouse.arrow("SELECT 1 AS one").to_pylist() == [{"one": 1}]
    stores.close()
assert "pandas" not in sys.modules
assert pyarrow.table({"one": [1]}).to_pandas().shape == (1, 1), "whoever wants it has it"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
