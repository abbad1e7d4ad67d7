-- The multiplier that a position's value was worked out with, so that one told later counts for it too; nan: the value
-- was told as it is. Rows from before are taken for worked out where the value is quantity × price.
ALTER TABLE {{table positions}}
    ADD COLUMN IF NOT EXISTS multiplier Float64 DEFAULT if(market_value = quantity * price, 1, nan) CODEC(ZSTD(1))
    AFTER accrued;
ALTER TABLE {{view positions}}
    ADD COLUMN IF NOT EXISTS multiplier Float64 DEFAULT if(market_value = quantity * price, 1, nan) AFTER accrued;
