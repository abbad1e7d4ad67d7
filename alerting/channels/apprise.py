"""Every other service, by Apprise, in a process of its own.

Apprise waits in the caller's thread, gives up waiting without ending what waits, and says in its log what it sends. In
a process of its own it is ended when its time is over, whatever it does. It says whether it worked, and no more: so
what it refuses is tried again until it is given up.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson

from alerting.notice import Notice
from core.errors import DeliveryRefused, DeliveryUnavailable
from core.settings.channels import Apprise
from core.settings.model import environment_without_settings

ROOT = Path(__file__).resolve().parents[2]
NOT_INSTALLED, NO_SUCH_SERVICE = 3, 4
"""Exit codes of the process, beside 0 (sent) and 1 (not sent)."""


def order(channel: Apprise, notice: Notice) -> bytes:
    """Return what the process is told, on its standard input: command lines are seen by everyone."""
    kind = "success" if notice.is_over else {1: "info", 2: "warning"}.get(notice.severity, "failure")
    return orjson.dumps(
        {
            "url": channel.url.get_secret_value(), "title": notice.subject, "body": "\n".join(notice.lines) or "–",
            "kind": kind,
        }
    )  # fmt: skip


def send(channel: Apprise, notice: Notice) -> str:
    """Send it; return nothing, as Apprise knows nothing of the answer. Raises DeliveryError."""
    command = [sys.executable, "-m", "alerting.channels.apprise_process"]
    seconds = channel.timeout_seconds
    try:
        done = subprocess.run(
            command, input=order(channel, notice), cwd=ROOT, timeout=seconds, check=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment_without_settings(),
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise DeliveryUnavailable(f"Apprise did not end within {seconds:.3g} s") from error
    except OSError as error:
        raise DeliveryUnavailable(f"Apprise cannot be started: {error.strerror}") from error
    if done.returncode == NOT_INSTALLED:
        raise DeliveryRefused("Apprise is not installed: pip install -r requirements.txt")
    if done.returncode == NO_SUCH_SERVICE:
        raise DeliveryRefused("Apprise knows no service of that URL: see https://github.com/caronc/apprise")
    if done.returncode:
        raise DeliveryUnavailable("Apprise could not hand it over")
    return ""
