"""The documents say what is so: examples run, commands and files exist, and the map is that of the tree."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from dash import html

import core.model
from access.viewer import ANYBODY, Viewer
from collectors.base import Context
from core.clock import SystemClock
from core.model import Reading, Sample
from dashboard.views.panel import GraphBody, Panel
from dashboard.views.tab import Choices, Tab, View
from storage.clickhouse.reads.series import read_series
from storage.stores import Stores
from tests.support.application import create_app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
GUIDE = (ROOT / "docs" / "adding-a-page.md").read_text()
PACKAGES = ("core", "analytics", "storage", "status", "portfolio", "sample", "collectors", "dashboard", "assets")
EXAMPLE_FILES = {"collectors/queue.py", "dashboard/tabs/queue.py"}
"""Those that the guide tells how to write."""
EXAMPLES = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)


def test_each_example_is_short() -> None:
    assert len(EXAMPLES) == 3
    for example in EXAMPLES:
        assert len([line for line in example.splitlines() if line.strip()]) <= 15


def test_the_example_collector_collects(stores: Stores, tmp_path: Path) -> None:
    names = {**vars(core.model), "Context": Context, "Path": Path}
    exec(EXAMPLES[0].replace("/var/spool/orders", str(tmp_path / "orders")), names)
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "1").touch()
    collector = names["make"](Context(stores.settings, stores, list))
    reading = collector.collect(0.0)
    assert isinstance(reading, Reading)
    assert reading.samples == [Sample("orders_waiting", 1.0)]
    assert reading.components[0].why == "1 orders waiting"


def test_the_example_tab_shows_what_the_example_collector_stored(stores: Stores) -> None:
    names = {"Tab": Tab, "View": View, "Choices": Choices, "Stores": Stores, "Viewer": Viewer, "Component": object}
    names |= {"html": html, "Panel": Panel, "GraphBody": GraphBody, "read_series": read_series}
    exec(EXAMPLES[1], names)
    stores = replace(stores, clock=SystemClock())
    stores.writer.put(stores.settings.machine, stores.clock.now() - 60, [Sample("orders_waiting", 7.0)])
    stores.writer.flush()
    tab = names["TAB"]
    view = tab.build(stores, Choices(), ANYBODY)
    assert list(view.figures["queue-waiting-graph"]["data"][0]["y"]) == [7.0]
    assert create_app(stores, (tab,)).server.test_client().get("/queue").status_code == 200


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`?make (\w+)`?", README)) - {"sure"}))
def test_every_make_target_of_the_readme_exists(target: str) -> None:
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_file_a_document_links_to_exists() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / link).exists(), f"{document.name} links to {link}"


def test_every_package_and_module_of_the_map_exists() -> None:
    text = (ROOT / "docs" / "design.md").read_text()
    house = text.split("## The house")[1].split("```")[1]
    for name in re.findall(r"^(\w[\w./]*?)\s{2,}", house, flags=re.MULTILINE):
        assert (ROOT / name).exists(), name


def test_every_file_that_a_text_names_exists() -> None:
    """Docstrings and documents name files by their path from the root; a file that moved is named anew."""
    texts = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    for package in PACKAGES:
        texts += [file for file in (ROOT / package).rglob("*") if file.suffix in (".py", ".js", ".css", ".sql")]
    pattern = rf"(?<![\w/.<])((?:{'|'.join(PACKAGES)}|tests|docs)/[\w/.-]*\.(?:py|js|css|md|sql))"
    gone = {
        f"{text.relative_to(ROOT)} names {path}"
        for text in texts
        for path in re.findall(pattern, text.read_text())
        if not (ROOT / path).exists() and path not in EXAMPLE_FILES
    }
    assert not gone, "\n".join(sorted(gone))
