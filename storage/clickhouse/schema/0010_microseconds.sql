-- Orders and trades by the microsecond: several in a second are usual. Their time is part of no key, so it may change.
ALTER TABLE {{table orders}} MODIFY COLUMN ts DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1));
ALTER TABLE {{view orders}} MODIFY COLUMN ts DateTime64(6, 'UTC');
-- When an order was first known: a fill is not before that, whatever state the order has come to since.
ALTER TABLE {{table orders}} ADD COLUMN IF NOT EXISTS placed DateTime64(6, 'UTC') DEFAULT ts CODEC(DoubleDelta, ZSTD(1)) AFTER ts;
ALTER TABLE {{view orders}} ADD COLUMN IF NOT EXISTS placed DateTime64(6, 'UTC') DEFAULT ts AFTER ts;
ALTER TABLE {{table trades}} MODIFY COLUMN ts DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1));
ALTER TABLE {{view trades}} MODIFY COLUMN ts DateTime64(6, 'UTC');
-- Of price and commission; empty: that of the portfolio.
ALTER TABLE {{table trades}} ADD COLUMN IF NOT EXISTS currency LowCardinality(String) AFTER commission;
ALTER TABLE {{view trades}} ADD COLUMN IF NOT EXISTS currency LowCardinality(String) AFTER commission;
