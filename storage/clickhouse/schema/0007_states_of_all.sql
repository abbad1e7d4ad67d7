-- Every component's changes of state, not only those of services. Old rows are of the source itself: no host, no component.
ALTER TABLE {{table state_changes}}
    ADD COLUMN IF NOT EXISTS host LowCardinality(String) AFTER ts,
    ADD COLUMN IF NOT EXISTS component LowCardinality(String) AFTER source,
    ADD COLUMN IF NOT EXISTS before_why String CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS stale_after_seconds Float64 CODEC(ZSTD(1));
-- On a cluster the way to the shards learns of them too; elsewhere this is the same table once more.
ALTER TABLE {{view state_changes}}
    ADD COLUMN IF NOT EXISTS host LowCardinality(String) AFTER ts,
    ADD COLUMN IF NOT EXISTS component LowCardinality(String) AFTER source,
    ADD COLUMN IF NOT EXISTS before_why String,
    ADD COLUMN IF NOT EXISTS stale_after_seconds Float64;
