-- What benchmarks are made of: the share of each constituent from the end of a day on, until another day tells them anew.
CREATE TABLE IF NOT EXISTS {{table benchmark_weights}} (
    origin LowCardinality(String),
    benchmark LowCardinality(String),
    ts DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    instrument LowCardinality(String),
    weight Float64 CODEC(ZSTD(1)),
    version UInt64 CODEC(T64, ZSTD(1))
) ENGINE = {{engine ReplacingMergeTree(version)}}
PARTITION BY origin
ORDER BY (origin, benchmark, ts, instrument)
SETTINGS {{dedup}}, fsync_after_insert = 1;
{{distributed benchmark_weights cityHash64(benchmark)}};
