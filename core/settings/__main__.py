"""`python -m core.settings` prints the table of docs/settings.md, with `--example` the example file."""

from __future__ import annotations

import sys

from core.settings.text import example_yaml, settings_table

sys.stdout.write(example_yaml() if "--example" in sys.argv[1:] else settings_table())
