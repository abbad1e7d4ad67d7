-- A price that an import replaced by another one, so that the import can be undone; as nav_restatements is for NAV.
CREATE TABLE IF NOT EXISTS {{table price_restatements}} (
    origin LowCardinality(String),
    instrument LowCardinality(String),
    ts DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    was_version UInt64 CODEC(T64, ZSTD(1)),
    version UInt64 CODEC(T64, ZSTD(1)),
    was Float64 CODEC(ZSTD(1)),
    now Float64 CODEC(ZSTD(1)),
    at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    source String CODEC(ZSTD(1))
) ENGINE = {{engine ReplacingMergeTree(version)}}
PARTITION BY origin
ORDER BY (origin, instrument, ts, was_version)
SETTINGS {{dedup}}, fsync_after_insert = 1;
{{distributed price_restatements cityHash64(instrument)}};
