-- Money by currency, as portfolios report it.
CREATE TABLE IF NOT EXISTS {{table cash}} (
    origin LowCardinality(String),
    portfolio LowCardinality(String),
    ts DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    currency LowCardinality(String),
    amount Float64 CODEC(ZSTD(1)),
    version UInt64 CODEC(T64, ZSTD(1))
) ENGINE = {{engine ReplacingMergeTree(version)}}
PARTITION BY origin
ORDER BY (origin, portfolio, ts, currency)
SETTINGS {{dedup}}, fsync_after_insert = 1;
{{distributed cash cityHash64(portfolio)}};

-- A position, money, an order or a trade that another row replaced: what stood there and what was said instead, as JSON.
-- NAV and prices have tables of their own. `key` tells rows of one portfolio and time apart; `is_taken`: the new row
-- counts; else it came too late, of an order that had gone on meanwhile, and this is all that is kept of it.
CREATE TABLE IF NOT EXISTS {{table restatements}} (
    origin LowCardinality(String),
    kind LowCardinality(String),
    portfolio LowCardinality(String),
    key String CODEC(ZSTD(1)),
    ts DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    was_version UInt64 CODEC(T64, ZSTD(1)),
    version UInt64 CODEC(T64, ZSTD(1)),
    was String CODEC(ZSTD(3)),
    now String CODEC(ZSTD(3)),
    is_taken UInt8,
    at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    source LowCardinality(String)
) ENGINE = {{engine ReplacingMergeTree(version)}}
PARTITION BY origin
ORDER BY (origin, kind, portfolio, key, ts, was_version, is_taken)
SETTINGS {{dedup}}, fsync_after_insert = 1;
{{distributed restatements cityHash64(portfolio)}};
