"""An instant that does not come."""

from meters.calendar import micros

#: Added to an instant of this century it still fits 64 bits.
NEVER_US = micros(1 << 61)
