"""Every error Fundwatch raises on purpose, as a tree.

FundwatchError
├── SettingsError        a setting is unknown or invalid: exit 2, the message names it and where it was read
├── StartError           cannot start (port taken, folder not writable, damaged): exit 2, the message says what to do
│   └── FolderInUse          … because a running Fundwatch owns the data folder: orders go through its inbox
├── SourceError          a collector's source
│   ├── SourceUnavailable    try again and back off; the component is down
│   └── SourceRejected       retrying cannot help; a person must change the configuration
├── StorageError
│   ├── StorageUnavailable   the store cannot be reached: batches wait in the spool
│   │   └── SpoolUnavailable     … and the spool takes none, its disk is full: they wait in memory
│   └── StorageRejected      the store refuses this statement or batch for ever: it is set aside and counted
├── DeliveryError        a message of an alert was not delivered
│   ├── DeliveryUnavailable  the channel does not answer, or not now: tried again, not before `wait_seconds`
│   └── DeliveryRefused      the channel refuses this message: it goes to the fallback
├── ImportRejected       a file was refused whole: nothing was taken, `mistakes` says why, `remedy` what to do
│   └── ImportDoubted        … because what it says is hard to believe: taken when a person confirms it
├── RowsRefused          rows sent in a batch were refused whole: nothing was stored, `faults` says why
├── RowsWait             rows that cannot be taken yet: nothing was stored, the same rows can be taken later
├── BookRefused          transactions, prices or rates from which no book can be made: `fault` says which and why
├── UndoRejected         an import that cannot be undone: nothing was changed
├── ChangeRejected       a portfolio or account that cannot be changed like that: nothing was changed, `fields` says why
├── LinkRefused          a link of a message does not work: the message says why, and what to do instead
├── SignInRefused        somebody is not let in: the message says no more than he may know
│   └── ProviderUnavailable  … because the OpenID provider does not answer: accounts made here still sign in
└── NoPortfolio          a portfolio was asked for, and there is none at all
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.format import count


class FundwatchError(Exception):
    """Base of all."""


class SettingsError(FundwatchError):
    """A setting is unknown or invalid. The program prints the message and exits with 2."""


class StartError(FundwatchError):
    """Fundwatch cannot start here. The program prints the message and exits with 2."""


class FolderInUse(StartError):
    """A running Fundwatch owns the data folder."""


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


class OutOfPatience(StorageUnavailable):
    """The store did not answer as soon as whoever asks needs it: he does without for a while."""


class SpoolUnavailable(StorageUnavailable):
    """The spool cannot be written now, the disk may be full: rows stay in the writer's queue."""


class StorageRejected(StorageError):
    """The store answers that this statement is wrong: repeating it cannot help."""


class DeliveryError(FundwatchError):
    """A message of an alert was not delivered."""


class DeliveryUnavailable(DeliveryError):
    """The channel does not answer, or not now: the sender tries again."""

    def __init__(self, reason: str, wait_seconds: float = 0.0) -> None:
        self.wait_seconds = wait_seconds
        """How long the channel asks to be left alone; 0: it says nothing of that."""
        super().__init__(reason)


class DeliveryRefused(DeliveryError):
    """The channel refuses this message for ever: the sender hands it to the fallback and tells a person."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A kind of mistake in a file: how often it was made, and where first."""

    reason: str
    count: int = 1
    first: tuple[tuple[int, str], ...] = ()
    """Line number and what stands there, of at most three lines; empty: it concerns the file as a whole."""

    def __str__(self) -> str:
        if not self.first:
            return self.reason
        lines = ", ".join(f"{line} ({text})" if text else str(line) for line, text in self.first)
        if self.count == 1:
            return f"line {lines}: {self.reason}"
        more = f" and {self.count - len(self.first):,} more" if self.count > len(self.first) else ""
        return f"{count(self.count, 'line')}: {self.reason}: lines {lines}{more}"


class ImportRejected(FundwatchError):
    """A file was refused whole, one sentence a kind of mistake."""

    def __init__(self, name: str, mistakes: Sequence[Mistake], seems: str = "", remedy: str = "") -> None:
        self.name = name
        self.mistakes = tuple(mistakes)
        self.seems = seems
        """What the file seems to be; empty: not known."""
        self.remedy = remedy
        """What to do about it."""
        super().__init__("\n  ".join(self.lines()))

    def lines(self) -> list[str]:
        """Return what is to be told, a sentence a line: what was refused, each kind of mistake, what to do."""
        seems = f" It seems to be {self.seems}." if self.seems else ""
        told = [f"{self.name}: nothing imported.{seems}", *map(str, self.mistakes)]
        return [*told, self.remedy] if self.remedy else told


class ImportDoubted(ImportRejected):
    """A file that can be read, and says what is hard to believe. It is taken when a person confirms it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one cell of a batch, or with the batch as a whole."""

    row: int
    """Counted from 1, without a header; 0: it concerns the batch as a whole."""
    field: str
    value: str
    """What stands there."""
    reason: str
    fix: str
    """What to send instead."""
    is_passing: bool = False
    """Whether the same row may be right later."""

    def __str__(self) -> str:
        where = f"row {self.row}, " if self.row else ""
        field = f"{self.field}: " if self.field else ""
        shown = f" ({self.value})" if self.value else ""
        return f"{where}{field}{self.reason}{shown}; {self.fix}"


class RowsRefused(FundwatchError):
    """A batch of rows was refused whole: nothing of it was stored."""

    def __init__(self, faults: Sequence[Fault], more: int = 0) -> None:
        self.faults = tuple(faults)
        """The first ones, at least one."""
        self.more = more
        """How many there are beside these."""
        super().__init__("\n  ".join(self.lines()))

    def lines(self) -> list[str]:
        """Return what is to be told, a sentence a line."""
        rest = [f"and {self.more:,} more"] if self.more else []
        return ["nothing was stored", *map(str, self.faults), *rest]


class RowsWait(FundwatchError):
    """Rows cannot be taken yet: nothing of them was stored, and later the same rows can be."""


class BookRefused(FundwatchError):
    """Positions and cash cannot be built: a transaction, a price or a rate is missing or cannot be meant."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(str(fault))


class UndoRejected(FundwatchError):
    """An import cannot be undone. Nothing was changed."""

    def lines(self) -> list[str]:
        """Return what is to be told."""
        return [str(self)]


class ChangeRejected(FundwatchError):
    """A portfolio or an account cannot be changed like that. Nothing was changed."""

    def __init__(self, reason: str, fields: Mapping[str, str] | None = None) -> None:
        self.fields = dict(fields or {})
        """What is wrong with each field, and what to give; empty: it is no single field."""
        self.reason = reason
        super().__init__("\n  ".join(self.lines()))

    def lines(self) -> list[str]:
        """Return what is to be told."""
        return [self.reason, *(f"{name}: {wrong}" for name, wrong in self.fields.items())]


class RuleRejected(FundwatchError):
    """A rule of alerts cannot be taken. Nothing was changed."""

    def __init__(self, field: str, reason: str, fix: str = "") -> None:
        self.field = field
        """Of the rule: "when"."""
        self.reason = reason
        self.fix = fix
        """What to write instead."""
        super().__init__(f"{field}: {reason}" + (f". {fix}" if fix else ""))


class LinkRefused(FundwatchError):
    """A link of a message about an alert does not work: forged, cut or expired. Nothing was done."""


class SignInRefused(FundwatchError):
    """Somebody is not let in. What is told does not depend on whether the account exists."""

    def __init__(self, sentence: str, wait_seconds: float = 0.0) -> None:
        self.wait_seconds = wait_seconds
        """How long to wait before another attempt is looked at; 0: not at all."""
        super().__init__(sentence)


class ProviderUnavailable(SignInRefused):
    """The OpenID provider does not answer, or not as one."""


class NoPortfolio(FundwatchError):
    """A portfolio was asked for, and there is none at all."""
