-- The audit once more, beside what was measured: who did what when. The state database has the rows that count; a row that
-- comes twice replaces itself. `at` is part of the key: a state database that was restored gives numbers a second time.
CREATE TABLE IF NOT EXISTS {{table audit}} (
    id UInt64 CODEC(DoubleDelta, ZSTD(1)),
    at DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    who LowCardinality(String),
    what LowCardinality(String),
    target String CODEC(ZSTD(1)),
    address String CODEC(ZSTD(1)),
    outcome LowCardinality(String),
    detail String CODEC(ZSTD(1))
) ENGINE = {{engine ReplacingMergeTree}}
PARTITION BY toYear(at)
ORDER BY (id, at)
SETTINGS {{dedup}};
{{distributed audit id}};
