"""What a person at the terminal sees while Fundwatch starts: steps with their time, a bar for what takes long."""

from __future__ import annotations

import sys
import time
from typing import TextIO

BAR_CELLS = 30


class Console:
    """Prints steps; on a terminal a running step is replaced by its result, elsewhere each is a line."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._live = self._out.isatty()
        self._began = 0.0
        self._text = ""
        self._drawn = 0.0

    def step(self, text: str) -> None:
        """Begin a step; the one before is done."""
        self.done()
        self._text, self._began = text, time.monotonic()
        if self._live:
            self._write(f"\r\x1b[2K  … {text}")

    def progress(self, ratio: float) -> None:
        """Show how far the running step is (0 to 1)."""
        now = time.monotonic()
        if not self._live or (now - self._drawn < 0.05 and ratio < 1):
            return
        self._drawn = now
        filled = round(BAR_CELLS * min(max(ratio, 0.0), 1.0))
        self._write(f"\r\x1b[2K  … {self._text} [{'█' * filled}{'·' * (BAR_CELLS - filled)}] {ratio:4.0%}")

    def done(self) -> None:
        """End the running step."""
        if not self._text:
            return
        line = f"  ✓ {self._text} ({time.monotonic() - self._began:.1f} s)\n"
        self._write(f"\r\x1b[2K{line}" if self._live else line)
        self._text = ""

    def line(self, text: str) -> None:
        """Print one line."""
        self.done()
        self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
