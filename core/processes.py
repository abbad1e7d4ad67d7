"""What collectors and pages share about processes of any kind."""

from __future__ import annotations

STOPPED_STATES = {"stopped": "T", "tracing-stop": "t"}
"""States, as psutil names them and the kernel does, in which a process does nothing until it is continued."""
