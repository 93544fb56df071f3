"""What is said about an interval: which channel, whether it is actual, how its value came about."""

from __future__ import annotations

from enum import IntEnum


class Channel(IntEnum):
    """Channel numbers of the LSE file, used everywhere for the direction of energy."""

    #: Received from the premise: surplus generation, SMT's ``G``.
    GENERATION = 1
    #: Delivered to the premise: consumption, SMT's ``C``.
    LOAD = 4


class IntervalStatus(IntEnum):
    """Where the value of an interval stands after VEE. Stored as one octet."""

    ACTUAL = 0
    ESTIMATED = 1
    #: No value at all: never in a finished day, but in a history with holes.
    MISSING = 2


class Method(IntEnum):
    """How the value of an interval came about. Scaling to the registers is told apart, in a flag beside it."""

    MEASURED = 0
    #: Straight line between two good neighbours.
    INTERPOLATED = 1
    #: The one good neighbour repeated.
    FLAT = 2
    #: Mean of the same clock times on like days.
    LIKE_DAY = 3
    #: Nothing to go by.
    ZERO = 4
    #: The class's profile times the day's energy.
    PROFILE = 5
