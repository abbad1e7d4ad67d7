"""The three stores: ClickHouse (what was measured), the state database (what was decided), Redis (the present)."""
