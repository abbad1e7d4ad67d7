"""`python -m core.settings` prints docs/settings.md, with `--example` the example file."""

from __future__ import annotations

import sys

from core.settings.text import example_yaml, settings_page

sys.stdout.write(example_yaml() if "--example" in sys.argv[1:] else settings_page())
