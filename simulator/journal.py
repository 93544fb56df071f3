"""The journal of a run: what each party noted, in an order that does not depend on the sockets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class RunJournal:
    """``headend.ports.Journal`` kept in memory; ``entries`` sorts by time, party, kind, ident."""

    _entries: list[dict[str, Any]] = field(default_factory=list)

    def note(self, at: int, party: str, kind: str, ident: str, **facts: Any) -> None:
        """See ``headend.ports.Journal``."""
        self._entries.append({"at": at, "party": party, "kind": kind, "ident": ident, **facts})

    def entries(self) -> list[dict[str, Any]]:
        """Every entry, in one order whatever the order of arrival within an instant was."""
        return sorted(
            self._entries,
            key=lambda one: (one["at"], one["party"], one["kind"], one["ident"], json.dumps(one, sort_keys=True)),
        )
