"""/api/v2 as Prometheus' Alertmanager has it, for its clients: amtool, Grafana, Karma.

The form of everything is that of its own document (github.com/prometheus/alertmanager, api/v2/openapi.yaml); rights are
those of /api/v1.
"""
