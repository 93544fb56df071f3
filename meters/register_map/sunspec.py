"""The standard models of a meter as SunSpec defines them: common model 1, meter models 202 (split phase) and 203 (wye).

Names, types and order are those of SunSpec's model files, which a test compares; the meanings say what this meter shows there.
"""

from __future__ import annotations

from meters.register_map.points import Point, PointType

_PHASES = ("A", "B", "C")

#: Models 202 and 203: the same points.
SPLIT_PHASE, WYE = 202, 203

#: Bit of ``Evt``: the line has failed.
POWER_FAILURE_BIT = 2


def _id(model: str, length: int) -> tuple[Point, Point]:
    return (
        Point("ID", PointType.UINT16, model),
        Point("L", PointType.UINT16, f"registers that follow in this model: {length}"),
    )


COMMON_POINTS: tuple[Point, ...] = (
    *_id("model id: 1", 66),
    Point("Mn", PointType.STRING, "manufacturer: ami-testbed", length=16),
    Point("Md", PointType.STRING, "model: emulated AMS meter", length=16),
    Point("Opt", PointType.STRING, "options: none", length=8),
    Point("Vr", PointType.STRING, "firmware", length=8),
    Point("SN", PointType.STRING, "meter number", length=16),
    Point("DA", PointType.UINT16, "device address: not implemented, the gateway's unit id says it"),
    Point("Pad", PointType.PAD, "filler"),
)


def _scale(name: str, says: str) -> Point:
    return Point(name, PointType.SUNSSF, says)


def _phased(name: str, says: str, unit: str, scale: str) -> list[Point]:
    """A total and its three phases."""
    phases = [Point(f"{name}ph{phase}", PointType.INT16, f"phase {phase}", unit, scale) for phase in _PHASES]
    return [Point(name, PointType.INT16, says, unit, scale), *phases]


def _counted(name: str, says: str, unit: str, scale: str) -> list[Point]:
    """A counter and those of its three phases, which this meter does not have."""
    phases = [
        Point(f"{name}Ph{phase}", PointType.ACC32, f"phase {phase}: not implemented", unit, scale) for phase in _PHASES
    ]
    return [Point(name, PointType.ACC32, says, unit, scale), *phases]


def _meter_points() -> tuple[Point, ...]:
    volt = ("V", "V_SF")
    lacking = "not implemented"
    return (
        *_id("model id: 202 of a split phase, 203 of a wye", 105),
        *_phased("A", "current, sum of the phases, never negative", "A", "A_SF"),
        _scale("A_SF", "exponent of the currents: -2, or as much more as the largest needs"),
        Point("PhV", PointType.INT16, "line to neutral, mean of the phases", *volt),
        *[
            Point(
                f"PhVph{phase}", PointType.INT16, f"phase {phase} to neutral" + ("; 203 only" * (phase == "C")), *volt
            )
            for phase in _PHASES
        ],
        Point("PPV", PointType.INT16, "line to line, mean of the pairs: 240 V split phase, 208 V wye", *volt),
        Point("PhVphAB", PointType.INT16, "A to B", *volt),
        Point("PhVphBC", PointType.INT16, "B to C; 203 only", *volt),
        Point("PhVphCA", PointType.INT16, "C to A; 203 only", *volt),
        _scale("V_SF", "exponent of the voltages: -1"),
        Point("Hz", PointType.INT16, "60.00, or 0 when the line has failed", "Hz", "Hz_SF"),
        _scale("Hz_SF", "exponent of the frequency: -2"),
        *_phased("W", "mean power of the running interval: above 0 delivered, below 0 received", "W", "W_SF"),
        _scale("W_SF", "exponent of the powers: 0, or as much as the largest needs"),
        *_phased("VA", "apparent power: W without its sign, as the power factor is 1", "VA", "VA_SF"),
        _scale("VA_SF", "as W_SF"),
        *_phased("VAR", "reactive power: 0, this meter measures energy alone", "var", "VAR_SF"),
        _scale("VAR_SF", "0"),
        *_phased("PF", "power factor: 100", "Pct", "PF_SF"),
        _scale("PF_SF", "0"),
        *_counted(
            "TotWhExp",
            "energy received from the premise since it was put in (LSE channel 1), mod 2^32",
            "Wh",
            "TotWh_SF",
        ),
        *_counted(
            "TotWhImp",
            "energy delivered to the premise since it was put in (LSE channel 4), mod 2^32",
            "Wh",
            "TotWh_SF",
        ),
        _scale("TotWh_SF", "0"),
        *_counted("TotVAhExp", lacking, "VAh", "TotVAh_SF"),
        *_counted("TotVAhImp", lacking, "VAh", "TotVAh_SF"),
        _scale("TotVAh_SF", lacking),
        *_counted("TotVArhImpQ1", lacking, "varh", "TotVArh_SF"),
        *_counted("TotVArhImpQ2", lacking, "varh", "TotVArh_SF"),
        *_counted("TotVArhExpQ3", lacking, "varh", "TotVArh_SF"),
        *_counted("TotVArhExpQ4", lacking, "varh", "TotVArh_SF"),
        _scale("TotVArh_SF", lacking),
        Point(
            "Evt",
            PointType.BITFIELD32,
            f"events: bit {POWER_FAILURE_BIT} (M_EVENT_Power_Failure) while the line has failed",
            symbols={"M_EVENT_Power_Failure": POWER_FAILURE_BIT},
        ),
    )


METER_POINTS = _meter_points()
