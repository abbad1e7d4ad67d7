"""Values leave the text of a query, whatever stands in them; its names stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.literals import message_without_values, without_values

SECRET = "zq7"


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("SELECT * FROM t1 WHERE name = 'O''Neil' AND n > 4.5e-3", "SELECT * FROM t1 WHERE name = ? AND n > ?"),
        (r"WHERE path = 'C:\' AND code = 'x'", "WHERE path = ? AND code = ?"),
        (r"SELECT E'it\'s', U&'d\0061', x'1f', $tag$ a ' b $tag$, $$c$$, $1", "SELECT ?, ?, ?, ?, ?, $1"),
        ("ALTER ROLE bob PASSWORD 'zq7'", "ALTER ROLE bob PASSWORD ?"),
        ('SELECT "it\'s", "a 1" FROM s1.t2 -- 3\nLIMIT 10', 'SELECT "it\'s", "a 1" FROM s1.t2 -- 3\nLIMIT ?'),
        ("INSERT INTO t VALUES (1, -2, .5, 0x1F, 'cut o", "INSERT INTO t VALUES (?, -?, ?, ?, ?"),
        (None, None),
    ],
)
def test_of_postgresql(sql: str | None, shown: str | None) -> None:
    assert without_values(sql) == shown


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        (r"SELECT 'it\'s', `a 'b` FROM t WHERE x = 'y\\' AND z = 3", "SELECT ?, `a 'b` FROM t WHERE x = ? AND z = ?"),
        (r"SELECT 'cut \\", "SELECT ?"),
        ("SELECT count() FROM hits2 WHERE id IN (1, 2)", "SELECT count() FROM hits2 WHERE id IN (?, ?)"),
    ],
)
def test_of_clickhouse(sql: str, shown: str) -> None:
    assert without_values(sql, is_clickhouse=True) == shown


@given(st.text(max_size=30), st.text(max_size=30), st.integers(0, 60))
def test_no_part_of_a_string_is_shown_however_it_is_written_and_cut(before: str, after: str, cut: int) -> None:
    value = f"{before}{SECRET}{after}"
    postgresql = "SELECT a FROM b WHERE c = '{}' AND d = 'zq7'".format(value.replace("'", "''"))
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    clickhouse = f"SELECT a FROM b WHERE c = '{escaped}' AND d = 'zq7'"
    for sql, is_clickhouse in ((postgresql, False), (clickhouse, True), (f"SELECT E'{escaped}', 'zq7'", False)):
        for text in (sql, sql[: len(sql) - cut]):
            assert SECRET not in str(without_values(text, is_clickhouse=is_clickhouse))


def test_a_message_repeats_no_value() -> None:
    assert message_without_values("Cannot parse string 'zq7\\'' as UInt8") == "Cannot parse string '?' as UInt8"
