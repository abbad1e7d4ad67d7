"""The charts of IQFeed."""

from __future__ import annotations

from core.format import bytes_, duration
from core.kinds.iqfeed import spec
from core.kinds.iqfeed.protocol import CLIENT_STATS, SET_PROTOCOL, STATS, ClientField, StatsField
from dashboard.sources.charts import Chart

SOURCE = f"Source: {STATS} of the admin port, once a second."
TEN_MINUTES = duration(spec.RECONNECTIONS_SECONDS)
EACH_PORT = f"checked every {duration(spec.PORTS_SECONDS)} by default"

CHARTS = (
    Chart("age", "IQFeed, age of the last update", "expected while the market is open", {spec.LAST_UPDATE: ""},
          "Seconds since the last update from DTN's servers; judged only in the calendar's hours. "
          f"Field {StatsField.UPDATE_AGE}. {SOURCE}", limit=spec.UPDATE_AGE),
    Chart("traffic", "IQFeed, bytes a second", "received from DTN, sent to clients",
          {spec.RECEIVE_RATE: "in", spec.TRANSMIT_RATE: "out"},
          f"Differences of total KB received and sent (fields {StatsField.RECEIVED_KB}, {StatsField.SENT_KB}; 1 KB is "
          f"taken as 1,024 bytes): IQConnect counts bytes, not messages. {SOURCE}"),
    Chart("symbols", "IQFeed, symbols, % of limit", "watched, of those allowed", {spec.SYMBOLS_USED_RATIO: ""},
          f"Number of symbols over max symbols (fields {StatsField.SYMBOLS}, {StatsField.MAX_SYMBOLS}). {SOURCE}",
          limit=spec.SYMBOLS, top=1.0),
    Chart("reconnections", "IQFeed, reconnections", f"within {TEN_MINUTES}", {spec.RECONNECTIONS_10M: ""},
          f"Rise of reconnections (field {StatsField.RECONNECTIONS}) within {TEN_MINUTES}. {SOURCE}",
          limit=spec.RECONNECTIONS),
    Chart("queue", "IQFeed, longest client queue", "of the slowest client", {spec.QUEUED_MOST: ""},
          f"KB queued (field {ClientField.QUEUED_KB}) of the slowest client; warning from "
          f"{bytes_(spec.QUEUED.warning)} for {duration(spec.QUEUED_SECONDS.warning)}. Source: {CLIENT_STATS}.",
          limit=spec.QUEUED),
    Chart("ports", "IQFeed ports, time to answer", EACH_PORT,
          {spec.PORT_SECONDS: ""}, f"From connecting to the answer to {SET_PROTOCOL}, on a new connection.",
          label="port"),
)  # fmt: skip
