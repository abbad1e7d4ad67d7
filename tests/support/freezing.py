"""Children of this process that hold what they hold and do nothing more, until they are let go on."""

from __future__ import annotations

import os
import signal


def freeze(pid: int) -> None:
    """Stop it and return once it stands: its threads stop one after the other, and one of them may still answer."""
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)


def thaw(pid: int) -> None:
    """Let it go on."""
    os.kill(pid, signal.SIGCONT)
