-- When a watched service changed its state, and why: a row a change.
CREATE TABLE IF NOT EXISTS {{table flips}} (
    ts DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    source LowCardinality(String),
    state LowCardinality(String),
    before LowCardinality(String),
    held_seconds Float64 CODEC(ZSTD(1)),
    why String CODEC(ZSTD(1))
) ENGINE = {{engine MergeTree}}
PARTITION BY toYear(ts)
ORDER BY (source, ts)
TTL toDateTime(ts) + toIntervalDay(730)
SETTINGS {{dedup}};
{{distributed flips cityHash64(source)}};
