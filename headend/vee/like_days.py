"""Like days as the estimation ladder sees them: the day classes and clock of ``meters.day_kinds``, by which the load itself goes."""

from __future__ import annotations

from meters.day_kinds import DayClass, day_class, off_peak_holidays, same_clock

__all__ = ["DayClass", "day_class", "off_peak_holidays", "same_clock"]
