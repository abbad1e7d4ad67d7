"""`python -m core.settings` prints the table of the README, `python -m core.settings --example` the example file."""

from __future__ import annotations

import sys

from core.settings.text import example_yaml, readme_table

sys.stdout.write(example_yaml() if "--example" in sys.argv[1:] else readme_table())
