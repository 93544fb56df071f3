"""One fault of one meter: a kind, a span, parameters. Whatever it cannot be is refused when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

from meters.calendar import INTERVAL_S, Seconds, day_start, seconds
from meters.errors import MeterError
from meters.faults.kinds import KINDS, Channel, FaultKind, Kind, LookalikeKind, Span

#: A fault without an end lasts until then: no run goes on so long.
FOR_EVER = day_start(date(2100, 1, 1))
#: A fault without a beginning, for the kinds that have always been.
ALWAYS = seconds(0)


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something declared that happens at one meter: a fault, or a look-alike of one."""

    kind: FaultKind | LookalikeKind
    esiid: str
    #: UTC epoch seconds at which it begins.
    first: Seconds = ALWAYS
    #: UTC epoch seconds at which it is over.
    until: Seconds = FOR_EVER
    params: Mapping[str, float] = field(default_factory=dict)
    #: ESI ID of the other meter, for a swap.
    other: str = ""
    #: Of a fault of intervals; its kind's unless given.
    channel: Channel | None = None

    #: The kinds that there are.
    rows: ClassVar[Mapping[Any, Kind]]

    def __post_init__(self) -> None:
        """Refuse what would do nothing, or not what its author meant; fill in the defaults."""
        if self.kind not in self.rows:
            raise self._error("kind", f"There is no kind '{self.kind}'.", f"Take one of {', '.join(self.rows)}.")
        object.__setattr__(self, "kind", next(kind for kind in self.rows if kind == self.kind))
        if self.first >= self.until:
            raise self._error("span", f"The {self.kind} ends before it begins.", "Give 'until' after 'first'.")
        if self.row.span is Span.INSTANT:
            if self.first == ALWAYS:
                raise self._error("span", f"The {self.kind} happens at an instant.", "Give 'first'.")
            object.__setattr__(self, "until", self.first + 1)
        if self.row.span is Span.ALWAYS and (self.first, self.until) != (ALWAYS, FOR_EVER):
            raise self._error("span", f"A {self.kind} has always been.", "Leave 'first' and 'until' away.")
        if self.row.span is Span.INTERVALS and (self.first % INTERVAL_S or self.until % INTERVAL_S):
            raise self._error("span", f"The {self.kind} does not cover whole intervals.", "Use quarters of an hour.")
        if bool(self.other) != self.row.has_other or self.other == self.esiid:
            raise self._error("other", "A swap names another ESI ID, and only a swap does.", "")
        if self.channel is not None and self.row.channel is None:
            raise self._error(
                "channel", f"A {self.kind} has no channel.", "Leave it away: only faults of intervals have one."
            )
        object.__setattr__(self, "channel", self.channel or self.row.channel)
        self._fill_in()

    @property
    def row(self) -> Kind:
        """Its kind's row of the table."""
        return self.rows[self.kind]

    def _fill_in(self) -> None:
        known = self.row.parameters
        strange = sorted(set(self.params) - set(known))
        lacking = [name for name, parameter in known.items() if parameter.default is None and name not in self.params]
        if strange or lacking:
            needed = [name for name, parameter in known.items() if parameter.default is None]
            free = [name for name, parameter in known.items() if parameter.default is not None]
            raise self._error(
                "params",
                f"The {self.kind} has {'these parameters: ' + _listed(sorted(self.params)) if self.params else 'no parameter'}.",
                f"It needs {_listed(needed)} and may have {_listed(free)}.",
            )
        full = {name: float(self.params.get(name, parameter.default or 0.0)) for name, parameter in known.items()}
        for name, parameter in known.items():
            if not parameter.least <= full[name] <= parameter.most:
                raise self._error(
                    "params", f"{name} {full[name]:g} is outside {parameter.least:g} to {parameter.most:g}.", ""
                )
        object.__setattr__(self, "params", full)

    def covers(self, at: Seconds) -> bool:
        """Whether an instant lies in [first, until)."""
        return self.first <= at < self.until

    def _error(self, code: str, message: str, mend: str) -> MeterError:
        return MeterError(f"meters.fault.{code}", message, place=f"{self.kind} at {self.esiid}", mend=mend)


@dataclass(frozen=True, slots=True)
class Fault(Happening):
    """One fault of one meter."""

    kind: FaultKind

    rows = KINDS
