"""Every error Fundwatch raises on purpose, as a tree.

FundwatchError
├── SettingsError        a setting is unknown or invalid: exit 2, the message names it and where it was read
├── StartError           cannot start (port taken, folder not writable or owned): exit 2, the message says what to do
├── SourceError          a collector's source
│   ├── SourceUnavailable    try again and back off; the component is down
│   └── SourceRejected       retrying cannot help; a person must change the configuration
├── StorageError
│   ├── StorageUnavailable   the store cannot be reached: batches wait in the spool
│   └── StorageRejected      the store refuses this statement or batch for ever: it is set aside and counted
├── ImportRejected       a file with wrong rows: nothing was taken, `problems` lists line and reason
└── NoPortfolio          a portfolio was asked for, and there is none at all
"""

from __future__ import annotations

from collections.abc import Sequence


class FundwatchError(Exception):
    """Base of all."""


class SettingsError(FundwatchError):
    """A setting is unknown or invalid. The program prints the message and exits with 2."""


class StartError(FundwatchError):
    """Fundwatch cannot start here. The program prints the message and exits with 2."""


class SourceError(FundwatchError):
    """A collector's source failed."""


class SourceUnavailable(SourceError):
    """The source did not answer: the runner records the run, opens the breaker and tries later."""


class SourceRejected(SourceError):
    """The source refuses us (credentials, version): the runner tells a person and tries rarely."""


class StorageError(FundwatchError):
    """A store failed."""


class StorageUnavailable(StorageError):
    """The store cannot be reached now: writers spool, pages show their last data with the reason."""


class StorageRejected(StorageError):
    """The store answers that this statement is wrong: repeating it cannot help."""


class ImportRejected(FundwatchError):
    """A file was refused whole. `problems` holds (line number, reason) pairs."""

    def __init__(self, name: str, problems: Sequence[tuple[int, str]]) -> None:
        self.name = name
        self.problems = tuple(problems)
        shown = "; ".join(f"line {line}: {reason}" for line, reason in self.problems[:20])
        more = f"; and {len(self.problems) - 20} more" if len(self.problems) > 20 else ""
        super().__init__(f"{name}: nothing imported. {shown}{more}")


class NoPortfolio(FundwatchError):
    """A portfolio was asked for, and there is none at all."""
