"""When a premise has no power: outages of the line and an open service switch, as spans, and the energy that they keep from flowing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from meters.calendar import Seconds
from meters.faults.fault import FOR_EVER, Fault
from meters.faults.kinds import FaultKind

#: [from, until), UTC epoch seconds.
TimeSpan = tuple[Seconds, Seconds]


@dataclass(slots=True)
class Switch:
    """What was done to a service switch by command: (at, closed), in order."""

    operations: list[tuple[Seconds, bool]] = field(default_factory=list)

    def closed(self, now: Seconds) -> bool:
        """Whether the last command closed it; it begins closed."""
        return next((closed for at, closed in reversed(self.operations) if at <= now), True)

    def open_spans(self) -> list[TimeSpan]:
        """When it was open."""
        spans: list[TimeSpan] = []
        opened: Seconds | None = None
        for at, closed in self.operations:
            if not closed and opened is None:
                opened = at
            elif closed and opened is not None:
                spans.append((opened, at))
                opened = None
        if opened is not None:
            spans.append((opened, FOR_EVER))
        return [span for span in spans if span[0] < span[1]]


def outages(faults: Sequence[Fault]) -> list[Fault]:
    """The failures of the line."""
    return [fault for fault in faults if fault.kind is FaultKind.OUTAGE]


def declared_open(faults: Sequence[Fault]) -> list[TimeSpan]:
    """When the switch is declared open."""
    return [(fault.first, fault.until) for fault in faults if fault.kind is FaultKind.DISCONNECTED]


def united(spans: Iterable[TimeSpan]) -> tuple[TimeSpan, ...]:
    """The same time as spans that neither meet nor overlap, in order."""
    made: list[TimeSpan] = []
    for first, until in sorted(spans):
        if made and first <= made[-1][1]:
            made[-1] = (made[-1][0], max(made[-1][1], until))
        else:
            made.append((first, until))
    return tuple(made)
