"""What a crash of native code does to this process: it ends at once, with a trace, and whoever watches starts it anew.

chdb brings handlers that keep the process alive after a crash while its engine has shut down: every later statement is
answered with code 236 (ABORTED), and nothing tells why. It installs them when it is loaded, and again whenever the
engine is opened, so this is called after each of those.
"""

from __future__ import annotations

import ctypes
import faulthandler
import signal
import sys

FATAL = (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)
STDERR = 2


def end_on_fatal_signals() -> None:
    """Make each fatal signal end this process, after Python's own trace of the thread on stderr. From any thread."""
    if sys.platform == "win32":
        return
    faulthandler.disable()
    restore = ctypes.CDLL(None).signal  # Python's own may be called from the main thread only
    restore.restype, restore.argtypes = ctypes.c_void_p, (ctypes.c_int, ctypes.c_void_p)
    for number in FATAL:
        restore(number, None)  # SIG_DFL
    faulthandler.enable(file=STDERR, all_threads=False)
