-- The history of alerts once more, beside what was measured: every transition and what came of every message. The state
-- database has the rows that count; a row that comes twice replaces itself. `at` is part of the key: a state database that was
-- restored gives numbers a second time.
CREATE TABLE IF NOT EXISTS {{table alert_history}} (
    id UInt64 CODEC(DoubleDelta, ZSTD(1)),
    at DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    what LowCardinality(String),
    rule LowCardinality(String),
    labels String CODEC(ZSTD(1)),
    severity LowCardinality(String),
    incident UInt64 CODEC(ZSTD(1)),
    who LowCardinality(String),
    detail String CODEC(ZSTD(1))
) ENGINE = {{engine ReplacingMergeTree}}
PARTITION BY toYear(at)
ORDER BY (id, at)
SETTINGS {{dedup}};
{{distributed alert_history id}};
