"""How things are now and how they came to be so: one rule for pages and everything else that asks."""
