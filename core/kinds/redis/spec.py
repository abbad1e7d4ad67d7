"""What is measured of a Redis or Valkey: its metrics, the rows of its tables, its checks and their limits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from core.limits import Limit
from core.metrics import Metric


class Checks(StrEnum):
    """What a Redis is judged by."""

    MEMORY = "memory"
    FRAGMENTATION = "fragmentation"
    CLIENTS = "clients"
    HITS = "hits"
    LATENCY = "latency"
    ERRORS = "errors"
    SAVE = "save"
    SAVING = "saving"
    APPEND = "append"
    REWRITE = "rewrite"
    REPLICATION = "replication"
    STREAMS = "streams"
    PENDING = "pending"
    CONSUMERS = "consumers"


class Actions(StrEnum):
    """What can be done to a Redis."""

    RESET_SLOWLOG = "reset_slowlog"
    KILL_CLIENT = "kill_client"
    ANALYSE_KEYS = "analyse_keys"


MEMORY = Limit(0.80, 0.90)
"""Used memory over its limit, of a server that evicts nothing."""
CLIENTS = Limit(0.80, 0.90)
"""Clients over maxclients."""
FRAGMENTATION = Limit(1.5)
FRAGMENTATION_LEAST_BYTES = 100 * 2**20
"""Below that the program itself is most of what is resident."""
PING = Limit(0.1)
"""Seconds to the answer, three times in a row."""
SAVE_SECONDS = Limit(600, 1_200)
REPLICA_LAG = Limit(10)
"""Seconds since a replica was heard of."""
HIT_DROP_RATIO = 0.20
"""Below the usual hit ratio of the last hour by that much is a warning."""
STREAM_IDLE = Limit(300.0)
"""Seconds that an entry waits for its acknowledgement, or that nobody reads a stream that has news."""
LATENCY_EVENT = Limit(0.1)
"""Seconds of the longest event of LATENCY LATEST."""

MEMORY_USED_RATIO = Metric("redis_memory_used_ratio", "Used memory over maxmemory, or over the machine's memory.")
MEMORY_USED = Metric("redis_memory_used_bytes", "used_memory.")
MEMORY_RESIDENT = Metric("redis_memory_resident_bytes", "used_memory_rss.")
MEMORY_PEAK = Metric("redis_memory_peak_bytes", "used_memory_peak.")
MEMORY_DATASET = Metric("redis_memory_dataset_bytes", "used_memory_dataset.")
MEMORY_OVERHEAD = Metric("redis_memory_overhead_bytes", "used_memory_overhead.")
MEMORY_CLIENTS = Metric("redis_memory_clients_bytes", "Memory of normal clients.")
MEMORY_LIMIT = Metric("redis_memory_limit_bytes", "maxmemory; without one the machine's memory.")
MEMORY_FRAGMENTATION_RATIO = Metric("redis_memory_fragmentation_ratio", "Resident over used memory.")
ALLOCATOR_FRAGMENTATION_RATIO = Metric("redis_memory_allocator_fragmentation_ratio", "allocator_frag_ratio.")
UPTIME = Metric("redis_uptime_seconds", "Time since the server started.")
CLIENTS_CONNECTED = Metric("redis_clients", "Connected clients.")
CLIENTS_BLOCKED = Metric("redis_clients_blocked", "Clients that wait in a blocking command.")
CLIENTS_TRACKING = Metric("redis_clients_tracking", "Clients with client-side caching.")
CLIENTS_RATIO = Metric("redis_clients_ratio", "Connected clients over maxclients.")
HIT_RATIO = Metric("redis_hit_ratio", "Hits among look-ups since the reading before.")
CPU_RATIO = Metric("redis_cpu_ratio", "CPU of one core: used_cpu_sys and used_cpu_user.")
REPLICAS = Metric("redis_replicas", "Connected replicas.")
UNSAVED_CHANGES = Metric("redis_unsaved_changes", "Changes since the last snapshot.")
FORK = Metric("redis_fork_seconds", "How long the last fork took.")
PUBSUB_CHANNELS = Metric("redis_pubsub_channels", "Channels with a subscriber.")
PING_NEWEST = Metric("redis_ping_seconds", "Time to the answer to PING.")
PING_P50 = Metric("redis_ping_p50_seconds", "Median of the last 120 answers to PING.")
PING_P99 = Metric("redis_ping_p99_seconds", "99th percentile of the last 120 answers to PING.")
PING_JUDGED = Metric("redis_ping_judged_seconds", "The shortest of the last three answers to PING: what is judged.")
KEYS = Metric("redis_keys", "Keys.", "db")
EXPIRING_RATIO = Metric("redis_expiring_ratio", "Share of keys that expire by themselves.", "db")
COMMAND_CALLS = Metric("redis_command_calls_per_second", "Calls of a command.", "command")
COMMAND_P50 = Metric("redis_command_p50_seconds", "Median time of a command since the server started.", "command")
COMMAND_P99 = Metric("redis_command_p99_seconds", "p99 time of a command since the server started.", "command")
STREAM_LENGTH = Metric("redis_stream_length", "Entries of a stream.", "db", "stream")
STREAM_LAG = Metric("redis_stream_lag", "Entries not yet delivered to a group.", "db", "stream", "group")
STREAM_PENDING = Metric(
    "redis_stream_pending", "Entries delivered and not acknowledged.", "db", "stream", "group"
)  # fmt: skip

COMMANDS_RATE = Metric("redis_commands_per_second", "Commands processed.")
CONNECTIONS_RATE = Metric("redis_connections_per_second", "Connections accepted.")
REJECTED_RATE = Metric("redis_rejected_connections_per_second", "Connections rejected for maxclients.")
HITS_RATE = Metric("redis_hits_per_second", "Look-ups that found their key.")
MISSES_RATE = Metric("redis_misses_per_second", "Look-ups that found nothing.")
EVICTED_RATE = Metric("redis_evicted_keys_per_second", "Keys evicted for want of memory.")
EXPIRED_RATE = Metric("redis_expired_keys_per_second", "Keys that expired.")
ERRORS_RATE = Metric("redis_errors_per_second", "Errors answered to clients.")
RECEIVE_RATE = Metric("redis_receive_bytes_per_second", "Bytes received from clients.")
TRANSMIT_RATE = Metric("redis_transmit_bytes_per_second", "Bytes sent to clients.")

COUNTERS = {
    "total_commands_processed": COMMANDS_RATE,
    "total_connections_received": CONNECTIONS_RATE,
    "rejected_connections": REJECTED_RATE,
    "keyspace_hits": HITS_RATE,
    "keyspace_misses": MISSES_RATE,
    "evicted_keys": EVICTED_RATE,
    "expired_keys": EXPIRED_RATE,
    "total_error_replies": ERRORS_RATE,
    "total_net_input_bytes": RECEIVE_RATE,
    "total_net_output_bytes": TRANSMIT_RATE,
}
"""The rate of each counter of INFO."""


@dataclass(frozen=True, slots=True)
class About:
    """What a server is."""

    TABLE: ClassVar[str] = "about"

    product: str
    mode: str
    role: str
    """primary or replica."""
    uptime_seconds: float | None
    os: str
    policy: str
    """maxmemory-policy."""
    limit_bytes: float | None
    """maxmemory; None: it has no limit."""
    machine_bytes: float | None
    """The memory of its machine, which is what ends first without a limit."""
    peak_bytes: float | None
    dataset_bytes: float | None
    overhead_bytes: float | None
    allocator_fragmentation: float | None
    max_clients: float | None
    last_save: float | None
    """Epoch seconds."""
    save_status: str
    save_rule: str | None
    changes_unsaved: float | None
    append_only: bool
    append_status: str
    fork_seconds: float | None
    pubsub_channels: float | None
    pubsub_patterns: float | None
    slowlog_microseconds: int | None
    slowlog_length: int | None
    latency_milliseconds: int | None
    denied: str
    """Commands that our user may not send."""


@dataclass(frozen=True, slots=True)
class Database:
    """A logical database."""

    TABLE: ClassVar[str] = "databases"

    db: str
    """Its number."""
    keys: int
    expires: int
    """Keys that expire by themselves."""
    ttl_seconds: float | None
    """Their mean time to live."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command and the time it takes."""

    TABLE: ClassVar[str] = "commands"

    command: str
    calls: int
    calls_per_second: float | None
    busy_ratio: float | None
    mean_seconds: float
    p50_seconds: float | None
    p99_seconds: float | None
    p999_seconds: float | None
    rejected: int
    failed: int


@dataclass(frozen=True, slots=True)
class SlowEntry:
    """An entry of the slow log."""

    TABLE: ClassVar[str] = "slowlog"

    id: int
    ts: float
    seconds: float
    command: str
    client: str
    client_name: str


@dataclass(frozen=True, slots=True)
class LatencyEvent:
    """An event of LATENCY LATEST."""

    TABLE: ClassVar[str] = "latency"

    event: str
    ts: float
    last_seconds: float
    longest_seconds: float


@dataclass(frozen=True, slots=True)
class Error:
    """Errors answered to clients, by their prefix."""

    TABLE: ClassVar[str] = "errors"

    error: str
    count: int
    per_second: float | None


@dataclass(frozen=True, slots=True)
class Client:
    """A connected client."""

    TABLE: ClassVar[str] = "clients"

    id: str
    address: str
    name: str
    user: str
    db: str
    age_seconds: int | None
    idle_seconds: int | None
    command: str
    output_bytes: int | None
    memory_bytes: int | None
    state: str


@dataclass(frozen=True, slots=True)
class Replica:
    """A replica of a primary."""

    TABLE: ClassVar[str] = "replicas"

    address: str
    state: str
    behind_bytes: float | None
    lag_seconds: int | None


@dataclass(frozen=True, slots=True)
class StreamGroup:
    """A stream and one of its consumer groups; without a group the stream alone."""

    TABLE: ClassVar[str] = "streams"

    stream: str
    db: int
    length: int
    added: int | None
    last_id: str
    group: str = ""
    consumers: int | None = None
    lag: int | None = None
    pending: int | None = None
    oldest_pending_seconds: float | None = None
    entries_read: int | None = None
    last_delivered: str = ""
    idle_seconds: float | None = None
    """Since its busiest consumer last asked."""

    @property
    def name(self) -> str:
        """Stream and group as sentences call them."""
        return f"{self.stream} ({self.group})"


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """A line of an analysis of keys: by type, namespace or time to live, or one of the biggest."""

    TABLE: ClassVar[str] = "keys"

    group: str
    name: str
    type: str
    keys: int
    bytes: int
    lasting_ratio: float
    """Share without a time to live."""
