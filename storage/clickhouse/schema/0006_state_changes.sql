-- A row of `flips` is a change of state, and so the table is called. Its rows, its TTL and the batches it remembers stay.
RENAME TABLE IF EXISTS {{local flips}} TO {{table state_changes}};
-- On a cluster the way to the shards gets its new name too. Elsewhere there is nothing left to drop, unless a second
-- process that started at the same time has made the table anew, empty.
DROP TABLE IF EXISTS {{view flips}};
{{distributed state_changes cityHash64(source)}};
