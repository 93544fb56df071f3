"""An access point as a model has it: without power at times, and busy with the scheduled sweep."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from headend.network.law import AccessPoint, NetworkLaw, Try
from meters.calendar import Micros


class SweepRule(StrEnum):
    """What a sweep that runs does to a read at the same access point."""

    #: The read goes first, the sweep takes longer by it.
    YIELDS = "yields"
    #: Both go on, so a read takes two slots.
    SHARES = "shares"
    #: The read waits for the sweep's end.
    BLOCKS = "blocks"


class Span(NamedTuple):
    """``[from_us, to_us)``, microseconds since the epoch."""

    from_us: Micros
    to_us: Micros


class ModelledPoint(AccessPoint):
    """An access point with its spans of no power, and those in which its meters are swept."""

    __slots__ = ("_dark", "_rule", "_swept")

    def __init__(self, law: NetworkLaw, dark: Sequence[Span], swept: Sequence[Span], rule: SweepRule) -> None:
        """Begin idle. Spans ascend."""
        super().__init__(law.access_point_tps, law.slot_held_s)
        self._dark, self._swept, self._rule = dark, swept, rule

    def free_at(self, now_us: Micros) -> Micros:
        """See ``AccessPoint``."""
        start_us = super().free_at(now_us)
        if self._rule is SweepRule.BLOCKS:
            for span in self._swept:
                if span.from_us <= start_us < span.to_us:
                    return span.to_us
        return start_us

    def tried(self, start_us: Micros, attempt: Try) -> Try:
        """See ``AccessPoint``."""
        if _within(self._dark, start_us):
            attempt = attempt._replace(heard=False)
        super().tried(start_us, attempt)
        if self._rule is SweepRule.SHARES and _within(self._swept, start_us):
            self._free_us = max(self._free_us, start_us + 2 * self.service_us)
        return attempt


def _within(spans: Sequence[Span], at_us: Micros) -> bool:
    return any(span.from_us <= at_us < span.to_us for span in spans)
