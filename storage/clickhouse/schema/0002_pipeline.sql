-- Fundwatch about itself: every run of a collector, every statement sent to ClickHouse.
CREATE TABLE IF NOT EXISTS {{table runs}} (
    ts DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    host LowCardinality(String),
    collector LowCardinality(String),
    duration_seconds Float32 CODEC(ZSTD(1)),
    lateness_seconds Float32 CODEC(ZSTD(1)),
    outcome LowCardinality(String),
    samples UInt32 CODEC(T64, ZSTD(1)),
    error String CODEC(ZSTD(1))
) ENGINE = {{engine MergeTree}}
PARTITION BY toMonday(toDate(ts))
ORDER BY (host, collector, ts)
TTL toDateTime(ts) + toIntervalDay(30)
SETTINGS {{dedup}};
{{distributed runs cityHash64(host, collector)}};

CREATE TABLE IF NOT EXISTS {{table queries}} (
    ts DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    kind LowCardinality(String),
    seconds Float32 CODEC(ZSTD(1)),
    rows UInt64 CODEC(T64, ZSTD(1)),
    bytes UInt64 CODEC(T64, ZSTD(1)),
    error String CODEC(ZSTD(1))
) ENGINE = {{engine MergeTree}}
PARTITION BY toMonday(toDate(ts))
ORDER BY (kind, ts)
TTL toDateTime(ts) + toIntervalDay(30)
SETTINGS {{dedup}};
{{distributed queries cityHash64(kind)}};
