-- What holdings and execution are worked out from. Of a position: what one cost, in which currency all of it is told
-- (empty: the portfolio's), interest that is owed on it.
ALTER TABLE {{table positions}}
    ADD COLUMN IF NOT EXISTS average_cost Float64 DEFAULT nan CODEC(ZSTD(1)) AFTER market_value,
    ADD COLUMN IF NOT EXISTS currency LowCardinality(String) AFTER average_cost,
    ADD COLUMN IF NOT EXISTS accrued Float64 DEFAULT 0 CODEC(ZSTD(1)) AFTER currency;
ALTER TABLE {{view positions}}
    ADD COLUMN IF NOT EXISTS average_cost Float64 DEFAULT nan AFTER market_value,
    ADD COLUMN IF NOT EXISTS currency LowCardinality(String) AFTER average_cost,
    ADD COLUMN IF NOT EXISTS accrued Float64 DEFAULT 0 AFTER currency;

-- The life of an order. A time of 0 (1970), a price of nan and an empty text are not known.
ALTER TABLE {{table orders}}
    ADD COLUMN IF NOT EXISTS arrival_price Float64 DEFAULT nan CODEC(ZSTD(1)) AFTER decision_price;
ALTER TABLE {{view orders}}
    ADD COLUMN IF NOT EXISTS arrival_price Float64 DEFAULT nan AFTER decision_price;
ALTER TABLE {{table orders}}
    ADD COLUMN IF NOT EXISTS decided_at DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)) AFTER status,
    ADD COLUMN IF NOT EXISTS submitted_at DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)) AFTER decided_at,
    ADD COLUMN IF NOT EXISTS acknowledged_at DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)) AFTER submitted_at,
    ADD COLUMN IF NOT EXISTS first_filled_at DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)) AFTER acknowledged_at,
    ADD COLUMN IF NOT EXISTS last_filled_at DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)) AFTER first_filled_at,
    ADD COLUMN IF NOT EXISTS ended_at DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)) AFTER last_filled_at,
    ADD COLUMN IF NOT EXISTS reject_reason LowCardinality(String) AFTER ended_at,
    ADD COLUMN IF NOT EXISTS broker LowCardinality(String) AFTER reject_reason,
    ADD COLUMN IF NOT EXISTS strategy LowCardinality(String) AFTER broker;
ALTER TABLE {{view orders}}
    ADD COLUMN IF NOT EXISTS decided_at DateTime64(6, 'UTC') AFTER status,
    ADD COLUMN IF NOT EXISTS submitted_at DateTime64(6, 'UTC') AFTER decided_at,
    ADD COLUMN IF NOT EXISTS acknowledged_at DateTime64(6, 'UTC') AFTER submitted_at,
    ADD COLUMN IF NOT EXISTS first_filled_at DateTime64(6, 'UTC') AFTER acknowledged_at,
    ADD COLUMN IF NOT EXISTS last_filled_at DateTime64(6, 'UTC') AFTER first_filled_at,
    ADD COLUMN IF NOT EXISTS ended_at DateTime64(6, 'UTC') AFTER last_filled_at,
    ADD COLUMN IF NOT EXISTS reject_reason LowCardinality(String) AFTER ended_at,
    ADD COLUMN IF NOT EXISTS broker LowCardinality(String) AFTER reject_reason,
    ADD COLUMN IF NOT EXISTS strategy LowCardinality(String) AFTER broker;
ALTER TABLE {{table trades}}
    ADD COLUMN IF NOT EXISTS fees Float64 DEFAULT 0 CODEC(ZSTD(1)) AFTER commission;
ALTER TABLE {{view trades}}
    ADD COLUMN IF NOT EXISTS fees Float64 DEFAULT 0 AFTER commission;
ALTER TABLE {{table trades}}
    ADD COLUMN IF NOT EXISTS venue LowCardinality(String) AFTER currency;
ALTER TABLE {{view trades}}
    ADD COLUMN IF NOT EXISTS venue LowCardinality(String) AFTER currency;
-- The key of both is an id, which finds no window of time: what lies outside of it is left out by its first and last time.
ALTER TABLE {{table orders}} ADD INDEX IF NOT EXISTS by_time ts TYPE minmax GRANULARITY 1;
ALTER TABLE {{table trades}} ADD INDEX IF NOT EXISTS by_time ts TYPE minmax GRANULARITY 1;

-- What changes a portfolio's holdings beside trades: dividends, interest, fees, taxes, splits, money and holdings in and out.
CREATE TABLE IF NOT EXISTS {{table transactions}} (
    origin LowCardinality(String),
    portfolio LowCardinality(String),
    transaction_id String,
    ts DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    action LowCardinality(String),
    instrument LowCardinality(String),
    quantity Float64 DEFAULT nan CODEC(ZSTD(1)),
    amount Float64 DEFAULT nan CODEC(ZSTD(1)),
    split_ratio Float64 DEFAULT nan CODEC(ZSTD(1)),
    currency LowCardinality(String),
    version UInt64 CODEC(T64, ZSTD(1)),
    INDEX by_time ts TYPE minmax GRANULARITY 1
) ENGINE = {{engine ReplacingMergeTree(version)}}
PARTITION BY origin
ORDER BY (origin, portfolio, transaction_id)
SETTINGS {{dedup}}, fsync_after_insert = 1;
{{distributed transactions cityHash64(portfolio)}};
