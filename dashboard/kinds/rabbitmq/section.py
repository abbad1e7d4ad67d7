"""The section of RabbitMQ: its panels, each with the request behind it."""

from __future__ import annotations

from core.kinds.rabbitmq import spec
from dashboard.kinds.rabbitmq import tables
from dashboard.kinds.rabbitmq.cards import SPARKED, cards
from dashboard.kinds.rabbitmq.charts import CHARTS, NODES, QUEUES
from dashboard.sources.common_panels import about_panel
from dashboard.sources.section import Section, TablePanel

SECTION = Section(
    kind="rabbitmq",
    charts=CHARTS,
    cards=cards,
    detail_cards=6,
    tables=(
        TablePanel("nodes", "Nodes", "in trouble first", 12, NODES, tables.NODES),
        TablePanel("queues", "RabbitMQ queues", "most messages first", 12, QUEUES, tables.QUEUES, is_filtered=True),
        about_panel("RabbitMQ cluster", f"GET {spec.OVERVIEW}.", spec.About, tables.FACTS, is_lazy=True),
    ),
    metrics=SPARKED,
)
