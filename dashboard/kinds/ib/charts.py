"""The charts of Interactive Brokers."""

from __future__ import annotations

from core.format import duration
from core.kinds.ib import spec
from core.kinds.ib.codes import BROKEN_CODES, LINK_BROKEN, LOST, RESTORED, RESTORED_EMPTY
from dashboard.sources.charts import Chart

TEN_MINUTES = duration(spec.RECONNECTIONS_SECONDS)
*FIRST_BROKEN, LAST_BROKEN = map(str, BROKEN_CODES)

CHARTS = (
    Chart("round-trip", "IB, round trip", "to the gateway's answer",
          {spec.ROUND_TRIP_SECONDS: "each", spec.ROUND_TRIP_JUDGED: "shorter of 2"},
          "From reqCurrentTime to its answer, once a reading; warning when two in a row take "
          f"{duration(spec.ROUND_TRIP.warning)}.", limits={"shorter of 2": spec.ROUND_TRIP}),
    Chart("link", "IB, ready and connected", "1 yes, 0 no", {spec.READY: "ready", spec.CONNECTED: "IB"},
          f"ready: nextValidId and managedAccounts were seen. IB: no message {LOST} or {LINK_BROKEN} since the last "
          f"{RESTORED_EMPTY} or {RESTORED}.", top=1.0),
    Chart("farms-broken", "IB, broken data farms", "", {spec.FARMS_BROKEN: ""},
          f"Farms whose newest message is {', '.join(FIRST_BROKEN)} or {LAST_BROKEN}. Critical after "
          f"{duration(spec.FARM_BROKEN.critical)} while the market is open."),
    Chart("messages", "IB, messages a second", "to and from Fundwatch alone",
          {spec.MESSAGES_RATE: "from", spec.REQUESTS_RATE: "to"},
          f"Messages of our own connection. IB takes {spec.REQUESTS_ALLOWED:g} a second from all clients together; the "
          "messages of other clients cannot be seen."),
    Chart("orders-open", "IB, open orders", "of all clients", {spec.OPEN_ORDERS: ""},
          f"reqAllOpenOrders, every {duration(spec.ORDERS_SECONDS)}."),
    Chart("trouble", "IB, errors and reconnections", f"within 1 min, within {TEN_MINUTES}",
          {spec.ERRORS_1M: "errors", spec.RECONNECTIONS_10M: "reconnections"},
          f"Messages with an error code in the last minute; our own reconnections within {TEN_MINUTES}.",
          limits={"reconnections": spec.RECONNECTIONS}),
)  # fmt: skip
