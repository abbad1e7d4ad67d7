-- Each time that it became safe to trade, or not: why, and what every check had found (JSON), of the whole fund (portfolio empty)
-- and of each portfolio.
CREATE TABLE IF NOT EXISTS {{table readiness_changes}} (
    ts DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    host LowCardinality(String),
    portfolio LowCardinality(String),
    is_safe UInt8,
    reasons Array(String) CODEC(ZSTD(1)),
    checks String CODEC(ZSTD(1))
) ENGINE = {{engine ReplacingMergeTree}}
PARTITION BY toYear(ts)
ORDER BY (portfolio, ts, host)
TTL ts + toIntervalDay(730)
SETTINGS {{dedup}};
{{distributed readiness_changes cityHash64(portfolio)}};
