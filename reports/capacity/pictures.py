"""The pictures of a study for slides and papers, as matplotlib draws them: the same as the charts of its page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reports.capacity.charts import HOURS, WAYS, Place, busy, courses, places, refused_by_hour, swung
from reports.capacity.compare import TOLD, USD, Judged
from reports.chart_parts import GRID, INCHES, INK, MUTED, PAPER, bare
from simulator.capacity.outcome import Outcome
from simulator.web.palette import light

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
_ACCENT, _BAD = light("accent"), light("bad")
#: Of a panel's width and height: what lies nearer has one label.
_NEAR = (0.09, 0.045)
#: So many steps of a colour.
_STEPS = 20


def _figure(high: float) -> Figure:
    """An empty one, so many inches high."""
    from matplotlib.figure import Figure

    return Figure(figsize=(INCHES, high), layout="constrained")


def pareto(outcome: Outcome) -> Figure | None:
    """What the market gets against what is moved on air and over HTTP: what is told, and dollars. Policies by their number."""
    if not places(outcome, TOLD, "octets_on_air"):
        return None
    chart = _figure(8.4)
    panels = iter(chart.subplots(2, 2).ravel())
    for judged, title in ((TOLD, "told in the call, % (up is better)"), (USD, "dollars off (down is better)")):
        for way, where in WAYS.items():
            panel = next(panels)
            _front(panel, places(outcome, judged, way), judged)
            panel.set_title(f"Worst workload: {title}", loc="left", fontsize=10)
            bent = "nothing apart, " if panel.get_xscale() == "symlog" else ""
            panel.set_xlabel(f"MB {where} a day, where it takes most; {bent}by powers of ten")
    return chart


def _front(panel: Axes, found: Sequence[Place], judged: Judged) -> None:
    bare(panel)
    scale = 100 if judged is TOLD else 1
    _moved_axis(panel, [one.megabytes for one in found])
    front = sorted((one for one in found if one.on_front), key=lambda one: one.megabytes)
    panel.step(
        [one.megabytes for one in front], [scale * one.value for one in front], where="post", color=_ACCENT, lw=1
    )
    # Those of the front lie above others at the same place.
    for one in sorted(found, key=lambda one: one.on_front):
        panel.plot(one.megabytes, scale * one.value, "o", color=_ACCENT if one.on_front else MUTED, ms=6)
    panel.margins(y=0.12)
    # What a place is in parts of the panel is known once its limits are.
    panel.autoscale_view()
    at = panel.transAxes.inverted().transform(
        panel.transData.transform([(one.megabytes, scale * one.value) for one in found])
    )
    for of in _together(at):
        front_too = any(found[one].on_front for one in of)
        panel.annotate(
            ", ".join(str(found[one].number) for one in of),
            # Above all that it is the label of.
            (at[of][:, 0].mean(), at[of][:, 1].max()),
            xycoords="axes fraction",
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            color=INK if front_too else MUTED,
            fontweight="bold" if front_too else "normal",
        )


def _moved_axis(panel: Axes, moved: Sequence[float]) -> None:
    """By powers of ten; what moves nothing stands apart at its left end."""
    from matplotlib.ticker import LogLocator, SymmetricalLogLocator

    some = [one for one in moved if one] or [1.0]
    if not all(moved):
        least = 10 ** np.floor(np.log10(min(some)))
        panel.set_xscale("symlog", linthresh=least, linscale=0.3)
        panel.set_xlim(-0.15 * least, 2.5 * max(some))
        panel.xaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=least, subs=[1, 3]))
    else:
        panel.set_xscale("log")
        panel.set_xlim(0.6 * min(some), 2.5 * max(some))
        panel.xaxis.set_major_locator(LogLocator(subs=[1, 2, 5]))
    panel.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}" if x >= 100 else f"{x:g}")
    panel.xaxis.set_minor_formatter("")


def _together(at: Floats) -> Iterator[list[int]]:
    """Which of (n, 2) places lie so near that they have one label."""
    left = list(range(len(at)))
    while left:
        of = [one for one in left if (np.abs(at[one] - at[left[0]]) < _NEAR).all()]
        left = [one for one in left if one not in of]
        yield of


def _shaded(panel: Axes, shares: Floats, colour: str) -> None:
    """(rows, columns) shares from 0 to 1 as so much of a colour, in steps, what is alike drawn as one; NaN is left out. No raster: a page turns it dark."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    steps = np.rint(np.clip(np.nan_to_num(shares), 0, 1) * _STEPS).astype(int)
    for step in range(1, _STEPS + 1):
        corners: list[tuple[float, float]] = []
        for row, of in enumerate(steps == step):
            edges = np.flatnonzero(np.diff(of, prepend=False, append=False))
            for left, right in edges.reshape(-1, 2).tolist():
                top, low = row + 0.04, row + 0.96
                corners += [(left, top), (right, top), (right, low), (left, low), (left, top)]
        if corners:
            codes = [Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY] * (len(corners) // 5)
            path = Path(np.asarray(corners), codes)
            panel.add_patch(PathPatch(path, facecolor=colour, alpha=step / _STEPS, linewidth=0))
    panel.set_xlim(0, shares.shape[1])
    panel.set_ylim(len(shares), 0)
    panel.spines[["top", "right", "left", "bottom"]].set_color(GRID)
    panel.tick_params(colors=MUTED, length=0)


def heat(outcome: Outcome, policies: Sequence[str]) -> Figure | None:
    """How busy access points and workers are over the day: a panel for each workload, rows of each policy."""
    found = [
        (workload, [(policy, *busy(outcome, workload, policy)) for policy in policies])
        for workload in outcome.workload_names
    ]
    found = [(workload, of) for workload, of in found if any(rows for _, rows, _ in of)]
    if not found:
        return None
    each = sum(len(rows) for _, rows, _ in found[0][1])
    chart = _figure(len(found) * (0.55 + 0.2 * each))
    panels = chart.subplots(len(found), 1, squeeze=False).ravel()
    for panel, (workload, of) in zip(panels, found, strict=True):
        rows = [one for _, some, _ in of for one in some]
        hours = next(hours for _, some, hours in of if some)
        columns = min(len(one.shares) for one in rows)
        _shaded(panel, np.stack([one.shares[:columns] for one in rows]), light("from-meter"))
        ticks = np.arange(len(rows)) + 0.5
        panel.set_yticks(ticks, [f"{policy}: {one.name}" for policy, some, _ in of for one in some], fontsize=9)
        right = panel.secondary_yaxis("right")
        right.set_yticks(ticks, [f"{100 * one.most:.0f} %" for one in rows], fontsize=9)
        right.tick_params(colors=MUTED, length=0)
        right.spines["right"].set_visible(False)
        step = 4 if columns <= 110 else 24
        at = np.arange(columns)[np.isclose(hours[:columns] % step, 0)]
        panel.set_xticks(at, [f"{hours[one]:.0f}" for one in at], fontsize=9)
        panel.set_title(workload, loc="left", fontsize=10)
    panels[-1].set_xlabel("hours from midnight")
    return chart


def refusals(outcome: Outcome) -> Figure | None:
    """Which share of each clock hour's requests a policy refuses."""
    found = refused_by_hour(outcome)
    if not found:
        return None
    chart = _figure(0.8 + 0.26 * len(found))
    panel = chart.subplots()
    shares = np.stack([one.shares for one in found])
    _shaded(panel, shares, _BAD)
    panel.set_yticks(np.arange(len(found)) + 0.5, [one.policy for one in found], fontsize=9)
    panel.set_xticks(range(0, HOURS + 1, 4), [str(one) for one in range(0, HOURS + 1, 4)], fontsize=9)
    panel.set_xlabel("hour of the clock")
    return chart


def tornado(outcome: Outcome, policy: str) -> Figure | None:
    """By how far each assumption moves what is told in the call, and the dollars, under a policy."""
    both = [(judged, swung(outcome, judged, policy)) for judged in (TOLD, USD)]
    if not both[0][1]:
        return None
    chart = _figure(0.7 + 0.45 * len(both[0][1]))
    panels = chart.subplots(1, 2)
    for panel, (judged, found) in zip(panels, both, strict=True):
        scale = 100 if judged is TOLD else 1
        bare(panel)
        panel.grid(visible=False, axis="y")
        panel.spines["left"].set_visible(False)
        panel.axvline(0, color=MUTED, lw=1)
        for row, one in enumerate(found):
            for end, of in (("low", one.low), ("high", one.high)):
                if of is None or of.mean is None:
                    continue
                by = scale * of.mean
                panel.barh(row + 0.2, by, height=0.44, color=_ACCENT if end == "low" else light("from-meter"))
                if of.half:
                    panel.errorbar(by, row + 0.2, xerr=scale * of.half, color=INK, lw=0.8, capsize=2)
            panel.text(
                0.0,
                row - 0.2,
                f"{one.title}: {one.range}",
                fontsize=9,
                va="center",
                transform=panel.get_yaxis_transform(),
            )
        panel.set_ylim(len(found) - 0.4, -0.55)
        panel.set_yticks([])
        panel.margins(x=0.05)
        panel.set_title("told in the call, points" if judged is TOLD else "dollars off", loc="left", fontsize=10)
    return chart


def knees(outcome: Outcome) -> Figure | None:
    """What each level asks of against the load, and where it is no longer kept."""
    found = courses(outcome)
    if not found:
        return None
    columns = min(2, len(found))
    lines = -(-len(found) // columns)
    chart = _figure(0.3 + 2.6 * lines)
    panels = chart.subplots(lines, columns, squeeze=False).ravel()
    for panel in panels[len(found) :]:
        panel.set_visible(False)
    for panel, one in zip(panels, found, strict=False):
        bare(panel)
        spread = np.abs(np.asarray([one.low, one.high]) - one.means)
        panel.errorbar(one.requests, one.means, yerr=spread, fmt="o-", color=_ACCENT, ms=4, lw=1.4, capsize=2)
        panel.axhline(one.bound, color=MUTED, lw=1, ls=":")
        panel.annotate(
            "level", (0.99, one.bound), xycoords=("axes fraction", "data"), xytext=(0, 2), color=MUTED,
            textcoords="offset points", fontsize=9, va="bottom", ha="right",
        )  # fmt: skip
        if one.knee is not None:
            panel.axvline(one.knee, color=_BAD, lw=1.4, ls="--")
            panel.annotate(
                "knee", (one.knee, 0.95), xycoords=("data", "axes fraction"), xytext=(4, 0), color=_BAD,
                textcoords="offset points", fontsize=9, va="top",
            )  # fmt: skip
        panel.set_ylim(0, None)
        panel.set_title(f"{one.policy}, {one.workload}", loc="left", fontsize=10)
        panel.set_ylabel(one.measure)
        panel.set_xlabel("thousand requests a day")
        panel.xaxis.set_major_formatter("{x:,.0f}")
        panel.set_facecolor(PAPER)
    return chart
