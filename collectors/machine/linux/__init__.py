"""Linux sources, read straight from /proc and /sys: one file a subject, each with its parser and its samples."""
