-- What portfolios report. Each row is replaced by a newer version of itself, so that sending it twice is one row;
-- `origin` keeps own, sample and replayed data apart, a partition each. A power cut loses nothing acknowledged.
CREATE TABLE IF NOT EXISTS {{table nav}} (
    origin LowCardinality(String),
    portfolio LowCardinality(String),
    ts DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    nav Float64 CODEC(Delta(8), ZSTD(1)),
    flow Float64 CODEC(ZSTD(1)),
    version UInt64 CODEC(T64, ZSTD(1))
) ENGINE = {{engine ReplacingMergeTree(version)}}
PARTITION BY origin
ORDER BY (origin, portfolio, ts)
SETTINGS {{dedup}}, fsync_after_insert = 1;
{{distributed nav cityHash64(portfolio)}};

CREATE TABLE IF NOT EXISTS {{table positions}} (
    origin LowCardinality(String),
    portfolio LowCardinality(String),
    ts DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    instrument LowCardinality(String),
    quantity Float64 CODEC(ZSTD(1)),
    price Float64 CODEC(ZSTD(1)),
    market_value Float64 CODEC(ZSTD(1)),
    version UInt64 CODEC(T64, ZSTD(1))
) ENGINE = {{engine ReplacingMergeTree(version)}}
PARTITION BY origin
ORDER BY (origin, portfolio, ts, instrument)
SETTINGS {{dedup}}, fsync_after_insert = 1;
{{distributed positions cityHash64(portfolio)}};

CREATE TABLE IF NOT EXISTS {{table orders}} (
    origin LowCardinality(String),
    portfolio LowCardinality(String),
    order_id String,
    ts DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    instrument LowCardinality(String),
    side LowCardinality(String),
    quantity Float64 CODEC(ZSTD(1)),
    order_type LowCardinality(String),
    limit_price Nullable(Float64) CODEC(ZSTD(1)),
    decision_price Float64 CODEC(ZSTD(1)),
    status LowCardinality(String),
    version UInt64 CODEC(T64, ZSTD(1))
) ENGINE = {{engine ReplacingMergeTree(version)}}
PARTITION BY origin
ORDER BY (origin, portfolio, order_id)
SETTINGS {{dedup}}, fsync_after_insert = 1;
{{distributed orders cityHash64(portfolio)}};

CREATE TABLE IF NOT EXISTS {{table trades}} (
    origin LowCardinality(String),
    portfolio LowCardinality(String),
    trade_id String,
    order_id String,
    ts DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    instrument LowCardinality(String),
    side LowCardinality(String),
    quantity Float64 CODEC(ZSTD(1)),
    price Float64 CODEC(ZSTD(1)),
    commission Float64 CODEC(ZSTD(1)),
    version UInt64 CODEC(T64, ZSTD(1))
) ENGINE = {{engine ReplacingMergeTree(version)}}
PARTITION BY origin
ORDER BY (origin, portfolio, trade_id)
SETTINGS {{dedup}}, fsync_after_insert = 1;
{{distributed trades cityHash64(portfolio)}};

CREATE TABLE IF NOT EXISTS {{table prices}} (
    origin LowCardinality(String),
    instrument LowCardinality(String),
    ts DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    price Float64 CODEC(Delta(8), ZSTD(1)),
    version UInt64 CODEC(T64, ZSTD(1))
) ENGINE = {{engine ReplacingMergeTree(version)}}
PARTITION BY origin
ORDER BY (origin, instrument, ts)
SETTINGS {{dedup}}, fsync_after_insert = 1;
{{distributed prices cityHash64(instrument)}};
