"""What is measured of a machine: the metrics of the collectors "system" and "processes".

Rates and shares are of the time since the reading before, unless the metric says otherwise.
"""

from __future__ import annotations

from core.metrics import Metric

CPU_CORES = Metric("system_cpu_cores", "Cores of the machine.")
CPU_MODE_RATIO = Metric("system_cpu_mode_ratio", "Share of time in a mode.", "core", "mode")
CPU_BUSY_RATIO = Metric("system_cpu_busy_ratio", "Share of time neither idle nor waiting for a disk.", "core")
CPU_BUSY_5M_RATIO = Metric("system_cpu_busy_5m_ratio", "Busy share of all cores over 5 minutes.")
CPU_BUSY_15M_RATIO = Metric("system_cpu_busy_15m_ratio", "Busy share of all cores over 15 minutes.")
CPU_LIMIT = Metric("system_cpu_limit_cores", "CPU quota of the control group (container) that we run in, in cores.")
CPU_OF_LIMIT_RATIO = Metric("system_cpu_of_limit_ratio", "CPU used in that group over its quota.")
CPU_OF_LIMIT_5M_RATIO = Metric("system_cpu_of_limit_5m_ratio", "CPU used in that group over its quota, over 5 minutes.")
CPU_FREQUENCY = Metric("system_cpu_frequency_hertz", "Mean frequency of the cores.")
BOOT_TIME = Metric("system_boot_time_seconds", "When the machine booted, epoch seconds.")
UPTIME = Metric("system_uptime_seconds", "Time since the machine booted.")
CONTEXT_SWITCHES_RATE = Metric("system_context_switches_per_second", "Context switches.")
INTERRUPTS_RATE = Metric("system_interrupts_per_second", "Interrupts.")
SOFT_INTERRUPTS_RATE = Metric("system_soft_interrupts_per_second", "Soft interrupts.")
FORKS_RATE = Metric("system_forks_per_second", "Processes and threads started.")
PROCESSES_RUNNABLE = Metric("system_processes_runnable", "Tasks running or waiting for a core.")
PROCESSES_BLOCKED = Metric("system_processes_blocked", "Tasks waiting for a disk.")
LOAD = Metric("system_load", "Tasks running or waiting, mean over so many minutes.", "minutes")
LOAD_PER_CORE = Metric("system_load_per_core", "Load over the number of cores.", "minutes")
THREADS = Metric("system_threads", "Threads, running and sleeping.")
THREADS_LIMIT = Metric("system_threads_limit", "Most threads that the kernel allows.")

MEMORY_TOTAL = Metric(
    "system_memory_total_bytes", "MemTotal; in a control group (container) that may have less, its limit."
)  # fmt: skip
MEMORY_USED = Metric("system_memory_used_bytes", "Memory that is not available to programs.")
MEMORY_AVAILABLE = Metric("system_memory_available_bytes", "MemAvailable; in such a group what it may still have.")
MEMORY_LIMIT = Metric("system_memory_limit_bytes", "Memory limit of that group; none: the machine's memory ends first.")
HOST_MEMORY_TOTAL = Metric("system_host_memory_total_bytes", "MemTotal, where a group's limit is the total.")
HOST_MEMORY_USED_RATIO = Metric("system_host_memory_used_ratio", "Used memory over MemTotal, likewise.")
MEMORY_FREE = Metric("system_memory_free_bytes", "MemFree.")
MEMORY_BUFFERS = Metric("system_memory_buffers_bytes", "Buffers.")
MEMORY_CACHED = Metric("system_memory_cached_bytes", "Cached and SReclaimable.")
MEMORY_SHARED = Metric("system_memory_shared_bytes", "Shmem.")
MEMORY_DIRTY = Metric("system_memory_dirty_bytes", "Dirty.")
MEMORY_USED_RATIO = Metric("system_memory_used_ratio", "Used memory over all memory.")
MAJOR_FAULTS_RATE = Metric("system_memory_major_faults_per_second", "Page faults that read from a disk.")
OOM_KILLS_RATE = Metric("system_oom_kills_per_second", "Processes that the kernel killed for want of memory.")
OOM_KILLS = Metric("system_oom_kills_total", "Processes that the kernel killed for want of memory since boot.")
SWAP_TOTAL = Metric("system_swap_total_bytes", "SwapTotal; 0: no swap.")
SWAP_USED = Metric("system_swap_used_bytes", "Swap in use.")
SWAP_FREE = Metric("system_swap_free_bytes", "SwapFree.")
SWAP_USED_RATIO = Metric("system_swap_used_ratio", "Used swap over all swap.")
SWAP_IN_RATE = Metric("system_swap_in_bytes_per_second", "Bytes read back from swap.")
SWAP_OUT_RATE = Metric("system_swap_out_bytes_per_second", "Bytes written to swap.")
PRESSURE_RATIO = Metric(
    "system_pressure_ratio", "Share of a window that some or all tasks waited.", "resource", "kind", "window"
)  # fmt: skip
PRESSURE_STALL_RATIO = Metric(
    "system_pressure_stall_ratio", "Share of time that some or all tasks waited.", "resource", "kind"
)  # fmt: skip

DISK_TOTAL = Metric("system_disk_total_bytes", "Size of a file system.", "mount")
DISK_USED = Metric("system_disk_used_bytes", "Bytes in use.", "mount")
DISK_FREE = Metric("system_disk_free_bytes", "Bytes that programs can still have.", "mount")
DISK_USED_RATIO = Metric("system_disk_used_ratio", "Share of the space for programs in use, as df has it.", "mount")
DISK_INODES = Metric("system_disk_inodes_total", "Inodes of a file system.", "mount")
DISK_INODES_USED_RATIO = Metric("system_disk_inodes_used_ratio", "Share of inodes in use.", "mount")
DISK_READ_ONLY = Metric("system_disk_read_only", "1: mounted read-only.", "mount")
DISK_BECAME_READ_ONLY = Metric("system_disk_became_read_only", "1: read-only now, and was writable before.", "mount")
DISK_FULL = Metric("system_disk_full_seconds", "Time until it is full, at its trend.", "mount")
DISK_FILL_RATE = Metric("system_disk_fill_bytes_per_second", "Growth of its trend.", "mount")
DISK_FILL_WINDOW = Metric("system_disk_fill_window_seconds", "History that its trend is fitted to.", "mount")

DEVICE_READ_RATE = Metric("system_device_read_bytes_per_second", "Bytes read from a device.", "device")
DEVICE_WRITTEN_RATE = Metric("system_device_written_bytes_per_second", "Bytes written to a device.", "device")
DEVICE_READS_RATE = Metric("system_device_reads_per_second", "Read requests.", "device")
DEVICE_WRITES_RATE = Metric("system_device_writes_per_second", "Write requests.", "device")
DEVICE_BUSY_RATIO = Metric("system_device_busy_ratio", "Share of time with a request to serve.", "device")
DEVICE_AWAIT = Metric("system_device_await_seconds", "Mean time of a request, waiting included.", "device")
DEVICE_QUEUE = Metric("system_device_queue_length", "Mean number of requests in flight.", "device")

RECEIVE_RATE = Metric("system_network_receive_bytes_per_second", "Bytes received.", "nic")
RECEIVE_PACKETS_RATE = Metric("system_network_receive_packets_per_second", "Packets received.", "nic")
RECEIVE_ERRORS_RATE = Metric("system_network_receive_errors_per_second", "Errors in receiving.", "nic")
RECEIVE_DROPS_RATE = Metric("system_network_receive_drops_per_second", "Received packets dropped.", "nic")
TRANSMIT_RATE = Metric("system_network_transmit_bytes_per_second", "Bytes sent.", "nic")
TRANSMIT_PACKETS_RATE = Metric("system_network_transmit_packets_per_second", "Packets sent.", "nic")
TRANSMIT_ERRORS_RATE = Metric("system_network_transmit_errors_per_second", "Errors in sending.", "nic")
TRANSMIT_DROPS_RATE = Metric("system_network_transmit_drops_per_second", "Packets dropped before sending.", "nic")
NETWORK_UP = Metric("system_network_up", "1: the interface is up.", "nic")
LINK_SPEED = Metric("system_network_link_bytes_per_second", "Speed of the link in one direction.", "nic")
LINK_USED_RATIO = Metric("system_network_link_used_ratio", "The busier direction over the link's speed.", "nic")

NETWORK_ERRORS = (RECEIVE_ERRORS_RATE, TRANSMIT_ERRORS_RATE)
NETWORK_DROPS = (RECEIVE_DROPS_RATE, TRANSMIT_DROPS_RATE)
NETWORK_LOSSES = (*NETWORK_ERRORS, *NETWORK_DROPS)
"""Packets lost, in either direction."""

SOCKETS_USED = Metric("system_sockets_used", "Sockets of all kinds.")
TCP_ESTABLISHED = Metric("system_tcp_established", "Established TCP connections.")
TCP_SOCKETS = Metric("system_tcp_sockets", "TCP sockets in use.")
TCP_ORPHANS = Metric("system_tcp_orphans", "TCP sockets that no process holds.")
TCP_TIME_WAIT = Metric("system_tcp_time_wait", "TCP sockets in time-wait.")
UDP_SOCKETS = Metric("system_udp_sockets", "UDP sockets in use.")
TCP_ACTIVE_OPENS_RATE = Metric("system_tcp_active_opens_per_second", "Connections opened.")
TCP_PASSIVE_OPENS_RATE = Metric("system_tcp_passive_opens_per_second", "Connections accepted.")
TCP_RETRANSMITS_RATE = Metric("system_tcp_retransmits_per_second", "Segments sent again.")
TCP_SEGMENTS_SENT_RATE = Metric("system_tcp_segments_sent_per_second", "Segments sent.")
TCP_RESETS_RATE = Metric("system_tcp_resets_per_second", "Established connections that were reset.")
TCP_LISTEN_OVERFLOWS_RATE = Metric("system_tcp_listen_overflows_per_second", "Full accept queues.")
TCP_LISTEN_DROPS_RATE = Metric("system_tcp_listen_drops_per_second", "Connections refused by listening sockets.")
TCP_RETRANSMIT_RATIO = Metric("system_tcp_retransmit_ratio", "Segments sent again over segments sent.")
TCP_CONNECTIONS = Metric("system_tcp_connections", "TCP sockets by state.", "state")

FILES_OPEN = Metric("system_files_open", "Open file handles.")
FILES_LIMIT = Metric("system_files_limit", "Most file handles that the kernel allows.")
FILES_USED_RATIO = Metric("system_files_used_ratio", "Open file handles over their limit.")
TEMPERATURE = Metric("system_temperature_celsius", "Temperature of a sensor.", "sensor")

CLOCK_SYNCHRONISED = Metric("system_clock_synchronised", "1: a time daemon disciplines the clock.")
CLOCK_OFFSET = Metric("system_clock_offset_seconds", "How far the wall clock is off.")
CLOCK_ERROR = Metric("system_clock_error_seconds", "Estimated error of the clock.")
CLOCK_STEP = Metric("system_clock_step_seconds", "Step of the wall clock against the monotonic one.")
CLOCK_JUMP = Metric("system_clock_jump_seconds", "Jump of the wall clock after which collectors were scheduled anew.")

PROCESSES = Metric("system_processes", "Processes.")
PROCESSES_BY_STATE = Metric("system_processes_by_state", "Processes by state.", "state")
