"""Every operation answers by its own schema, says what is wrong, and never with what the one who asks may not see."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import jsonschema
import orjson
import pyarrow as pa
import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr

from access.accounts import add_account
from access.tokens import make_token
from access.viewer import Viewer
from api.mount import ROLES, endpoint_of
from api.server import OPERATIONS
from core.errors import StorageRejected
from core.model import Component, Reading, Sample, Status
from core.pipeline.spec import CollectorRuns
from core.roles import Role
from core.settings.pull import Pull
from core.tables import table_of
from portfolio.query import PortfolioQuery
from portfolio.reading import read
from portfolio.summary import side_by_side
from portfolio.withheld import WITHHELD
from storage.clickhouse.pulse import Pulse
from storage.stores import Stores
from tests.support.api import (
    ADMIN,
    LIMITED,
    READER,
    Standing,
    client_of,
    collector_row,
    fill,
    put_daily,
    put_trades,
    server_of,
    watching,
)

PARTS = {
    "/components/{id}": "http:orders/HTTP orders",
    "/metrics/{group}": "system",
    "/instruments/{symbol}": "INDEX",
    "/benchmarks/{id}": "60/40",
    "/events/{id}": "1",
    "/alerts/{id}": "1",
    "/alerts/{id}/actions": "1",
    "/silences/{id}": "1",
    "/maintenance/{id}": "1",
    "/rules/{name}": "value-overdue",
    "/rules/{name}/switch": "value-overdue",
    "/channels/{name}": "log",
    "/channels/{name}/test": "log",
}
"""What the path of an operation names, where that is no portfolio."""
EMPTY = (
    *("/feeds", "/halts", "/users", "/tokens", "/audit", "/metrics/requests", "/pipeline/refused-rows"),
    *("/portfolios/{id}/cash", "/portfolios/{id}/transactions", "/portfolios/{id}/breaches"),
    *("/portfolios/{id}/round-trips", "/portfolios/{id}/round-trip-figures"),
)
"""Lists with nothing in them here."""
TIME = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+Z)?")
QUERIES = {"/metrics/history": "?metric=system_cpu_busy_ratio"}


@pytest.fixture
def filled(stores: Stores) -> Stores:
    found = watching(stores)
    fill(found)
    return found


@pytest.fixture
def client(filled: Stores) -> Iterator[FlaskClient]:
    yield client_of(filled)


def address(path: str) -> str:
    named = path.split("{")[0] + PARTS.get(path, "own:alpha") + path.partition("}")[2] if "{" in path else path
    return f"/api/v1{named}{QUERIES.get(path, '')}"


def problem(client: FlaskClient, path: str, status: int, **given: Any) -> dict[str, Any]:
    answer = client.get(path, **given)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    found: dict[str, Any] = answer.json
    return found


def test_every_operation_answers_by_its_own_schema(filled: Stores) -> None:
    client = client_of(filled, ADMIN)
    document = client.get("/api/v1/openapi.json").json
    assert document["openapi"] == "3.1.0"
    documented = [(path, method.upper()) for path, item in document["paths"].items() for method in item]
    assert sorted(documented) == sorted((each.path, each.method) for each in OPERATIONS)
    for path, item in document["paths"].items():
        if "get" not in item:
            continue
        answer = client.get(address(path))
        # Where nobody evaluates nothing is safe, and the answer says so by its status too.
        expected = 503 if "/trading-readiness" in path else 200
        assert answer.status_code == expected, (path, answer.text)
        said = item["get"]["responses"][str(expected)]["content"]["application/json"]["schema"]
        validate(document, said, answer.json)
        if "items" in answer.json and path not in EMPTY:
            assert answer.json["items"], path


def validate(document: dict[str, Any], schema: dict[str, Any], answer: Any) -> None:
    whole = {**schema, "components": document["components"]}
    jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker()).validate(answer)


def test_performance_is_that_of_the_page(filled: Stores, client: FlaskClient) -> None:
    asked = {"window": "1Y", "rf": "2", "benchmark": "INDEX", "confidence": "99"}
    rows = client.get("/api/v1/portfolios/own:alpha/performance", query_string=asked).json["items"]
    found = side_by_side(read(filled, PortfolioQuery.parse({**asked, "portfolio": "own:alpha"})[0], None))
    assert [row["key"] for row in rows] == [metric.key for metric in found.metrics]
    for row in rows:
        value, beside = found.of(row["key"], 0), found.of(row["key"], 1)
        assert row["value"] == (pytest.approx(value) if value == value else None), row["key"]
        assert row["benchmark_value"] == (pytest.approx(beside) if beside == beside else None), row["key"]
        assert bool(row["reason"]) == (row["value"] is None)
    assert sum(row["value"] is not None for row in rows) > 60


def test_a_course_compounds_to_its_figures(client: FlaskClient) -> None:
    of = "/api/v1/portfolios/own:alpha"
    returns = client.get(f"{of}/returns").json["items"]
    grown = 1.0
    for row in returns[1:]:
        grown *= 1 + row["return_ratio"]
    figures = {row["key"]: row["value"] for row in client.get(f"{of}/performance").json["items"]}
    assert returns[-1]["growth_ratio"] == pytest.approx(grown) == pytest.approx(1 + figures["total_return"])
    drawdowns = client.get(f"{of}/drawdowns").json["items"]
    assert min(row["depth_ratio"] for row in drawdowns) == pytest.approx(figures["max_drawdown"])
    assert len(client.get(f"{of}/nav").json["items"]) == 400
    assert client.get(f"{of}/rolling").json["items"][-1]["sharpe"] is not None


def test_figures_have_unit_age_and_source_and_a_silent_collector_is_stale(filled: Stores) -> None:
    client = client_of(filled)
    (row,) = client.get("/api/v1/metrics/system?metric=system_memory_used_ratio").json["items"]
    assert (row["unit"], row["source"], row["stale"]) == ("ratio", "system@host-1", False)
    assert row["as_of"].endswith("Z") and row["age_seconds"] >= 0
    later = replace(filled, clock=Standing(filled.clock.now() + 60))
    (row,) = client_of(later).get("/api/v1/metrics/system?metric=system_memory_used_ratio").json["items"]
    assert row["stale"] and row["age_seconds"] >= 59
    health = client_of(later).get("/api/v1/health").json
    assert health["status"] == "unknown" and health["counts"]["ok"] == 0


def test_a_configured_source_that_nobody_has_read_is_unknown_not_fine(client: FlaskClient) -> None:
    found = client.get("/api/v1/components/heartbeat:nightly/heartbeat:nightly").json
    assert (found["status"], found["stale"], found["as_of"]) == ("unknown", True, None)


def test_rows_that_a_pull_refused_are_told_but_not_to_who_may_see_some_portfolios(filled: Stores) -> None:
    pull = Pull(name="fills", kind="trades", url=SecretStr("postgresql://a:b@h/x"), query="SELECT 1", mark="id")
    stores = replace(filled, settings=filled.settings.model_copy(update={"pull": (pull,)}))
    host, now = stores.settings.machine, stores.clock.now()
    row = collector_row("pull-fills", now)
    stores.live.put_reading("pipeline", host, now, 5.0, Reading(tables=[table_of(CollectorRuns, [row])]))
    why = "1 row refused, the last 5 s ago: portfolio: there is no such portfolio (alpha-x)"
    refused = Reading(components=(Component("pull-fills", Status.WARNING, why),))
    stores.live.put_reading("pull-fills", host, now, 60.0, refused)
    for viewer, told in ((READER, why), (LIMITED, WITHHELD)):
        client = client_of(stores, viewer)
        found = client.get(f"/api/v1/components/{host}/pull-fills/pull-fills").json
        assert (found["status"], found["why"]) == ("warning", told)
        assert told in {each["why"] for each in client.get("/api/v1/status").json["components"]}
        (job,) = client.get("/api/v1/pipeline/jobs").json["items"][:1]
        assert (job["name"], job["status"], job["why"]) == ("pull-fills", "warning", told)


def test_what_is_no_number_is_null(client: FlaskClient) -> None:
    (row,) = client.get("/api/v1/metrics/pipeline?metric=process_threads").json["items"]
    assert row["value"] is None


WRONG = (
    ("/metrics/history?metrc=x", "metrc", "metric"),
    ("/metrics/history", "metric", "Name of the metric"),
    ("/metrics/history?metric=system_cpu_busy_rato", "metric", "system_cpu_busy_ratio"),
    ("/metrics/history?metric=system_load_1&period=1w", "period", "15m, 1h"),
    ("/metrics/history?metric=system_load_1&from=2026-01-01", "from", "RFC 3339"),
    ("/metrics/history?metric=system_load_1&step=7", "step", "Seconds"),
    ("/metrics/history?metric=system_cpu_busy_ratio&period=7d&step=1", "step", "step of"),
    ("/metrics/history?metric=system_cpu_busy_ratio&labels=core", "labels", "core=total"),
    ("/components?limit=0", "limit", "Most items"),
    ("/components?limit=5&limit=6", "limit", "once"),
    ("/components?cursor=nonsense", "cursor", "leave it out"),
    ("/components?status=okay", "status", "Only those"),
    ("/portfolios/own:alpha/performance?window=2Y", "window", "Days up to"),
    ("/portfolios/own:alpha/performance?rf=much", "rf", "leave it out"),
    ("/portfolios/own:alpha/performance?benchmark=INDX", "benchmark", "INDEX"),
    ("/portfolios/own:alpha/nav?from=2020-02-30", "from", "leave it out"),
    ("/portfolios/own:alpha/trades?from=yesterday", "from", "2026-01-31T09:30:00Z"),
)
"""An address, the field that is wrong, and what the way out says."""


def test_a_wrong_parameter_is_named_with_the_way_out(client: FlaskClient) -> None:
    for query, field, fix in WRONG:
        found = problem(client, f"/api/v1{query}", 422)
        assert (found["field"], fix in found["fix"]) == (field, True), (query, found)
        assert found["detail"].endswith(".") and "Value error" not in found["detail"]


def test_a_portfolio_that_is_not_there_names_the_nearest(client: FlaskClient) -> None:
    found = problem(client, "/api/v1/portfolios/own:alpah", 404)
    assert found["fix"] == "Did you mean own:alpha?"
    assert sorted(found["allowed"]) == ["own:alpha", "own:beta", "own:fund"]


def test_who_is_limited_sees_no_other_portfolio_anywhere(filled: Stores) -> None:
    client = client_of(filled, LIMITED)
    assert [row["id"] for row in client.get("/api/v1/portfolios").json["items"]] == ["own:beta"]
    assert client.get("/api/v1/portfolios/own:beta").json["parent"] is None
    for path in (each.path for each in OPERATIONS if "/portfolios/{id}" in each.path):
        hidden, absent = (
            problem(client, address(path).replace("own:alpha", id), 404) for id in ("own:alpha", "own:alphx")
        )
        assert {**hidden, "detail": ""} == {**absent, "detail": ""}
        assert hidden["detail"].replace("own:alpha", "own:alphx") == absent["detail"]
        assert "own:alpha" not in json.dumps(absent["allowed"])


def test_an_answer_that_another_asked_for_is_not_given_to_who_is_limited(filled: Stores) -> None:
    asking = [READER]
    server = server_of(filled, lambda: asking[0])
    assert len(server.test_client().get("/api/v1/portfolios").json["items"]) == 3
    asking[0] = LIMITED
    assert len(server.test_client().get("/api/v1/portfolios").json["items"]) == 1


def test_nobody_is_refused_everywhere_but_learns_whether_fundwatch_is_ready(filled: Stores) -> None:
    client = client_of(filled, None)
    for path in ("/api/v1/status", "/api/docs", "/api/v1/openapi.json", "/metrics", "/api/v1/nothing"):
        assert client.get(path).status_code in (401, 403), path
    assert client.get("/readyz").json == {"ready": True}
    assert client_of(filled).get("/readyz").json == {"ready": True, "why": []}


def test_what_is_not_offered_is_a_problem(client: FlaskClient) -> None:
    assert problem(client, "/api/v1/nothing", 404)["fix"]
    assert problem(client, "/api/v1/status", 406, headers={"Accept": "text/csv"})["field"] == "Accept"
    answer = client.post("/api/v1/status", headers={"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert client.head("/api/v1/status").status_code == 200


def test_an_etag_holds_until_the_data_changes(filled: Stores) -> None:
    client = client_of(filled)
    for path in ("/api/v1/metrics/system", "/api/v1/portfolios/own:alpha/nav"):
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    older = first.headers["ETag"]
    filled.live.put_reading("system", "host-1", filled.clock.now(), 5, Reading([Sample("system_load_1", 9.0)]))
    filled.live.bump("system")
    put_later(filled)
    changed = client.get("/api/v1/portfolios/own:alpha/nav", headers={"If-None-Match": older})
    assert changed.status_code == 200 and changed.headers["ETag"] != older
    rows = client.get("/api/v1/metrics/system").json["items"]
    assert [row["value"] for row in rows if row["metric"] == "system_load_1"] == [9.0]


def put_later(stores: Stores) -> None:
    put_daily(stores, "alpha", [500.0], end=int(stores.clock.now()) + 86_400)


def pages(client: FlaskClient, path: str, between: Any = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    following: str | None = path
    while following:
        answer = client.get(following)
        assert answer.status_code == 200, answer.text
        found += answer.json["items"]
        if between:
            between()
        following = answer.headers["Link"].split(">")[0].strip("<") if answer.json["next"] else None
    return found


def test_parts_of_a_list_lose_and_repeat_nothing_while_rows_are_added(filled: Stores) -> None:
    client = client_of(filled)
    numbers = iter(range(1_000, 2_000, 10))
    at = int(filled.clock.now())

    def add() -> None:
        first = next(numbers)
        if first < 1_100:
            put_trades(filled, "alpha", range(first, first + 3), at=at - 5_000 + first)  # before and after the cursor

    rows = pages(client, "/api/v1/portfolios/own:alpha/trades?limit=5", add)
    ids = [row["trade_id"] for row in rows]
    assert len(ids) == len(set(ids))
    assert {f"t{n:05}" for n in range(12)} <= set(ids)


PAGED = (
    ("/metrics/system?", 7),
    ("/components?", 3),
    ("/metrics/history?metric=system_cpu_busy_ratio&", 4),
    ("/portfolios/own:alpha/returns?", 97),
)


def test_parts_make_the_whole(client: FlaskClient) -> None:
    for path, limit in PAGED:
        whole = client.get(f"/api/v1{path}limit=10000").json["items"]
        parts = pages(client, f"/api/v1{path}limit={limit}")
        assert len(whole) > limit
        assert [drop(row) for row in parts] == [drop(row) for row in whole], path


def test_a_cursor_with_a_number_that_no_store_holds_is_none(filled: Stores) -> None:
    client = client_of(filled, ADMIN)
    for name in "abc":
        add_account(filled.state, name, Role.VIEWER, [], "root", filled.clock.now())
    cursor = client.get("/api/v1/audit?limit=1").json["next"]
    made = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    for number in (2**63, 2**64 - 1, -(2**63), True):
        changed = base64.urlsafe_b64encode(orjson.dumps([*made[:2], number])).decode()
        assert problem(client, f"/api/v1/audit?cursor={changed}", 422)["field"] == "cursor"


def test_a_statement_that_is_rejected_is_no_outage(
    client: FlaskClient, filled: Stores, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def rejects(*_args: Any, **_given: Any) -> None:
        raise StorageRejected("Code: 62. Syntax error")

    monkeypatch.setattr(type(filled.clickhouse), "rows", rejects)
    assert "log" in problem(client, "/api/v1/metrics/history?metric=system_load_1", 500)["detail"]
    assert "Syntax error" in caplog.text


def test_a_list_of_portfolios_is_stale_when_they_are(filled: Stores) -> None:
    later = replace(filled, clock=Standing(filled.clock.now() + 30 * 86_400))
    told = client_of(later).get("/api/v1/portfolios").json
    assert [row["stale"] for row in told["items"]] == [True] * 3
    assert told["stale"] and told["age_seconds"] >= 29 * 86_400
    assert not client_of(filled).get("/api/v1/portfolios").json["stale"]


def test_me_says_why_the_role_is_lower_than_the_account_s(filled: Stores) -> None:
    add_account(filled.state, "root", Role.ADMIN, [], "first start", filled.clock.now())
    roles = ("role", "account_role", "token_role")

    def me(viewer: Viewer) -> tuple[str | None, ...]:
        told = client_of(filled, viewer).get("/api/v1/me").json
        return tuple(told[each] for each in roles)

    reading = frozenset({"read"})
    assert me(Viewer("root", Role.ANALYST, scopes=reading)) == ("analyst", "admin", "analyst")
    assert me(Viewer("service:x", Role.ANALYST, scopes=reading)) == ("analyst", None, "analyst")
    assert me(ADMIN) == ("admin", "admin", None)


def test_a_cursor_is_of_its_list_alone(client: FlaskClient) -> None:
    cursor = client.get("/api/v1/components?limit=1").json["next"]
    for path in ("/api/v1/metrics/system", "/api/v1/components?status=ok"):
        assert problem(client, f"{path}{'&' if '?' in path else '?'}cursor={cursor}", 422)["field"] == "cursor"


def test_csv_and_arrow_hold_what_json_holds(client: FlaskClient) -> None:
    for path in (each.path for each in OPERATIONS if each.is_list and each.role == Role.VIEWER):
        rows = client.get(address(path)).json["items"]
        text = client.get(address(path), headers={"Accept": "text/csv"})
        assert text.mimetype == "text/csv"
        cells = [drop(row) for row in csv.DictReader(io.StringIO(text.text))]
        assert cells == [drop({name: cell(value) for name, value in row.items()}) for row in rows], path
        sent = client.get(address(path), headers={"Accept": "application/vnd.apache.arrow.stream"})
        table = pa.ipc.open_stream(sent.data).read_all().to_pylist()
        found = [drop({name: plain(value) for name, value in row.items()}) for row in table]
        assert found == [drop({name: flat(value) for name, value in row.items()}) for row in rows], path


def drop(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "age_seconds"}


def cell(value: Any) -> str:
    """Return a value of JSON as it stands in CSV."""
    if value is None or isinstance(value, str):
        return value or ""
    return orjson.dumps(value).decode()


def plain(value: Any) -> Any:
    """Return a value of Arrow in what JSON has."""
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return dict(value)
    return value


def flat(value: Any) -> Any:
    """Return a value of JSON in what Arrow has."""
    if value == {}:
        return []
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return orjson.dumps(value).decode()
    if not isinstance(value, str) or not TIME.fullmatch(value):
        return value
    return datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)


def test_a_large_answer_is_compressed_for_who_takes_that(client: FlaskClient) -> None:
    path = "/api/v1/portfolios/own:alpha/nav"
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.data))["items"] == client.get(path).json["items"]


def test_storage_away_is_said_and_is_not_ready(filled: Stores) -> None:
    filled.state.close()
    client = client_of(filled)
    filled.clickhouse.pulse = Pulse(filled.clickhouse.ping)  # has not asked yet, nor is it asked for a second
    filled.clickhouse.close()
    found = problem(client, "/api/v1/metrics/history?metric=system_load_1", 503)
    assert "ClickHouse is closed" in found["detail"] and found["fix"]
    ready = client.get("/readyz")
    assert ready.status_code == 503 and not ready.json["ready"] and ready.json["why"]
    assert client_of(filled, None).get("/readyz").json == {"ready": False}


def test_roles_and_scopes_are_what_an_operation_declares(filled: Stores) -> None:
    server = server_of(filled, lambda: READER)
    told = server.extensions[ROLES]
    rules = [rule for rule in server.url_map.iter_rules() if rule.rule.startswith(("/api/", "/metrics"))]
    assert {rule.endpoint for rule in rules} <= set(told)
    for operation in OPERATIONS:
        assert told[endpoint_of(operation)] == operation.role
        sending = ("ingest:nav", "ingest:trades", "ingest:samples", "alerts", "halts")
        reading = ("read", "admin", "readiness")
        assert operation.scope in reading or (operation.scope in sending and operation.method != "GET")
        if operation.role > Role.VIEWER:
            asked = client_of(filled, READER).open(address(operation.path), method=operation.method)
            assert asked.status_code == 403


def test_administrators_read_users_tokens_and_the_audit_and_no_secret(filled: Stores) -> None:
    now = filled.clock.now()
    add_account(filled.state, "eve", Role.VIEWER, ["beta"], "root", now)
    _, secret = make_token(filled.state, name="export", account="", scopes=["read"], by=ADMIN, now=now)
    client = client_of(filled, ADMIN)
    answers = [client.get(f"/api/v1/{name}") for name in ("users", "tokens", "audit")]
    users, tokens, audit = (answer.json["items"] for answer in answers)
    assert [(row["name"], row["role"], row["portfolios"]) for row in users] == [("eve", "viewer", ["beta"])]
    assert [(row["name"], row["scopes"], row["used_at"]) for row in tokens] == [("export", ["read"], None)]
    assert [row["what"] for row in audit][:2] == ["token made", "account added"]
    assert not any(secret in answer.text for answer in answers)
    assert pages(client, "/api/v1/audit?limit=1") == audit
    (row,) = client.get("/api/v1/audit?what=account added").json["items"]
    assert row["target"] == "eve"
    reading = client_of(filled, Viewer("root", Role.ADMIN, scopes=frozenset({"read"})))
    assert problem(reading, "/api/v1/audit", 403)["field"] == "Authorization"
    sending = client_of(filled, Viewer("sam", Role.ANALYST, scopes=frozenset({"ingest:nav"})))
    for path in ("/api/v1/status", "/api/docs", "/metrics"):
        problem(sending, path, 403)


def test_the_docs_page_needs_no_script_and_no_other_file(client: FlaskClient) -> None:
    answer = client.get("/api/docs")
    assert answer.mimetype == "text/html"
    assert answer.text.count("<script") == 1 and 'src="/assets/boot/theme.js"' in answer.text
    assert "http://localhost/api/v1/status" in answer.text and "https://" not in answer.text
    assert "https://127.0.0.1:9/api" in client.get("/api/docs", base_url="https://127.0.0.1:9").text
    assert 'rel="icon"' in answer.text and '<a href="/">Fundwatch</a>' in answer.text
    document = client.get("/api/v1/openapi.json").json
    assert all(re.fullmatch("[A-Za-z]+", name) for name in document["components"]["schemas"])
    assert document["components"]["securitySchemes"]["session"]["name"].startswith("fundwatch-")
    for operation in OPERATIONS:
        assert operation.path in answer.text
