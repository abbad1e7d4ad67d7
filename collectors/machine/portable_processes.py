"""The process table through psutil, for systems that are not Linux."""

from __future__ import annotations

import time

import psutil

from core.machine.spec import Process, ProcessState

FIELDS = ("name", "username", "status", "memory_info", "num_threads", "create_time", "cpu_percent")
STATES = {"disk-sleep": ProcessState.DISK, "tracing-stop": ProcessState.STOPPED}


def look(at: float) -> list[Process]:
    """Return all processes; what may not be read of one is 0 for counts, None for rates."""
    del at
    found: list[Process] = []
    # process_iter keeps its Process objects between calls, so cpu_percent spans from look to look.
    for process in psutil.process_iter(FIELDS):
        seen = process.info
        found.append(
            Process(
                pid=process.pid,
                name=seen["name"] or "?",
                user=seen["username"] or "?",
                state=STATES.get(seen["status"], seen["status"] or ProcessState.OTHER),
                cpu_ratio=seen["cpu_percent"] / 100 if seen["cpu_percent"] is not None else None,
                memory_bytes=seen["memory_info"].rss if seen["memory_info"] else 0,
                read_bytes_per_second=None,
                written_bytes_per_second=None,
                threads=seen["num_threads"] or 0,
                age_seconds=max(time.time() - seen["create_time"], 0.0) if seen["create_time"] else 0.0,
                is_kernel_thread=False,
            )
        )
    return found
