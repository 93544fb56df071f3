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
_HZ = (58.5, 61.5)
#: Volts to neutral, and by phases which there are, and which pairs.
_NEUTRAL, _PHASES, _PAIRS = 120.0, {2: "AB", 3: "ABC"}, {2: ("AB",), 3: ("AB", "BC", "CA")}
#: The share by which apparent power may be off voltage by current. A default of this project.
_POWER_OFF = 0.05
#: What the last digit may be worth at most, V, A, W, VA: in kilowatts nothing could be compared. A default of this project.
_COARSE = {"V": 1, "A": 1, "W": 100, "VA": 100}


def _scaled(points: Points, name: str, exponent: str) -> float:
    # Beyond what a float holds it is without an end, or no number: no bound holds for that.
    return int(points[name]) * float(f"1e{points[exponent]}")


def _failed(points: Points) -> bool:
    return bool(int(points["Evt"]) >> POWER_FAILURE_BIT & 1)


def _voltage(reading: Reading) -> Found:
    phases = reading.number("Ph")
    for said, points in reading.whole(wire.METER_BLOCK):
        if phases not in _VOLTS:
            yield False, f"it says that it has {phases} phases", [said]
        elif _scaled(points, "PPV", "V_SF") or not _failed(points):
            wanted, hz = _VOLTS[phases], _scaled(points, "Hz", "Hz_SF")
            its = dict.fromkeys(("PPV", *(f"PhVph{pair}" for pair in _PAIRS[phases])), wanted)
            its |= dict.fromkeys(("PhV", *(f"PhVph{one}" for one in _PHASES[phases])), _NEUTRAL)
            off = [one for one, right in its.items() if not abs(_scaled(points, one, "V_SF") - right) <= right * _OFF]
            name = off[0] if off else "PPV"
            volts = _scaled(points, name, "V_SF")
            text = f"it shows {volts:g} V as {name} and {hz:g} Hz, of {its[name]:g} V and 60 Hz"
            yield not off and _HZ[0] < hz < _HZ[1], text, [said]


def _phases(reading: Reading) -> Found:
    """Each total of its phases, in which each is cut by itself, and the power of voltage by current: whatever the power factor is, it is no more."""
    phases = _PHASES.get(reading.number("Ph"))
    for said, points in reading.whole(wire.METER_BLOCK) if phases else ():
        for name, coarsest in _COARSE.items():
            text = f"the last digit of {name} is worth {_step(points, name):g}"
            yield _step(points, name) <= coarsest, text, [said]
        for name in ("A", "W", "VA"):
            total, parts = int(points[name]), [int(points[f"{name}ph{one}"]) for one in phases or ()]
            text = f"{name} is {total}, and its phases are {' and '.join(map(str, parts))}"
            yield abs(total - sum(parts)) <= len(parts), text, [said]
        amps, volts, apparent = (_scaled(points, *one) for one in (("A", "A_SF"), ("PhV", "V_SF"), ("VA", "VA_SF")))
        least = _step(points, "VA") + volts * _step(points, "A") + amps * _step(points, "V")
        text = f"{amps:g} A at {volts:g} V are told as {apparent:g} VA"
        yield amps >= 0 and abs(amps * volts - apparent) <= least + apparent * _POWER_OFF, text, [said]
        for of in ("", *(f"ph{one}" for one in phases or ())):
            watts, most = _scaled(points, f"W{of}", "W_SF"), _scaled(points, f"VA{of}", "VA_SF")
            text = f"W{of} is {watts:g} W, and VA{of} {most:g} VA"
            yield abs(watts) <= most * (1 + _POWER_OFF) + _step(points, "W"), text, [said]


def _step(points: Points, name: str) -> float:
    """What the last digit of a value is worth."""
    return float(f"1e{points[f'{name}_SF']}")


def _watts(reading: Reading) -> Found:
    for said, points in reading.whole(wire.METER_BLOCK):
        header = next((told for one, told in reversed(reading.headers) if one.n < said.n), None)
        since = int(header["Clk"]) % INTERVAL_S if header else 0
        if header and since >= 60:
            by, unit = int(header["Mult"]), _step(points, "W")
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
    "MT-PHASES": where_sound(_phases),
    "MT-WATTS": where_sound(_watts),
    "MT-EVENT": where_sound(_event),
}
