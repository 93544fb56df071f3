"""A meter's day as a picture: what its axes, words and legend say, looked at before it is drawn."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from meters import SEED
from meters.calendar import day_start
from meters.faults.kinds import FaultKind
from meters.faults.rules import FaultRule
from meters.fleet import Fleet
from meters.load.premises import MARKET
from reports.meter.charts import png
from reports.meter.day import meter_day
from simulator.world.roster import find
from tests.reports.meter.test_day import DAY, ONCOR

START = day_start(DAY)


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The pictures that are made; none is drawn, which is what takes long."""
    made: list[Figure] = []
    monkeypatch.setattr(FigureCanvasAgg, "print_png", lambda canvas, *_, **__: made.append(canvas.figure))
    return made


def picture(figures: list[Figure], ordinal: int, *faults: FaultRule, day: date = DAY) -> dict[str, Any]:
    fleet = Fleet(ONCOR, SEED, 40, faults, MARKET)
    png(meter_day(find(fleet, fleet.premise(ordinal).esiid, day), fleet, day))
    figure = figures.pop()
    axes, *beside = figure.axes
    (legend,) = figure.legends
    return {
        "hours": [label.get_text() for label in axes.get_xticklabels()],
        "below": axes.get_xlabel(),
        "said": [text.get_text() for text in axes.texts],
        "legend": [text.get_text() for text in legend.get_texts()],
        "beside": [one.get_ylabel() for one in beside],
        "tick": axes.yaxis.get_major_formatter()(-0.5, None),
        "low": axes.get_ylim()[0],
    }


def spike(at: int, factor: float = 40.0) -> FaultRule:
    return FaultRule(FaultKind.SPIKE, START + at * 900, START + (at + 1) * 900, {"factor": factor}, meters=(3,))


@pytest.mark.parametrize(
    ("day", "hours", "below"),
    [
        (DAY, ["00:00", "03:00"], ""),
        (date(2026, 3, 8), ["00:00", "03:00"], "23 hours: the clock goes forward at 02:00"),
        (date(2026, 11, 1), ["00:00", "03:00"], "25 hours: 01:00 to 02:00 comes twice"),
    ],
)
def test_hours_are_the_local_clocks(figures: list[Figure], day: date, hours: list[str], below: str) -> None:
    told = picture(figures, 3, day=day)
    assert (told["hours"][:2], told["hours"][-1], told["below"]) == (hours, "24:00", below)
    assert told["beside"] == ["°C outdoors"]


def test_surplus_lies_below_nought_and_is_no_negative_energy(figures: list[Figure]) -> None:
    plain, sunny = picture(figures, 3), picture(figures, 15)
    assert (plain["low"], plain["legend"]) == (0, ["delivered", "°C outdoors"])
    assert (sunny["low"] < 0, sunny["legend"]) == (True, ["delivered", "received (surplus)", "°C outdoors"])
    assert sunny["tick"] == "0.5"
    negative = picture(figures, 3, FaultRule(FaultKind.NEGATIVE, START + 40 * 900, START + 48 * 900, meters=(3,)))
    assert (negative["low"] < 0, negative["tick"]) == (True, "-0.5")


def test_a_spike_that_does_not_fit_is_told_the_first_of_several_close_by(figures: list[Figure]) -> None:
    told = picture(figures, 3, spike(20, 400.0), spike(22, 400.0), spike(90, 400.0))
    assert [text[-5:] for text in told["said"]] == ["05:00", "22:30"]
    assert all("kWh at" in text for text in told["said"])
    assert "the premise's load" in told["legend"]
    assert "wrong by a fault that its status does not tell" in told["legend"]
