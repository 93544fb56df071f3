"""A meter's day as a picture: delivered in steps, received below nought, temperature on a second axis, what is not as it should be in colour."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meters.calendar import local, seconds
from meters.errors import MeterError
from reports.chart_parts import INK, MUTED, bare, save
from reports.meter.day import MeterDay
from reports.text_chart import ceiling

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

_DELIVERED, _RECEIVED, _OUTDOORS = "#1f5f8b", "#4f9d69", "#c8553d"
_DPI = 130
#: Room over what is drawn, as a share of it.
_HEADROOM = 0.16
#: Quarter hours from one word on a spike to the next.
_APART = 12


class _Look(NamedTuple):
    colour: str
    hatch: str = ""


_MISSING = _Look("#c3ccd4", "////")
#: By the name of the mark.
_LOOKS = {
    "not_recorded": _Look("#b6c1ca", "...."),
    "stopped": _MISSING,
    "skipped": _Look("#c3ccd4", "\\\\\\\\"),
    "power_fail": _Look("#8c2f24"),
    "overflow": _Look("#d9822b"),
    "partial": _Look("#e3b23c"),
    "long": _Look("#b58900"),
    "test_mode": _Look("#8e6bb0"),
    "configuration": _Look("#5fa8a0"),
    "clock_forward": _Look("#6c8ebf"),
    "clock_back": _Look("#7d6cbf"),
    "switch_open": _Look("#9a7b4f"),
    "silent_fault": _Look("#e08e45"),
}


def write_png(shown: MeterDay, path: Path) -> None:
    """Draw the day into a file. Raises MeterError where it cannot be written."""
    picture = png(shown)
    try:
        path.write_bytes(picture)
    except OSError as error:
        raise MeterError(
            "meters.show.png", f"The picture cannot be written: {error.strerror}.", str(path), "Name another --png."
        ) from None


def png(shown: MeterDay) -> bytes:
    """The day as a PNG, the same bytes every time."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "hatch.linewidth": 0.6,
        "axes.edgecolor": MUTED,
        "text.color": INK,
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=(11.0, 5.2), layout="constrained")
        axes = figure.subplots()
        bare(axes)
        _energy(axes, shown)
        if shown.outdoors is not None:
            _temperature(axes, shown)
        _clock(axes, shown)
        _titles(figure, axes, shown)
        out = BytesIO()
        save(figure, out, _DPI)
    return out.getvalue()


def _energy(axes: Axes, shown: MeterDay) -> None:
    edges = np.append(shown.starts, shown.ends[-1])
    delivered = np.where(shown.present, shown.delivered, np.nan) / 1000
    received = np.where(shown.present, shown.received, np.nan) / 1000
    reach = [ceiling(np.maximum(delivered, 0)), ceiling(np.maximum(-delivered, 0)), ceiling(received)]
    axes.stairs(delivered, edges, fill=True, color=_DELIVERED, alpha=0.28, linewidth=0)
    axes.stairs(delivered, edges, baseline=None, color=_DELIVERED, linewidth=1.5, label="delivered")
    if shown.received.any():
        axes.stairs(-received, edges, fill=True, color=_RECEIVED, alpha=0.32, linewidth=0)
        axes.stairs(-received, edges, baseline=None, color=_RECEIVED, linewidth=1.5, label="received (surplus)")
    if shown.used is not None and (apart := _apart(shown)).any():
        for channel, sign in zip(shown.used, (1, -1), strict=True):
            used = np.where(apart, channel * sign / 1000, np.nan)
            label = "the premise's load" if sign > 0 else None
            if sign > 0 or channel.any():
                axes.stairs(used, edges, baseline=None, color=INK, linewidth=1.0, linestyle="--", label=label)
        reach = [
            max(reach[0], ceiling(shown.used.delivered / 1000)),
            reach[1],
            max(reach[2], ceiling(shown.used.received / 1000)),
        ]
    _marks(axes, shown, edges)
    top, bottom = max(reach[0], 0.001), max(reach[1], reach[2])
    room = _HEADROOM * (top + bottom)
    axes.set_ylim(-bottom - room / 2 if bottom else 0, top + room)
    axes.axhline(0, color=MUTED, linewidth=0.9)
    _cut_off(axes, shown, delivered)
    axes.set_ylabel("kWh per 15 minutes", color=INK)
    # Below nought lies what is received, which is no negative energy.
    signed = bool((shown.delivered < 0).any())
    axes.yaxis.set_major_formatter(lambda value, _: f"{value if signed else abs(value):g}")


def _apart(shown: MeterDay) -> NDArray[np.bool_]:
    """(n,) where the meter holds something else than the premise used; the grain of a multiplier is nothing else."""
    assert shown.used is not None
    most = np.maximum(
        np.abs(shown.delivered - shown.used.delivered.astype(np.int64)),
        np.abs(shown.received - shown.used.received.astype(np.int64)),
    )
    apart: NDArray[np.bool_] = ~shown.present | (most >= max(2, shown.multiplier))
    return apart


def _marks(axes: Axes, shown: MeterDay, edges: NDArray[np.int64]) -> None:
    """A band behind every run of intervals with one mark."""
    firsts = [marks[0] if marks else None for marks in shown.marks]
    named = set()
    at = 0
    while at < len(firsts):
        mark, first = firsts[at], at
        while at < len(firsts) and firsts[at] == mark:
            at += 1
        if mark is None:
            continue
        look = _LOOKS[mark.name]
        axes.axvspan(
            edges[first],
            edges[at],
            facecolor="none" if look.hatch else look.colour,
            edgecolor=look.colour if look.hatch else "none",
            hatch=look.hatch or None,
            linewidth=0,
            alpha=1.0 if look.hatch else 0.38,
            label=None if mark in named else mark.says,
            # Over the fills, under the lines.
            zorder=1.5,
        )
        named.add(mark)


def _cut_off(axes: Axes, shown: MeterDay, delivered: Floats) -> None:
    """Say how high a spike is that the picture does not hold; of several at once the first."""
    low, high = axes.get_ylim()
    latest = -_APART
    for at in np.flatnonzero((delivered > high) | (delivered < low)):
        if at - latest < _APART:
            continue
        latest = int(at)
        up = bool(delivered[at] > 0)
        late = at > len(delivered) * 0.8
        axes.annotate(
            f"{delivered[at]:,.2f} kWh at {local(seconds(shown.starts[at])):%H:%M}",
            (float(shown.starts[at] if late else shown.ends[at]), high if up else low),
            (-6 if late else 6, -4 if up else 4),
            textcoords="offset points",
            va="top" if up else "bottom",
            ha="right" if late else "left",
            fontsize=9,
            bbox={"boxstyle": "square,pad=0.2", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
        )


def _temperature(axes: Axes, shown: MeterDay) -> None:
    assert shown.outdoors is not None
    beside = axes.twinx()
    beside.spines[["top"]].set_visible(False)
    beside.plot(shown.starts + 450, shown.outdoors, color=_OUTDOORS, linewidth=1.4, alpha=0.9, label="°C outdoors")
    low, high = float(shown.outdoors.min()), float(shown.outdoors.max())
    # In the upper half, off the bars, with whole degrees.
    beside.set_ylim(low - 1.2 * (high - low) - 4, high + 0.35 * (high - low) + 1)
    beside.set_ylabel("°C outdoors", color=_OUTDOORS)
    beside.tick_params(axis="y", colors=_OUTDOORS)
    beside.set_yticks([one for one in range(int(low // 5) * 5, int(high) + 6, 5) if low - 2.5 <= one <= high + 2.5])


def _clock(axes: Axes, shown: MeterDay) -> None:
    """Hours by the local clock; the one that comes twice is there twice."""
    hours = [(at, local(seconds(at))) for at in shown.starts if local(seconds(at)).minute == 0]
    wanted = [(at, when) for at, when in hours if when.hour % 3 == 0]
    end = int(shown.ends[-1])
    axes.set_xticks([at for at, _ in wanted] + [end], [f"{when:%H:%M}" for _, when in wanted] + ["24:00"])
    axes.set_xticks([at for at, _ in hours], minor=True)
    axes.set_xlim(int(shown.starts[0]), end)
    if len(shown.ends) != 96:
        says = (
            "23 hours: the clock goes forward at 02:00"
            if len(shown.ends) < 96
            else "25 hours: 01:00 to 02:00 comes twice"
        )
        axes.set_xlabel(says, color=MUTED, fontsize=9)


def _titles(figure: Figure, axes: Axes, shown: MeterDay) -> None:
    premise = shown.found.premise
    delivered, received = shown.totals
    kwh = f"{delivered / 1000:,.3f} kWh delivered" + (f", {received / 1000:,.3f} kWh received" if received else "")
    axes.set_title(
        f"ESI ID {shown.found.meter.identity.esiid}   {premise.klass}, {premise.zone}   {shown.day:%a %Y-%m-%d}   {kwh}",
        loc="left",
        fontsize=11.5,
        color=INK,
        pad=8,
    )
    handles, labels = [], []
    for axis in figure.axes:
        its_handles, its_labels = axis.get_legend_handles_labels()
        handles += its_handles
        labels += its_labels
    figure.legend(handles, labels, loc="outside lower left", ncols=4, frameon=False, fontsize=9)
