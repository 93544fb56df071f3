"""Faults are an overlay on the truth, with a ledger: the truth and the registers stay as they are, and what was done is known.

An interval lies in a fault's span when it begins in [first, until).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from meters.calendar import INTERVAL_S, floor_interval, iso
from meters.errors import MeterError
from meters.status import Channel, has_value, status_word

#: gap: the meter has no value for the intervals. spike: their values are multiplied by ``factor``. dead: no answer on the wire.
FaultKind = Literal["gap", "spike", "dead"]

#: What a kind must be told, with the least and the greatest value.
_PARAMETERS: dict[FaultKind, dict[str, tuple[float, float]]] = {
    "gap": {},
    "spike": {"factor": (0.0, 1000.0)},
    "dead": {},
}
_MAX_WH = np.iinfo(np.int32).max
_CHANNELS = np.uint16(0x0FF0)
_SKIPPED = np.uint16(status_word(0, Channel.SKIPPED))


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one meter."""

    kind: FaultKind
    esiid: str
    #: UTC epoch seconds at which it begins; a whole interval for gap and spike.
    first: int
    #: UTC epoch seconds at which it is over.
    until: int
    params: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a fault that would do nothing, or not what its author meant."""
        if self.kind not in get_args(FaultKind):
            raise self._error(
                "kind", f"There is no fault kind '{self.kind}'.", f"Take {', '.join(get_args(FaultKind))}."
            )
        if self.first >= self.until:
            raise self._error("span", "The fault ends before it begins.", "Give 'until' after 'first'.")
        if self.kind != "dead" and (self.first % INTERVAL_S or self.until % INTERVAL_S):
            raise self._error("span", f"The {self.kind} does not cover whole intervals.", "Use quarters of an hour.")
        bounds = _PARAMETERS[self.kind]
        if set(self.params) != set(bounds):
            raise self._error(
                "params",
                f"The {self.kind} has parameters {sorted(self.params)}.",
                f"It needs exactly {sorted(bounds)}.",
            )
        for name, (least, most) in bounds.items():
            if not least <= self.params[name] <= most:
                raise self._error("params", f"{name} {self.params[name]} is outside {least:g} to {most:g}.", "")

    def _error(self, code: str, message: str, mend: str) -> MeterError:
        return MeterError(f"meters.fault.{code}", message, place=f"{self.kind} at {self.esiid}", mend=mend)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """The ground truth about one fault, against which VEE is scored."""

    esiid: str
    kind: FaultKind
    #: UTC epoch seconds at which the first and the last interval that it touches end.
    first_end: int
    last_end: int
    #: Intervals from first to last, both included.
    intervals: int
    params: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """JSON values; the two ends as epoch seconds and in local time."""
        return {
            "esiid": self.esiid,
            "kind": self.kind,
            "first_end": self.first_end,
            "last_end": self.last_end,
            "first_end_local": iso(self.first_end),
            "last_end_local": iso(self.last_end),
            "intervals": self.intervals,
            "params": self.params,
        }


def ledger_entries(faults: Iterable[Fault]) -> list[LedgerEntry]:
    """One entry a fault, by ESI ID, time and kind."""
    entries = []
    for fault in faults:
        first_end = floor_interval(fault.first) + INTERVAL_S
        last_end = -(-fault.until // INTERVAL_S) * INTERVAL_S
        count = (last_end - first_end) // INTERVAL_S + 1
        entries.append(LedgerEntry(fault.esiid, fault.kind, first_end, last_end, count, dict(fault.params)))
    return sorted(entries, key=lambda entry: (entry.esiid, entry.first_end, entry.kind))


def ledger(faults: Iterable[Fault]) -> list[dict[str, Any]]:
    """The ledger as JSON values."""
    return [entry.to_json() for entry in ledger_entries(faults)]


def overlay(
    faults: Sequence[Fault],
    start: int,
    delivered: NDArray[np.int32],
    status: NDArray[np.uint16],
) -> tuple[NDArray[np.int32], NDArray[np.uint16], NDArray[np.bool_]]:
    """What one meter shows instead of the truth.

    faults: of this meter. start: UTC epoch seconds at which the first interval begins. delivered, status: (n,); not changed.
    Returns (n,) delivered, status, present. Spikes come before gaps: a skipped interval stays skipped.
    """
    delivered, status = delivered.copy(), status.copy()
    for fault in sorted(faults, key=lambda fault: fault.kind == "gap"):
        if fault.kind == "dead":
            continue
        low = max((fault.first - start) // INTERVAL_S, 0)
        high = max((fault.until - start) // INTERVAL_S, 0)
        if fault.kind == "spike":
            spiked = np.rint(delivered[low:high] * float(fault.params["factor"]))
            delivered[low:high] = np.minimum(spiked, _MAX_WH).astype(np.int32)
        else:
            delivered[low:high] = 0
            status[low:high] = status[low:high] & ~_CHANNELS | _SKIPPED
    return delivered, status, has_value(status)


def answers(faults: Sequence[Fault], now: int) -> bool:
    """False while a ``dead`` fault of the meter lasts."""
    return not any(fault.kind == "dead" and fault.first <= now < fault.until for fault in faults)
