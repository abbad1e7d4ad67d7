"""How large the body of a request may be: said where an address is mounted, held to where requests arrive."""

from __future__ import annotations

MOST_BODY_BYTES = 1_048_576
"""Of a body, on every path that says no other (BODY_LIMITS)."""
BODY_LIMITS = "fundwatch-body-limits"
"""Key of Flask.extensions under which a server's paths with a larger limit stand: path → bytes."""
