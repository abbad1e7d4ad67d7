"""Malformed requests of every route: each is answered with what is wrong with it, and none with a failure."""

from __future__ import annotations

import copy
import json
import logging
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from dash import Dash
from werkzeug.routing import Rule

from core.kinds.registry import Watch
from dashboard.views.callbacks import PATH
from sample.load import load_sample_if_empty
from storage.stores import Stores
from tests.support.application import create_app
from tests.support.requests import request_of

SEED = 20_261_129
BODIES_A_CALLBACK = 40
HOSTILE_CHOICES, QUERIES_A_RULE = 5, 6
BODIES_A_FORM = 6
TOKEN = "t" * 32
JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 10**30, "", "x", "\x00", "../../etc/passwd", "é" * 3_000, "'; DROP TABLE nav --", [],
    [[]], [None], {}, {"a": {"b": []}}, {"id": {"type": "x"}, "property": []}, [{"id": [], "property": {}}], "NaN",
)  # fmt: skip
RAW = (
    b"", b"{", b"[1,2", b"nul", b"\xff\xfe", b"\x00" * 50, b"[" * 100_000, b'{"a":' * 900 + b"1" + b"}" * 900,
    b'{"output": "\\ud800"}', b"9" * 5_000, b"NaN", b'"text"', b"7", b"[]", b"null", b"true", b"a=1&b=2",
)  # fmt: skip
WORDS = (
    "", "x", "nan", "inf", "-inf", "1e999", "-1", "0", "²", "9" * 400, "2020-13-45", "0000-00-00", "9999-12-31",
    "2020-01-01", "\x00", "\ud7ff", "%", "%ff", "../..", "<script>", "'", '"', ",", ";", ",,,", "a,b,c", "é" * 900,
    "null", "[]", "{}", "=", "&", "1;2", "sample", "own", "replay", "sample:fund", "month", "x" * 5_000,
)  # fmt: skip
NAMES = (
    "window", "from", "to", "portfolio", "benchmark", "compare", "frequency", "as_of", "host", "origin", "currency",
    "rate", "page", "sort", "filter", "source", "name", "token", "exit", "rows", "file", "kind", "date_order", "id",
    "title", "parent", "symbol", "number", "portfolios", "into", "risk_free", "calendar", "blend", "parts", "cash",
)  # fmt: skip


@pytest.fixture
def app(stores: Stores) -> Dash:
    """The whole product over real stores with the sample fund, and a source of several kinds."""
    load_sample_if_empty(stores)
    watch = Watch.model_validate(
        {
            "postgresql": [{"name": "main", "url": "postgresql://u:p@127.0.0.1:9/x"}],
            "redis": [{"name": "main", "url": "redis://127.0.0.1:9"}],
            "heartbeat": [{"name": "nightly", "schedule": "0 3 * * *", "token": TOKEN}],
            "http": [{"name": "site", "url": "http://127.0.0.1:9/"}],
        }
    )
    settings = stores.settings.model_copy(update={"watch": watch, "actions_enabled": True})
    return create_app(replace(stores, settings=settings))


def test_malformed_requests_of_every_route_are_no_failure(app: Dash, caplog: pytest.LogCaptureFixture) -> None:
    client = app.server.test_client()
    chance = random.Random(SEED)
    sent = failed = 0
    failures: list[str] = []
    with caplog.at_level(logging.WARNING):
        for method, path, body, kind in (*callback_bodies(app, chance), *other_requests(app, chance)):
            answer = client.open(path, method=method, data=body, content_type=kind)
            sent += 1
            if answer.status_code >= 500:
                failed += 1
                failures.append(f"{answer.status_code} {method} {path[:90]} {(body or b'')[:160]!r}")
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert sent > 1_000
    assert not failures, f"{failed} of {sent}: " + "\n".join(failures[:20])
    assert not errors, "\n".join(errors[:20])
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == len(set(told)) < 100, "each kind is told once"


def callback_bodies(app: Dash, chance: random.Random) -> Iterator[tuple[str, str, bytes, str]]:
    """Every callback's own request with something wrong in it, and what is no request at all."""
    for raw in RAW:
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
            yield "POST", PATH, raw, kind
    for body in JUNK:
        yield "POST", PATH, dumped(body), "application/json"
    for output, callback in app.callback_map.items():
        right = request_of(output, callback)
        yield "POST", PATH, dumped(right), "application/json"
        for _ in range(HOSTILE_CHOICES if "-payload" in output else 0):
            hostile = copy.deepcopy(right)
            hostile["inputs"][1]["value"] = {name: chance.choice(WORDS) for name in chance.sample(NAMES, 5)}
            yield "POST", PATH, dumped(hostile), "application/json"
        for _ in range(BODIES_A_CALLBACK):
            yield "POST", PATH, dumped(spoilt(right, chance)), "application/json"


def spoilt(right: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A request with junk at one to three places of it, or without what belongs there."""
    made = copy.deepcopy(right)
    for _ in range(chance.randint(1, 3)):
        *way, last = chance.choice(list(places_of(made)) or [("output",)])
        at: Any = made
        for step in way:
            at = at[step]
        if isinstance(at, dict) and chance.random() < 0.2:
            at.pop(last, None)
        else:
            at[last] = copy.deepcopy(chance.choice(JUNK))
    return made


def places_of(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*way, key)
        yield from places_of(each, (*way, key))


def other_requests(app: Dash, chance: random.Random) -> Iterator[tuple[str, str, bytes | None, str | None]]:
    """Every rule with hostile parts, queries and bodies, with every method that it takes."""
    for rule in app.server.url_map.iter_rules():
        for _ in range(QUERIES_A_RULE):
            path = f"{filled(rule, app, chance)}?{query(chance)}"
            for method in sorted((rule.methods or set()) - {"OPTIONS"}):
                body = chance.choice((*RAW, *map(dumped, JUNK))) if method == "POST" else None
                yield method, path, body, chance.choice(("application/json", "text/plain", None)) if body else None
    for form in (rule.rule for rule in app.server.url_map.iter_rules() if rule.endpoint.startswith("form:")):
        for _ in range(BODIES_A_FORM):
            fields = {name: chance.choice(WORDS) for name in chance.sample(NAMES, 8)}
            order = fields | {"said": chance.choice((*JUNK, fields)), "refused": chance.choice(("", *WORDS))}
            yield "POST", form, dumped(fields), "application/json"
            yield "POST", form, dumped(order) + b"\n" + chance.choice(RAW), None
    for what in WORDS:
        path = f"/ping/nightly/{quote(what.encode(), safe='')}?token={TOKEN}&{query(chance)}"
        yield "POST", path, chance.choice((*RAW, *map(dumped, JUNK))), chance.choice(("application/json", "text/plain"))
    for name in ("x", "dash", "plotly", "..", "dash_bootstrap_components", "sys", "%00"):
        for path in ("y", "x.js", "../x", "dcc/x.js", "package_data/", "a.v1m2.js", "%2e%2e/%2e%2e/app.py", "."):
            yield "GET", f"/_dash-component-suites/{name}/{path}", None, None
    for page in ("/", "/portfolio", "/system", "/nowhere", "/%00", "/" + "x" * 3_000, "/_reload-hash", "/_dash-layout"):
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
            yield method, f"{page}?{query(chance)}", None, None


def filled(rule: Rule, app: Dash, chance: random.Random) -> str:
    """The rule's path with words in the places of its parts, some of them right ones."""
    right = [graph for refresh in app.callback_map for graph in refresh.split(".")] + ["fund", "equity", "main"]
    path = rule.rule
    for part in rule.arguments:
        word = chance.choice((*WORDS, *right[:200])) or "x"
        for shape in (f"<{part}>", f"<path:{part}>", f"<string:{part}>", f"<int:{part}>"):
            path = path.replace(shape, quote(word.encode("utf-8", "replace"), safe=""))
    return path


def query(chance: random.Random) -> str:
    names = chance.sample(NAMES, chance.randint(0, 6))
    return "&".join(f"{name}={quote(chance.choice(WORDS).encode('utf-8', 'replace'))}" for name in names)


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()
