"""Bodies that nobody should send: each is refused, never a failure of ours, and nothing of it is stored.

MALFORMED_BODIES says how many are tried; 10,000 take some minutes.
"""

from __future__ import annotations

import gzip
import os
from typing import Any

import orjson
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.ingest.kinds import KINDS
from storage.stores import Stores
from tests.ingest.test_door import ONE_OF_EACH, written
from tests.support.funded import sender

EXAMPLES = int(os.environ.get("MALFORMED_BODIES", "300"))
TABLES = ("nav", "positions", "cash", "orders", "trades", "prices", "samples", "restatements")
NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([1e308, -0.0, 2**63, 10**400]))
ODD_TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", " ", "\0", "1e999", "NaN", "9" * 400, "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00",
                     "9999-12-31T23:59:59-14:00", "{}", "[]", "'); DROP TABLE trades --", "\\", "\ud800", "﷽" * 70]),
)  # fmt: skip
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, ODD_TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)
FORMATS = ("json", "ndjson", "csv", "arrow", "arrow file")


def as_json(value: Any) -> bytes:
    """Return JSON, or what is nearly that, of anything."""
    try:
        return orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError):
        return repr(value).encode("utf-8", "replace")


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, bytes, str, str]:
    """Draw a kind, a body, its type and its packing."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    row = dict(ONE_OF_EACH[kind])
    way = draw(st.integers(0, 4))
    if way == 0:
        body, named = draw(st.binary(max_size=200)), draw(st.sampled_from(sorted(set(NAMES))))
    elif way == 1:
        body, named = as_json(draw(ANYTHING)), "application/json"
    elif way == 2:
        field = draw(st.sampled_from([*sorted(row), "unknown"]))
        rows = [row, {**row, field: draw(ANYTHING)}, *([row] if draw(st.booleans()) else [])]
        body, named = b"[" + b",".join(map(as_json, rows)) + b"]", "application/json"
    else:
        body, named = written([row, row], draw(st.sampled_from(FORMATS)))
        body = spoiled(draw, body)
    packing = draw(st.sampled_from(["", "", "gzip", "zstd"]))
    if packing:
        body = gzip.compress(body) if packing == "gzip" else pa.Codec("zstd").compress(body).to_pybytes()
        body = spoiled(draw, body) if draw(st.booleans()) else body
    return kind, body, named, packing


def spoiled(draw: st.DrawFn, body: bytes) -> bytes:
    """Return a body with a few bytes changed, cut or doubled."""
    changed = bytearray(body)
    for _ in range(draw(st.integers(1, 4))):
        if changed:
            at = draw(st.integers(0, len(changed) - 1))
            changed[at] = draw(st.integers(0, 255))
    start, end = sorted((draw(st.integers(0, len(changed))), len(changed) - draw(st.integers(0, 3))))
    return bytes(changed[:end] if draw(st.booleans()) else changed[:start])


NAMES = ("application/json", "application/x-ndjson", "text/csv", "application/vnd.apache.arrow.stream")


def stored(stores: Stores) -> int:
    """Return how many rows there are in all tables, replaced ones too."""
    counts = " + ".join(f"(SELECT count() FROM {table})" for table in TABLES)
    ((rows,),) = stores.clickhouse.rows(f"SELECT {counts}")
    return int(rows)


def test_malformed_bodies_are_refused_whole(funded: Stores) -> None:
    send = sender(funded)
    seen = {"refused": 0}

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)
    @given(bodies())
    def check(sent: tuple[str, bytes, str, str]) -> None:
        kind, body, named, packing = sent
        before = stored(funded)
        answer = send(kind, body, kind_of=named, Content_Encoding=packing)
        assert answer.status_code < 500, answer.text
        if answer.status_code != 200:
            seen["refused"] += 1
            assert answer.mimetype == "application/problem+json"
            assert stored(funded) == before

    check()
    assert seen["refused"] > EXAMPLES // 2
