"""The process that sends one message by Apprise: the order comes on standard input, the answer is the exit code."""

from __future__ import annotations

import logging
import sys

import orjson


def main(order: bytes) -> int:
    """Send it and return 0, 1: it was not sent, 3: Apprise is not installed, 4: it knows no such service."""
    try:
        import apprise
    except ImportError:
        return 3
    logging.disable()
    told = orjson.loads(order)
    sender = apprise.Apprise()
    if not sender.add(told["url"]):
        return 4
    for service in sender:
        # Seconds that it would wait between two messages: how often we send is for us to say.
        service.request_rate_per_sec = 0
    sent = sender.notify(title=told["title"], body=told["body"], notify_type=told["kind"], body_format="text")
    return 0 if sent else 1


if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer.read()))
