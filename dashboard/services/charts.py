"""The charts of the services tab, by kind."""

from __future__ import annotations

from dashboard.sources.charts import Chart

DAY = 86_400.0

HTTP = (
    Chart("http-response", "HTTP, time to answer", "", {"http_response_seconds": ""}, "seconds",
          "From the look-up of the name to the last byte, redirects followed, once an interval on a new connection.",
          kinds=("http",)),
    Chart("http-status", "HTTP status", "", {"http_status_code": ""}, "count",
          "Status of the last answer of a check that succeeded; gaps are checks that failed.", kinds=("http",)),
    Chart("http-certificate", "Certificate, time left", "", {"http_certificate_seconds": ""}, "seconds",
          "From now to the end (notAfter) of the certificate that the server showed.",
          limits=((14 * DAY, "warning 14 d", "@warning"),), kinds=("http",)),
)  # fmt: skip
TCP = (
    Chart("tcp-response", "TCP, time to connect", "", {"tcp_response_seconds": ""}, "seconds",
          "From the look-up of the name to the end of the TCP (and TLS) handshake, once an interval.", kinds=("tcp",)),
)  # fmt: skip
PROCESS = (
    Chart("process-memory", "Processes, resident", "all that match together", {"process_resident_bytes": ""}, "bytes",
          "Sum of resident set sizes. Source: /proc/<pid>/statm.", kinds=("process",)),
    Chart("process-cpu", "Processes, CPU", "100 % is one core", {"process_cpu_ratio": ""}, "ratio",
          "Difference of user and system time over the interval. Source: /proc/<pid>/stat.", kinds=("process",)),
    Chart("process-count", "Processes, count", "", {"process_count": ""}, "count",
          "Processes that match.", kinds=("process",)),
)  # fmt: skip
SYSTEMD = (
    Chart("systemd-memory", "Units, memory", "", {"systemd_memory_bytes": ""}, "bytes",
          "MemoryCurrent. Source: systemctl show.", kinds=("systemd",)),
    Chart("systemd-cpu", "Units, CPU", "100 % is one core", {"systemd_cpu_ratio": ""}, "ratio",
          "Difference of CPUUsageNSec over the interval. Source: systemctl show.", kinds=("systemd",)),
    Chart("systemd-restarts", "Units, restarts", "since the unit was loaded", {"systemd_restarts": ""}, "count",
          "NRestarts. Source: systemctl show.", kinds=("systemd",)),
)  # fmt: skip
NGINX = (
    Chart("nginx-requests", "Nginx, requests per second", "", {"nginx_requests_per_second": ""}, "/s",
          "Difference of requests. Source: stub_status.", kinds=("nginx",)),
    Chart("nginx-connections", "Nginx, connections", "by state",
          {"nginx_active": "active", "nginx_waiting": "waiting", "nginx_writing": "writing",
           "nginx_reading": "reading"},
          "count", "Active, waiting for a request, writing an answer, reading a request. Source: stub_status.",
          kinds=("nginx",)),
    Chart("nginx-dropped", "Nginx, connections dropped", "", {"nginx_dropped_per_second": ""}, "/s",
          "Difference of accepts less handled: worker_connections or another limit was reached. Source: stub_status.",
          kinds=("nginx",)),
)  # fmt: skip
SCRAPE = (
    Chart("scrape-response", "Exporters, time to answer", "", {"scrape_response_seconds": ""}, "seconds",
          "From the look-up of the name to the last byte of /metrics.", kinds=("scrape",)),
    Chart("scrape-series", "Exporters, series", "taken", {"scrape_series": "", "scrape_left_out": "left out"}, "count",
          "Series taken at each scrape, and those above the limit.", kinds=("scrape",)),
)  # fmt: skip
PEER = (
    Chart("peer-response", "Peers, time to connect", "median of each reading",
          {"peer_response_seconds": "", "peer_worst_seconds": "worst"}, "seconds",
          "TCP connections to the peer, three a reading; the look-up of its name is not in it.", kinds=("peer",)),
    Chart("peer-loss", "Peers, loss", "of the last 100 connections", {"peer_loss_ratio": ""}, "ratio",
          "Connections not answered in time among the newest 100; a refused one is an answer.",
          limits=((0.02, "warning 2 %", "@warning"), (0.2, "critical 20 %", "@critical")), kinds=("peer",)),
    Chart("peer-jitter", "Peers, jitter", "", {"peer_jitter_seconds": ""}, "seconds",
          "Mean difference between one connection's time and the next one's, of the newest 100.", kinds=("peer",)),
)  # fmt: skip
