"""Who may do what: roles, each with the rights of those before it."""

from __future__ import annotations

from enum import IntEnum


class Role(IntEnum):
    """What a person may see and do. Ordered: `role >= Role.OPERATOR` means an operator or more."""

    VIEWER = 1
    """Sees pages."""
    ANALYST = 2
    """Takes data out: files of figures."""
    OPERATOR = 3
    """Acts on watched sources, imports files, changes portfolios, benchmarks and rates."""
    ADMIN = 4
    """Manages users, tokens, rules and settings; reads the audit."""

    @property
    def word(self) -> str:
        """The role as it is shown and stored: "operator"."""
        return self.name.lower()
