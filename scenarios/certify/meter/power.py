"""What is seen of the power that a meter tells."""

from __future__ import annotations

from collections.abc import Callable

from meters.calendar import INTERVAL_S
from meters.register_map import layout as wire
from meters.register_map.sunspec import POWER_FAILURE_BIT
from scenarios.certify.meter.before import CUT_RAW, Found, Readings, Seen, where_sound
from scenarios.certify.meter.reading import Points, Reading

#: Volts from line to line by phases, and the share by which they may be off. Defaults of this project, wider than ANSI C84.1's ranges.
_VOLTS, _OFF = {2: 240.0, 3: 208.0}, 0.1
_HZ = range(59, 62)


def _scaled(points: Points, name: str, exponent: str) -> float:
    return int(points[name]) * 10.0 ** int(points[exponent])


def _failed(points: Points) -> bool:
    return bool(int(points["Evt"]) >> POWER_FAILURE_BIT & 1)


def _voltage(reading: Reading) -> Found:
    wanted = _VOLTS.get(reading.number("Ph"))
    for said, points in reading.whole(wire.METER_BLOCK):
        volts, hz = _scaled(points, "PPV", "V_SF"), _scaled(points, "Hz", "Hz_SF")
        if wanted is None:
            yield False, f"it says that it has {reading.number('Ph')} phases", [said]
        elif volts or not _failed(points):
            held = abs(volts - wanted) <= wanted * _OFF and round(hz) in _HZ
            yield held, f"it shows {volts:g} V and {hz:g} Hz, of {wanted:g} V and 60 Hz", [said]


def _watts(reading: Reading) -> Found:
    for said, points in reading.whole(wire.METER_BLOCK):
        header = next((told for one, told in reversed(reading.headers) if one.n < said.n), None)
        since = int(header["Clk"]) % INTERVAL_S if header else 0
        if header and since >= 60:
            by, unit = int(header["Mult"]), 10.0 ** int(points["W_SF"])
            counted = (int(header["PartDel"]) - int(header["PartRcv"])) * by
            flowed = _scaled(points, "W", "W_SF") * since / 3600
            held = abs(flowed - counted) <= CUT_RAW * by + unit * since / 3600
            yield held, f"at its power {flowed:.0f} Wh flow in {since} s, and {counted} Wh are counted", [said]


def _event(reading: Reading) -> Found:
    for said, points in reading.whole(wire.METER_BLOCK):
        volts, tells = _scaled(points, "PPV", "V_SF"), _failed(points)
        yield tells is (volts == 0), f"with {volts:g} V it tells {'of a' if tells else 'of no'} power failure", [said]


#: By id what is seen of it.
SEEN: dict[str, Callable[[Readings], Seen]] = {
    "MT-VOLTAGE": where_sound(_voltage),
    "MT-WATTS": where_sound(_watts),
    "MT-EVENT": where_sound(_event),
}
