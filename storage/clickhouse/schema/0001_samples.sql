-- What every collector measures. `series` names a number once, `samples` holds it narrow.
-- The value codec takes 0.5 bytes a sample on real machine metrics; large compression blocks help both
-- because one series lies together for hours.
CREATE TABLE IF NOT EXISTS {{table series}} (
    series UInt64,
    host LowCardinality(String),
    metric LowCardinality(String),
    labels Map(LowCardinality(String), String),
    seen DateTime('UTC')
) ENGINE = {{engine ReplacingMergeTree(seen)}}
ORDER BY (host, metric, series)
SETTINGS {{dedup}};
{{distributed series series}};

CREATE TABLE IF NOT EXISTS {{table samples}} (
    series UInt64 CODEC(ZSTD(1)),
    ts DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    value Float64 CODEC(Delta(8), ZSTD(3))
) ENGINE = {{engine MergeTree}}
PARTITION BY toDate(ts)
ORDER BY (series, ts)
TTL ts + toIntervalDay(7)
SETTINGS {{dedup}}, ttl_only_drop_parts = 1, min_compress_block_size = 262144, max_compress_block_size = 4194304;
{{distributed samples series}};

CREATE TABLE IF NOT EXISTS {{table samples_1m}} (
    series UInt64 CODEC(ZSTD(1)),
    ts DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    low SimpleAggregateFunction(min, Float64) CODEC(Delta(8), ZSTD(3)),
    high SimpleAggregateFunction(max, Float64) CODEC(Delta(8), ZSTD(3)),
    total SimpleAggregateFunction(sum, Float64) CODEC(Delta(8), ZSTD(3)),
    points SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1))
) ENGINE = {{engine AggregatingMergeTree}}
PARTITION BY toYYYYMM(ts)
ORDER BY (series, ts)
TTL ts + toIntervalDay(90)
SETTINGS {{dedup}};
{{distributed samples_1m series}};

CREATE TABLE IF NOT EXISTS {{table samples_1h}} (
    series UInt64 CODEC(ZSTD(1)),
    ts DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    low SimpleAggregateFunction(min, Float64) CODEC(Delta(8), ZSTD(3)),
    high SimpleAggregateFunction(max, Float64) CODEC(Delta(8), ZSTD(3)),
    total SimpleAggregateFunction(sum, Float64) CODEC(Delta(8), ZSTD(3)),
    points SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1))
) ENGINE = {{engine AggregatingMergeTree}}
PARTITION BY toYear(ts)
ORDER BY (series, ts)
TTL ts + toIntervalDay(730)
SETTINGS {{dedup}};
{{distributed samples_1h series}};

CREATE MATERIALIZED VIEW IF NOT EXISTS {{view samples_to_1m}} TO {{local samples_1m}} AS
SELECT series, toStartOfMinute(s.ts) AS ts, min(value) AS low, max(value) AS high, sum(value) AS total, count() AS points
FROM {{local samples}} AS s GROUP BY series, ts;

CREATE MATERIALIZED VIEW IF NOT EXISTS {{view samples_to_1h}} TO {{local samples_1h}} AS
SELECT series, toStartOfHour(s.ts) AS ts, min(value) AS low, max(value) AS high, sum(value) AS total, count() AS points
FROM {{local samples}} AS s GROUP BY series, ts;
