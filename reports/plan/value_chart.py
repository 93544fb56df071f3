"""The table of what a read is worth as a picture: dollars by which a bill told is off, against the hours not known."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reports.chart_parts import COLOURS, INCHES, INK, MUTED, bare, legend, save
from simulator.capacity.value import CLOSING, TO_DATE, ValueTable
from simulator.ror.errors import RorError

#: How each filling is drawn.
_LINES = {"left out": ("estimated", "-"), "usual day": ("store", "--"), "like days": ("meter", "-.")}
#: Dollars between which it is drawn: a cent is nothing.
_LEAST, _MOST = 0.01, 60.0


def write_png(table: ValueTable, path: Path) -> None:
    """Draw a panel for each of the first four plans into a file. Raises RorError where it cannot be written."""
    from matplotlib.figure import Figure

    names = table.plans[:4]
    wide = min(len(names), 2)
    figure = Figure(figsize=(INCHES, 4.6 * -(-len(names) // wide)), layout="constrained")
    panels = figure.subplots(-(-len(names) // wide), wide, sharex=True, sharey=True, squeeze=False).ravel()
    unknown = np.unique(table.columns["unknown"])[1:]
    for axes, plan in zip(panels, names, strict=False):
        bare(axes)
        for gap, (kind, style) in _LINES.items():
            usd = [table.mean("mean_usd", plan=plan, gap=gap, unknown=one, bill=TO_DATE) for one in unknown]
            axes.plot(
                unknown / 4,
                usd,
                style,
                color=COLOURS[kind],
                linewidth=2,
                label=f"bill to date, the gap {_said(gap)}",
            )
        closing = table.mean("mean_usd", plan=plan, unknown=0, bill=CLOSING)
        axes.axhline(closing, color=INK, linewidth=1, label="closing bill, all read")
        axes.axhline(1.0, color=MUTED, linestyle=":", linewidth=1)
        axes.annotate(
            "$1 (AMB-12)",
            (48, 1.0),
            (0, -3),
            textcoords="offset points",
            ha="right",
            va="top",
            color=MUTED,
            fontsize=9,
            parse_math=False,
        )
        axes.set_yscale("log")
        axes.set_ylim(_LEAST, _MOST)
        axes.set_yticks([0.01, 0.1, 1, 10], ["$0.01", "$0.10", "$1", "$10"], parse_math=False)
        axes.set_xlim(0, 48)
        axes.set_xticks(range(0, 49, 6))
        axes.set_title(plan, loc="left", color=INK, fontsize=11)
        axes.set_xlabel("hours before the call that are not known")
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    for axes in panels[::wide]:
        axes.set_ylabel("mean of abs($ told - true)", parse_math=False)
    legend(figure, *panels[0].get_legend_handles_labels())
    try:
        save(figure, path)
    except OSError as error:
        text = f"The picture cannot be written: {error.strerror}."
        raise RorError("ror.value.unwritable", text, str(path), "Name another --png.") from None


def _said(gap: str) -> str:
    return gap if gap == "left out" else f"as {'the ' if gap == 'usual day' else ''}{gap}"
