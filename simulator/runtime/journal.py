"""The journal of a run: what each party noted, in an order that does not depend on the sockets."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from headend.http.log import LOG, tell
from meters.calendar import Seconds, iso

#: Entries that a party which serves keeps: of some ten thousand requests.
SERVING_LIMIT = 50_000


@dataclass(slots=True)
class RunJournal:
    """``headend.ports.Journal`` kept in memory; ``entries`` sorts by time, party and ident."""

    #: Keep so many of the latest entries; None keeps all. A recording needs all, a sandbox that stays up for weeks must not grow.
    limit: int | None = None
    _entries: deque[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        """Begin empty."""
        self._entries = deque(maxlen=self.limit)

    def note(self, at: Seconds, party: str, kind: str, ident: str, **facts: Any) -> None:
        """See ``headend.ports.Journal``."""
        self._entries.append({"at": at, "party": party, "kind": kind, "ident": ident, **facts})
        if LOG.isEnabledFor(logging.INFO):
            renamed = {"call_reference" if name == "call" else name: value for name, value in facts.items()}
            tell(kind, at=iso(at), party=party, correlation_id=ident, **renamed)

    def entries(self) -> list[dict[str, Any]]:
        """Every entry by time, party and ident, so that the order of arrival within an instant does not show.

        What one party notes of one thing in one instant has a cause before its effect, and keeps that order.
        """
        return sorted(self._entries, key=lambda entry: (entry["at"], entry["party"], entry["ident"]))
