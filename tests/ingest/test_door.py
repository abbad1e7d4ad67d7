"""Rows through the door: taken whole, once, by kind and type, or refused with every reason."""

from __future__ import annotations

import csv
import gzip
import io
import time
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from access.viewer import Viewer
from core.roles import Role
from storage.stores import Stores
from tests.support.funded import Send, count, sender

NOW = int(time.time()) - 7_200
DAY = 86_400


def at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def trade(number: int, **other: Any) -> dict[str, Any]:
    return {
        "portfolio": "alpha", "trade_id": f"t{number:05}", "ts": at(NOW + number * 1e-3), "instrument": "ACME",
        "side": "buy", "quantity": 1 + number, "price": 10.5, **other,
    }  # fmt: skip


ONE_OF_EACH: dict[str, dict[str, Any]] = {
    "nav": {"portfolio": "alpha", "ts": at(NOW), "nav": 1_000.5, "flow": 10},
    "positions": {"portfolio": "alpha", "ts": at(NOW), "instrument": "ACME", "quantity": -3, "price": 2},
    "cash": {"portfolio": "alpha", "ts": at(NOW), "currency": "EUR", "amount": -5},
    "instruments": {"symbol": "ACME", "name": "Acme", "currency": "EUR"},
    "orders": {
        "portfolio": "alpha", "order_id": "o1", "ts": at(NOW), "instrument": "ACME", "side": "sell", "quantity": 2,
        "status": "new",
    },
    "trades": trade(1),
    "transactions": {
        "portfolio": "alpha", "transaction_id": "x1", "ts": at(NOW), "action": "dividend", "instrument": "ACME",
        "amount": 12.5,
    },
    "prices": {"instrument": "ACME", "ts": at(NOW), "price": 3.5},
    "fx": {"base": "EUR", "quote": "USD", "ts": at(NOW), "rate": 1.1},
    "benchmark_weights": {"benchmark": "INDEX", "ts": at(NOW), "instrument": "ACME", "weight": 0.25},
    "samples": {"ts": at(NOW), "metric": "strategy_lag_seconds", "value": 0.25, "labels": {"desk": "one"}},
}  # fmt: skip
TABLES = {"fx": "prices"}


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_a_row_of_each_kind_is_taken_once(funded: Stores, send: Send, kind: str) -> None:
    row = ONE_OF_EACH[kind]
    first = send(kind, [row])
    assert first.status_code == 200, first.text
    assert (first.json["added"], first.json["is_waiting"]) == (1, False)
    again = send(kind, [row, row])
    assert again.status_code == 200, again.text
    assert (again.json["rows"], again.json["added"], again.json["already_there"]) == (2, 0, 2)
    if kind != "instruments":
        assert count(funded, TABLES.get(kind, kind)) == 1


def written(rows: list[dict[str, Any]], kind: str) -> tuple[bytes, str]:
    """Return rows as a type, and its name."""
    if kind == "json":
        return orjson.dumps(rows), "application/json"
    if kind == "ndjson":
        return b"\n".join(map(orjson.dumps, rows)) + b"\n\n", "application/x-ndjson"
    if kind == "csv":
        text = io.StringIO()
        lines = csv.DictWriter(text, rows[0].keys())
        lines.writeheader()
        lines.writerows(rows)
        return text.getvalue().encode(), "text/csv"
    sink = pa.BufferOutputStream()
    table = pa.Table.from_pylist(rows)
    if kind == "parquet":
        pq.write_table(table, sink)
        return sink.getvalue().to_pybytes(), "application/vnd.apache.parquet"
    new = pa.ipc.new_file if kind == "arrow file" else pa.ipc.new_stream
    with new(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes(), "application/vnd.apache.arrow.stream"


@pytest.mark.parametrize("kind", ["json", "ndjson", "csv", "arrow", "arrow file"])
@pytest.mark.parametrize("packing", ["", "gzip", "zstd"])
def test_every_type_says_the_same(funded: Stores, send: Send, kind: str, packing: str) -> None:
    body, named = written([trade(number) for number in range(50)], kind)
    if packing == "gzip":
        body = gzip.compress(body[:100]) + gzip.compress(body[100:])  # two members are one body
    elif packing == "zstd":
        body = pa.Codec("zstd").compress(body).to_pybytes()
    answer = send("trades", body, kind_of=named, Content_Encoding=packing)
    assert answer.status_code == 200, answer.text
    sql = "SELECT trade_id, toUnixTimestamp64Micro(ts), quantity, currency FROM trades FINAL ORDER BY trade_id"
    stored = funded.clickhouse.rows(sql)
    assert stored == [(f"t{n:05}", NOW * 1_000_000 + n * 1_000, 1.0 + n, "") for n in range(50)]


WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("trades", {"portfolio": "alhpa"}, "portfolio", "there is no such portfolio"),
    ("trades", {"ts": at(time.time() + 900)}, "ts", "lies in the future"),
    ("trades", {"ts": "1969-12-31T23:59:59Z"}, "ts", "lies before 1970"),
    ("trades", {"ts": "2026-01-05T10:00:00"}, "ts", "has no zone, so nobody knows which moment it is"),
    ("trades", {"ts": "2026-02-30T10:00:00Z"}, "ts", "is no time that there is"),
    ("trades", {"ts": None}, "ts", "is missing"),
    ("trades", {"price": 0}, "price", "is zero or below"),
    ("trades", {"price": -1.5}, "price", "is zero or below"),
    ("trades", {"quantity": 0}, "quantity", "is zero or below"),
    ("trades", {"quantity": "NaN"}, "quantity", "is no finite number"),
    ("trades", {"quantity": "-inf"}, "quantity", "is no finite number"),
    ("trades", {"quantity": True}, "quantity", "is no number"),
    ("trades", {"quantity": [1]}, "quantity", "is no number"),
    ("trades", {"side": "hold"}, "side", "is none that there is"),
    ("trades", {"currency": "EUX"}, "currency", "is no currency"),
    ("trades", {"trade_id": "x" * 129}, "trade_id", "has more than 128 characters"),
    ("trades", {"instrument": "A\nB"}, "instrument", "has a control character"),
    ("nav", {"currency": "USD"}, "currency", "is not the currency of alpha, which is EUR"),
    ("nav", {"nav": -1}, "nav", "is negative"),
    ("orders", {"order_type": "limit"}, "limit_price", "is missing for this order_type"),
    ("fx", {"quote": "EUR"}, "quote", "is the base too"),
    ("samples", {"metric": "system_cpu_busy_ratio"}, "metric", "is what Fundwatch measures itself"),
    ("samples", {"labels": {"a b": "c"}}, "labels", "has a name that is none (letters, digits and _)"),
    ("samples", {"ts": at(time.time() - 3_000 * DAY)}, "ts", "is older than what is kept, 730 days"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "wrong", "field", "reason"), WRONG)
def test_what_is_wrong_is_named(
    funded: Stores, send: Send, kind: str, wrong: dict[str, Any], field: str, reason: str
) -> None:
    good = ONE_OF_EACH[kind]
    answer = send(kind, [{**good}, {**good, "trade_id": "other", **wrong} if kind == "trades" else {**good, **wrong}])
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json"), answer.text
    told = answer.json["rows"][0]
    assert (told["row"], told["field"], told["reason"]) == (2, field, reason), told
    assert told["fix"] and answer.json["field"] == field
    assert count(funded, TABLES.get(kind, kind)) == 0


def test_the_first_hundred_faults_are_told_and_the_others_counted(send: Send) -> None:
    answer = send("trades", [trade(number, price=-1) for number in range(1_000)])
    assert (len(answer.json["rows"]), answer.json["more"]) == (100, 900)
    assert [each["row"] for each in answer.json["rows"]] == [*range(1, 101)]


def test_an_unknown_portfolio_is_made_when_asked_for(funded: Stores, send: Send) -> None:
    row = {"portfolio": "gamma", "ts": at(NOW), "nav": 5.0, "currency": "CHF"}
    refused = send("nav", [row])
    assert "create=true" in refused.json["fix"]
    assert send("nav", [{**row, "portfolio": "alpa"}]).json["fix"].startswith("did you mean alpha?")
    made = send("nav", [row], "?create=true")
    assert made.json["created"] == ["gamma"], made.text
    assert send("nav", [{**row, "ts": at(NOW + 60)}]).json["added"] == 1


def test_who_is_limited_to_portfolios_is_told_nothing_of_others(funded: Stores) -> None:
    send = sender(funded, Viewer("lee", Role.OPERATOR, portfolios=frozenset({"beta"})))
    row = ONE_OF_EACH["nav"]
    hidden, absent = send("nav", [row], "?create=true"), send("nav", [{**row, "portfolio": "alphx"}], "?create=true")
    told = [each.text.replace("alphx", "alpha") for each in (hidden, absent)]
    assert hidden.status_code == 422 and told[0] == told[1]
    assert "alpha" not in hidden.json["rows"][0]["fix"]
    assert send("nav", [{**row, "portfolio": "beta"}]).status_code == 200
    assert send("prices", [ONE_OF_EACH["prices"]]).status_code == 422


@pytest.mark.parametrize(
    ("viewer", "status"),
    [
        (Viewer("ana", Role.ANALYST), 403),
        (Viewer("bot", Role.OPERATOR, scopes=frozenset({"ingest:nav"})), 403),
        (Viewer("bot", Role.OPERATOR, scopes=frozenset({"ingest:trades"})), 200),
    ],
)
def test_a_person_needs_the_role_and_a_token_the_scope(funded: Stores, viewer: Viewer, status: int) -> None:
    assert sender(funded, viewer)("trades", [trade(1)]).status_code == status


def test_other_content_for_the_same_id_is_a_restatement_with_a_mark(funded: Stores, send: Send) -> None:
    send("trades", [trade(1), trade(2)])
    refused = send("trades", [trade(1, price=11), trade(3)], "?on_conflict=refuse")
    assert refused.status_code == 422
    assert refused.json["rows"][0]["reason"] == "is 10.5 already for this trade_id"
    assert count(funded, "trades") == 2
    answer = send("trades", [trade(1, price=11), trade(2), trade(3)]).json
    assert (answer["added"], answer["already_there"], answer["restated"]) == (1, 1, 1)
    (mark,) = funded.clickhouse.rows("SELECT portfolio, key, was, now, source FROM restatements FINAL")
    assert mark[:2] == ("alpha", "t00001") and mark[4] == "API: ops"
    assert (orjson.loads(mark[2])["price"], orjson.loads(mark[3])["price"]) == (10.5, 11)
    assert funded.clickhouse.rows("SELECT price FROM trades FINAL WHERE trade_id = 't00001'") == [(11.0,)]
    send("nav", [ONE_OF_EACH["nav"]])
    assert send("nav", [{**ONE_OF_EACH["nav"], "nav": 7}]).json["restated"] == 1
    assert funded.clickhouse.rows("SELECT was, now FROM nav_restatements FINAL") == [(1_000.5, 7.0)]
    twice = send("trades", [trade(5), trade(5, price=1)])
    assert twice.json["rows"][0]["reason"] == "says something else than row 1 of the same portfolio and trade_id"


def test_an_order_only_goes_forward_and_a_fill_is_not_before_it(funded: Stores, send: Send) -> None:
    order = ONE_OF_EACH["orders"]
    states = [order, {**order, "ts": at(NOW + 10), "status": "partially_filled"}]
    assert send("orders", states).json["older"] == 1
    answer = send("orders", [{**order, "ts": at(NOW + 20), "status": "filled"}]).json
    assert (answer["updated"], answer["restated"]) == (1, 0)
    assert send("orders", states).json["older"] == 2  # the same batch once more: it has gone on since
    back = send("orders", [{**order, "ts": at(NOW + 30), "status": "accepted"}])
    assert back.json["rows"][0]["reason"].startswith("goes back: the order is filled since ")
    assert send("orders", [{**order, "ts": at(NOW + 30), "status": "cancelled"}]).status_code == 422
    assert funded.clickhouse.rows("SELECT status FROM orders FINAL") == [("filled",)]
    early = send("trades", [trade(1, order_id="o1", ts=at(NOW - 1))])
    assert early.json["rows"][0]["reason"].startswith("is before its order, which is of ")
    assert send("trades", [trade(1, order_id="o1", ts=at(NOW + 1))]).status_code == 200


def test_a_key_used_again_gets_the_first_answer(send: Send) -> None:
    first = send("trades", [trade(1)], Idempotency_Key="k1")
    assert first.json["added"] == 1
    assert send("trades", [trade(1)], Idempotency_Key="k1").json == first.json
    assert send("trades", [trade(2)], Idempotency_Key="k1").status_code == 422
    assert send("trades", [trade(3, price=0)], Idempotency_Key="k2").status_code == 422
    assert send("trades", [trade(3)], Idempotency_Key="k2").json["added"] == 1


def test_samples_count_once_in_the_rollups_too_and_old_ones_only_there(funded: Stores, send: Send) -> None:
    row = ONE_OF_EACH["samples"]
    assert send("samples", [row, {**row, "ts": at(NOW + 1)}]).json["added"] == 2
    send("samples", [row, {**row, "ts": at(NOW + 2)}])
    ((points,),) = funded.clickhouse.rows("SELECT sum(points) FROM samples_1h")
    assert points == 3
    other = send("samples", [{**row, "value": 9}]).json
    assert (other["added"], other["already_there"]) == (0, 1) and "another value" in other["told"][0]
    assert send("samples", [{**row, "value": 9}], "?on_conflict=refuse").status_code == 422
    twice = send("samples", [{**row, "ts": at(NOW + 5)}, {**row, "ts": at(NOW + 5.5), "value": 1}])
    assert twice.json["rows"][0]["row"] == 2
    old = send("samples", [{**row, "ts": at(NOW - 30 * DAY)}]).json
    assert old["told"] == ["1 sample is older than 7 days: kept in the rollups of minutes and hours alone."]


def test_limits_types_and_packings_are_told(funded: Stores, send: Send) -> None:
    limits = funded.settings.ingest.model_copy(update={"most_rows": 10, "most_unpacked_bytes": 65_536})
    funded.settings.__dict__["ingest"] = limits
    assert "10 rows at most" in send("trades", [trade(n) for n in range(11)]).json["detail"]
    bomb = gzip.compress(b"[" + b" " * 10_000_000 + b"]")
    answer = send("trades", bomb, Content_Encoding="gzip")
    assert (answer.status_code, answer.json["title"]) == (413, "Too large")
    assert send("trades", b"x", kind_of="text/xml").json["allowed"]
    assert send("trades", b"x", Content_Encoding="br").status_code == 415
    for cut in (gzip.compress(b"[]")[:-3], b"nonsense", b""):
        assert send("trades", cut, Content_Encoding="gzip").status_code == 422
    whole = pa.Codec("zstd").compress(orjson.dumps([trade(n) for n in range(5)])).to_pybytes()
    for cut in (whole[:-4], whole[: len(whole) // 2], b"nonsense"):
        assert send("trades", cut, Content_Encoding="zstd").status_code == 422


@pytest.mark.parametrize("blank", ["", "  ", "\t"])
def test_a_blank_text_is_none(funded: Stores, send: Send, blank: str) -> None:
    for field in ("portfolio", "trade_id", "instrument", "side", "currency"):
        told = send("trades", [trade(1), trade(2, **{field: blank})]).json["rows"]
        assert [(each["row"], each["field"], each["reason"]) for each in told] == [(2, field, "is blank")]
    assert send("trades", [trade(1), trade(2, price="")]).json["rows"][0]["reason"] == "is missing"
    assert count(funded, "trades") == 0


def test_a_price_of_each_of_many_instruments_is_one_batch(funded: Stores, send: Send) -> None:
    rows = [{"instrument": f"ÄÖ'{number:05}", "ts": at(NOW), "price": 1 + number} for number in range(25_000)]
    assert send("prices", rows).json["added"] == 25_000
    assert send("prices", [*rows[1:], {**rows[0], "price": 7}]).json["restated"] == 1
    assert count(funded, "prices") == 25_000


def test_an_order_told_of_late_does_not_refuse_its_fills(funded: Stores, send: Send) -> None:
    filled = {**ONE_OF_EACH["orders"], "ts": at(NOW + 10), "status": "filled"}
    assert send("orders", [filled]).status_code == 200  # since when there is the order nobody knows by now
    assert send("trades", [trade(1, order_id="o1", ts=at(NOW + 5))]).json["added"] == 1
    partly = {**filled, "ts": at(NOW + 8), "status": "partially_filled"}
    assert send("orders", [partly, {**filled, "order_id": "o2"}, {**partly, "order_id": "o2"}]).json["older"] == 2
    assert (
        send("trades", [trade(2, order_id=name, trade_id=name, ts=at(NOW + 5)) for name in ("o1", "o2")]).json["added"]
        == 2
    )
    for status, moment, early in (("accepted", NOW + 3, NOW + 2), ("new", NOW + 1, NOW)):
        assert send("orders", [{**filled, "ts": at(moment), "status": status}]).json["older"] == 1
        refused = send("trades", [trade(3, order_id="o1", ts=at(early))])
        assert refused.json["rows"][0]["reason"] == f"is before its order, which is of {at(moment)}"
        assert send("trades", [trade(int(moment), order_id="o1", ts=at(moment))]).json["added"] == 1
    moments = "toUnixTimestamp64Micro(ts), toUnixTimestamp64Micro(placed)"
    sql = f"SELECT status, {moments} FROM orders FINAL WHERE order_id = 'o1'"
    assert funded.clickhouse.rows(sql) == [("filled", (NOW + 10) * 1_000_000, (NOW + 1) * 1_000_000)]
    whole = [{**filled, "order_id": "o2", "ts": at(NOW + 1), "status": "new"}, {**filled, "order_id": "o2"}]
    assert send("orders", whole).status_code == 200  # its last state stands there already
    assert send("trades", [trade(4, order_id="o2", ts=at(NOW))]).status_code == 422


def test_a_portfolio_is_one_with_and_without_the_prefix_of_the_api(funded: Stores, send: Send) -> None:
    row = {"portfolio": "own:gamma", "ts": at(NOW), "nav": 5.0, "currency": "CHF"}
    made = send("nav", [row, {**row, "portfolio": "gamma", "ts": at(NOW + 60)}], "?create=true")
    assert made.json["created"] == ["gamma"], made.text
    assert send("nav", [row, {**row, "portfolio": "gamma"}]).json["already_there"] == 2
    told = send("nav", [{**row, "portfolio": "own:gama"}]).json["rows"][0]
    assert (told["value"], told["fix"].partition(";")[0]) == ("own:gama", "did you mean gamma?")


def test_a_key_whose_batch_failed_may_be_used_again(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any) -> Any:
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as patch:
        patch.setattr("api.resources.ingest.take_content", failing)
        assert send("trades", [trade(1)], Idempotency_Key="k9").status_code == 500
    assert send("trades", [trade(1)], Idempotency_Key="k9").json["added"] == 1


def test_every_row_with_another_currency_is_told(send: Send) -> None:
    price = ONE_OF_EACH["prices"]
    rows = [{**price, "ts": at(NOW + n), "currency": "USD" if n % 2 else "EUR"} for n in range(4)]
    assert [each["row"] for each in send("prices", rows).json["rows"]] == [2, 4]
