-- What the Portfolio tab reads of NAV that may come once a second: a close a day, the points that moved money, and the
-- marks of restatements. All three are made of rows that replace themselves, so that a batch sent twice, late or out of
-- order, and this migration run twice, leave the same rows.

-- A day's close is its newest point in its newest version: the row of the highest rank, the point's time (upper 64 bits)
-- and then its version (lower 64 bits).
CREATE TABLE IF NOT EXISTS {{table nav_daily}} (
    origin LowCardinality(String),
    portfolio LowCardinality(String),
    day Date CODEC(DoubleDelta, ZSTD(1)),
    ts DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    nav Float64 CODEC(Delta(8), ZSTD(1)),
    rank UInt128 CODEC(ZSTD(1))
) ENGINE = {{engine ReplacingMergeTree(rank)}}
PARTITION BY origin
ORDER BY (origin, portfolio, day)
SETTINGS {{dedup}}, fsync_after_insert = 1;
{{distributed nav_daily cityHash64(portfolio)}};

CREATE MATERIALIZED VIEW IF NOT EXISTS {{view nav_to_daily}} TO {{local nav_daily}} AS
SELECT
    origin, portfolio, toDate(n.ts) AS day, max(n.ts) AS ts,
    argMax(n.nav, bitShiftLeft(toUInt128(toUnixTimestamp(n.ts)), 64) + version) AS nav,
    max(bitShiftLeft(toUInt128(toUnixTimestamp(n.ts)), 64) + version) AS rank
FROM {{local nav}} AS n GROUP BY origin, portfolio, day;

-- Which points ever moved money. What they move now is read from `nav`, where a newer version may say 0.
CREATE TABLE IF NOT EXISTS {{table nav_flows}} (
    origin LowCardinality(String),
    portfolio LowCardinality(String),
    ts DateTime('UTC') CODEC(DoubleDelta, ZSTD(1))
) ENGINE = {{engine ReplacingMergeTree}}
PARTITION BY origin
ORDER BY (origin, portfolio, ts)
SETTINGS {{dedup}}, fsync_after_insert = 1;
{{distributed nav_flows cityHash64(portfolio)}};

CREATE MATERIALIZED VIEW IF NOT EXISTS {{view nav_to_flows}} TO {{local nav_flows}} AS
SELECT origin, portfolio, ts FROM {{local nav}} WHERE flow != 0;

-- A value that was replaced by another one: a row a replaced version. `was_version` names it, so that a restatement
-- sent twice is one mark.
CREATE TABLE IF NOT EXISTS {{table nav_restatements}} (
    origin LowCardinality(String),
    portfolio LowCardinality(String),
    ts DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    was_version UInt64 CODEC(T64, ZSTD(1)),
    version UInt64 CODEC(T64, ZSTD(1)),
    was Float64 CODEC(ZSTD(1)),
    now Float64 CODEC(ZSTD(1)),
    flow_was Float64 CODEC(ZSTD(1)),
    flow_now Float64 CODEC(ZSTD(1)),
    at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    source String CODEC(ZSTD(1))
) ENGINE = {{engine ReplacingMergeTree(version)}}
PARTITION BY origin
ORDER BY (origin, portfolio, ts, was_version)
SETTINGS {{dedup}}, fsync_after_insert = 1;
{{distributed nav_restatements cityHash64(portfolio)}};

-- What was stored before the views: they are in place, so that nothing falls between.
INSERT INTO nav_daily (origin, portfolio, day, ts, nav, rank)
SELECT
    origin, portfolio, toDate(n.ts) AS day, max(n.ts) AS ts,
    argMax(n.nav, bitShiftLeft(toUInt128(toUnixTimestamp(n.ts)), 64) + version) AS nav,
    max(bitShiftLeft(toUInt128(toUnixTimestamp(n.ts)), 64) + version) AS rank
FROM nav AS n GROUP BY origin, portfolio, day
SETTINGS optimize_aggregation_in_order = 1, max_execution_time = 0;

INSERT INTO nav_flows (origin, portfolio, ts)
SELECT origin, portfolio, ts FROM nav WHERE flow != 0 SETTINGS max_execution_time = 0;
